/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run: every packet of a mix, in order of time, through the filter, and the engine whenever its
 * window has ended, as they work live; and what came of it.
 */
#ifndef SLUICE_TRIAL_TRIAL_H
#define SLUICE_TRIAL_TRIAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

#include "ledger.h"
#include "score.h"

struct config_errors;
struct generation_override;
struct mix;

#define TRIAL_NAME_SIZE 32
#define TRIAL_NOTES_MAX 16
#define TRIAL_NOTE_SIZE 320

struct trial_detector_window {
	double score; /* 1 is the limit. */
	bool attack;
};

/* What one window was. */
struct trial_window {
	uint64_t start_ns, end_ns;
	struct score_share attack, benign, ignored; /* Toward the protected host. */
	uint64_t outbound;
	uint64_t distinct_sources;
	uint64_t blocked;	  /* Sources and prefixes in force at its end. */
	uint64_t rules;		  /* Automatic rules in force at its end. */
	bool under_attack;	  /* The engine's verdict. */
	const char *const *names; /* Of the detectors. */
	const struct trial_detector_window *detectors;
	size_t n_detectors;
};

struct trial_options {
	const char *config;
	const char *only;			     /* This detector alone; NULL: all. */
	uint64_t window_ns;			     /* 0: the file's. */
	const struct generation_override *overrides; /* Of detectors' options. */
	size_t n_overrides;
	uint64_t seed;
	bool bench; /* Measure a bare loop over the same packets, too. */
	/* After each window, and about once a second of real time; either may be NULL. */
	void (*window)(void *ctx, const struct trial_window *window);
	void (*progress)(void *ctx, uint64_t now_ns, uint64_t end_ns);
	void *ctx;
};

struct trial_report {
	struct score_result score;
	char detectors[SCORE_MAX_DETECTORS][TRIAL_NAME_SIZE];
	size_t n_detectors;
	struct ledger_line *lines; /* What dropped anything or was put in force. */
	size_t n_lines;
	uint64_t sources_blocked, rules_enforced;
	bool enforces; /* false: observe mode. */
	uint64_t window_ns, windows;
	uint64_t attack_start_ns, attack_end_ns, end_ns; /* Equal starts and ends: no attack. */
	uint64_t packets;				 /* That the filter judged. */
	uint64_t would_drop;				 /* Let through by observe mode alone. */
	uint64_t outbound, unrelated, runts, refused;	 /* That it did not see. */
	uint64_t gaps_cut, steps_back, beyond_end, attack_pps;
	uint64_t elapsed_ns;			      /* Of CPU time, all work on the packets. */
	uint64_t bare_packets, bare_elapsed_ns;	      /* With `bench`. */
	char notes[TRIAL_NOTES_MAX][TRIAL_NOTE_SIZE]; /* What the engine had to complain of. */
	size_t n_notes;
};

/*
 * Runs `mix` from its first packet to its end.  What is wrong with the deployment file is added to
 * `errors`; -EINVAL it, or `only`, is unfit.  0 and a report for trial_report_fini(), or nothing.
 */
int trial_run(const struct trial_options *options, struct mix *mix, struct config_errors *errors,
	      struct trial_report *report, struct sluice_err *err)
	__attribute__((warn_unused_result));
void trial_report_fini(struct trial_report *report);

/* Packets from and toward the protected host in a second of real time; 0 without `bench`. */
struct trial_speed {
	double pps, bare_pps; /* With all the work, and of the loop of system calls alone. */
};
struct trial_speed trial_speed(const struct trial_report *report);

#endif /* SLUICE_TRIAL_TRIAL_H */
