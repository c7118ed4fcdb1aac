/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_path.h"

#include <string.h>

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool http_host_is_valid(const char *host, size_t len)
{
	bool in_address = host[0] == '[', in_port = false;
	size_t name_len = len;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)host[i];

		if (c <= 0x20 || c == 0x7f || c == '/' || (c == '.' && i && host[i - 1] == '.'))
			return false;
		if (in_port || (c != ':' && c != ']'))
			continue;
		if (c == ':' && !in_address) {
			name_len = i;
			in_port = true;
		} else if (c == ']' && in_address) {
			name_len = i + 1;
			in_port = true;
		}
	}
	return name_len > (name_len == 1 && host[0] == '.' ? 1 : 0);
}

/* Where the path of an absolute target begins; NULL: it is none. */
static const char *path_of_absolute(const char *target)
{
	const char *host = target, *end;

	while (is_letter(*host) || (host > target && *host && strchr("0123456789+-.", *host)))
		host++;
	if (host == target || strncmp(host, "://", 3) != 0)
		return NULL;
	host += 3;
	end = host + strcspn(host, "/?#");
	if (!http_host_is_valid(host, (size_t)(end - host)))
		return NULL;
	return *end == '/' ? end : "/";
}

/* The path with its escapes decoded; -1: one is malformed, or there is no room. */
static int decode(const char *from, char *path, size_t size)
{
	size_t len = 0;

	for (; *from && *from != '?' && *from != '#'; from++) {
		char c = *from;

		if (c == '%') {
			int high = hex_value(from[1]);
			int low = high < 0 ? -1 : hex_value(from[2]);

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

/* Takes the last segment off a path of `len` bytes that ends in '/': its new length; 0: it has none. */
static size_t parent(const char *path, size_t len)
{
	if (len < 2)
		return 0;
	for (len--; path[len - 1] != '/'; len--)
		;
	return len;
}

/* In place: segment by segment, each with the '/' behind it; -1: above the root. */
static int simplify(char *path)
{
	const char *from = path + 1;
	size_t len = 1;

	while (*from) {
		size_t n = strcspn(from, "/"), with_slash = n + (from[n] == '/');

		if (n == 2 && from[0] == '.' && from[1] == '.') {
			len = parent(path, len);
			if (!len)
				return -1;
		} else if (n && !(n == 1 && from[0] == '.')) {
			memmove(path + len, from, with_slash);
			len += with_slash;
		}
		from += with_slash;
	}
	path[len] = '\0';
	return (int)len;
}

int http_path(const char *target, char *path, size_t size)
{
	const char *from = target[0] == '/' ? target : path_of_absolute(target);

	if (!from || decode(from, path, size) < 0)
		return -1;
	return simplify(path);
}
