/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line of `sluice replay`. */
#ifndef SLUICE_EVALUATE_OPTIONS_H
#define SLUICE_EVALUATE_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <sluice/plugin.h>

#include "replay/mix.h"

#define EVALUATE_PHASES 5

struct evaluate_list {
	char **items;
	size_t n;
};

struct evaluate_options {
	const char *config, *other_config; /* The second for --diff. */
	struct evaluate_list attack, benign, warmup;
	const char *labels; /* NULL: beside each capture. */
	const char *attack_filter, *only;
	const char *bar, *suite, *csv, *svg;
	struct sluice_key protect[MIX_MAX_PROTECTED];
	struct mix_options mix; /* Its `protect` is the list above. */
	bool role_given, phase_given;
	unsigned int phases;
	uint64_t window_ns, max_gap_ns; /* 0: by default. */
	bool json, bench, help;
};

/* 0, or -EINVAL with the reason.  Prints nothing.  evaluate_options_fini() in either case. */
int evaluate_options_parse(int argc, char *argv[], struct evaluate_options *options,
			   struct sluice_err *err) __attribute__((warn_unused_result));
void evaluate_options_fini(struct evaluate_options *options);

void evaluate_options_help(FILE *out);

#endif /* SLUICE_EVALUATE_OPTIONS_H */
