/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_request.h"

#include <string.h>
#include <strings.h>

enum {
	HTTP_VERSION_LEN = 8, /* HTTP/1.1 */
};

void http_request_init(struct http_request *request)
{
	/* All but the target and the words, which their lengths void. */
	request->method = HTTP_GET;
	request->keep_alive = false;
	request->minor = 0;
	request->status = 0;
	request->target_len = 0;
	request->target[0] = '\0';
	request->state = HTTP_STATE_START;
	request->word_len = 0;
	request->n_lines = 0;
	request->n_bytes = 0;
	request->n_hosts = 0;
	request->n_lengths = 0;
	request->wants_close = false;
	request->wants_keep = false;
	request->body_left = 0;
	request->name[0] = '\0';
	request->word[0] = '\0';
}

bool http_request_begun(const struct http_request *request)
{
	return request->state != HTTP_STATE_START && request->state != HTTP_STATE_DONE;
}

static enum http_state refuse(struct http_request *request, unsigned int status)
{
	request->status = status;
	return HTTP_STATE_BAD;
}

/* RFC 9110, 5.6.2: what names consist of. */
static bool is_token(char c)
{
	if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
		return true;
	return c && strchr("!#$%&'*+-.^_`|~", c);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static bool is_control(char c)
{
	return ((unsigned char)c < 0x20 && c != '\t') || c == 0x7f;
}

/* Words longer than any that matters keep their beginning, and a length that no other word has. */
static void add_to_word(struct http_request *request, char c)
{
	if (request->word_len < HTTP_WORD_MAX - 1) {
		request->word[request->word_len] = c;
		request->word[request->word_len + 1] = '\0';
	}
	request->word_len++;
}

static void new_word(struct http_request *request)
{
	request->word_len = 0;
	request->word[0] = '\0';
}

/* Blanks at the end of a value are not part of it. */
static void trim_word(struct http_request *request)
{
	if (request->word_len >= HTTP_WORD_MAX)
		return;
	while (request->word_len && is_blank(request->word[request->word_len - 1]))
		request->word[--request->word_len] = '\0';
}

static bool word_is(const struct http_request *request, const char *text)
{
	return request->word_len == strlen(text) && strcasecmp(request->word, text) == 0;
}

static enum http_state at_method(struct http_request *request, char c)
{
	if (is_token(c) && request->word_len < HTTP_WORD_MAX) {
		add_to_word(request, c);
		return HTTP_STATE_METHOD;
	}
	if (c != ' ' || !request->word_len)
		return refuse(request, 400);
	/* Methods are case-sensitive. */
	if (strcmp(request->word, "GET") == 0)
		request->method = HTTP_GET;
	else if (strcmp(request->word, "HEAD") == 0)
		request->method = HTTP_HEAD;
	else
		request->method = HTTP_OTHER;
	return HTTP_STATE_TARGET;
}

static enum http_state at_target(struct http_request *request, char c)
{
	if (c == ' ' && request->target_len) {
		request->target[request->target_len] = '\0';
		new_word(request);
		return HTTP_STATE_VERSION;
	}
	if (c == ' ' || is_control(c) || c == '\t')
		return refuse(request, 400);
	if (request->target_len == HTTP_TARGET_MAX)
		return refuse(request, 414);
	request->target[request->target_len++] = c;
	return HTTP_STATE_TARGET;
}

/* HTTP/1.0 and HTTP/1.1 are spoken; a later minor is answered as 1.1 (RFC 9110, 2.5). */
static enum http_state take_version(struct http_request *request, enum http_state next)
{
	const char *word = request->word;
	bool digits = request->word_len == HTTP_VERSION_LEN && strncmp(word, "HTTP/", 5) == 0 &&
		      word[5] >= '0' && word[5] <= '9' && word[6] == '.' && word[7] >= '0' &&
		      word[7] <= '9';

	if (!digits || word[5] == '0')
		return refuse(request, 400);
	if (word[5] != '1')
		return refuse(request, 505);
	request->minor = word[7] == '0' ? 0 : 1;
	return next;
}

static enum http_state at_version(struct http_request *request, char c)
{
	if (c == '\r')
		return take_version(request, HTTP_STATE_LINE_END);
	if (c == '\n')
		return take_version(request, HTTP_STATE_HEADER_START);
	if (request->word_len == HTTP_VERSION_LEN)
		return refuse(request, 400);
	add_to_word(request, c);
	return HTTP_STATE_VERSION;
}

static bool read_length(const struct http_request *request, uint64_t *length)
{
	uint64_t value = 0;

	/* 19 digits cannot overflow 64 bits. */
	if (!request->word_len || request->word_len > 19)
		return false;
	for (unsigned int i = 0; i < request->word_len; i++) {
		if (request->word[i] < '0' || request->word[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(request->word[i] - '0');
	}
	*length = value;
	return true;
}

/* One element of the list in Connection. */
static void take_option(struct http_request *request)
{
	trim_word(request);
	if (word_is(request, "close"))
		request->wants_close = true;
	else if (word_is(request, "keep-alive"))
		request->wants_keep = true;
	new_word(request);
}

/* A header line is complete. */
static enum http_state take_header(struct http_request *request, enum http_state next)
{
	const char *name = request->name;
	uint64_t length;

	if (strcasecmp(name, "connection") == 0) {
		take_option(request);
	} else if (strcasecmp(name, "content-length") == 0) {
		trim_word(request);
		if (!read_length(request, &length) ||
		    (request->n_lengths++ && length != request->body_left))
			return refuse(request, 400);
		if (length > HTTP_BODY_MAX)
			return refuse(request, 413);
		request->body_left = length;
	} else if (strcasecmp(name, "host") == 0) {
		if (request->n_hosts++)
			return refuse(request, 400);
	} else if (strcasecmp(name, "transfer-encoding") == 0) {
		/* No request that is served here has such a body. */
		return refuse(request, 501);
	}
	return next;
}

static enum http_state at_header_name(struct http_request *request, char c)
{
	if (is_token(c)) {
		add_to_word(request, c);
		return HTTP_STATE_HEADER_NAME;
	}
	/* "Name :" and folded lines are what smugglers write. */
	if (c != ':' || !request->word_len)
		return refuse(request, 400);
	if (request->word_len >= HTTP_WORD_MAX)
		request->name[0] = '\0';
	else
		memcpy(request->name, request->word, request->word_len + 1);
	new_word(request);
	return HTTP_STATE_VALUE_START;
}

static enum http_state at_value(struct http_request *request, char c)
{
	if (c == '\r')
		return HTTP_STATE_HEADER_END;
	if (c == '\n')
		return take_header(request, HTTP_STATE_HEADER_START);
	if (is_control(c))
		return refuse(request, 400);
	if (c == ',' && strcasecmp(request->name, "connection") == 0) {
		take_option(request);
		return HTTP_STATE_VALUE_START;
	}
	add_to_word(request, c);
	return HTTP_STATE_VALUE;
}

static enum http_state complete(struct http_request *request)
{
	/* RFC 9112, 3.2. */
	if (request->minor && !request->n_hosts)
		return refuse(request, 400);
	request->keep_alive = !request->wants_close && (request->minor || request->wants_keep);
	return request->body_left ? HTTP_STATE_BODY : HTTP_STATE_DONE;
}

static enum http_state at_header_start(struct http_request *request, char c)
{
	if (c == '\r')
		return HTTP_STATE_LAST_LF;
	if (c == '\n')
		return complete(request);
	if (++request->n_lines > HTTP_HEADER_LINES)
		return refuse(request, 431);
	new_word(request);
	return at_header_name(request, c);
}

static enum http_state after_cr(struct http_request *request, char c)
{
	if (c != '\n')
		return refuse(request, 400);
	switch (request->state) {
	case HTTP_STATE_LINE_END:
		return HTTP_STATE_HEADER_START;
	case HTTP_STATE_HEADER_END:
		return take_header(request, HTTP_STATE_HEADER_START);
	default:
		return complete(request);
	}
}

static enum http_state at_start(struct http_request *request, char c)
{
	/* Empty lines in front of a request are forgiven (RFC 9112, 2.2), as many as headers. */
	if (c == '\r' || c == '\n')
		return request->n_bytes < HTTP_HEADER_LINES ? HTTP_STATE_START
							    : refuse(request, 400);
	return at_method(request, c);
}

static enum http_state step(struct http_request *request, char c)
{
	if (++request->n_bytes > HTTP_HEADERS_MAX + HTTP_TARGET_MAX)
		return refuse(request, 431);
	switch (request->state) {
	case HTTP_STATE_START:
		return at_start(request, c);
	case HTTP_STATE_METHOD:
		return at_method(request, c);
	case HTTP_STATE_TARGET:
		return at_target(request, c);
	case HTTP_STATE_VERSION:
		return at_version(request, c);
	case HTTP_STATE_HEADER_START:
		return at_header_start(request, c);
	case HTTP_STATE_HEADER_NAME:
		return at_header_name(request, c);
	case HTTP_STATE_VALUE_START:
		return is_blank(c) ? HTTP_STATE_VALUE_START : at_value(request, c);
	case HTTP_STATE_VALUE:
		return at_value(request, c);
	case HTTP_STATE_LINE_END:
	case HTTP_STATE_HEADER_END:
	case HTTP_STATE_LAST_LF:
		return after_cr(request, c);
	default:
		return refuse(request, 400);
	}
}

enum http_parse http_request_feed(struct http_request *request, const char *data, size_t size,
				  size_t *taken)
{
	size_t i = 0, part;

	while (i < size && request->state < HTTP_STATE_BODY)
		request->state = step(request, data[i++]);
	if (request->state == HTTP_STATE_BODY) {
		part = size - i < request->body_left ? size - i : (size_t)request->body_left;
		i += part;
		request->body_left -= part;
		if (!request->body_left)
			request->state = HTTP_STATE_DONE;
	}
	*taken = i;
	if (request->state == HTTP_STATE_BAD)
		return HTTP_BAD;
	return request->state == HTTP_STATE_DONE ? HTTP_DONE : HTTP_MORE;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Where the path begins; NULL if there is none. */
static const char *path_of(const char *target)
{
	const char *path;

	if (target[0] == '/')
		return target;
	if (strncasecmp(target, "http://", 7) != 0 || strchr("/?#", target[7]))
		return NULL;
	path = strpbrk(target + 7, "/?#");
	return path && *path == '/' ? path : "/";
}

int http_request_path(const struct http_request *request, char *path, size_t size)
{
	const char *from = path_of(request->target);
	size_t len = 0;
	int high, low;

	if (!from)
		return -1;
	for (; *from && *from != '?' && *from != '#'; from++) {
		char c = *from;

		if (c == '%') {
			high = hex_value(from[1]);
			low = high < 0 ? -1 : hex_value(from[2]);
			if (low < 0)
				return -1;
			c = (char)(high * 16 + low);
			from += 2;
			if (!c)
				return -1;
		}
		if (len + 1 >= size)
			return -1;
		path[len++] = c;
	}
	path[len] = '\0';
	return (int)len;
}
