/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "content.h"
#include "http_request.h"
#include "reply.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static struct content content;
static struct reply reply;
static struct http_request request;

/* "0123456789" as /f.txt, of DATE. */
static void open_content(void)
{
	static const uint8_t bytes[] = "0123456789";

	cr_assert_eq(content_init(&content, NULL, 100, NULL), 0);
	content.files[content.n_files++] = (struct content_file){
		.name = "/f.txt",
		.type = "text/plain",
		.bytes = bytes,
		.size = sizeof(bytes) - 1,
		.modified = 784111777,
		.tag = "\"2ebccca1-a\"",
		.modified_text = DATE,
	};
}

static void close_content(void)
{
	content.n_files = 0; /* Its bytes are not the heap's. */
	content_fini(&content);
}

TestSuite(reply, .init = open_content, .fini = close_content);

/* N, if the primes below N are asked for. */
static unsigned int ask(const char *text)
{
	size_t taken;

	http_request_init(&request);
	cr_assert_eq(http_request_feed(&request, text, strlen(text), &taken), HTTP_DONE);
	return reply_make(&reply, &content, &request, DATE);
}

static void expect_head(const char *head)
{
	cr_assert_eq(reply.head_size, strlen(head), "%.*s", (int)reply.head_size, reply.head);
	cr_assert_arr_eq(reply.head, head, reply.head_size);
}

Test(reply, a_file)
{
	ask("GET /bytes/64 HTTP/1.1\r\nHost: a\r\n\r\n");
	expect_head("HTTP/1.1 200 OK\r\nServer: sluice\r\nDate: " DATE
		    "\r\nContent-Type: text/plain\r\nContent-Length: 64\r\n"
		    "Connection: keep-alive\r\nAccept-Ranges: bytes\r\n\r\n");
	cr_assert_eq(reply.body_size, 64);
	cr_assert_not(reply.body_is_text);
	cr_assert(reply.keep_alive);
}

Test(reply, head_has_the_length_and_no_body)
{
	ask("HEAD /bytes/64 HTTP/1.0\r\n\r\n");
	cr_assert_not_null(strstr(reply.head, "Content-Length: 64\r\nConnection: close\r\n"));
	cr_assert_eq(reply.body_size, 0);
	cr_assert_not(reply.keep_alive);
	ask("HEAD /none HTTP/1.1\r\nHost: a\r\n\r\n");
	cr_assert_eq(reply.status, 404);
	cr_assert_eq(reply.body_size, 0);
}

Test(reply, primes)
{
	cr_assert_eq(ask("GET /prime/10 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"), 10);
	reply_primes(&reply, "2\n3\n5\n7\n", 8, &request, DATE);
	cr_assert_eq(reply.status, 200);
	cr_assert_eq(reply.body_size, 8);
	cr_assert(reply.body_is_text);
	cr_assert_arr_eq(reply.body, "2\n3\n5\n7\n", 8);
	cr_assert_not(reply.keep_alive);
	cr_assert_eq(ask("HEAD /prime/10 HTTP/1.1\r\nHost: a\r\n\r\n"), 10);
	reply_primes(&reply, "2\n3\n5\n7\n", 8, &request, DATE);
	cr_assert_not_null(strstr(reply.head, "Content-Length: 8\r\n"));
	cr_assert_eq(reply.body_size, 0);
	cr_assert_eq(ask("GET /prime/101 HTTP/1.1\r\nHost: a\r\n\r\n"), 0);
	cr_assert_eq(reply.status, 404);
}

Test(reply, refusals)
{
	ask("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n");
	cr_assert_eq(reply.status, 400);
	cr_assert_not(reply.keep_alive);
	ask("DELETE / HTTP/1.1\r\nHost: a\r\n\r\n");
	cr_assert_eq(reply.status, 405);
	cr_assert_not_null(strstr(reply.head, "\r\nAllow: GET, HEAD\r\n"));
	cr_assert(reply.keep_alive);
	reply_refuse(&reply, &request, 414, DATE);
	cr_assert_not_null(strstr(reply.head, "HTTP/1.1 414 Request-URI Too Large\r\n"));
	cr_assert_not_null(strstr(reply.head, "\r\nConnection: close\r\n"));
	cr_assert_gt(reply.body_size, 0);
}

Test(reply, a_header_too_large_looks_as_from_nginx)
{
	ask("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
	reply_refuse(&reply, &request, HTTP_TOO_LARGE, DATE);
	cr_assert_eq(reply.status, 400);
	cr_assert_not_null(
		strstr(reply.text, "<title>400 Request Header Or Cookie Too Large</title>"));
	cr_assert_not_null(strstr(reply.text, "<h1>400 Bad Request</h1>"));
}

Test(reply, methods)
{
	static const struct {
		const char *line;
		unsigned int status;
		bool keep_alive;
	} cases[] = {
		{ "POST /f.txt", 405, true },	  { "POST /none", 404, true },
		{ "PUT /none", 405, true },	  { "TRACE /f.txt", 405, false },
		{ "CONNECT /f.txt", 405, false }, { "OPTIONS *", 400, false },
		{ "POST /prime/10", 405, true },
	};
	char text[80];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		snprintf(text, sizeof(text), "%s HTTP/1.1\r\nHost: a\r\n\r\n", cases[i].line);
		cr_assert_eq(ask(text), 0);
		cr_assert_eq(reply.status, cases[i].status, "%s: %u", cases[i].line, reply.status);
		cr_assert_eq(reply.keep_alive, cases[i].keep_alive, "%s", cases[i].line);
	}
}

#define TAG "\"2ebccca1-a\""
#define EARLIER "Sun, 06 Nov 1994 08:49:36 GMT"
#define LATER "Sun, 06 Nov 1994 08:49:38 GMT"

/* As nginx answers them; tests/system/stack/like_nginx.py asks it. */
static const struct conditional {
	const char *lines, *path;
	unsigned int status;
} conditionals[] = {
	{ "If-None-Match: " TAG "\r\n", "/f.txt", 304 },
	{ "If-None-Match: W/" TAG "\r\n", "/f.txt", 304 },
	{ "If-None-Match: \"x\", W/" TAG " ,\"y\"\r\n", "/f.txt", 304 },
	{ "If-None-Match: *\r\n", "/f.txt", 304 },
	{ "If-None-Match: \"x\"\r\n", "/f.txt", 200 },
	{ "If-None-Match: " TAG "x\r\n", "/f.txt", 200 },
	{ "If-None-Match:\r\n", "/f.txt", 200 },
	{ "If-None-Match: " TAG "\r\nIf-Modified-Since: " DATE "\r\n", "/f.txt", 304 },
	{ "If-None-Match: " TAG "\r\nIf-Modified-Since: " EARLIER "\r\n", "/f.txt", 200 },
	{ "If-None-Match: \"x\"\r\nIf-Modified-Since: " DATE "\r\n", "/f.txt", 200 },
	{ "If-Modified-Since: " DATE "\r\n", "/f.txt", 304 },
	{ "If-Modified-Since: " LATER "\r\n", "/f.txt", 200 },
	{ "If-Modified-Since: yesterday\r\n", "/f.txt", 200 },
	{ "If-Unmodified-Since: " DATE "\r\n", "/f.txt", 200 },
	{ "If-Unmodified-Since: " LATER "\r\n", "/f.txt", 200 },
	{ "If-Unmodified-Since: " EARLIER "\r\n", "/f.txt", 412 },
	{ "If-Unmodified-Since: yesterday\r\n", "/f.txt", 412 },
	{ "If-Match: " TAG "\r\n", "/f.txt", 200 },
	{ "If-Match: *\r\n", "/f.txt", 200 },
	{ "If-Match: W/" TAG "\r\n", "/f.txt", 412 },
	{ "If-Match: \"x\"\r\n", "/f.txt", 412 },
	{ "Range: bytes=1-2\r\n", "/f.txt", 206 },
	{ "Range: bytes=10-\r\n", "/f.txt", 416 },
	{ "Range: bytes=1-2\r\nIf-Range: " TAG "\r\n", "/f.txt", 206 },
	{ "Range: bytes=1-2\r\nIf-Range: " DATE "\r\n", "/f.txt", 206 },
	{ "Range: bytes=1-2\r\nIf-Range: W/" TAG "\r\n", "/f.txt", 200 },
	{ "Range: bytes=1-2\r\nIf-Range: " LATER "\r\n", "/f.txt", 200 },
	{ "Range: bytes=1-2\r\nIf-Match: \"x\"\r\n", "/f.txt", 412 },
	/* What is no file has neither a tag nor a date. */
	{ "If-None-Match: \"\"\r\n", "/bytes/64", 200 },
	{ "If-Modified-Since: " DATE "\r\n", "/bytes/64", 200 },
	{ "If-Unmodified-Since: " DATE "\r\n", "/bytes/64", 412 },
	{ "If-Match: \"\"\r\n", "/bytes/64", 412 },
	{ "Range: bytes=1-2\r\n", "/bytes/64", 206 },
	{ "Range: bytes=1-2\r\nIf-Range: \"\"\r\n", "/bytes/64", 200 },
};

Test(reply, conditions)
{
	char text[400];

	for (size_t i = 0; i < sizeof(conditionals) / sizeof(conditionals[0]); i++) {
		const struct conditional *row = &conditionals[i];

		snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: a\r\n%s\r\n", row->path,
			 row->lines);
		ask(text);
		cr_assert_eq(reply.status, row->status, "%s: %u", row->lines, reply.status);
	}
}

Test(reply, not_modified)
{
	ask("GET /f.txt HTTP/1.1\r\nHost: a\r\nIf-None-Match: *\r\n\r\n");
	expect_head("HTTP/1.1 304 Not Modified\r\nServer: sluice\r\nDate: " DATE
		    "\r\nLast-Modified: " DATE "\r\nConnection: keep-alive\r\nETag: " TAG
		    "\r\n\r\n");
	cr_assert_eq(reply.body_size, 0);
}

Test(reply, one_range)
{
	ask("GET /f.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=-3\r\n\r\n");
	expect_head("HTTP/1.1 206 Partial Content\r\nServer: sluice\r\nDate: " DATE
		    "\r\nContent-Type: text/plain\r\nContent-Length: 3\r\nLast-Modified: " DATE
		    "\r\nConnection: keep-alive\r\nETag: " TAG
		    "\r\nContent-Range: bytes 7-9/10\r\n\r\n");
	cr_assert_eq(reply.body_size, 3);
	cr_assert_arr_eq(reply.body, "789", 3);
	cr_assert(multipart_is_over(&reply.multipart));
	ask("GET /f.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=10-\r\n\r\n");
	cr_assert_not_null(strstr(reply.head, "\r\nContent-Range: bytes */10\r\n"));
	cr_assert_null(strstr(reply.head, "ETag"));
}

/* What a client gets behind the head. */
static size_t all_pieces(char *text)
{
	struct multipart_piece piece;
	size_t size = 0;

	while (multipart_next(&reply.multipart, &piece)) {
		memcpy(text + size, piece.text, piece.text_size);
		size += piece.text_size;
		if (piece.size)
			memcpy(text + size, piece.bytes, piece.size);
		size += piece.size;
	}
	text[size] = '\0';
	return size;
}

Test(reply, several_ranges)
{
	static const char body[] = "\r\n--00000000000000000001\r\nContent-Type: text/plain\r\n"
				   "Content-Range: bytes 0-1/10\r\n\r\n01"
				   "\r\n--00000000000000000001\r\nContent-Type: text/plain\r\n"
				   "Content-Range: bytes 8-9/10\r\n\r\n89"
				   "\r\n--00000000000000000001--\r\n";
	char text[1000], length[40];

	ask("GET /f.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1, -2\r\n\r\n");
	cr_assert_eq(reply.status, 206);
	cr_assert_eq(reply.body_size, 0);
	cr_assert_not_null(strstr(reply.head, "\r\nContent-Type: multipart/byteranges; "
					      "boundary=00000000000000000001\r\n"));
	snprintf(length, sizeof(length), "\r\nContent-Length: %zu\r\n", strlen(body));
	cr_assert_not_null(strstr(reply.head, length));
	cr_assert_eq(all_pieces(text), strlen(body));
	cr_assert_str_eq(text, body);
	ask("HEAD /f.txt HTTP/1.1\r\nHost: a\r\nRange: bytes=0-1, -2\r\n\r\n");
	cr_assert_not_null(strstr(reply.head, length));
	cr_assert(multipart_is_over(&reply.multipart));
}

Test(reply, says_continue_where_a_body_may_come)
{
#define EXPECT " HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n"
	static const char first[] = "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n";

	ask("GET /f.txt" EXPECT);
	cr_assert_arr_eq(reply.head, first, strlen(first));
	cr_assert_eq(ask("GET /prime/10" EXPECT), 10);
	reply_primes(&reply, "2\n", 2, &request, DATE);
	cr_assert_arr_eq(reply.head, first, strlen(first));
	ask("POST /f.txt" EXPECT);
	cr_assert_null(strstr(reply.head, "100 Continue"));
	ask("GET /none" EXPECT);
	cr_assert_null(strstr(reply.head, "100 Continue"));
}
