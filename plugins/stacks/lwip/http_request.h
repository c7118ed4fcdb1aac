/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parser of HTTP/1.x requests: bytes in, as they come, in pieces of any size; no memory of its
 * own but the structure, no look back.  It is as strict as RFC 9112 asks a server to be where
 * leniency is known to be abused (request smuggling), and else takes and refuses what nginx does.
 */
#ifndef SLUICE_LWIP_HTTP_REQUEST_H
#define SLUICE_LWIP_HTTP_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_body.h"

enum {
	HTTP_TARGET_MAX =
		1024, /* Of a target without its query what is kept: nothing here has a longer name. */
	HTTP_LINE_MAX = 8192,	  /* Longer: 414 in the first line, else HTTP_TOO_LARGE. */
	HTTP_HEADERS_MAX = 32768, /* Bytes of all lines; more: HTTP_TOO_LARGE. */
	HTTP_KEPT_MAX =
		1024,	    /* Of the values of all headers that are kept; more: HTTP_TOO_LARGE. */
	HTTP_WORD_MAX = 24, /* The longest other name or value that matters here, and its NUL. */
	HTTP_EMPTY_MAX = 100, /* Bytes of empty lines in front of a request; more: 400. */

	HTTP_TOO_LARGE = 494, /* nginx's own status, which a client sees as 400. */
};

enum http_method {
	HTTP_GET,
	HTTP_HEAD,
	HTTP_POST,
	HTTP_TUNNEL, /* CONNECT and TRACE, which end the connection. */
	HTTP_OTHER,  /* A method that is well-formed: 405. */
};

enum http_header {
	/* Whose values are kept, each at most once. */
	HTTP_IF_MATCH,
	HTTP_IF_NONE_MATCH,
	HTTP_IF_MODIFIED_SINCE,
	HTTP_IF_UNMODIFIED_SINCE,
	HTTP_IF_RANGE,
	HTTP_RANGE,
	HTTP_HOST,
	HTTP_N_KEPT,
	HTTP_CONTENT_LENGTH = HTTP_N_KEPT,
	HTTP_TRANSFER_ENCODING,
	HTTP_EXPECT,
	HTTP_CONNECTION,
	HTTP_HEADER_OTHER,
};

enum http_parse {
	HTTP_MORE, /* All was taken; the request is not complete. */
	HTTP_DONE, /* A request is there to be answered; no byte behind it was taken, nor its body. */
	HTTP_BAD, /* `status` says what to answer; the connection must then be closed. */
};

/* Where in a request the parser is. */
enum http_state {
	HTTP_STATE_BODY, /* Of the request before. */
	HTTP_STATE_START,
	HTTP_STATE_METHOD,
	HTTP_STATE_TARGET,
	HTTP_STATE_QUERY,
	HTTP_STATE_VERSION,
	HTTP_STATE_LINE_END,
	HTTP_STATE_HEADER_START,
	HTTP_STATE_HEADER_NAME,
	HTTP_STATE_VALUE_START,
	HTTP_STATE_VALUE,
	HTTP_STATE_HEADER_END,
	HTTP_STATE_LAST_LF,
	HTTP_STATE_DONE,
	HTTP_STATE_BAD,
};

struct http_request {
	/* What was asked for, once it is HTTP_DONE. */
	enum http_method method;
	bool keep_alive;
	bool expects_continue; /* The client waits for 100 before it sends the body. */
	bool target_is_cut;    /* It was longer than HTTP_TARGET_MAX. */
	unsigned int minor;    /* Of HTTP/1.x; higher ones than 1 count as 1. */
	unsigned int status;   /* If HTTP_BAD. */
	size_t target_len;
	char target[HTTP_TARGET_MAX + 1]; /* Without its query; NUL-terminated. */

	/* The parser's own. */
	enum http_state state;
	enum http_header header; /* Of this line. */
	unsigned int seen;	 /* Bits of enum http_header. */
	unsigned int word_len, n_line, n_bytes;
	bool wants_close, wants_keep, is_chunked;
	uint64_t length;
	struct http_body body;
	char word[HTTP_WORD_MAX];
	unsigned int kept_len;
	uint16_t kept_at[HTTP_N_KEPT];
	char kept[HTTP_KEPT_MAX];
};

/* Ready for a connection's first request. */
void http_request_init(struct http_request *request);
/* Ready for the next one, behind the body of this one, which is HTTP_DONE. */
void http_request_next(struct http_request *request);

/* Takes what it needs of `size` bytes; `*taken` gets how many. */
enum http_parse http_request_feed(struct http_request *request, const char *data, size_t size,
				  size_t *taken);

/* True once a byte of a request has come, until it is complete; its body does not count. */
bool http_request_begun(const struct http_request *request);

/* The value of a header that is kept; NULL: it was not given. */
const char *http_request_value(const struct http_request *request, enum http_header header);

#endif /* SLUICE_LWIP_HTTP_REQUEST_H */
