/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The daemon's memory of events: a bounded ring that any thread writes and any number of readers
 * follow, each with a cursor of its own.  A writer never waits for a reader; a reader that falls
 * behind is told how many events it has missed.
 */
#ifndef SLUICE_CONTROL_EVENT_LOG_H
#define SLUICE_CONTROL_EVENT_LOG_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "base/event.h"

struct event_log;

struct event_log_stats {
	uint64_t total;	      /* Events since start. */
	uint64_t overwritten; /* Of these, no longer in the ring. */
	uint64_t by_kind[EVENT_N_KINDS];
};

/* Keeps the newest `capacity` events (at least 1).  0, -EINVAL, -ENOMEM or what eventfd says. */
int event_log_new(uint32_t capacity, struct event_log **out) __attribute__((warn_unused_result));
/* No sink of it may be in use any more.  NULL is a no-op. */
void event_log_free(struct event_log *log);

/* Thread-safe way in; valid as long as the log. */
struct event_sink event_log_sink(struct event_log *log);

/*
 * Copies at most `n` events that follow sequence number `*cursor` (0: the oldest kept) and moves
 * the cursor behind the last one copied.  `*missed` gets how many were overwritten before this
 * reader came.  Returns how many were copied.
 */
size_t event_log_read(struct event_log *log, uint64_t *cursor, struct event *events, size_t n,
		      uint64_t *missed);

/* Sequence number of the newest event; 0 if there was none. */
uint64_t event_log_last(struct event_log *log);

void event_log_stats(struct event_log *log, struct event_log_stats *stats);

/* Readable once something was written since event_log_quiet().  Owned by the log. */
int event_log_fd(const struct event_log *log);
void event_log_quiet(struct event_log *log);

/*
 * The form that `sluice events --json` prints: sequence, time (RFC 3339, UTC), kind, level, source
 * (absent if about none), count, origin (absent if empty), text.  NULL: no memory.
 */
json_t *event_json(const struct event *event);

#endif /* SLUICE_CONTROL_EVENT_LOG_H */
