/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include <string.h>

#include "content.h"
#include "http_request.h"
#include "reply.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static struct content content;
static struct reply reply;
static struct http_request request;

static void open_content(void)
{
	cr_assert_eq(content_init(&content, NULL, 100, NULL), 0);
}

static void close_content(void)
{
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
		    "Connection: keep-alive\r\n\r\n");
	cr_assert_eq(reply.body_size, 64);
	cr_assert_not(reply.body_is_text);
	cr_assert(reply.keep_alive);
}

Test(reply, head_has_the_length_and_no_body)
{
	ask("HEAD /bytes/64 HTTP/1.0\r\n\r\n");
	cr_assert_not_null(strstr(reply.head, "Content-Length: 64\r\nConnection: close\r\n\r\n"));
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
	reply_refuse(&reply, 414, DATE);
	cr_assert_not_null(strstr(reply.head, "HTTP/1.1 414 Request-URI Too Large\r\n"));
	cr_assert_not_null(strstr(reply.head, "\r\nConnection: close\r\n"));
	cr_assert_gt(reply.body_size, 0);
}

Test(reply, dates)
{
	char date[REPLY_DATE_SIZE];

	reply_format_date(784111777, date);
	cr_assert_str_eq(date, DATE);
	reply_format_date(0, date);
	cr_assert_str_eq(date, "Thu, 01 Jan 1970 00:00:00 GMT");
}
