/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts that others have written, for the daemon's documents. */
#ifndef SLUICE_SLUICED_TEXT_JSON_H
#define SLUICE_SLUICED_TEXT_JSON_H

#include <stddef.h>

#include <jansson.h>

/*
 * Texts from plugins and pinned memory may hold any bytes, which JSON cannot: what is not printable
 * ASCII becomes '?'.  Ends at a NUL, at `size` or after 255 bytes.
 */
json_t *text_json(const char *text, size_t size);

#endif /* SLUICE_SLUICED_TEXT_JSON_H */
