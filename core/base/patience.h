/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call into code of others that may not come back: it gets a thread of its own, and whoever waits
 * for it does so for a while only.
 */
#ifndef SLUICE_BASE_PATIENCE_H
#define SLUICE_BASE_PATIENCE_H

#include <stdbool.h>
#include <stdint.h>

struct patience {
	void (*call)(void *ctx);
	/* It has not come back in time; it cannot come back while this runs. */
	void (*give_up)(void *ctx);
	/* It came back after that, on its own thread. */
	void (*late)(void *ctx);
	void *ctx;
	uint64_t limit_ns;
};

/*
 * True: it came back in time; false: given up.  Without memory or a thread for it the call is made on
 * the caller's.
 */
bool patience_run(const struct patience *patience) __attribute__((warn_unused_result));

#endif /* SLUICE_BASE_PATIENCE_H */
