/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The whole protocol over a folder with attack/ and benign/: every attack in both roles, every
 * benign capture alone, and all of them at once.
 */
#ifndef SLUICE_EVALUATE_SUITE_H
#define SLUICE_EVALUATE_SUITE_H

#include "options.h"

struct bar;

/* Prints table or JSON.  An exit code, enum evaluate_exit; `bar` may be NULL. */
int suite_run(const struct evaluate_options *options, const struct bar *bar);

#endif /* SLUICE_EVALUATE_SUITE_H */
