/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include <string.h>

#include "http_request.h"
#include "support/random.h"

struct request_case {
	const char *text;
	enum http_parse outcome;
	unsigned int status; /* If HTTP_BAD. */
	enum http_method method;
	bool keep_alive;
	const char *target;
};

#define H "Host: a\r\n"

static const struct request_case cases[] = {
	/* What is served. */
	{ "GET / HTTP/1.1\r\n" H "\r\n", HTTP_DONE, 0, HTTP_GET, true, "/" },
	{ "HEAD /x?y HTTP/1.1\r\n" H "\r\n", HTTP_DONE, 0, HTTP_HEAD, true, "/x" },
	{ "GET /x#y?z HTTP/1.1\r\n" H "\r\n", HTTP_DONE, 0, HTTP_GET, true, "/x" },
	{ "GET / HTTP/1.0\r\n\r\n", HTTP_DONE, 0, HTTP_GET, false, "/" },
	{ "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n", HTTP_DONE, 0, HTTP_GET, true, "/" },
	{ "GET / HTTP/1.1\r\n" H "Connection: close\r\n\r\n", HTTP_DONE, 0, HTTP_GET, false, "/" },
	{ "GET / HTTP/1.1\r\n" H "Connection: x , CLOSE \r\n\r\n", HTTP_DONE, 0, HTTP_GET, false,
	  "/" },
	{ "GET / HTTP/1.1\r\n" H "Connection: closed\r\n\r\n", HTTP_DONE, 0, HTTP_GET, true, "/" },
	{ "GET / HTTP/1.9\n" H "\n", HTTP_DONE, 0, HTTP_GET, true, "/" },
	{ "\r\n\r\nGET / HTTP/1.1\r\n" H "\r\n", HTTP_DONE, 0, HTTP_GET, true, "/" },
	{ "GET http://a/b HTTP/1.1\r\nhOsT:a\r\n\r\n", HTTP_DONE, 0, HTTP_GET, true, "http://a/b" },
	{ "POST /f HTTP/1.1\r\n" H "Content-Length: 3 \r\n\r\n", HTTP_DONE, 0, HTTP_POST, true,
	  "/f" },
	{ "PATCH / HTTP/1.1\r\n" H "Transfer-Encoding: Chunked\r\n\r\n", HTTP_DONE, 0, HTTP_OTHER,
	  true, "/" },
	{ "TRACE / HTTP/1.1\r\n" H "\r\n", HTTP_DONE, 0, HTTP_TUNNEL, true, "/" },
	{ "GET / HTTP/1.1\r\n" H "Range: bytes=1-2\r\nRange: x\r\n\r\n", HTTP_DONE, 0, HTTP_GET,
	  true, "/" },
	{ "GET / HTTP/1.1\r\n" H "A-Name-That-Is-Longer-Than-Any-Other: \tx\ty \r\n\r\n", HTTP_DONE,
	  0, HTTP_GET, true, "/" },
	{ "GET / HTTP/1.1\r\n" H "Empty:\r\n\r\n", HTTP_DONE, 0, HTTP_GET, true, "/" },
	/* What is not complete. */
	{ "", HTTP_MORE, 0, 0, false, "" },
	{ "GET / HTTP/1.1\r\n" H, HTTP_MORE, 0, 0, false, "" },
	{ "GET / HTTP/1.1\r\n" H "\r", HTTP_MORE, 0, 0, false, "" },
	/* What is malformed. */
	{ " GET / HTTP/1.1\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET  / HTTP/1.1\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET /\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1 \r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1,1\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / http/1.1\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/0.9\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/2.0\r\n", HTTP_BAD, 505, 0, false, "" },
	{ "GET /\x01 HTTP/1.1\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "G(T / HTTP/1.1\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "\x16\x03\x01\x02", HTTP_BAD, 400, 0, false, "" },
	{ "ABCDEFGHIJKLMNOPQRSTUVWXYZ / HTTP/1.1\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\rX", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\n\r\n", HTTP_BAD, 400, 0, false, "" }, /* No Host. */
	{ "GET / HTTP/1.1\r\n" H H "\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\n" H " folded\r\n\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\nHost : a\r\n\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\n: a\r\n\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\nX: a\x7f\r\n\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 1 2\r\n\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: -1\r\n\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: +1\r\n\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\n" H "Content-Length:\r\n\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 1,1\r\n\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 2\r\n\r\n", HTTP_BAD, 400, 0,
	  false, "" },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 18446744073709551617\r\n\r\n", HTTP_BAD, 400, 0,
	  false, "" },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 1048577\r\n\r\n", HTTP_BAD, 413, 0, false, "" },
	{ "GET / HTTP/1.1\r\n" H "Content-Length: 1\r\nContent-Length: 1\r\n\r\n", HTTP_BAD, 400, 0,
	  false, "" },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: gzip, chunked\r\n\r\n", HTTP_BAD, 501, 0,
	  false, "" },
	{ "GET / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
	  HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "GET / HTTP/1.1\r\n" H "If-Match: a\r\nIf-Match: a\r\n\r\n", HTTP_BAD, 400, 0, false,
	  "" },
	{ "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", HTTP_BAD, 400, 0, false, "" },
	{ "get / HTTP/1.1\r\n", HTTP_BAD, 400, 0, false, "" },
};

static void expect(const struct request_case *wanted, const struct http_request *request,
		   enum http_parse outcome)
{
	cr_assert_eq(outcome, wanted->outcome, "'%s': %d", wanted->text, outcome);
	if (outcome == HTTP_BAD)
		cr_assert_eq(request->status, wanted->status, "'%s': %u", wanted->text,
			     request->status);
	if (outcome != HTTP_DONE)
		return;
	cr_assert_eq(request->method, wanted->method, "'%s'", wanted->text);
	cr_assert_eq(request->keep_alive, wanted->keep_alive, "'%s'", wanted->text);
	cr_assert_str_eq(request->target, wanted->target);
}

Test(http_request, each_case_whole)
{
	struct http_request request;
	size_t taken;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		http_request_init(&request);
		expect(&cases[i], &request,
		       http_request_feed(&request, cases[i].text, strlen(cases[i].text), &taken));
		if (cases[i].outcome != HTTP_BAD)
			cr_assert_eq(taken, strlen(cases[i].text), "'%s'", cases[i].text);
	}
}

/* How the bytes are cut into segments is the client's choice and must not matter. */
Test(http_request, each_case_byte_by_byte)
{
	struct http_request request;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum http_parse outcome = HTTP_MORE;
		size_t taken;

		http_request_init(&request);
		for (const char *c = cases[i].text; *c && outcome == HTTP_MORE; c++) {
			outcome = http_request_feed(&request, c, 1, &taken);
			cr_assert_eq(taken, 1);
		}
		expect(&cases[i], &request, outcome);
	}
}

Test(http_request, takes_no_byte_of_the_next_request)
{
	static const char two[] = "GET /1 HTTP/1.1\r\n" H "\r\nGET /2 HTTP/1.1\r\n" H "\r\n";
	struct http_request request;
	size_t first, second;

	http_request_init(&request);
	cr_assert_not(http_request_begun(&request));
	cr_assert_eq(http_request_feed(&request, two, strlen(two), &first), HTTP_DONE);
	cr_assert_str_eq(request.target, "/1");
	http_request_init(&request);
	cr_assert_eq(http_request_feed(&request, two + first, strlen(two + first), &second),
		     HTTP_DONE);
	cr_assert_str_eq(request.target, "/2");
	cr_assert_eq(first + second, strlen(two));
}

/* Until something comes of it, or `times` are over. */
static enum http_parse feed_many(struct http_request *request, const char *text, size_t times)
{
	enum http_parse outcome = HTTP_MORE;
	size_t taken;

	for (size_t i = 0; i < times && outcome == HTTP_MORE; i++)
		outcome = http_request_feed(request, text, strlen(text), &taken);
	return outcome;
}

static void begin(struct http_request *request, const char *text)
{
	http_request_init(request);
	cr_assert_eq(feed_many(request, text, 1), HTTP_MORE);
}

static void expect_refused(struct http_request *request, const char *text, size_t times,
			   unsigned int status)
{
	cr_assert_eq(feed_many(request, text, times), HTTP_BAD);
	cr_assert_eq(request->status, status, "%u", request->status);
}

Test(http_request, bounds_each_part)
{
	struct http_request request;

	begin(&request, "GET /");
	cr_assert_eq(feed_many(&request, "a", HTTP_LINE_MAX - 5), HTTP_MORE);
	expect_refused(&request, "a", 1, 414);
	begin(&request, "GET /?");
	expect_refused(&request, "a", HTTP_LINE_MAX, 414);

	begin(&request, "GET / HTTP/1.1\r\n");
	cr_assert_eq(feed_many(&request, "a: b\r\n", 1000), HTTP_MORE);
	expect_refused(&request, "a: b\r\n", HTTP_HEADERS_MAX, HTTP_TOO_LARGE);
	begin(&request, "GET / HTTP/1.1\r\n");
	cr_assert_eq(feed_many(&request, "a", HTTP_LINE_MAX), HTTP_MORE);
	expect_refused(&request, "a", 1, HTTP_TOO_LARGE);
	begin(&request, "GET / HTTP/1.1\r\na: ");
	expect_refused(&request, "b", HTTP_LINE_MAX, HTTP_TOO_LARGE);
	begin(&request, "GET / HTTP/1.1\r\nIf-Match: ");
	cr_assert_eq(feed_many(&request, "b", HTTP_KEPT_MAX), HTTP_MORE);
	expect_refused(&request, "b", 1, HTTP_TOO_LARGE);
	begin(&request, "GET / HTTP/1.1\r\nIf-Match: ");
	cr_assert_eq(feed_many(&request, "b", HTTP_KEPT_MAX), HTTP_MORE);
	expect_refused(&request, "\r\n", 1, HTTP_TOO_LARGE); /* No room for the end. */
	http_request_init(&request);
	expect_refused(&request, "\r\n", 1000, 400);
}

Test(http_request, cuts_long_targets)
{
	struct http_request request;

	begin(&request, "GET /");
	cr_assert_eq(feed_many(&request, "a", HTTP_TARGET_MAX - 1), HTTP_MORE);
	cr_assert_not(request.target_is_cut);
	cr_assert_eq(feed_many(&request, "a", 1000), HTTP_MORE);
	cr_assert(request.target_is_cut);
	cr_assert_eq(feed_many(&request, " HTTP/1.1\r\n" H "\r\n", 1), HTTP_DONE);
	cr_assert_eq(strlen(request.target), HTTP_TARGET_MAX);
}

Test(http_request, keeps_values)
{
	static const char text[] =
		"GET / HTTP/1.1\r\n" H "if-match: \"a\", \"b\" \t\r\nRANGE:bytes=1-\r\n"
		"If-Modified-Since:\r\nRange: no\r\nX: y\r\nExpect: 100-Continue\r\n\r\n";
	struct http_request request;

	http_request_init(&request);
	cr_assert_eq(feed_many(&request, text, 1), HTTP_DONE);
	cr_assert_str_eq(http_request_value(&request, HTTP_IF_MATCH), "\"a\", \"b\"");
	cr_assert_str_eq(http_request_value(&request, HTTP_RANGE), "bytes=1-");
	cr_assert_str_eq(http_request_value(&request, HTTP_IF_MODIFIED_SINCE), "");
	cr_assert_null(http_request_value(&request, HTTP_IF_NONE_MATCH));
	cr_assert(request.expects_continue);
	http_request_next(&request);
	cr_assert_null(http_request_value(&request, HTTP_RANGE));
	cr_assert_eq(feed_many(&request, "GET / HTTP/1.0\r\nExpect: 100-continue\r\n\r\n", 1),
		     HTTP_DONE);
	cr_assert_not(request.expects_continue, "HTTP/1.0 knows no 100");
}

Test(http_request, answers_before_the_body_and_reads_over_it)
{
	static const char post[] = "POST / HTTP/1.1\r\n" H "Content-Length: 5\r\n\r\n";
	static const char chunked[] = "POST / HTTP/1.1\r\n" H "Transfer-Encoding: chunked\r\n\r\n";
	static const char last[] = "GET /last HTTP/1.1\r\n" H "\r\n";
	struct http_request request;

	http_request_init(&request);
	cr_assert_eq(feed_many(&request, post, 1), HTTP_DONE);
	http_request_next(&request);
	cr_assert_not(http_request_begun(&request));
	cr_assert_eq(feed_many(&request, "GE", 1), HTTP_MORE);
	cr_assert_not(http_request_begun(&request), "that is the body");
	cr_assert_eq(feed_many(&request, "T /", 1), HTTP_MORE);
	cr_assert_eq(feed_many(&request, chunked, 1), HTTP_DONE);
	http_request_next(&request);
	cr_assert_eq(feed_many(&request, "3\r\nGET\r\n0\r\n\r\n", 1), HTTP_MORE);
	cr_assert_eq(feed_many(&request, last, 1), HTTP_DONE);
	cr_assert_str_eq(request.target, "/last");

	cr_assert_eq((http_request_next(&request), feed_many(&request, chunked, 1)), HTTP_DONE);
	http_request_next(&request);
	expect_refused(&request, "x", 1, 400);
}

/* Random bytes near to a request: whole and in random pieces come out the same. */
Test(http_request, pieces_do_not_matter)
{
	static const char model[] =
		"GET /prime/9 HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 2\r\n\r\nab";
	static const char noise[] = "\r\n :,/%HTP1.0abc\t\x01";
	struct random random = { 20261126 };

	for (unsigned int round = 0; round < 20000; round++) {
		struct http_request whole, pieces;
		char text[sizeof(model)];
		size_t size = sizeof(model) - 1, at = 0, taken_whole, taken;
		enum http_parse a, b = HTTP_MORE;

		memcpy(text, model, sizeof(model));
		for (unsigned int n = 0; n < round % 4; n++)
			text[random_next(&random) % size] =
				noise[random_next(&random) % (sizeof(noise) - 1)];
		http_request_init(&whole);
		http_request_init(&pieces);
		a = http_request_feed(&whole, text, size, &taken_whole);
		while (b == HTTP_MORE && at < size) {
			size_t part = 1 + random_next(&random) % (size - at);

			b = http_request_feed(&pieces, text + at, part, &taken);
			at += taken;
		}
		cr_assert_eq(a, b, "round %u: '%s'", round, text);
		cr_assert_eq(at, taken_whole, "round %u: '%s'", round, text);
		cr_assert_eq(whole.status, pieces.status, "round %u", round);
		if (a == HTTP_DONE)
			cr_assert_str_eq(whole.target, pieces.target);
	}
}
