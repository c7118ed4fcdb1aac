/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The seam by which a test takes the grace wait out of the data plane: linked with
 * --wrap=grace_wait, all calls of grace_wait() come here.
 */
#ifndef SLUICE_TESTS_BPF_DELAYED_GRACE_SWITCH_H
#define SLUICE_TESTS_BPF_DELAYED_GRACE_SWITCH_H

#include <stdbool.h>

struct grace_switch {
	bool off;	       /* No wait at all. */
	unsigned long n_calls; /* With and without. */
};

extern struct grace_switch grace_switch;

#endif /* SLUICE_TESTS_BPF_DELAYED_GRACE_SWITCH_H */
