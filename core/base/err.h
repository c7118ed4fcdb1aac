/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reasons in words, beside the negative errno that a function returns.  The structure belongs to
 * the caller and is part of the plugin API; these functions fill it.  All accept a NULL `err`.
 */
#ifndef SLUICE_BASE_ERR_H
#define SLUICE_BASE_ERR_H

#include <stdarg.h>

#include <sluice/plugin.h>

/* Clears both strings. */
void err_init(struct sluice_err *err);

/*
 * Sets the reason.  `path` names the option or object at fault and may be NULL for none.  Text that
 * does not fit is cut and ends in "...".  `fmt` may use strings of `err` itself.
 */
void err_set(struct sluice_err *err, const char *path, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void err_set_v(struct sluice_err *err, const char *path, const char *fmt, va_list args)
	__attribute__((format(printf, 3, 0)));

/* Puts a clause in front of the reason that a lower layer gave: "<clause>: <reason>". */
void err_prefix(struct sluice_err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* "-EINVAL" for -EINVAL and for EINVAL; "0" for 0; "-E?" for a number that Linux does not know. */
const char *err_name(int code);

#endif /* SLUICE_BASE_ERR_H */
