/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells people on stderr how far a replay is, if it takes longer than they would wait unasked. */
#ifndef SLUICE_EVALUATE_PROGRESS_H
#define SLUICE_EVALUATE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	uint64_t started_ns, told_ns;
	bool is_told; /* A line stands there that has no end yet. */
	bool is_terminal;
};

void progress_init(struct progress *progress);
/* What is being done, and how much of it is. */
void progress_tell(struct progress *progress, const char *what, double share);
void progress_fini(struct progress *progress);

#endif /* SLUICE_EVALUATE_PROGRESS_H */
