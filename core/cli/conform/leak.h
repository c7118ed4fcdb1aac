/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does memory go missing?  With LeakSanitizer it says so itself; without, the heap's own account is
 * compared again and again over many rounds.
 */
#ifndef SLUICE_CLI_CONFORM_LEAK_H
#define SLUICE_CLI_CONFORM_LEAK_H

#include <stdbool.h>

struct conform;

bool leak_has_sanitizer(void);
/* Runs `round` many times.  0, what a round returned, or negative after conform_fail(). */
int leak_check(struct conform *conform, int (*round)(struct conform *conform));

#endif /* SLUICE_CLI_CONFORM_LEAK_H */
