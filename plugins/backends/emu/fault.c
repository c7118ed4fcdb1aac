/* SPDX-License-Identifier: BSD-2-Clause */
/* See fault.h. */
#include "fault.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SPACE " \t\r\n"

static bool *switch_of(struct fault *fault, const char *word, size_t size)
{
	const struct {
		const char *word;
		bool *on;
	} words[] = {
		{ "slow", &fault->slow },     { "refuse", &fault->refuse },
		{ "lie", &fault->lie },	      { "gone", &fault->gone },
		{ "hang", &fault->hang },     { "full", &fault->full },
		{ "forget", &fault->forget },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strlen(words[i].word) == size && memcmp(words[i].word, word, size) == 0)
			return words[i].on;
	}
	return NULL;
}

/* The number of "full N", if one follows. */
static const char *parse_room(const char *text, uint32_t *room)
{
	const char *at = text + strspn(text, SPACE);
	size_t digits = strspn(at, "0123456789");

	if (digits == 0 || digits > 9)
		return text;
	*room = (uint32_t)strtoul(at, NULL, 10);
	return at + digits;
}

int fault_parse(const char *text, struct fault *fault)
{
	memset(fault, 0, sizeof(*fault));
	for (text += strspn(text, SPACE); *text; text += strspn(text, SPACE)) {
		size_t size = strcspn(text, SPACE);
		bool *on = switch_of(fault, text, size);

		if (!on)
			return -EINVAL;
		*on = true;
		text += size;
		if (on == &fault->full)
			text = parse_room(text, &fault->room);
	}
	return 0;
}
