/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_request.h"

#include <string.h>
#include <strings.h>

#include "http_path.h"

enum {
	HTTP_VERSION_LEN = 8, /* HTTP/1.1 */
};

void http_request_init(struct http_request *request)
{
	/* All but the texts, which their lengths void. */
	request->method = HTTP_GET;
	request->keep_alive = false;
	request->expects_continue = false;
	request->target_is_cut = false;
	request->minor = 0;
	request->status = 0;
	request->target_len = 0;
	request->target[0] = '\0';
	request->state = HTTP_STATE_START;
	request->header = HTTP_HEADER_OTHER;
	request->seen = 0;
	request->word_len = 0;
	request->n_line = 0;
	request->n_bytes = 0;
	request->wants_close = false;
	request->wants_keep = false;
	request->is_chunked = false;
	request->length = 0;
	request->word[0] = '\0';
	request->kept_len = 0;
	http_body_init(&request->body, 0);
}

void http_request_next(struct http_request *request)
{
	bool is_chunked = request->is_chunked;
	uint64_t length = request->length;

	http_request_init(request);
	if (!is_chunked && !length)
		return;
	if (is_chunked)
		http_body_init_chunked(&request->body);
	else
		http_body_init(&request->body, length);
	request->state = HTTP_STATE_BODY;
}

bool http_request_begun(const struct http_request *request)
{
	return request->state > HTTP_STATE_START && request->state < HTTP_STATE_DONE;
}

static bool was_seen(const struct http_request *request, enum http_header header)
{
	return request->seen & 1u << header;
}

const char *http_request_value(const struct http_request *request, enum http_header header)
{
	return was_seen(request, header) ? request->kept + request->kept_at[header] : NULL;
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

static enum http_method method_of(const char *word)
{
	static const struct {
		const char *name;
		enum http_method method;
	} methods[] = {
		{ "GET", HTTP_GET },	    { "HEAD", HTTP_HEAD },    { "POST", HTTP_POST },
		{ "CONNECT", HTTP_TUNNEL }, { "TRACE", HTTP_TUNNEL },
	};

	for (size_t i = 0; i < sizeof(methods) / sizeof(methods[0]); i++)
		if (strcmp(word, methods[i].name) == 0)
			return methods[i].method;
	return HTTP_OTHER;
}

static enum http_state at_method(struct http_request *request, char c)
{
	if (((c >= 'A' && c <= 'Z') || c == '-' || c == '_') && request->word_len < HTTP_WORD_MAX) {
		add_to_word(request, c);
		return HTTP_STATE_METHOD;
	}
	if (c != ' ' || !request->word_len)
		return refuse(request, 400);
	request->method = method_of(request->word);
	return HTTP_STATE_TARGET;
}

static enum http_state at_target(struct http_request *request, char c)
{
	if (c == ' ' && request->target_len) {
		new_word(request);
		return HTTP_STATE_VERSION;
	}
	if (c == ' ' || is_control(c) || c == '\t')
		return refuse(request, 400);
	if (request->state == HTTP_STATE_QUERY || ((c == '?' || c == '#') && request->target_len))
		return HTTP_STATE_QUERY;
	if (request->target_len == HTTP_TARGET_MAX) {
		request->target_is_cut = true;
		return HTTP_STATE_TARGET;
	}
	request->target[request->target_len++] = c;
	request->target[request->target_len] = '\0';
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

	/* 18 digits cannot overflow what nginx reads it into. */
	if (!request->word_len || request->word_len > 18)
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

static enum http_header header_of(const char *name)
{
	static const char *const names[HTTP_HEADER_OTHER] = {
		[HTTP_IF_MATCH] = "If-Match",
		[HTTP_IF_NONE_MATCH] = "If-None-Match",
		[HTTP_IF_MODIFIED_SINCE] = "If-Modified-Since",
		[HTTP_IF_UNMODIFIED_SINCE] = "If-Unmodified-Since",
		[HTTP_IF_RANGE] = "If-Range",
		[HTTP_RANGE] = "Range",
		[HTTP_HOST] = "Host",
		[HTTP_CONTENT_LENGTH] = "Content-Length",
		[HTTP_TRANSFER_ENCODING] = "Transfer-Encoding",
		[HTTP_EXPECT] = "Expect",
		[HTTP_CONNECTION] = "Connection",
	};
	unsigned int i = 0;

	while (i < HTTP_HEADER_OTHER && strcasecmp(name, names[i]) != 0)
		i++;
	return (enum http_header)i;
}

/* The name of a line is complete.  A second line of a name that has one value is for smugglers. */
static enum http_state begin_header(struct http_request *request)
{
	enum http_header header = request->word_len < HTTP_WORD_MAX ? header_of(request->word)
								    : HTTP_HEADER_OTHER;

	if (was_seen(request, header) && header == HTTP_RANGE)
		header = HTTP_HEADER_OTHER; /* The first one counts. */
	else if (was_seen(request, header) && header < HTTP_CONNECTION)
		return refuse(request, 400);
	request->seen |= 1u << header;
	request->header = header;
	if (header < HTTP_N_KEPT)
		request->kept_at[header] = (uint16_t)request->kept_len;
	new_word(request);
	return HTTP_STATE_VALUE_START;
}

/* A value that is kept is complete. */
static enum http_state end_kept(struct http_request *request, enum http_state next)
{
	unsigned int at = request->kept_at[request->header], len = request->kept_len;

	while (len > at && is_blank(request->kept[len - 1]))
		len--;
	if (request->header == HTTP_HOST && !http_host_is_valid(request->kept + at, len - at))
		return refuse(request, 400);
	if (len == HTTP_KEPT_MAX)
		return refuse(request, HTTP_TOO_LARGE);
	request->kept[len] = '\0';
	request->kept_len = len + 1;
	return next;
}

/* A header line is complete. */
static enum http_state end_header(struct http_request *request, enum http_state next)
{
	if (request->header < HTTP_N_KEPT)
		return end_kept(request, next);
	trim_word(request);
	switch (request->header) {
	case HTTP_CONNECTION:
		take_option(request);
		return next;
	case HTTP_CONTENT_LENGTH:
		return read_length(request, &request->length) ? next : refuse(request, 400);
	case HTTP_TRANSFER_ENCODING:
		request->is_chunked = word_is(request, "chunked");
		return request->is_chunked ? next : refuse(request, 501);
	case HTTP_EXPECT:
		request->expects_continue = word_is(request, "100-continue");
		return next;
	default:
		return next;
	}
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
	return begin_header(request);
}

static enum http_state at_value(struct http_request *request, char c)
{
	if (c == '\r')
		return HTTP_STATE_HEADER_END;
	if (c == '\n')
		return end_header(request, HTTP_STATE_HEADER_START);
	if (is_control(c))
		return refuse(request, 400);
	if (c == ',' && request->header == HTTP_CONNECTION) {
		take_option(request);
		return HTTP_STATE_VALUE_START;
	}
	if (request->header >= HTTP_N_KEPT)
		add_to_word(request, c);
	else if (request->kept_len == HTTP_KEPT_MAX)
		return refuse(request, HTTP_TOO_LARGE);
	else
		request->kept[request->kept_len++] = c;
	return HTTP_STATE_VALUE;
}

/* RFC 9112, 3.2 and 6.1. */
static enum http_state complete(struct http_request *request)
{
	bool has_length = was_seen(request, HTTP_CONTENT_LENGTH);

	if (request->minor && !was_seen(request, HTTP_HOST))
		return refuse(request, 400);
	if (request->is_chunked && (has_length || !request->minor))
		return refuse(request, 400);
	if (request->length > HTTP_BODY_MAX)
		return refuse(request, 413);
	request->expects_continue &= request->minor;
	request->keep_alive = !request->wants_close && (request->minor || request->wants_keep);
	return HTTP_STATE_DONE;
}

static enum http_state at_header_start(struct http_request *request, char c)
{
	request->n_line = 1;
	if (c == '\r')
		return HTTP_STATE_LAST_LF;
	if (c == '\n')
		return complete(request);
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
		return end_header(request, HTTP_STATE_HEADER_START);
	default:
		return complete(request);
	}
}

static enum http_state at_start(struct http_request *request, char c)
{
	/* Empty lines in front of a request are forgiven (RFC 9112, 2.2). */
	if (c == '\r' || c == '\n')
		return request->n_bytes < HTTP_EMPTY_MAX ? HTTP_STATE_START : refuse(request, 400);
	return at_method(request, c);
}

static enum http_state step(struct http_request *request, char c)
{
	if (++request->n_line > HTTP_LINE_MAX)
		return refuse(request,
			      request->state < HTTP_STATE_HEADER_START ? 414 : HTTP_TOO_LARGE);
	if (++request->n_bytes > HTTP_HEADERS_MAX)
		return refuse(request, HTTP_TOO_LARGE);
	switch (request->state) {
	case HTTP_STATE_START:
		return at_start(request, c);
	case HTTP_STATE_METHOD:
		return at_method(request, c);
	case HTTP_STATE_TARGET:
	case HTTP_STATE_QUERY:
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

/* How many bytes are the body's; behind it begins a request. */
static size_t skip_body(struct http_request *request, const char *data, size_t size)
{
	size_t taken;

	if (!http_body_skip(&request->body, data, size, &taken))
		return taken;
	if (request->body.state == HTTP_BODY_DONE)
		request->state = HTTP_STATE_START;
	else
		request->state =
			refuse(request, request->body.state == HTTP_BODY_TOO_LONG ? 413 : 400);
	return taken;
}

enum http_parse http_request_feed(struct http_request *request, const char *data, size_t size,
				  size_t *taken)
{
	size_t i = 0;

	if (request->state == HTTP_STATE_BODY)
		i = skip_body(request, data, size);
	while (i < size && request->state != HTTP_STATE_BODY && request->state < HTTP_STATE_DONE)
		request->state = step(request, data[i++]);
	*taken = i;
	if (request->state == HTTP_STATE_BAD)
		return HTTP_BAD;
	return request->state == HTTP_STATE_DONE ? HTTP_DONE : HTTP_MORE;
}
