/* SPDX-License-Identifier: BSD-2-Clause */
/* What If-Match and its like say of a file, as nginx has it: where both an entity tag and a date are given, both count. */
#ifndef SLUICE_LWIP_HTTP_CONDITION_H
#define SLUICE_LWIP_HTTP_CONDITION_H

#include <stdbool.h>

struct content_file;
struct http_request;

enum http_condition {
	HTTP_CONDITION_HOLDS,
	HTTP_CONDITION_NOT_MODIFIED, /* 304 */
	HTTP_CONDITION_FAILED,	     /* 412 */
};

enum http_condition http_condition(const struct http_request *request,
				   const struct content_file *file);

/* False: If-Range names another state of the file, so that Range must be ignored. */
bool http_condition_range(const struct http_request *request, const struct content_file *file);

#endif /* SLUICE_LWIP_HTTP_CONDITION_H */
