/* SPDX-License-Identifier: BSD-2-Clause */
/* See text_json.h. */
#include "text_json.h"

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
