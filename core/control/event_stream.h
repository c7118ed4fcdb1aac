/* SPDX-License-Identifier: BSD-2-Clause */
/* The server's own command `events`: pages through the log, and follows it. */
#ifndef SLUICE_CONTROL_EVENT_STREAM_H
#define SLUICE_CONTROL_EVENT_STREAM_H

#include <stdint.h>

#include <jansson.h>
#include <sluice/plugin.h>

struct connection;
struct event_log;
struct protocol_request;

/*
 * `events [since=SEQUENCE] [follow]`: the result holds at most EVENT_STREAM_PAGE events after
 * SEQUENCE, how many were `missed`, and where to go on (`next`).  With `follow` it holds none, and
 * they are streamed from there on.
 */
#define EVENT_STREAM_PAGE 256
int event_stream_request(struct event_log *log, const struct protocol_request *request,
			 struct connection *connection, json_t **result, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Sends what the follower has not seen, as far as its socket takes it without waiting. */
void event_stream_push(struct event_log *log, struct connection *connection, uint64_t now_ns);

#endif /* SLUICE_CONTROL_EVENT_STREAM_H */
