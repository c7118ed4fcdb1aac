/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of HTTP/1.x requests: bytes in, as they come, in pieces of any size; no memory of its
 * own but the structure, no look back.  It is as strict as RFC 9112 asks a server to be where
 * leniency is known to be abused (request smuggling), and takes a bare LF as a line's end, as nginx
 * does.
 */
#ifndef SLUICE_LWIP_HTTP_REQUEST_H
#define SLUICE_LWIP_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	HTTP_TARGET_MAX = 1024,	     /* Longer: 414. */
	HTTP_HEADERS_MAX = 32768,    /* Bytes of all header lines; more: 431. */
	HTTP_HEADER_LINES = 100,     /* More: 431. */
	HTTP_BODY_MAX = 1024 * 1024, /* Read and thrown away; longer: 413. */
	HTTP_WORD_MAX = 24,	     /* The longest name or value that matters here, and its NUL. */
};

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_OTHER, /* A method that is well-formed: 405. */
};

enum http_parse {
	HTTP_MORE, /* All was taken; the request is not complete. */
	HTTP_DONE, /* A request is complete; the bytes behind it were not taken. */
	HTTP_BAD,  /* `status` says what to answer; the connection must then be closed. */
};

/* Where in a request the parser is. */
enum http_state {
	HTTP_STATE_START,
	HTTP_STATE_METHOD,
	HTTP_STATE_TARGET,
	HTTP_STATE_VERSION,
	HTTP_STATE_LINE_END,
	HTTP_STATE_HEADER_START,
	HTTP_STATE_HEADER_NAME,
	HTTP_STATE_VALUE_START,
	HTTP_STATE_VALUE,
	HTTP_STATE_HEADER_END,
	HTTP_STATE_LAST_LF,
	HTTP_STATE_BODY,
	HTTP_STATE_DONE,
	HTTP_STATE_BAD,
};

struct http_request {
	/* What was asked for, once it is HTTP_DONE. */
	enum http_method method;
	bool keep_alive;
	unsigned int minor;  /* Of HTTP/1.x; higher ones than 1 count as 1. */
	unsigned int status; /* If HTTP_BAD. */
	size_t target_len;
	char target[HTTP_TARGET_MAX + 1]; /* NUL-terminated. */

	/* The parser's own. */
	enum http_state state;
	unsigned int word_len, n_lines, n_bytes, n_hosts, n_lengths;
	bool wants_close, wants_keep;
	uint64_t body_left;
	char name[HTTP_WORD_MAX], word[HTTP_WORD_MAX];
};

/* Ready for a connection's first request, or its next. */
void http_request_init(struct http_request *request);

/* Takes what it needs of `size` bytes; `*taken` gets how many. */
enum http_parse http_request_feed(struct http_request *request, const char *data, size_t size,
				  size_t *taken);

/* True once a byte of a request has come: it is neither new nor complete. */
bool http_request_begun(const struct http_request *request);

/*
 * The path of a target without its query, with %XX decoded, in `path`, NUL-terminated; of an absolute
 * target (http://host/path) its path.  Length, or -1: malformed (400).
 */
int http_request_path(const struct http_request *request, char *path, size_t size);

#endif /* SLUICE_LWIP_HTTP_REQUEST_H */
