/* SPDX-License-Identifier: BSD-2-Clause */
/* A request answered: pure, apart from connections. */
#ifndef SLUICE_LWIP_REPLY_H
#define SLUICE_LWIP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

struct content;
struct http_request;

enum {
	REPLY_HEAD_MAX = 512,
	REPLY_DATE_SIZE = 30, /* "Sun, 06 Nov 1994 08:49:37 GMT" */
};

/* One answer.  The body is the content's, or in `text`. */
struct reply {
	unsigned int status;
	bool keep_alive;
	size_t head_size;
	char head[REPLY_HEAD_MAX]; /* Status line and headers, with the empty line. */
	const uint8_t *body;	   /* Lives as long as the content, unless it is `text`. */
	size_t body_size;	   /* What is sent: 0 for HEAD. */
	bool body_is_text;	   /* It is `text`: copy it. */
	char text[8192];
};

/* Dates as HTTP writes them. */
void reply_format_date(time_t when, char date[REPLY_DATE_SIZE]);

/*
 * Answers a request that is HTTP_DONE; `date` is now.  0; or N, if the primes below N are asked for: then
 * reply_primes() makes the answer when they are there.
 */
unsigned int reply_make(struct reply *reply, const struct content *content,
			const struct http_request *request, const char *date);

/* The answer to a request for which reply_make() gave a number. */
void reply_primes(struct reply *reply, const char *primes, size_t size,
		  const struct http_request *request, const char *date);

/* The answer to what could not be read; the connection is to be closed. */
void reply_refuse(struct reply *reply, unsigned int status, const char *date);

#endif /* SLUICE_LWIP_REPLY_H */
