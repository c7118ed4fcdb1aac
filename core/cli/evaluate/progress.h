/* SPDX-License-Identifier: BSD-2-Clause */
/* Tells people on stderr how far a replay is, if it takes longer than they would wait unasked. */
#ifndef SLUICE_EVALUATE_PROGRESS_H
#define SLUICE_EVALUATE_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
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

/* Takes the line off the terminal, so that something else can be printed there. */
void progress_clear(struct progress *progress);
/* How long all of it took; on standard error, since that differs each time. */
void progress_tell_total(const struct progress *progress, size_t n_rows);

#endif /* SLUICE_EVALUATE_PROGRESS_H */
