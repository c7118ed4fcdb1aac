/* SPDX-License-Identifier: BSD-2-Clause */
/* See explain.h. */
#include "explain.h"

#include <stdarg.h>
#include <stdio.h>

void explain(struct sluice_err *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return;
	err->path[0] = '\0';
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
}
