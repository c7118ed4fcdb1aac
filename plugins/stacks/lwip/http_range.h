/* SPDX-License-Identifier: BSD-2-Clause */
/* What a Range header asks for, as nginx reads it (RFC 9110, 14). */
#ifndef SLUICE_LWIP_HTTP_RANGE_H
#define SLUICE_LWIP_HTTP_RANGE_H

#include <stddef.h>

enum {
	HTTP_RANGES_MAX = 16, /* Of one request; of more the whole file is the answer. */
};

struct http_range {
	size_t start, end; /* The first byte, and that behind the last. */
};

struct http_ranges {
	unsigned int n;
	struct http_range of[HTTP_RANGES_MAX];
};

enum http_ranges_outcome {
	HTTP_RANGES_WHOLE, /* The header is of another kind, or it asks for as much as all. */
	HTTP_RANGES_SOME,
	HTTP_RANGES_UNSATISFIABLE, /* 416 */
};

/* `size` is the file's. */
enum http_ranges_outcome http_ranges_parse(const char *value, size_t size,
					   struct http_ranges *ranges);

#endif /* SLUICE_LWIP_HTTP_RANGE_H */
