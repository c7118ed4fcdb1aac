/* SPDX-License-Identifier: BSD-2-Clause */
/* See text_json.h. */
#include "text_json.h"

#include <time.h>

#include <string.h>

json_t *text_json(const char *text, size_t size)
{
	char copy[256];
	size_t len = strnlen(text, size < sizeof(copy) ? size : sizeof(copy) - 1);

	for (size_t i = 0; i < len; i++)
		copy[i] = text[i] >= ' ' && text[i] <= '~' ? text[i] : '?';
	copy[len] = '\0';
	return json_string(copy);
}

json_t *time_json(uint64_t realtime_ns)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000);
	char text[48];
	struct tm tm;

	if (realtime_ns == 0 || !gmtime_r(&seconds, &tm) ||
	    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return json_null();
	return json_string(text);
}
