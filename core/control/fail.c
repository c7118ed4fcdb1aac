/* SPDX-License-Identifier: BSD-2-Clause */
/* See fail.h. */
#include "fail.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

int fail_with(struct sluice_err *err, int error, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	err_set_v(err, NULL, fmt, args);
	va_end(args);
	return error;
}

int fail_system(struct sluice_err *err, int error, const char *fmt, ...)
{
	const char *why = strerrordesc_np(-error);
	char what[sizeof(((struct sluice_err *)NULL)->text)];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof(what), fmt, args);
	va_end(args);
	err_set(err, NULL, "%s: %s (%s)", what, why ? why : "unknown error", err_name(error));
	return error;
}
