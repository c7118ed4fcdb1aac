/* SPDX-License-Identifier: BSD-2-Clause */
#include "http_range.h"

#include <stdbool.h>
#include <stdint.h>
#include <strings.h>

static const char *skip_spaces(const char *at)
{
	while (*at == ' ')
		at++;
	return at;
}

/* NULL: there is no number, or none that 63 bits hold. */
static const char *read_number(const char *at, uint64_t *number)
{
	if (*at < '0' || *at > '9')
		return NULL;
	for (*number = 0; *at >= '0' && *at <= '9'; at++) {
		uint64_t digit = (uint64_t)(*at - '0');

		if (*number > (INT64_MAX - digit) / 10)
			return NULL;
		*number = *number * 10 + digit;
	}
	return skip_spaces(at);
}

/* One of the list, which may be empty (start >= end); NULL: it is malformed. */
static const char *read_range(const char *at, uint64_t size, uint64_t *start, uint64_t *end)
{
	bool is_suffix = *at == '-';

	*start = 0;
	if (!is_suffix) {
		at = read_number(at, start);
		if (!at || *at != '-')
			return NULL;
	}
	at = skip_spaces(at + 1);
	if (!is_suffix && (*at == ',' || !*at)) {
		*end = size;
		return at;
	}
	at = read_number(at, end);
	if (!at || (*at != ',' && *at))
		return NULL;
	if (is_suffix) {
		*start = *end < size ? size - *end : 0;
		*end = size;
	} else {
		*end = *end < size ? *end + 1 : size;
	}
	return at;
}

enum http_ranges_outcome http_ranges_parse(const char *value, size_t size,
					   struct http_ranges *ranges)
{
	uint64_t start, end, total = 0;

	ranges->n = 0;
	if (strncasecmp(value, "bytes=", 6) != 0 || !value[6])
		return HTTP_RANGES_WHOLE;
	value += 5;
	do {
		value = read_range(skip_spaces(value + 1), size, &start, &end);
		if (!value)
			return HTTP_RANGES_UNSATISFIABLE;
		if (start < end) {
			if (ranges->n == HTTP_RANGES_MAX)
				return HTTP_RANGES_WHOLE;
			ranges->of[ranges->n++] = (struct http_range){ start, end };
			total += end - start;
		} else if (start == 0) {
			return HTTP_RANGES_WHOLE; /* The file is empty. */
		}
	} while (*value == ',');
	if (!ranges->n)
		return HTTP_RANGES_UNSATISFIABLE;
	/* Overlapping ones would have us send more than there is. */
	return total > size ? HTTP_RANGES_WHOLE : HTTP_RANGES_SOME;
}
