/* SPDX-License-Identifier: BSD-2-Clause */
/* The ring of events.  See event_log.h. */
#include "event_log.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/log.h"

struct event_log {
	pthread_mutex_t lock;
	struct event *ring;
	uint32_t capacity;
	uint64_t
		last; /* Sequence number of the newest; event s lives at ring[(s - 1) % capacity]. */
	uint64_t by_kind[EVENT_N_KINDS];
	bool noisy; /* The eventfd was written since the last event_log_quiet(). */
	int fd;
};

int event_log_new(uint32_t capacity, struct event_log **out)
{
	struct event_log *log;
	int err = -ENOMEM;

	if (capacity == 0)
		return -EINVAL;
	log = calloc(1, sizeof(*log));
	if (!log)
		return -ENOMEM;
	log->capacity = capacity;
	log->ring = calloc(capacity, sizeof(*log->ring));
	if (!log->ring)
		goto out_log;
	log->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (log->fd < 0) {
		err = -errno;
		goto out_ring;
	}
	err = -pthread_mutex_init(&log->lock, NULL);
	if (err)
		goto out_fd;
	*out = log;
	return 0;

out_fd:
	close(log->fd);
out_ring:
	free(log->ring);
out_log:
	free(log);
	return err;
}

void event_log_free(struct event_log *log)
{
	if (!log)
		return;
	pthread_mutex_destroy(&log->lock);
	close(log->fd);
	free(log->ring);
	free(log);
}

/* What plugins say may be any bytes: it ends up in JSON and on terminals. */
static void make_printable(char *text, size_t size)
{
	text[size - 1] = '\0';
	for (; *text; text++) {
		if (*text < ' ' || *text > '~')
			*text = '?';
	}
}

static void add_event(void *ctx, const struct event *event)
{
	struct event_log *log = ctx;
	struct event *kept;

	if ((unsigned int)event->kind >= EVENT_N_KINDS)
		return;
	pthread_mutex_lock(&log->lock);
	kept = &log->ring[log->last % log->capacity];
	*kept = *event;
	kept->sequence = ++log->last;
	make_printable(kept->origin, sizeof(kept->origin));
	make_printable(kept->text, sizeof(kept->text));
	log->by_kind[event->kind] += event->count ? event->count : 1;
	if (!log->noisy)
		log->noisy = eventfd_write(log->fd, 1) == 0;
	pthread_mutex_unlock(&log->lock);
}

struct event_sink event_log_sink(struct event_log *log)
{
	return (struct event_sink){ .emit = add_event, .ctx = log };
}

size_t event_log_read(struct event_log *log, uint64_t *cursor, struct event *events, size_t n,
		      uint64_t *missed)
{
	size_t count = 0;
	uint64_t oldest;

	pthread_mutex_lock(&log->lock);
	oldest = log->last > log->capacity ? log->last - log->capacity : 0;
	*missed = 0;
	if (*cursor < oldest) {
		*missed = oldest - *cursor;
		*cursor = oldest;
	}
	/* A cursor from before a restart of the daemon may point beyond the end. */
	while (*cursor < log->last && count < n) {
		events[count++] = log->ring[*cursor % log->capacity];
		(*cursor)++;
	}
	pthread_mutex_unlock(&log->lock);
	return count;
}

uint64_t event_log_last(struct event_log *log)
{
	uint64_t last;

	pthread_mutex_lock(&log->lock);
	last = log->last;
	pthread_mutex_unlock(&log->lock);
	return last;
}

void event_log_stats(struct event_log *log, struct event_log_stats *stats)
{
	pthread_mutex_lock(&log->lock);
	stats->total = log->last;
	stats->overwritten = log->last > log->capacity ? log->last - log->capacity : 0;
	memcpy(stats->by_kind, log->by_kind, sizeof(stats->by_kind));
	pthread_mutex_unlock(&log->lock);
}

int event_log_fd(const struct event_log *log)
{
	return log->fd;
}

void event_log_quiet(struct event_log *log)
{
	eventfd_t value;

	pthread_mutex_lock(&log->lock);
	/* An empty eventfd answers EAGAIN, which is what we want of it. */
	if (eventfd_read(log->fd, &value) == 0 || errno == EAGAIN)
		log->noisy = false;
	pthread_mutex_unlock(&log->lock);
}

/* RFC 3339 with milliseconds, UTC. */
static void format_time(uint64_t realtime_ns, char *text, size_t size)
{
	time_t seconds = (time_t)(realtime_ns / 1000000000);
	char date[32];
	struct tm tm;

	if (!gmtime_r(&seconds, &tm) || strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%S", &tm) == 0)
		date[0] = '\0';
	snprintf(text, size, "%s.%03uZ", date, (unsigned int)(realtime_ns / 1000000 % 1000));
}

json_t *event_json(const struct event *event)
{
	char time[48], source[ADDRESS_TEXT_SIZE];
	json_t *json;

	format_time(event->realtime_ns, time, sizeof(time));
	json = json_pack("{s:I, s:s, s:s, s:s, s:I, s:s}", "sequence", (json_int_t)event->sequence,
			 "time", time, "kind", event_kind_name(event->kind), "level",
			 log_level_name(event->level), "count", (json_int_t)event->count, "text",
			 event->text);
	if (!json)
		return NULL;
	if (event->key.family &&
	    json_object_set_new(json, "source", json_string(address_format(&event->key, source))))
		goto out_memory;
	if (event->origin[0] && json_object_set_new(json, "origin", json_string(event->origin)))
		goto out_memory;
	return json;

out_memory:
	json_decref(json);
	return NULL;
}
