/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a client sends to the web server of the stack lwip.  The first byte of the input chooses how
 * the others are cut into pieces, which must not matter; what was read must be within bounds, and
 * have an answer that is well-formed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "content.h"
#include "http_request.h"
#include "reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int condition)
{
	if (!condition)
		abort();
}

/* In a buffer of its own, so that a byte too far is found. */
static enum http_parse feed(struct http_request *request, const uint8_t *data, size_t size,
			    size_t *taken)
{
	char *copy = malloc(size ? size : 1);
	enum http_parse outcome;

	check(copy != NULL);
	memcpy(copy, data, size);
	outcome = http_request_feed(request, copy, size, taken);
	check(*taken <= size);
	free(copy);
	return outcome;
}

static enum http_parse feed_pieces(struct http_request *request, const uint8_t *data, size_t size,
				   size_t piece, size_t *taken)
{
	enum http_parse outcome = HTTP_MORE;
	size_t part;

	for (*taken = 0; outcome == HTTP_MORE && *taken < size; *taken += part)
		outcome = feed(request, data + *taken,
			       piece < size - *taken ? piece : size - *taken, &part);
	return outcome;
}

static void check_reply(const struct reply *reply)
{
	check(reply->head_size > 4 && reply->head_size < sizeof(reply->head));
	check(strlen(reply->head) == reply->head_size);
	check(strstr(reply->head, "\r\n\r\n") == reply->head + reply->head_size - 4);
	check(reply->body_size == 0 || reply->body != NULL);
	check(!reply->body_is_text || reply->body_size <= sizeof(reply->text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct content content;
	static struct reply reply;
	struct http_request whole, pieces;
	size_t taken, again;
	enum http_parse outcome;

	if (!content.files)
		check(content_init(&content, NULL, 100, NULL) == 0);
	if (size < 1)
		return 0;
	http_request_init(&whole);
	http_request_init(&pieces);
	outcome = feed(&whole, data + 1, size - 1, &taken);
	check(feed_pieces(&pieces, data + 1, size - 1, data[0] % 16 + 1, &again) == outcome ||
	      size == 1);
	check(taken == again);
	if (outcome == HTTP_MORE)
		return 0;
	check(whole.status == pieces.status && whole.keep_alive == pieces.keep_alive);
	if (outcome == HTTP_BAD) {
		check(whole.status >= 400);
		reply_refuse(&reply, whole.status, "now");
	} else {
		check(whole.target_len == strlen(whole.target));
		check(strcmp(whole.target, pieces.target) == 0);
		reply_make(&reply, &content, &whole, "now");
	}
	check_reply(&reply);
	return 0;
}
