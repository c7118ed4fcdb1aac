/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers with units, as people write them: 20k, 1M, 250ms, 10m, 1.5Gbit, 64KiB.  The result is
 * always a whole number of the kind's base unit; what would need rounding is refused.
 */
#ifndef SLUICE_BASE_QUANTITY_H
#define SLUICE_BASE_QUANTITY_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

/* The first unit named is the base unit. */
enum quantity_kind {
	QUANTITY_COUNT,	   /* 20k, 1M, 64Ki; k = 1000, Ki = 1024. */
	QUANTITY_DURATION, /* ns, us, ms, s, m, h, d; only 0 goes without a unit. */
	QUANTITY_RATE,	   /* Per second: 20k, 20kpps, 20k/s. */
	QUANTITY_BITS,	   /* Bits per second: 100Mbit, 1.5Gbit, 1Gbit/s, 1Gbps. */
	QUANTITY_BYTES,	   /* B, kB, KiB, ...; 64k = 64000. */
	QUANTITY_N_KINDS
};

#define QUANTITY_TEXT_SIZE 40

/* 0; -EINVAL not such a number; -ERANGE beyond 64 bits.  `*value` is set only on success. */
int quantity_parse(enum quantity_kind kind, const char *text, uint64_t *value,
		   struct sluice_err *err) __attribute__((warn_unused_result));
/*
 * As quantity_parse(), and -ERANGE outside minimum..maximum; all that is too large is refused with
 * both bounds in their own notation.
 */
int quantity_parse_range(enum quantity_kind kind, const char *text, uint64_t minimum,
			 uint64_t maximum, uint64_t *value, struct sluice_err *err)
	__attribute__((warn_unused_result));

/*
 * The shortest exact form, which quantity_parse() reads back.  `text` must hold QUANTITY_TEXT_SIZE
 * bytes; returned for use in a call.
 */
const char *quantity_format(enum quantity_kind kind, uint64_t value, char *text);

/* What such a number looks like, for messages: "a duration such as 250ms, 10s or 1h". */
const char *quantity_describe(enum quantity_kind kind);

#endif /* SLUICE_BASE_QUANTITY_H */
