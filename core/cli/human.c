/* SPDX-License-Identifier: BSD-2-Clause */
/* See human.h. */
#include "human.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NS_PER_S 1000000000ull
#define COLUMNS 80

/* Columns that `len` bytes take: all but the escape sequences of colours, which end in m. */
static int width_of(const char *text, size_t len)
{
	int width = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '\033')
			while (i < len && text[i] != 'm')
				i++;
		else
			width++;
	}
	return width;
}

void human_print(const char *label, int indent, const char *text)
{
	int column = printf("%-*s", indent, label);
	bool first = true;

	while (*text) {
		size_t len = strcspn(text, " ");
		int width = width_of(text, len);

		if (!first && column + 1 + width > COLUMNS) {
			column = printf("\n%*s", indent, "") - 1;
			first = true;
		}
		column += width + !first;
		printf("%s%.*s", first ? "" : " ", (int)len, text);
		first = false;
		text += len;
		text += strspn(text, " ");
	}
	putchar('\n');
}

const char *human_plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

const char *human_count(uint64_t count, char *text)
{
	char digits[24];
	size_t len = (size_t)snprintf(digits, sizeof(digits), "%" PRIu64, count);
	size_t out = 0;

	for (size_t i = 0; i < len; i++) {
		if (i > 0 && (len - i) % 3 == 0)
			text[out++] = ',';
		text[out++] = digits[i];
	}
	text[out] = '\0';
	return text;
}

/* Three digits and a prefix; below 1000 the number as it is. */
const char *human_scaled(uint64_t value, const char *unit, char *text)
{
	static const char prefixes[] = " kMGTPE";
	double scaled_value = (double)value;
	size_t i = 0;

	if (value < 1000) {
		snprintf(text, HUMAN_TEXT_SIZE, "%" PRIu64 " %s", value, unit);
		return text;
	}
	/* 999.5 would be printed as 1000 with the smaller prefix. */
	while (scaled_value >= 999.5 && prefixes[i + 1]) {
		scaled_value /= 1000;
		i++;
	}
	snprintf(text, HUMAN_TEXT_SIZE, "%.*f %c%s",
		 scaled_value < 9.995	? 2
		 : scaled_value < 99.95 ? 1
					: 0,
		 scaled_value, prefixes[i], unit);
	return text;
}

const char *human_pps(uint64_t pps, char *text)
{
	return human_scaled(pps, "pps", text);
}

const char *human_bps(uint64_t bps, char *text)
{
	return human_scaled(bps, "bit/s", text);
}

const char *human_bytes(uint64_t bytes, char *text)
{
	return human_scaled(bytes, "B", text);
}

const char *human_duration(uint64_t ns, char *text)
{
	uint64_t s = ns / NS_PER_S;

	if (ns == 0)
		snprintf(text, HUMAN_TEXT_SIZE, "0 s");
	else if (ns < 1000)
		snprintf(text, HUMAN_TEXT_SIZE, "%" PRIu64 " ns", ns);
	else if (ns < 1000000)
		snprintf(text, HUMAN_TEXT_SIZE, "%.1f us", (double)ns / 1e3);
	else if (ns < NS_PER_S)
		snprintf(text, HUMAN_TEXT_SIZE, "%.2f ms", (double)ns / 1e6);
	else if (s < 60)
		snprintf(text, HUMAN_TEXT_SIZE, "%" PRIu64 ".%u s", s,
			 (unsigned int)(ns % NS_PER_S / 100000000));
	else if (s < 3600)
		snprintf(text, HUMAN_TEXT_SIZE, "%" PRIu64 "m %" PRIu64 "s", s / 60, s % 60);
	else if (s < 86400)
		snprintf(text, HUMAN_TEXT_SIZE, "%" PRIu64 "h %" PRIu64 "m", s / 3600,
			 s % 3600 / 60);
	else
		snprintf(text, HUMAN_TEXT_SIZE, "%" PRIu64 "d %" PRIu64 "h", s / 86400,
			 s % 86400 / 3600);
	return text;
}
