/* SPDX-License-Identifier: BSD-2-Clause */
/* The command line's end of the control socket: sends a request, waits a bounded time for lines. */
#ifndef SLUICE_CONTROL_CLIENT_H
#define SLUICE_CONTROL_CLIENT_H

#include <stddef.h>

#include <jansson.h>
#include <sluice/plugin.h>

struct client;

/* -ENOENT, -ECONNREFUSED: no daemon answers; -EACCES: not allowed.  `err` says what to do. */
int client_open(const char *path, struct client **out, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* NULL is a no-op. */
void client_close(struct client *client);

int client_send(struct client *client, const char *command, const char *const *args, size_t n_args,
		struct sluice_err *err) __attribute__((warn_unused_result));
/*
 * Waits for one line, at most `timeout_ms` (negative: for ever).  -ETIMEDOUT: none came;
 * -ECONNRESET: the daemon closed; -EPROTO: it was not JSON.
 */
int client_receive(struct client *client, int timeout_ms, json_t **line, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Request and answer: 0 with the result, or the daemon's own negative errno and message. */
int client_call(struct client *client, const char *command, const char *const *args, size_t n_args,
		json_t **result, struct sluice_err *err) __attribute__((warn_unused_result));

#endif /* SLUICE_CONTROL_CLIENT_H */
