/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Names of events, and the one way to make one.
 */
#include "event.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"

static const char *const kind_names[] = {
#define X(upper, lower) [EVENT_KIND_##upper] = #lower,
	EVENT_KINDS(X)
#undef X
};

const char *event_kind_name(enum event_kind kind)
{
	return (unsigned int)kind < EVENT_N_KINDS ? kind_names[kind] : "unknown";
}

void event_emit(const struct event_sink *sink, enum event_kind kind, enum sluice_log_level level,
		const struct sluice_key *key, uint32_t count, const char *origin, const char *fmt,
		...)
{
	struct event event = {
		.kind = kind,
		.level = level,
		.count = count ? count : 1,
	};
	va_list args;

	if (!sink)
		return;
	event.realtime_ns = clock_realtime_ns(&clock_system);
	if (key)
		event.key = *key;
	snprintf(event.origin, sizeof(event.origin), "%s", origin ? origin : "");
	va_start(args, fmt);
	vsnprintf(event.text, sizeof(event.text), fmt, args);
	va_end(args);
	sink->emit(sink->ctx, &event);
}
