/* SPDX-License-Identifier: BSD-2-Clause */
/* A strict reader of the Prometheus text format 0.0.4, as `promtool check metrics` is. */
#ifndef SLUICE_TESTS_PROMETHEUS_H
#define SLUICE_TESTS_PROMETHEUS_H

#include <stddef.h>

/*
 * 0 if `text` is well-formed: every family has HELP and TYPE once and in front of its samples,
 * samples of a family stand together and are unique, names and escapes are legal, counters are
 * named _total, the last line ends.  Else the line number, with the reason in `why`.
 */
size_t prometheus_check(const char *text, char *why, size_t why_size);

/* The value of the sample whose name and labels are exactly `name`; NaN if there is none. */
double prometheus_value(const char *text, const char *name);

#endif /* SLUICE_TESTS_PROMETHEUS_H */
