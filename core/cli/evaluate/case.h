/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One mix of captures, run in several phases against one deployment file, and the worst of what came
 * of it.
 */
#ifndef SLUICE_EVALUATE_CASE_H
#define SLUICE_EVALUATE_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

#include "options.h"
#include "trial/trial.h"

/* `items` of the three lists are only borrowed. */
struct case_options {
	const char *config, *only;
	const struct evaluate_list *attack, *benign, *warmup; /* Empty or NULL: none. */
	const char *labels, *attack_filter;		      /* As in evaluate_options. */
	struct mix_options mix;
	unsigned int phases;
	uint64_t window_ns, max_gap_ns;
	bool bench;
	const struct evaluate_setting *settings;
	size_t n_settings;
	bool skip_known_bad; /* Leaves benign captures out that are labelled known_bad. */
	void (*window)(void *ctx, unsigned int run, const struct trial_window *window);
	void (*progress)(void *ctx, unsigned int run, uint64_t now_ns, uint64_t end_ns);
	void *ctx;
};

struct case_result {
	struct trial_report *runs;
	unsigned int n_runs;
	unsigned int
		worst_run; /* The one that dropped the least of the attack, or the most benign. */
	struct score_result worst;		  /* Figure by figure. */
	uint64_t sources_blocked, rules_enforced; /* Of the run with the most. */
	bool has_attack;
};

void case_options_init(struct case_options *options, const struct evaluate_options *from);

/*
 * Says on stderr what is wrong with a file.  0 and a result for case_result_fini(); -EINVAL input is
 * refused; or another negative errno.
 */
int case_run(const struct case_options *options, struct case_result *result)
	__attribute__((warn_unused_result));
/* The names of a deployment file's detectors, for evaluate_list_fini().  As case_run(). */
int case_detectors(const char *config, struct evaluate_list *names)
	__attribute__((warn_unused_result));
void case_result_fini(struct case_result *result);

#endif /* SLUICE_EVALUATE_CASE_H */
