/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_body.h"

void http_body_init(struct http_body *body, uint64_t length)
{
	*body = (struct http_body){ .state = length ? HTTP_BODY_BYTES : HTTP_BODY_DONE,
				    .left = length };
}

void http_body_init_chunked(struct http_body *body)
{
	*body = (struct http_body){ .state = HTTP_BODY_SIZE_START };
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static enum http_body_state at_size(struct http_body *body, char c)
{
	int digit = hex_value(c);

	if (digit >= 0) {
		body->left = body->left * 16 + (uint64_t)digit;
		return body->left + body->n_chunked > HTTP_BODY_MAX ? HTTP_BODY_TOO_LONG
								    : HTTP_BODY_SIZE;
	}
	if (body->state == HTTP_BODY_SIZE_START)
		return HTTP_BODY_BAD;
	if (c == '\r')
		return HTTP_BODY_SIZE_LF;
	return c == ';' || c == ' ' || c == '\t' ? HTTP_BODY_EXTENSION : HTTP_BODY_BAD;
}

/* The chunk of size 0 is the last. */
static enum http_body_state begin_chunk(struct http_body *body)
{
	body->n_line = 0;
	body->n_chunked += body->left;
	return body->left ? HTTP_BODY_CHUNK : HTTP_BODY_TRAILER_START;
}

static enum http_body_state end_chunk(struct http_body *body)
{
	body->n_line = 0;
	body->left = 0;
	return HTTP_BODY_SIZE_START;
}

/* A bare LF ends no line here: who reads one differently could hide a request in a body. */
static enum http_body_state step(struct http_body *body, char c)
{
	if (++body->n_line > HTTP_BODY_LINE_MAX)
		return HTTP_BODY_TOO_LONG;
	switch (body->state) {
	case HTTP_BODY_SIZE_START:
	case HTTP_BODY_SIZE:
		return at_size(body, c);
	case HTTP_BODY_EXTENSION:
		if (c == '\n')
			return HTTP_BODY_BAD;
		return c == '\r' ? HTTP_BODY_SIZE_LF : HTTP_BODY_EXTENSION;
	case HTTP_BODY_SIZE_LF:
		return c == '\n' ? begin_chunk(body) : HTTP_BODY_BAD;
	case HTTP_BODY_CHUNK_CR:
		return c == '\r' ? HTTP_BODY_CHUNK_LF : HTTP_BODY_BAD;
	case HTTP_BODY_CHUNK_LF:
		return c == '\n' ? end_chunk(body) : HTTP_BODY_BAD;
	case HTTP_BODY_TRAILER_START:
		if (c == '\r')
			return HTTP_BODY_LAST_LF;
		return c == '\n' ? HTTP_BODY_BAD : HTTP_BODY_TRAILER;
	case HTTP_BODY_TRAILER:
		if (c == '\n')
			return HTTP_BODY_BAD;
		return c == '\r' ? HTTP_BODY_TRAILER_LF : HTTP_BODY_TRAILER;
	case HTTP_BODY_TRAILER_LF:
		return c == '\n' ? HTTP_BODY_TRAILER_START : HTTP_BODY_BAD;
	case HTTP_BODY_LAST_LF:
		return c == '\n' ? HTTP_BODY_DONE : HTTP_BODY_BAD;
	default:
		return HTTP_BODY_BAD;
	}
}

static size_t skip_bytes(struct http_body *body, size_t size)
{
	size_t part = size < body->left ? size : (size_t)body->left;

	body->left -= part;
	if (!body->left)
		body->state = body->state == HTTP_BODY_BYTES ? HTTP_BODY_DONE : HTTP_BODY_CHUNK_CR;
	return part;
}

bool http_body_skip(struct http_body *body, const char *data, size_t size, size_t *taken)
{
	size_t i = 0;

	while (i < size && body->state < HTTP_BODY_DONE) {
		if (body->state == HTTP_BODY_BYTES || body->state == HTTP_BODY_CHUNK)
			i += skip_bytes(body, size - i);
		else
			body->state = step(body, data[i++]);
	}
	*taken = i;
	return body->state >= HTTP_BODY_DONE;
}
