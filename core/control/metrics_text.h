/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Writes the Prometheus text format (version 0.0.4): families with HELP and TYPE, samples with
 * escaped labels.
 */
#ifndef SLUICE_CONTROL_METRICS_TEXT_H
#define SLUICE_CONTROL_METRICS_TEXT_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define METRICS_TEXT_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct metrics_label {
	const char *name, *value;
};

/* Begins a family; `type` is "counter" or "gauge".  Its samples follow before the next family. */
void metrics_text_family(FILE *out, const char *name, const char *type, const char *help);

/* One sample; `labels` ends with a NULL name, and may be NULL itself. */
void metrics_text_u64(FILE *out, const char *name, const struct metrics_label *labels,
		      uint64_t value);
void metrics_text_double(FILE *out, const char *name, const struct metrics_label *labels,
			 double value);
/* A duration as seconds. */
void metrics_text_seconds(FILE *out, const char *name, const struct metrics_label *labels,
			  uint64_t ns);

#endif /* SLUICE_CONTROL_METRICS_TEXT_H */
