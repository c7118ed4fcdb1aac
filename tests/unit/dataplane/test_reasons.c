// SPDX-License-Identifier: BSD-2-Clause
/* The list of reasons: each has a name and a text of its own, and dropping is told from passing. */
#include <criterion/criterion.h>

#include <string.h>

#include "dataplane/dataplane.h"
#include "shared.h"

Test(reasons, names_are_stable_identifiers)
{
	static const char *const names[] = { "pass",	  "no_features",  "exempt",
					     "not_ip",	  "blocked",	  "blocked_prefix",
					     "malformed", "spoofed_own",  "would_drop",
					     "rule",	  "rate_limited", "known" };

	cr_assert_eq(sizeof(names) / sizeof(names[0]), DATAPLANE_N_REASONS);
	for (int reason = 0; reason < DATAPLANE_N_REASONS; reason++) {
		cr_assert_str_eq(dataplane_reason_name(reason), names[reason]);
		cr_assert_gt(strlen(dataplane_reason_text(reason)), 10);
		for (int other = 0; other < reason; other++)
			cr_assert_str_neq(dataplane_reason_text(reason),
					  dataplane_reason_text(other));
	}
}

Test(reasons, text_agrees_with_the_verdict)
{
	for (int reason = 0; reason < DATAPLANE_N_REASONS; reason++)
		cr_assert_eq(dataplane_reason_is_drop(reason),
			     strncmp(dataplane_reason_text(reason), "dropped:", 8) == 0, "%s",
			     dataplane_reason_name(reason));
}

Test(reasons, numbers_outside_the_list_have_no_name)
{
	cr_assert_str_eq(dataplane_reason_name(DATAPLANE_N_REASONS), "unknown");
	cr_assert_str_eq(dataplane_reason_name((enum dataplane_reason) - 1), "unknown");
	cr_assert_str_eq(dataplane_reason_text((enum dataplane_reason)1000), "unknown");
	cr_assert_not(dataplane_reason_is_drop((enum dataplane_reason)1000));
}

Test(reasons, list_in_pinned_memory_is_the_same)
{
	cr_assert_eq((int)SLUICE_N_REASONS, (int)DATAPLANE_N_REASONS);
	cr_assert_leq((int)SLUICE_N_REASONS, (int)SLUICE_REASONS_MAX);
}

static void note_closed(struct dataplane *dp)
{
	dp->adopted = true;
}

Test(reasons, close_calls_the_implementation)
{
	const struct dataplane_ops ops = { .close = note_closed };
	struct dataplane dp = { .ops = &ops };

	dataplane_close(NULL);
	dataplane_close(&dp);
	cr_assert(dp.adopted);
}
