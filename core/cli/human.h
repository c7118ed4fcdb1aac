/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Figures for people.  Each writes into `text` of HUMAN_TEXT_SIZE bytes, which is returned for use
 * in a call.
 */
#ifndef SLUICE_CLI_HUMAN_H
#define SLUICE_CLI_HUMAN_H

#include <stdint.h>

#define HUMAN_TEXT_SIZE 40

/*
 * Prints `text` behind `label`, broken between words so that no line is wider than 80 columns; the
 * following lines begin in column `indent`, as the text does.  Colours have no width.
 */
void human_print(const char *label, int indent, const char *text);
/* "" for one, "s" for any other number. */
const char *human_plural(uint64_t count);

/* "1,048,576" */
const char *human_count(uint64_t count, char *text);
/* "999 B", "1.23 kB", "12.3 MB": three digits and a prefix. */
const char *human_scaled(uint64_t value, const char *unit, char *text);
/* "0 pps", "999 pps", "1.23 kpps", "12.3 Mpps": three digits. */
const char *human_pps(uint64_t pps, char *text);
/* "1.23 Gbit/s" */
const char *human_bps(uint64_t bps, char *text);
/* "1.23 GB": powers of 1000. */
const char *human_bytes(uint64_t bytes, char *text);
/* "0 s", "12 ns", "1.50 ms", "59.9 s", "3m 12s", "4h 5m", "12d 3h" */
const char *human_duration(uint64_t ns, char *text);

#endif /* SLUICE_CLI_HUMAN_H */
