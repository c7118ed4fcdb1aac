/* SPDX-License-Identifier: BSD-2-Clause */
/* The windows of each run, kept until it is known which run is shown: as CSV, or as a picture. */
#ifndef SLUICE_EVALUATE_WINDOWS_H
#define SLUICE_EVALUATE_WINDOWS_H

#include <stddef.h>

#include "trial/trial.h"

struct sluice_err;
struct windows;

int windows_new(unsigned int n_runs, struct windows **out) __attribute__((warn_unused_result));
void windows_free(struct windows *windows);

/* Copies what one window was.  0 or -ENOMEM. */
int windows_add(struct windows *windows, unsigned int run, const struct trial_window *window)
	__attribute__((warn_unused_result));

/* Those of one run.  Detectors' figures: windows_detector(). */
size_t windows_count(const struct windows *windows, unsigned int run);
const struct trial_window *windows_get(const struct windows *windows, unsigned int run, size_t i);
const struct trial_detector_window *windows_detector(const struct windows *windows,
						     unsigned int run, size_t i, size_t detector);

/* Write a file.  0, or a negative errno with the reason. */
int windows_write_csv(const struct windows *windows, unsigned int run,
		      const struct trial_report *report, const char *path, struct sluice_err *err)
	__attribute__((warn_unused_result));
int windows_write_svg(const struct windows *windows, unsigned int run,
		      const struct trial_report *report, const char *path, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_EVALUATE_WINDOWS_H */
