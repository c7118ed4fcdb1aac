/* SPDX-License-Identifier: BSD-2-Clause */
#include "reply.h"

#include <stdio.h>
#include <string.h>

#include "content.h"
#include "http_condition.h"
#include "http_path.h"
#include "http_range.h"
#include "http_request.h"

_Static_assert(sizeof(((struct reply *)0)->text) >= CONTENT_PRIME_SIZE, "room for all primes");

/* What is in a head beside the lines that all have; NULL or 0: no such line. */
struct head {
	const char *type;
	size_t length; /* If there is a type. */
	const struct content_file *file;
	const char *more;
};

static const char *reason_of(unsigned int status)
{
	static const struct {
		unsigned int status;
		const char *reason;
	} reasons[] = {
		{ 200, "OK" },
		{ 206, "Partial Content" },
		{ 304, "Not Modified" },
		{ 400, "Bad Request" },
		{ 404, "Not Found" },
		{ 405, "Not Allowed" },
		{ 412, "Precondition Failed" },
		{ 413, "Request Entity Too Large" },
		{ 414, "Request-URI Too Large" },
		{ 416, "Requested Range Not Satisfiable" },
		{ 501, "Not Implemented" },
		{ 505, "HTTP Version Not Supported" },
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].reason;
	return "Error";
}

static void put(struct reply *reply, const char *text)
{
	size_t room = sizeof(reply->head) - 1 - reply->head_size, len = strlen(text);

	if (len > room)
		len = room;
	memcpy(reply->head + reply->head_size, text, len);
	reply->head_size += len;
	reply->head[reply->head_size] = '\0';
}

static void put_line(struct reply *reply, const char *name, const char *value)
{
	put(reply, name);
	put(reply, value);
	put(reply, "\r\n");
}

static void put_number(struct reply *reply, size_t number)
{
	char digits[24], *at = digits + sizeof(digits) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + number % 10);
	while (number /= 10);
	put(reply, at);
}

/* In nginx's order. */
static void write_head(struct reply *reply, const struct head *head, const char *date)
{
	bool has_validators = head->file && head->file->modified;

	put(reply, "HTTP/1.1 ");
	put_number(reply, reply->status);
	put_line(reply, " ", reason_of(reply->status));
	put_line(reply, "Server: ", "sluice");
	put_line(reply, "Date: ", date);
	if (head->type) {
		put_line(reply, "Content-Type: ", head->type);
		put(reply, "Content-Length: ");
		put_number(reply, head->length);
		put(reply, "\r\n");
	}
	if (has_validators)
		put_line(reply, "Last-Modified: ", head->file->modified_text);
	put_line(reply, "Connection: ", reply->keep_alive ? "keep-alive" : "close");
	if (has_validators)
		put_line(reply, "ETag: ", head->file->tag);
	if (head->more)
		put(reply, head->more);
	put(reply, "\r\n");
}

/* `more` are lines of its head, or NULL. */
static void make_error(struct reply *reply, const struct http_request *request, unsigned int status,
		       const char *more, const char *date)
{
	static const char too_large[] = "Request Header Or Cookie Too Large";
	bool is_too_large = status == HTTP_TOO_LARGE;
	const char *reason = reason_of(is_too_large ? 400 : status);
	int n;

	reply->status = is_too_large ? 400 : status;
	n = snprintf(reply->text, sizeof(reply->text),
		     "<html>\r\n<head><title>%u %s</title></head>\r\n<body>\r\n"
		     "<center><h1>%u %s</h1></center>\r\n%s%s%s"
		     "<hr><center>sluice</center>\r\n</body>\r\n</html>\r\n",
		     reply->status, is_too_large ? too_large : reason, reply->status, reason,
		     is_too_large ? "<center>" : "", is_too_large ? too_large : "",
		     is_too_large ? "</center>\r\n" : "");
	reply->body = (const uint8_t *)reply->text;
	reply->body_is_text = true;
	reply->body_size = request->method == HTTP_HEAD ? 0 : (size_t)n;
	write_head(reply, &(struct head){ .type = "text/html", .length = (size_t)n, .more = more },
		   date);
}

static void begin(struct reply *reply)
{
	reply->head_size = 0;
	reply->body_size = 0;
	reply->body_is_text = false;
	multipart_void(&reply->multipart);
}

void reply_refuse(struct reply *reply, const struct http_request *request, unsigned int status,
		  const char *date)
{
	begin(reply);
	reply->keep_alive = false;
	make_error(reply, request, status, NULL, date);
}

/* `range` is of the file. */
static void make_body(struct reply *reply, const struct http_request *request,
		      const struct content_file *file, const struct http_range *range,
		      const char *more, const char *date)
{
	size_t size = range->end - range->start;

	reply->body = file->bytes + range->start;
	reply->body_size = request->method == HTTP_HEAD ? 0 : size;
	write_head(reply,
		   &(struct head){ .type = file->type, .length = size, .file = file, .more = more },
		   date);
}

static void make_multipart(struct reply *reply, const struct http_request *request,
			   const struct content_file *file, const char *date)
{
	struct multipart *multipart = &reply->multipart;
	char type[64];

	multipart->type = file->type;
	multipart->bytes = file->bytes;
	multipart->size = file->size;
	multipart->boundary++;
	multipart->next = 0;
	snprintf(type, sizeof(type), "multipart/byteranges; boundary=%0*llu",
		 MULTIPART_BOUNDARY_LEN, (unsigned long long)multipart->boundary);
	write_head(
		reply,
		&(struct head){ .type = type, .length = multipart_size(multipart), .file = file },
		date);
	if (request->method == HTTP_HEAD)
		multipart_void(multipart);
}

static enum http_ranges_outcome read_ranges(struct reply *reply, const struct http_request *request,
					    const struct content_file *file)
{
	const char *value = http_request_value(request, HTTP_RANGE);

	if (!value || !http_condition_range(request, file))
		return HTTP_RANGES_WHOLE;
	return http_ranges_parse(value, file->size, &reply->multipart.ranges);
}

static void make_ranges(struct reply *reply, const struct http_request *request,
			const struct content_file *file, const char *date)
{
	const struct http_ranges *ranges = &reply->multipart.ranges;
	const struct http_range whole = { 0, file->size };
	char line[96];

	switch (read_ranges(reply, request, file)) {
	case HTTP_RANGES_UNSATISFIABLE:
		snprintf(line, sizeof(line), "Content-Range: bytes */%zu\r\n", file->size);
		make_error(reply, request, 416, line, date);
		break;
	case HTTP_RANGES_SOME:
		reply->status = 206;
		if (ranges->n > 1) {
			make_multipart(reply, request, file, date);
			return;
		}
		snprintf(line, sizeof(line), "Content-Range: bytes %zu-%zu/%zu\r\n",
			 ranges->of[0].start, ranges->of[0].end - 1, file->size);
		make_body(reply, request, file, &ranges->of[0], line, date);
		break;
	default:
		reply->status = 200;
		make_body(reply, request, file, &whole, "Accept-Ranges: bytes\r\n", date);
	}
	multipart_void(&reply->multipart);
}

static void say_continue(struct reply *reply, const struct http_request *request)
{
	if (request->expects_continue)
		put(reply, "HTTP/1.1 100 Continue\r\n\r\n");
}

static void make_file(struct reply *reply, const struct http_request *request,
		      const struct content_file *file, const char *date)
{
	say_continue(reply, request);
	switch (http_condition(request, file)) {
	case HTTP_CONDITION_FAILED:
		make_error(reply, request, 412, NULL, date);
		break;
	case HTTP_CONDITION_NOT_MODIFIED:
		reply->status = 304;
		write_head(reply, &(struct head){ .file = file }, date);
		break;
	default:
		make_ranges(reply, request, file, date);
	}
}

/* RFC 9110, 15.5.6, wants Allow, which nginx leaves out. */
static void refuse_method(struct reply *reply, const struct http_request *request, const char *date)
{
	reply->keep_alive &= request->method != HTTP_TUNNEL;
	make_error(reply, request, 405, "Allow: GET, HEAD\r\n", date);
}

unsigned int reply_make(struct reply *reply, const struct content *content,
			const struct http_request *request, const char *date)
{
	struct content_file file;
	char path[HTTP_TARGET_MAX + 1];
	unsigned int limit = 0;
	bool is_there;

	if (http_path(request->target, path, sizeof(path)) < 0) {
		reply_refuse(reply, request, 400, date);
		return 0;
	}
	begin(reply);
	reply->keep_alive = request->keep_alive;
	if (request->method == HTTP_OTHER || request->method == HTTP_TUNNEL) {
		refuse_method(reply, request, date);
		return 0;
	}
	limit = content_prime_of(content, path);
	is_there = !request->target_is_cut && (limit || content_find(content, path, &file));
	if (!is_there)
		make_error(reply, request, 404, NULL, date);
	else if (request->method == HTTP_POST)
		refuse_method(reply, request, date);
	else if (limit)
		return limit;
	else
		make_file(reply, request, &file, date);
	return 0;
}

void reply_primes(struct reply *reply, const char *primes, size_t size,
		  const struct http_request *request, const char *date)
{
	const struct content_file file = { .type = "text/plain",
					   .bytes = (const uint8_t *)reply->text,
					   .size = size };

	begin(reply);
	memcpy(reply->text, primes, size);
	reply->status = 200;
	reply->keep_alive = request->keep_alive;
	reply->body_is_text = true;
	say_continue(reply, request);
	make_body(reply, request, &file, &(struct http_range){ 0, size }, NULL, date);
}
