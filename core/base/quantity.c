/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exact decimal arithmetic on a number and a unit from a table, one table a kind.
 */
#include "quantity.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "err.h"

#define KIB 1024ull
#define MIB (1024ull * KIB)
#define GIB (1024ull * MIB)
#define TIB (1024ull * GIB)
#define KILO 1000ull
#define MEGA (1000ull * KILO)
#define GIGA (1000ull * MEGA)
#define TERA (1000ull * GIGA)

struct unit {
	const char *name;
	uint64_t factor;
};

/* quantity_format() writes only the first ones of each table; the others are read. */
static const struct unit count_units[] = {
	{ "", 1 },     { "k", KILO }, { "K", KILO }, { "M", MEGA }, { "G", GIGA }, { "T", TERA },
	{ "Ki", KIB }, { "Mi", MIB }, { "Gi", GIB }, { "Ti", TIB }, { 0 },
};

static const struct unit duration_units[] = {
	{ "ns", 1 },	       { "us", KILO },	     { "ms", MEGA },
	{ "s", GIGA },	       { "m", 60 * GIGA },   { "h", 3600 * GIGA },
	{ "d", 86400 * GIGA }, { "min", 60 * GIGA }, { 0 },
};

static const struct unit rate_units[] = {
	{ "", 1 },	 { "k", KILO },	   { "K", KILO },    { "M", MEGA },    { "G", GIGA },
	{ "pps", 1 },	 { "kpps", KILO }, { "Mpps", MEGA }, { "Gpps", GIGA }, { "/s", 1 },
	{ "k/s", KILO }, { "K/s", KILO },  { "M/s", MEGA },  { "G/s", GIGA },  { 0 },
};

static const struct unit bit_units[] = {
	{ "bit", 1 },	    { "kbit", KILO },	{ "Mbit", MEGA },
	{ "Gbit", GIGA },   { "Tbit", TERA },	{ "bit/s", 1 },
	{ "kbit/s", KILO }, { "Mbit/s", MEGA }, { "Gbit/s", GIGA },
	{ "Tbit/s", TERA }, { "bps", 1 },	{ "kbps", KILO },
	{ "Mbps", MEGA },   { "Gbps", GIGA },	{ "Tbps", TERA },
	{ "", 1 },	    { "k", KILO },	{ "M", MEGA },
	{ "G", GIGA },	    { "T", TERA },	{ 0 },
};

static const struct unit byte_units[] = {
	{ "B", 1 },	{ "kB", KILO }, { "MB", MEGA }, { "GB", GIGA }, { "TB", TERA },
	{ "KiB", KIB }, { "MiB", MIB }, { "GiB", GIB }, { "TiB", TIB }, { "", 1 },
	{ "k", KILO },	{ "K", KILO },	{ "KB", KILO }, { "M", MEGA },	{ "G", GIGA },
	{ "T", TERA },	{ "Ki", KIB },	{ "Mi", MIB },	{ "Gi", GIB },	{ "Ti", TIB },
	{ 0 },
};

static const struct {
	const struct unit *units;
	const char *description;
	const char *unit_list;
	size_t n_written; /* How many of the units quantity_format() uses. */
} kinds[] = {
	[QUANTITY_COUNT] = { count_units, "a number such as 500, 20k or 1M",
			     "k, M, G, T (1000) and Ki, Mi, Gi, Ti (1024)", 10 },
	[QUANTITY_DURATION] = { duration_units, "a duration such as 250ms, 10s or 1h",
				"ns, us, ms, s, m, h, d", 7 },
	[QUANTITY_RATE] = { rate_units, "a rate per second such as 500, 20k or 1M",
			    "k, M, G, alone or before pps or /s", 5 },
	[QUANTITY_BITS] = { bit_units, "a bit rate such as 100Mbit or 1.5Gbit",
			    "bit, kbit, Mbit, Gbit, Tbit", 5 },
	[QUANTITY_BYTES] = { byte_units, "a size in bytes such as 1500B, 64KiB or 1MB",
			     "B, kB, MB, GB, TB (1000) and KiB, MiB, GiB, TiB (1024)", 9 },
};

const char *quantity_describe(enum quantity_kind kind)
{
	return kinds[kind].description;
}

/*
 * Reads DIGITS[.DIGITS] as `mantissa` / 10^`decimals`.  Trailing zeros of the fraction do not
 * count, so that 1.50 is 1.5.  0, -EINVAL, or -ERANGE.
 */
static int decimal_parse(const char **text, uint64_t *mantissa, unsigned int *decimals)
{
	const char *c = *text;
	unsigned int zeros = 0;

	*mantissa = 0;
	*decimals = 0;
	if (!isdigit((unsigned char)*c))
		return -EINVAL;
	for (; isdigit((unsigned char)*c); c++)
		if (__builtin_mul_overflow(*mantissa, 10u, mantissa) ||
		    __builtin_add_overflow(*mantissa, (unsigned int)(*c - '0'), mantissa))
			return -ERANGE;
	if (*c == '.') {
		c++;
		if (!isdigit((unsigned char)*c))
			return -EINVAL;
		for (; isdigit((unsigned char)*c); c++) {
			if (*c == '0') {
				zeros++;
				continue;
			}
			/* The zeros held back count after all, and this digit. */
			for (zeros++; zeros; zeros--) {
				if (__builtin_mul_overflow(*mantissa, 10u, mantissa))
					return -ERANGE;
				(*decimals)++;
			}
			if (__builtin_add_overflow(*mantissa, (unsigned int)(*c - '0'), mantissa))
				return -ERANGE;
		}
	}
	*text = c;
	return 0;
}

static const struct unit *unit_find(const struct unit *units, const char *name)
{
	for (; units->name; units++)
		if (!strcmp(units->name, name))
			return units;
	return NULL;
}

/* mantissa * factor / 10^decimals, or -EINVAL if that is not whole, or -ERANGE. */
static int scale(uint64_t mantissa, unsigned int decimals, uint64_t factor, uint64_t *value)
{
	unsigned __int128 product = (unsigned __int128)mantissa * factor;

	for (; decimals; decimals--) {
		if (product % 10)
			return -EINVAL;
		product /= 10;
	}
	if (product > UINT64_MAX)
		return -ERANGE;
	*value = (uint64_t)product;
	return 0;
}

static void unit_refuse(enum quantity_kind kind, const char *text, const char *unit,
			struct sluice_err *err)
{
	if (kind == QUANTITY_DURATION && !*unit)
		err_set(err, NULL, "'%s' has no unit; write %ss or %sms", text, text, text);
	else
		err_set(err, NULL, "'%s' has no known unit: '%s'; known are %s", text, unit,
			kinds[kind].unit_list);
}

int quantity_parse(enum quantity_kind kind, const char *text, uint64_t *value,
		   struct sluice_err *err)
{
	const char *rest = text;
	const struct unit *unit;
	unsigned int decimals;
	uint64_t mantissa;
	int result;

	result = decimal_parse(&rest, &mantissa, &decimals);
	if (result == -EINVAL) {
		if (*text == '-' && isdigit((unsigned char)text[1]))
			err_set(err, NULL, "'%s' is negative", text);
		else
			err_set(err, NULL, "'%s' is not %s", text, kinds[kind].description);
		return -EINVAL;
	}
	if (result == -ERANGE)
		goto out_of_range;
	if (*rest == ' ' && rest[1])
		rest++;
	unit = unit_find(kinds[kind].units, rest);
	if (!unit && !mantissa && !*rest) {
		*value = 0;
		return 0;
	}
	if (!unit) {
		unit_refuse(kind, text, rest, err);
		return -EINVAL;
	}
	result = scale(mantissa, decimals, unit->factor, value);
	if (result == -EINVAL)
		err_set(err, NULL, "'%s' is not a whole number of %s", text,
			kind == QUANTITY_DURATION ? "nanoseconds" : "units");
	if (result != -ERANGE)
		return result;
out_of_range:
	err_set(err, NULL, "'%s' is too large", text);
	return -ERANGE;
}

int quantity_parse_range(enum quantity_kind kind, const char *text, uint64_t minimum,
			 uint64_t maximum, uint64_t *value, struct sluice_err *err)
{
	char low[QUANTITY_TEXT_SIZE], high[QUANTITY_TEXT_SIZE];
	uint64_t parsed = 0;
	int result;

	result = quantity_parse(kind, text, &parsed, err);
	if (result == -EINVAL)
		return result;
	if (result == -ERANGE || parsed < minimum || parsed > maximum) {
		err_set(err, NULL, "%s is out of range; allowed: %s to %s", text,
			quantity_format(kind, minimum, low), quantity_format(kind, maximum, high));
		return -ERANGE;
	}
	*value = parsed;
	return 0;
}

const char *quantity_format(enum quantity_kind kind, uint64_t value, char *text)
{
	const struct unit *units = kinds[kind].units, *best = &units[0];

	for (size_t i = 1; i < kinds[kind].n_written; i++)
		if (value && value % units[i].factor == 0 && units[i].factor > best->factor)
			best = &units[i];
	snprintf(text, QUANTITY_TEXT_SIZE, "%" PRIu64 "%s", value / best->factor, best->name);
	return text;
}
