/* SPDX-License-Identifier: BSD-2-Clause */
#include "reply.h"

#include <stdio.h>
#include <string.h>

#include "content.h"
#include "http_request.h"

_Static_assert(sizeof(((struct reply *)0)->text) >= CONTENT_PRIME_SIZE, "room for all primes");

static const char *reason_of(unsigned int status)
{
	static const struct {
		unsigned int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 400, "Bad Request" },
		{ 404, "Not Found" },
		{ 405, "Not Allowed" },
		{ 413, "Request Entity Too Large" },
		{ 414, "Request-URI Too Large" },
		{ 431, "Request Header Fields Too Large" },
		{ 501, "Not Implemented" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

void reply_format_date(time_t when, char date[REPLY_DATE_SIZE])
{
	static const char days[][4] = { "Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat" };
	static const char months[][4] = { "Jan", "Feb", "Mar", "Apr", "May", "Jun",
					  "Jul", "Aug", "Sep", "Oct", "Nov", "Dec" };
	char text[160];
	struct tm tm;

	/* Not strftime(): that follows the locale. */
	if (!gmtime_r(&when, &tm) || tm.tm_year > 8099 || tm.tm_year < 0)
		memset(&tm, 0, sizeof(tm));
	snprintf(text, sizeof(text), "%s, %02d %s %04d %02d:%02d:%02d GMT",
		 days[(unsigned int)tm.tm_wday % 7], tm.tm_mday,
		 months[(unsigned int)tm.tm_mon % 12], tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
		 tm.tm_sec);
	memcpy(date, text, REPLY_DATE_SIZE - 1);
	date[REPLY_DATE_SIZE - 1] = '\0';
}

static void write_head(struct reply *reply, const char *type, size_t length, time_t modified,
		       const char *date)
{
	char last[REPLY_DATE_SIZE], line[sizeof(last) + 20] = "";
	int n;

	if (modified) {
		reply_format_date(modified, last);
		snprintf(line, sizeof(line), "Last-Modified: %s\r\n", last);
	}
	n = snprintf(reply->head, sizeof(reply->head),
		     "HTTP/1.1 %u %s\r\nServer: sluice\r\nDate: %s\r\nContent-Type: %s\r\n"
		     "Content-Length: %zu\r\n%s%sConnection: %s\r\n\r\n",
		     reply->status, reason_of(reply->status), date, type, length, line,
		     reply->status == 405 ? "Allow: GET, HEAD\r\n" : "",
		     reply->keep_alive ? "keep-alive" : "close");
	reply->head_size = n < (int)sizeof(reply->head) ? (size_t)n : sizeof(reply->head) - 1;
}

static void make_error(struct reply *reply, unsigned int status, bool with_body, const char *date)
{
	int n = snprintf(reply->text, sizeof(reply->text),
			 "<html>\r\n<head><title>%u %s</title></head>\r\n<body>\r\n"
			 "<center><h1>%u %s</h1></center>\r\n</body>\r\n</html>\r\n",
			 status, reason_of(status), status, reason_of(status));

	reply->status = status;
	reply->body = (const uint8_t *)reply->text;
	reply->body_is_text = true;
	reply->body_size = with_body ? (size_t)n : 0;
	write_head(reply, "text/html", (size_t)n, 0, date);
}

void reply_refuse(struct reply *reply, unsigned int status, const char *date)
{
	reply->keep_alive = false;
	make_error(reply, status, true, date);
}

static void make_body(struct reply *reply, const struct content_file *file, bool with_body,
		      const char *date)
{
	reply->status = 200;
	reply->body = file->bytes;
	reply->body_size = with_body ? file->size : 0;
	write_head(reply, file->type, file->size, file->modified, date);
}

unsigned int reply_make(struct reply *reply, const struct content *content,
			const struct http_request *request, const char *date)
{
	bool with_body = request->method != HTTP_HEAD;
	struct content_file file;
	char path[HTTP_TARGET_MAX + 1];
	unsigned int limit;

	if (http_request_path(request, path, sizeof(path)) < 0) {
		reply_refuse(reply, 400, date);
		return 0;
	}
	reply->keep_alive = request->keep_alive;
	if (request->method == HTTP_OTHER) {
		make_error(reply, 405, true, date);
		return 0;
	}
	limit = content_prime_of(content, path);
	if (limit)
		return limit;
	if (content_find(content, path, &file)) {
		reply->body_is_text = false;
		make_body(reply, &file, with_body, date);
	} else {
		make_error(reply, 404, with_body, date);
	}
	return 0;
}

void reply_primes(struct reply *reply, const char *primes, size_t size,
		  const struct http_request *request, const char *date)
{
	const struct content_file file = { .type = "text/plain",
					   .bytes = (const uint8_t *)reply->text,
					   .size = size };

	memcpy(reply->text, primes, size);
	reply->keep_alive = request->keep_alive;
	reply->body_is_text = true;
	make_body(reply, &file, request->method != HTTP_HEAD, date);
}
