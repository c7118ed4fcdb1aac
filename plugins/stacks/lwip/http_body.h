/* SPDX-License-Identifier: BSD-2-Clause */
/* The body of a request, which is read over: of a given length, or in chunks (RFC 9112, 7.1). */
#ifndef SLUICE_LWIP_HTTP_BODY_H
#define SLUICE_LWIP_HTTP_BODY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_BODY_MAX = 1024 * 1024, /* A longer one is refused. */
	HTTP_BODY_LINE_MAX = 4096,   /* Of a chunk's first line, and of all trailers. */
};

enum http_body_state {
	HTTP_BODY_BYTES,
	HTTP_BODY_SIZE_START,
	HTTP_BODY_SIZE,
	HTTP_BODY_EXTENSION,
	HTTP_BODY_SIZE_LF,
	HTTP_BODY_CHUNK,
	HTTP_BODY_CHUNK_CR,
	HTTP_BODY_CHUNK_LF,
	HTTP_BODY_TRAILER_START,
	HTTP_BODY_TRAILER,
	HTTP_BODY_TRAILER_LF,
	HTTP_BODY_LAST_LF,
	HTTP_BODY_DONE,
	HTTP_BODY_BAD,
	HTTP_BODY_TOO_LONG,
};

struct http_body {
	enum http_body_state state;
	uint64_t left;	    /* Of what is given, or of this chunk. */
	uint64_t n_chunked; /* Bytes of all chunks so far. */
	unsigned int n_line;
};

void http_body_init(struct http_body *body, uint64_t length);
void http_body_init_chunked(struct http_body *body);

/*
 * Takes what belongs to the body of `size` bytes, `*taken` gets how many.  True: it is complete, or cannot go on
 * (the state is one of the last three).
 */
bool http_body_skip(struct http_body *body, const char *data, size_t size, size_t *taken);

#endif /* SLUICE_LWIP_HTTP_BODY_H */
