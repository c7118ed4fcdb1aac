/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include <string.h>

#include "http_body.h"

/* The state after `text`, in pieces of `piece` bytes, of which `*taken` are the body's. */
static enum http_body_state skip(struct http_body body, const char *text, size_t piece,
				 size_t *taken)
{
	size_t size = strlen(text), part;
	bool over = body.state == HTTP_BODY_DONE;

	for (*taken = 0; !over && *taken < size; *taken += part)
		over = http_body_skip(&body, text + *taken,
				      piece < size - *taken ? piece : size - *taken, &part);
	return body.state;
}

static const struct {
	const char *text;
	enum http_body_state state;
	size_t taken;
} chunked[] = {
	{ "0\r\n\r\nGET", HTTP_BODY_DONE, 5 },
	{ "3\r\nabc\r\n0\r\n\r\nGET", HTTP_BODY_DONE, 13 },
	{ "00A;x=y\r\n0123456789\r\n0;\r\nA: b\r\nC: d\r\n\r\n", HTTP_BODY_DONE, 39 },
	{ "f \t\r\n0123456789abcde\r\n0\r\n\r\n", HTTP_BODY_DONE, 27 },
	{ "3\r\nab", HTTP_BODY_CHUNK, 5 },
	{ "100000\r\n", HTTP_BODY_CHUNK, 8 },
	{ "100001", HTTP_BODY_TOO_LONG, 6 },
	{ "1\r\na\r\n100000", HTTP_BODY_TOO_LONG, 12 },
	{ "ffffffffffffffffff", HTTP_BODY_TOO_LONG, 6 },
	{ "x", HTTP_BODY_BAD, 1 },
	{ "\r\n", HTTP_BODY_BAD, 1 },
	{ "-1\r\n", HTTP_BODY_BAD, 1 },
	{ "1x", HTTP_BODY_BAD, 2 },
	{ "1\n", HTTP_BODY_BAD, 2 },
	{ "1;\n", HTTP_BODY_BAD, 3 },
	{ "1\rx", HTTP_BODY_BAD, 3 },
	{ "1\r\nab", HTTP_BODY_BAD, 5 },
	{ "1\r\na\rb", HTTP_BODY_BAD, 6 },
	{ "0\r\n\n", HTTP_BODY_BAD, 4 },
	{ "0\r\na\n", HTTP_BODY_BAD, 5 },
	{ "0\r\na\rb", HTTP_BODY_BAD, 6 },
	{ "0\r\n\rb", HTTP_BODY_BAD, 5 },
};

Test(http_body, chunks_in_pieces_of_any_size)
{
	struct http_body body;
	size_t taken;

	http_body_init_chunked(&body);
	for (size_t i = 0; i < sizeof(chunked) / sizeof(chunked[0]); i++) {
		for (size_t piece = 1; piece < 40; piece++) {
			cr_assert_eq(skip(body, chunked[i].text, piece, &taken), chunked[i].state,
				     "'%s'", chunked[i].text);
			cr_assert_eq(taken, chunked[i].taken, "'%s': %zu", chunked[i].text, taken);
		}
	}
}

Test(http_body, of_a_length)
{
	struct http_body body;
	size_t taken;

	http_body_init(&body, 0);
	cr_assert_eq(body.state, HTTP_BODY_DONE);
	http_body_init(&body, 5);
	cr_assert_eq(skip(body, "abcd", 3, &taken), HTTP_BODY_BYTES);
	cr_assert_eq(skip(body, "abcdeGET", 3, &taken), HTTP_BODY_DONE);
	cr_assert_eq(taken, 5);
}

Test(http_body, lines_are_bounded)
{
	char line[HTTP_BODY_LINE_MAX + 2];
	struct http_body body;
	size_t taken;

	memset(line, 'x', sizeof(line));
	memcpy(line, "1;", 2);
	line[sizeof(line) - 1] = '\0';
	http_body_init_chunked(&body);
	cr_assert_eq(skip(body, line, sizeof(line), &taken), HTTP_BODY_TOO_LONG);
	memset(line, '0', sizeof(line) - 1);
	cr_assert_eq(skip(body, line, sizeof(line), &taken), HTTP_BODY_TOO_LONG);
}
