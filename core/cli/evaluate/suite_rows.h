/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rows of a suite: which captures against what, in which way, and what came of it.  A row is one
 * case with all its phases.
 */
#ifndef SLUICE_EVALUATE_SUITE_ROWS_H
#define SLUICE_EVALUATE_SUITE_ROWS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "case.h"

#define SUITE_NAME_SIZE 160
/* What a mix has of ordinary traffic, so that a large folder becomes several mixes. */
#define SUITE_GROUP_SIZE 8
#define SUITE_MAX_SIGNATURES 8

/* What a child tells of its row; without pointers, since it goes through a pipe. */
struct suite_outcome {
	struct score_result worst;
	uint64_t sources_blocked, rules_enforced;
	bool has_attack;
	/* That a rule of theirs dropped attack packets, in any phase. */
	char signatures[SUITE_MAX_SIGNATURES][LEDGER_NAME_SIZE];
	size_t n_signatures;
};

struct suite_row {
	enum evaluate_part part;
	char name[SUITE_NAME_SIZE];
	enum mix_role role;
	const char *config; /* NULL: that on trial. */
	const char *only;
	char without[LEDGER_NAME_SIZE]; /* A signature; "": none. */
	size_t control;			/* Index of the file of --control. */
	const char *attack;		/* NULL: none. */
	const char *benign[SUITE_GROUP_SIZE], *warmup[SUITE_GROUP_SIZE];
	size_t n_benign, n_warmup;
	bool crowd; /* All benign captures, however many. */
	uint64_t speed;
	unsigned int phases;
	struct suite_outcome outcome; /* Once it has run. */
};

struct suite_rows {
	struct suite_row *list;
	size_t n, room;
};

struct suite_captures {
	struct evaluate_list attack, benign;
	uint32_t spoofed; /* Bits: attack captures whose labels say so; the first 32 of them. */
};

/* 0, or -EINVAL or -ENOMEM, which it tells on stderr. */
int suite_captures_list(const char *folder, struct suite_captures *captures)
	__attribute__((warn_unused_result));
void suite_captures_free(struct suite_captures *captures);

/*
 * Appends the rows of one part.  EVALUATE_PART_ALONE: of `detectors`; EVALUATE_PART_WITHOUT: of what
 * the rows of EVALUATE_PART_NATIVE that are in `rows` and have run tell.  0 or -ENOMEM.
 */
int suite_rows_add(struct suite_rows *rows, enum evaluate_part part,
		   const struct evaluate_options *options, const struct suite_captures *captures,
		   const struct evaluate_list *detectors) __attribute__((warn_unused_result));
void suite_rows_free(struct suite_rows *rows);

/* Runs a row's case.  As case_run(). */
int suite_row_run(const struct suite_row *row, const struct evaluate_options *options,
		  const struct suite_captures *captures, struct case_result *result)
	__attribute__((warn_unused_result));
void suite_row_conclude(const struct case_result *result, struct suite_outcome *outcome);

#endif /* SLUICE_EVALUATE_SUITE_ROWS_H */
