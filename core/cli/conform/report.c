/* SPDX-License-Identifier: BSD-2-Clause */
/* What a case has to say for itself: see conform.h. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "conform.h"

static void say(struct conform *conform, enum conform_state state, const char *fmt, va_list args)
{
	struct conform_result *result = conform->result;

	result->state = state;
	vsnprintf(result->text, sizeof(result->text), fmt, args);
}

int conform_fail(struct conform *conform, const char *fmt, ...)
{
	va_list args;

	/* The first reason is the one to mend. */
	if (conform->result->state == CONFORM_FAILED && conform->result->text[0] != '\0')
		return -EPROTO;
	va_start(args, fmt);
	say(conform, CONFORM_FAILED, fmt, args);
	va_end(args);
	return -EPROTO;
}

int conform_skip(struct conform *conform, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(conform, CONFORM_SKIPPED, fmt, args);
	va_end(args);
	return 0;
}

int conform_note(struct conform *conform, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	say(conform, CONFORM_PASSED, fmt, args);
	va_end(args);
	return 0;
}
