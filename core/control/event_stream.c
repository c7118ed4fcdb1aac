/* SPDX-License-Identifier: BSD-2-Clause */
/* Paging through and following the event log.  See event_stream.h. */
#include "event_stream.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "connection.h"
#include "event_log.h"
#include "fail.h"
#include "protocol.h"

/* Few at a time, so that a slow follower has little in our memory: the ring is its buffer. */
#define PUSH_MAX 32

static int read_page(struct event_log *log, uint64_t cursor, json_t **result)
{
	struct event *events = calloc(EVENT_STREAM_PAGE, sizeof(*events));
	json_t *list = json_array();
	uint64_t missed;
	size_t n;

	if (!events || !list)
		goto out_memory;
	n = event_log_read(log, &cursor, events, EVENT_STREAM_PAGE, &missed);
	for (size_t i = 0; i < n; i++) {
		if (json_array_append_new(list, event_json(&events[i])))
			goto out_memory;
	}
	free(events);
	*result = json_pack("{s:o, s:I, s:I}", "events", list, "missed", (json_int_t)missed, "next",
			    (json_int_t)cursor);
	return *result ? 0 : -ENOMEM;

out_memory:
	free(events);
	json_decref(list);
	return -ENOMEM;
}

static int parse_args(const struct protocol_request *request, uint64_t *since, bool *follow,
		      struct sluice_err *err)
{
	for (size_t i = 0; i < request->n_args; i++) {
		const char *arg = request->args[i];
		char *end;

		if (strcmp(arg, "follow") == 0) {
			*follow = true;
			continue;
		}
		errno = 0;
		if (strncmp(arg, "since=", 6) == 0 && arg[6] >= '0' && arg[6] <= '9')
			*since = strtoull(arg + 6, &end, 10);
		else
			end = (char *)arg;
		if (*end || end == arg || errno)
			return fail_with(
				err, -EINVAL,
				"command 'events': '%s' is neither since=SEQUENCE nor follow", arg);
	}
	return 0;
}

int event_stream_request(struct event_log *log, const struct protocol_request *request,
			 struct connection *connection, json_t **result, struct sluice_err *err)
{
	uint64_t since = 0;
	bool follow = false;
	int ret;

	ret = parse_args(request, &since, &follow, err);
	if (ret)
		return ret;
	if (!follow) {
		ret = read_page(log, since, result);
		return ret ? fail_system(err, ret, "command 'events'") : 0;
	}
	/* A number from before a restart would silence the follower until it is reached again. */
	if (since > event_log_last(log))
		since = 0;
	connection->following = true;
	connection->cursor = since;
	*result = json_pack("{s:b}", "follow", 1);
	return 0;
}

void event_stream_push(struct event_log *log, struct connection *connection, uint64_t now_ns)
{
	struct event events[PUSH_MAX];
	uint64_t missed;
	size_t n;

	while (!connection->dead && !connection_pending(connection)) {
		n = event_log_read(log, &connection->cursor, events, PUSH_MAX, &missed);
		if (missed)
			connection_send(connection,
					json_pack("{s:I}", "missed", (json_int_t)missed), now_ns);
		for (size_t i = 0; i < n; i++)
			connection_send(connection,
					json_pack("{s:o}", "event", event_json(&events[i])),
					now_ns);
		if (n == 0)
			return;
	}
}
