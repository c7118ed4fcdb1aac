/* SPDX-License-Identifier: BSD-2-Clause */
/* Names and texts of what the filter does with packets; close() for any implementation. */
#include "dataplane.h"

#include "shared.h"

static const char *const names[] = {
#define X(upper, lower, text) [DATAPLANE_REASON_##upper] = #lower,
	DATAPLANE_REASONS(X)
#undef X
};

static const char *const texts[] = {
#define X(upper, lower, text) [DATAPLANE_REASON_##upper] = text,
	DATAPLANE_REASONS(X)
#undef X
};

/* The public list and the one in pinned memory are the same list. */
#define X(upper, lower, text)                                                       \
	_Static_assert((int)DATAPLANE_REASON_##upper == (int)SLUICE_REASON_##upper, \
		       "reason lists differ");
DATAPLANE_REASONS(X)
#undef X
_Static_assert((int)DATAPLANE_N_REASONS == (int)SLUICE_N_REASONS, "reason lists differ");

const char *dataplane_reason_name(enum dataplane_reason reason)
{
	return reason < DATAPLANE_N_REASONS ? names[reason] : "unknown";
}

const char *dataplane_reason_text(enum dataplane_reason reason)
{
	return reason < DATAPLANE_N_REASONS ? texts[reason] : "unknown";
}

bool dataplane_reason_is_drop(enum dataplane_reason reason)
{
	switch (reason) {
	case DATAPLANE_REASON_BLOCKED:
	case DATAPLANE_REASON_BLOCKED_PREFIX:
	case DATAPLANE_REASON_MALFORMED:
	case DATAPLANE_REASON_SPOOFED_OWN:
	case DATAPLANE_REASON_RULE:
	case DATAPLANE_REASON_RATE_LIMITED:
		return true;
	default:
		return false;
	}
}

void dataplane_close(struct dataplane *dp)
{
	if (dp)
		dp->ops->close(dp);
}
