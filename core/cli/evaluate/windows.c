/* SPDX-License-Identifier: BSD-2-Clause */
/* Keeping windows, and writing them as CSV.  See windows.h. */
#include "windows.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

struct kept {
	struct trial_window window; /* Its pointers are NULL. */
	struct trial_detector_window detectors[SCORE_MAX_DETECTORS];
};

struct run {
	struct kept *kept;
	size_t n, capacity;
};

struct windows {
	struct run *runs;
	unsigned int n_runs;
};

int windows_new(unsigned int n_runs, struct windows **out)
{
	struct windows *windows = calloc(1, sizeof(*windows));

	if (!windows)
		return -ENOMEM;
	windows->n_runs = n_runs;
	windows->runs = calloc(n_runs + 1, sizeof(*windows->runs));
	if (!windows->runs) {
		free(windows);
		return -ENOMEM;
	}
	*out = windows;
	return 0;
}

void windows_free(struct windows *windows)
{
	if (!windows)
		return;
	for (unsigned int i = 0; i < windows->n_runs; i++)
		free(windows->runs[i].kept);
	free(windows->runs);
	free(windows);
}

int windows_add(struct windows *windows, unsigned int run, const struct trial_window *window)
{
	struct run *to = &windows->runs[run];
	struct kept *kept;

	if (to->n == to->capacity) {
		size_t capacity = to->capacity ? to->capacity * 2 : 256;
		struct kept *bigger = realloc(to->kept, capacity * sizeof(*bigger));

		if (!bigger)
			return -ENOMEM;
		to->kept = bigger;
		to->capacity = capacity;
	}
	kept = &to->kept[to->n++];
	kept->window = *window;
	kept->window.names = NULL;
	kept->window.detectors = NULL;
	memset(kept->detectors, 0, sizeof(kept->detectors));
	for (size_t i = 0; i < window->n_detectors && i < SCORE_MAX_DETECTORS; i++)
		kept->detectors[i] = window->detectors[i];
	return 0;
}

size_t windows_count(const struct windows *windows, unsigned int run)
{
	return windows->runs[run].n;
}

const struct trial_window *windows_get(const struct windows *windows, unsigned int run, size_t i)
{
	return &windows->runs[run].kept[i].window;
}

const struct trial_detector_window *windows_detector(const struct windows *windows,
						     unsigned int run, size_t i, size_t detector)
{
	return &windows->runs[run].kept[i].detectors[detector];
}

static void write_header(FILE *out, const struct trial_report *report)
{
	fputs("start_s,length_s,attack_packets,attack_dropped,benign_packets,benign_dropped,"
	      "ignored_packets,ignored_dropped,outbound_packets,distinct_sources,blocked,rules,"
	      "under_attack",
	      out);
	for (size_t i = 0; i < report->n_detectors; i++)
		fprintf(out, ",%s_score,%s_attack", report->detectors[i], report->detectors[i]);
	fputc('\n', out);
}

static void write_line(FILE *out, const struct windows *windows, unsigned int run, size_t i,
		       size_t n_detectors)
{
	const struct trial_window *window = windows_get(windows, run, i);

	fprintf(out,
		"%.3f,%.3f,%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
		",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%d",
		(double)window->start_ns / 1e9, (double)(window->end_ns - window->start_ns) / 1e9,
		window->attack.packets, window->attack.dropped, window->benign.packets,
		window->benign.dropped, window->ignored.packets, window->ignored.dropped,
		window->outbound, window->distinct_sources, window->blocked, window->rules,
		window->under_attack);
	for (size_t j = 0; j < n_detectors; j++) {
		const struct trial_detector_window *detector = windows_detector(windows, run, i, j);

		fprintf(out, ",%.4f,%d", detector->score, detector->attack);
	}
	fputc('\n', out);
}

int windows_write_csv(const struct windows *windows, unsigned int run,
		      const struct trial_report *report, const char *path, struct sluice_err *err)
{
	FILE *out = fopen(path, "we");
	int code;

	if (!out) {
		code = -errno;
		err_set(err, "csv", "cannot write '%s': %s (%s)", path, strerror(-code),
			err_name(code));
		return code;
	}
	write_header(out, report);
	for (size_t i = 0; i < windows_count(windows, run); i++)
		write_line(out, windows, run, i, report->n_detectors);
	code = ferror(out) ? -EIO : 0;
	if (fclose(out) != 0 || code) {
		err_set(err, "csv", "cannot write all of '%s'", path);
		return -EIO;
	}
	return 0;
}
