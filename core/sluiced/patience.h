/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call into code of others that may not come back: it gets a thread of its own, and whoever waits
 * for it does so for a while only.
 */
#ifndef SLUICE_SLUICED_PATIENCE_H
#define SLUICE_SLUICED_PATIENCE_H

#include <stdint.h>

struct patience {
	void (*call)(void *ctx);
	/* It has not come back in time; it cannot come back while this runs. */
	void (*give_up)(void *ctx);
	/* After it came back, in time or not; on the caller's thread if it did. */
	void (*after)(void *ctx);
	void *ctx;
	uint64_t limit_ns;
};

/* Without memory or a thread for it the call is made on the caller's. */
void patience_run(const struct patience *patience);

#endif /* SLUICE_SLUICED_PATIENCE_H */
