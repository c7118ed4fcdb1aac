/* SPDX-License-Identifier: BSD-2-Clause */
/* See pin_name.h. */
#include "pin_name.h"

#include <string.h>

#define ESCAPED_AT "%40"
#define ESCAPED_PERCENT "%25"
#define ESCAPED_LEN 3

void pin_name_from(char pin_name[PIN_NAME_SIZE], const char *ifname)
{
	char *out = pin_name;

	for (int i = 0; i < IFNAMSIZ - 1 && ifname[i]; i++) {
		if (ifname[i] == '@' || ifname[i] == '%') {
			memcpy(out, ifname[i] == '@' ? ESCAPED_AT : ESCAPED_PERCENT, ESCAPED_LEN);
			out += ESCAPED_LEN;
		} else {
			*out++ = ifname[i] == '.' ? '@' : ifname[i];
		}
	}
	*out = '\0';
}

/* The character that `*at` begins with, and `*at` behind it; NUL if it is none of ours. */
static char take(const char **at)
{
	const char *from = *at;

	if (strncmp(from, ESCAPED_AT, ESCAPED_LEN) == 0 ||
	    strncmp(from, ESCAPED_PERCENT, ESCAPED_LEN) == 0) {
		*at += ESCAPED_LEN;
		return from[1] == '4' ? '@' : '%';
	}
	++*at;
	if (*from == '%' || *from == '.')
		return '\0';
	return *from == '@' ? '.' : *from;
}

bool pin_name_to(char ifname[IFNAMSIZ], const char *pin_name)
{
	int length = 0;

	while (*pin_name && length < IFNAMSIZ - 1) {
		ifname[length] = take(&pin_name);
		if (!ifname[length++])
			return false;
	}
	ifname[length] = '\0';
	return length > 0 && !*pin_name;
}
