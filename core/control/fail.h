/* SPDX-License-Identifier: BSD-2-Clause */
/* Setting a reason and returning the error in one statement. */
#ifndef SLUICE_CONTROL_FAIL_H
#define SLUICE_CONTROL_FAIL_H

#include <sluice/plugin.h>

/* Sets the reason and returns `error`, a negative errno. */
int fail_with(struct sluice_err *err, int error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), warn_unused_result));
/* The same with the system's own words behind: "...: Permission denied (-EACCES)". */
int fail_system(struct sluice_err *err, int error, const char *fmt, ...)
	__attribute__((format(printf, 3, 4), warn_unused_result));

#endif /* SLUICE_CONTROL_FAIL_H */
