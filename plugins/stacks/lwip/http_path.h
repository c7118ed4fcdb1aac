/* SPDX-License-Identifier: BSD-2-Clause */
/* What a request's target and its Host name, as nginx reads them. */
#ifndef SLUICE_LWIP_HTTP_PATH_H
#define SLUICE_LWIP_HTTP_PATH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The path of a target without its query, with %XX decoded and without `//`, `/./` and `/../`, in `path`,
 * NUL-terminated; of an absolute target (http://host/path) its path.  Length, or -1: malformed, or it leads out
 * of the root (400).
 */
int http_path(const char *target, char *path, size_t size);

/* False: no name or address of a host, with or without a port. */
bool http_host_is_valid(const char *host, size_t len);

#endif /* SLUICE_LWIP_HTTP_PATH_H */
