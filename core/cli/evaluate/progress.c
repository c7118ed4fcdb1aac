/* SPDX-License-Identifier: BSD-2-Clause */
/* See progress.h. */
#include "progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

#define UNASKED_NS 2000000000ull
#define TERMINAL_NS 1000000000ull
/* A log wants fewer lines. */
#define LOG_NS 10000000000ull

void progress_init(struct progress *progress)
{
	progress->started_ns = clock_monotonic_ns(&clock_system);
	progress->told_ns = 0;
	progress->is_told = false;
	progress->is_terminal = isatty(STDERR_FILENO) == 1;
}

void progress_tell(struct progress *progress, const char *what, double share)
{
	uint64_t now_ns = clock_monotonic_ns(&clock_system);
	uint64_t between_ns = progress->is_terminal ? TERMINAL_NS : LOG_NS;

	if (now_ns < progress->started_ns + UNASKED_NS ||
	    (progress->told_ns && now_ns < progress->told_ns + between_ns))
		return;
	progress->told_ns = now_ns;
	progress->is_told = progress->is_terminal;
	fprintf(stderr, "%s%s: %.0f %%, %.0f s%s", progress->is_terminal ? "\r" : "", what,
		share * 100, (double)(now_ns - progress->started_ns) / 1e9,
		progress->is_terminal ? "\033[K" : "\n");
	fflush(stderr);
}

void progress_clear(struct progress *progress)
{
	if (progress->is_told)
		fputs("\r\033[K", stderr);
	progress->is_told = false;
	fflush(stderr);
}

void progress_tell_total(const struct progress *progress, size_t n_rows)
{
	fprintf(stderr, "sluice: replay: %zu rows in %.0f s\n", n_rows,
		(double)(clock_monotonic_ns(&clock_system) - progress->started_ns) / 1e9);
}

void progress_fini(struct progress *progress)
{
	progress_clear(progress);
}
