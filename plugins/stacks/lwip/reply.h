/* SPDX-License-Identifier: BSD-2-Clause */
/* A request answered: pure, apart from connections. */
#ifndef SLUICE_LWIP_REPLY_H
#define SLUICE_LWIP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "multipart.h"

struct content;
struct http_request;

enum {
	REPLY_HEAD_MAX = 640,
};

/* One answer.  The body is the content's, or in `text`.  To begin with all 0; to be used again and again. */
struct reply {
	unsigned int status;
	bool keep_alive;
	size_t head_size;
	char head[REPLY_HEAD_MAX]; /* Status line and headers, with the empty line. */
	const uint8_t *body;	   /* Lives as long as the content, unless it is `text`. */
	size_t body_size;	   /* What is sent: 0 for HEAD. */
	bool body_is_text;	   /* It is `text`: copy it. */
	char text[8192];
	struct multipart multipart; /* What is sent behind the body, unless it is over. */
};

/*
 * Answers a request that is HTTP_DONE; `date` is now.  0; or N, if the primes below N are asked for: then
 * reply_primes() makes the answer when they are there.
 */
unsigned int reply_make(struct reply *reply, const struct content *content,
			const struct http_request *request, const char *date);

/* The answer to a request for which reply_make() gave a number. */
void reply_primes(struct reply *reply, const char *primes, size_t size,
		  const struct http_request *request, const char *date);

/* The answer to what could not be read, as far as it was; the connection is to be closed. */
void reply_refuse(struct reply *reply, const struct http_request *request, unsigned int status,
		  const char *date);

#endif /* SLUICE_LWIP_REPLY_H */
