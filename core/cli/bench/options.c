/* SPDX-License-Identifier: BSD-2-Clause */
/* See options.h. */
#include "options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#include "stats.h"

/* Digits and nothing else before `*end`; strtoul() alone would take signs and spaces. */
static int parse_number(const char *text, unsigned long *value, char **end)
{
	if (!isdigit((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	*value = strtoul(text, end, 10);
	return errno ? -EINVAL : 0;
}

int options_parse_rounds(const char *text, size_t *n_rounds, struct sluice_err *err)
{
	unsigned long value;
	char *end;

	if (parse_number(text, &value, &end) || *end || value < 1 || value > STATS_MAX_ROUNDS) {
		err_set(err, "rounds", "--rounds '%s': not a number from 1 to %d", text,
			STATS_MAX_ROUNDS);
		return -EINVAL;
	}
	*n_rounds = value;
	return 0;
}

static unsigned long unit_of(char **at)
{
	switch (**at) {
	case 'k':
	case 'K':
		++*at;
		return 1ul << 10;
	case 'm':
	case 'M':
		++*at;
		return 1ul << 20;
	default:
		return 1;
	}
}

int options_parse_entries(const char *text, struct bench_options *options, struct sluice_err *err)
{
	const char *at = text;
	size_t n = 0;

	for (;;) {
		unsigned long value, unit;
		char *end;

		if (n == OPTIONS_MAX_SIZES) {
			err_set(err, "entries", "--entries '%s': more than %d sizes", text,
				OPTIONS_MAX_SIZES);
			return -EINVAL;
		}
		if (parse_number(at, &value, &end))
			break;
		unit = unit_of(&end);
		if (value < 1 || value > OPTIONS_MAX_ENTRIES / unit || (*end && *end != ','))
			break;
		options->entries[n++] = (uint32_t)(value * unit);
		if (!*end) {
			options->n_sizes = n;
			return 0;
		}
		at = end + 1;
	}
	err_set(err, "entries", "--entries '%s': not a list of sizes up to 4M, as in 1,1K,128K,1M",
		text);
	return -EINVAL;
}
