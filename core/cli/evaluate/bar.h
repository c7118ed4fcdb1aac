/* SPDX-License-Identifier: BSD-2-Clause */
/* The bar: limits of a score, from a file, and what of a result misses them. */
#ifndef SLUICE_EVALUATE_BAR_H
#define SLUICE_EVALUATE_BAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trial/score.h"

struct config_errors;

#define BAR_TEXT_SIZE 160

/* X(key, direction): `least` and `most` say which side of the limit is right. */
#define BAR_LIMITS(X)                                                                        \
	X(windows_to_enforce, most)	    /* Of volumetric attacks, from the onset. */     \
	X(after_enforcement_percent, least) /* Of their packets, dropped. */                 \
	X(attack_dropped_percent, least)    /* In total. */                                  \
	X(benign_dropped_percent, most)	    /* Of packets beside any attack. */              \
	X(known_harmed_percent, most)	    /* Of clients. */                                \
	X(new_harmed_percent, most)                                                          \
	X(low_rate_clients_harmed, most) /* Beside attacks that are not volumetric. */       \
	X(benign_sources_blocked, most)	 /* Without an attack; so is the next. */            \
	X(benign_rules_enforced, most)                                                       \
	X(crowd_harmed_percent, most)	      /* Of clients, all benign captures at once. */ \
	X(variant_known_harmed_percent, most) /* Beside what no signature fits. */           \
	X(without_signature_percent, least)   /* Dropped after enforcement. */

enum bar_limit {
#define X(key, direction) BAR_##key,
	BAR_LIMITS(X)
#undef X
		BAR_N_LIMITS
};

struct bar {
	bool is_set[BAR_N_LIMITS];
	double limit[BAR_N_LIMITS];
};

/* Told of each limit that is missed, with the row it concerns. */
typedef void (*bar_missed_fn)(void *ctx, const char *row, const char *text);

struct bar_check {
	const struct bar *bar;
	bar_missed_fn missed;
	void *ctx;
	size_t n_missed;
};

/* 0; -EINVAL with the reasons in `errors`; or what open() says. */
int bar_load(const char *path, struct config_errors *errors, struct bar *bar)
	__attribute__((warn_unused_result));
/* The same from memory; `file` is what messages call it. */
int bar_parse(const char *file, const char *text, size_t size, struct config_errors *errors,
	      struct bar *bar) __attribute__((warn_unused_result));

/* Tells if `value` is on the wrong side of a limit that the file sets. */
void bar_check(struct bar_check *check, const char *row, enum bar_limit limit, double value);
/* What is dropped once something is in force, however late that is; of a low rate, whom it harms. */
void bar_check_enforced(struct bar_check *check, const char *row, const struct score_result *score);
/* All limits of one mix with an attack, but for the benign shares. */
void bar_check_attack(struct bar_check *check, const char *row, const struct score_result *score);
/* The benign shares, of one mix or pooled. */
void bar_check_benign(struct bar_check *check, const char *row, const struct score_result *score);

#endif /* SLUICE_EVALUATE_BAR_H */
