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

static uint8_t file_bytes[100]; /* Of /f. */

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
	static const char interim[] = "HTTP/1.1 100 Continue\r\n\r\n";
	const char *head = reply->head, *end = reply->head + reply->head_size;
	uint8_t copy[sizeof(reply->text)];

	if (strncmp(head, interim, strlen(interim)) == 0)
		head += strlen(interim);
	check(end - head > 4 && reply->head_size < sizeof(reply->head) && !*end);
	check(strstr(head, "\r\n\r\n") == end - 4);
	check(reply->body_size == 0 || reply->body != NULL);
	check(!reply->body_is_text || reply->body_size <= sizeof(reply->text));
	if (reply->body_size && reply->body_size <= sizeof(copy))
		memcpy(copy, reply->body, reply->body_size);
}

/* What a client is told of the size is what it gets, of a file's bytes only. */
static void check_size(struct reply *reply, const struct http_request *request)
{
	const char *told = strstr(reply->head, "\r\nContent-Length: ");
	struct multipart_piece piece;
	size_t size = reply->body_size;

	while (multipart_next(&reply->multipart, &piece)) {
		check(piece.text_size < sizeof(piece.text) && piece.text_size != 0);
		check(!piece.size || (piece.bytes >= file_bytes &&
				      piece.bytes + piece.size <= file_bytes + sizeof(file_bytes)));
		size += piece.text_size + piece.size;
	}
	check(request->method == HTTP_HEAD || (told ? strtoul(told + 18, NULL, 10) : 0) == size);
	check(request->method != HTTP_HEAD || size == 0);
}

/* The body behind a request is read over the same, however it is cut. */
static void feed_rest(struct http_request *whole, struct http_request *pieces, const uint8_t *data,
		      size_t size, size_t piece)
{
	size_t taken, again;

	http_request_next(whole);
	http_request_next(pieces);
	check(feed(whole, data, size, &taken) == feed_pieces(pieces, data, size, piece, &again) ||
	      size == 0);
	check(taken == again && whole->state == pieces->state);
}

static void open_content(struct content *content)
{
	check(content_init(content, NULL, 100, NULL) == 0);
	for (size_t i = 0; i < sizeof(file_bytes); i++)
		file_bytes[i] = (uint8_t)i;
	content->files[content->n_files++] = (struct content_file){
		.name = "/f",
		.type = "text/plain",
		.bytes = file_bytes,
		.size = sizeof(file_bytes),
		.modified = 784111777,
		.tag = "\"2ebccca1-64\"",
		.modified_text = "Sun, 06 Nov 1994 08:49:37 GMT",
	};
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct content content;
	static struct reply reply;
	struct http_request whole, pieces;
	size_t taken, again;
	enum http_parse outcome;

	if (!content.files)
		open_content(&content);
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
		reply_refuse(&reply, &whole, whole.status, "now");
		check_reply(&reply);
	} else {
		check(whole.target_len == strlen(whole.target));
		check(strcmp(whole.target, pieces.target) == 0);
		check(whole.seen == pieces.seen);
		if (reply_make(&reply, &content, &whole, "now"))
			reply_primes(&reply, "2\n", 2, &whole, "now");
		check_reply(&reply);
		check_size(&reply, &whole);
		feed_rest(&whole, &pieces, data + 1 + taken, size - 1 - taken, data[0] % 16 + 1);
	}
	return 0;
}
