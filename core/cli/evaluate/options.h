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

struct config_node;

#define EVALUATE_PHASES 5
#define EVALUATE_MAX_SETTINGS 8

/* The parts of a suite, by the names that --part takes. */
#define EVALUATE_PARTS(X)                                                            \
	X(NATIVE, "native", "attacks at their own rate")                             \
	X(SECOND, "1s", "the same in windows of a second")                           \
	X(RATE, "20k", "the same at 20,000 packets/s")                               \
	X(PORT, "port", "the attack goes to a port of ordinary traffic")             \
	X(STEALTH, "stealth", "forged SYNs with the TCP options of ordinary ones")   \
	X(BENIGN, "benign", "each benign capture alone")                             \
	X(CROWD, "crowd", "all benign captures at once, at 1 and 4 times the speed") \
	X(ALONE, "alone", "each detector alone")                                     \
	X(WITHOUT, "without", "each signature that stopped an attack left out")      \
	X(CONTROL, "control", "the files of --control, which must miss the bar")

enum evaluate_part {
#define X(name, text, help) EVALUATE_PART_##name,
	EVALUATE_PARTS(X)
#undef X
		EVALUATE_N_PARTS
};

struct evaluate_list {
	char **items;
	size_t n;
};

/* `detector`'s options are these in place of the file's. */
struct evaluate_setting {
	char *detector;
	struct config_node *options;
};

struct evaluate_options {
	const char *config, *other_config; /* The second for --diff. */
	struct evaluate_list attack, benign, warmup;
	const char *labels; /* NULL: beside each capture. */
	const char *attack_filter, *only;
	const char *bar, *suite, *csv, *svg;
	struct evaluate_list control; /* Deployment files that must miss the bar. */
	uint32_t parts;		      /* Bits of enum evaluate_part; of a suite. */
	unsigned int jobs;	      /* Of a suite, at a time. */
	struct evaluate_setting settings[EVALUATE_MAX_SETTINGS];
	size_t n_settings;
	struct sluice_key protect[MIX_MAX_PROTECTED];
	struct mix_options mix; /* Its `protect` is the list above. */
	bool role_given, phase_given;
	unsigned int phases;
	uint64_t window_ns, max_gap_ns; /* 0: by default. */
	bool json, bench, help;
};

const char *evaluate_part_name(enum evaluate_part part);

/* Frees the items, which are the list's own. */
void evaluate_list_fini(struct evaluate_list *list);

/* 0, or -EINVAL with the reason.  Prints nothing.  evaluate_options_fini() in either case. */
int evaluate_options_parse(int argc, char *argv[], struct evaluate_options *options,
			   struct sluice_err *err) __attribute__((warn_unused_result));
void evaluate_options_fini(struct evaluate_options *options);

void evaluate_options_help(FILE *out);

#endif /* SLUICE_EVALUATE_OPTIONS_H */
