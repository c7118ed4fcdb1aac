/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What travels over the control socket: one JSON object per line in each direction.
 *
 *   request   {"command": "block", "args": ["192.0.2.7", "10m"]}
 *   success   {"ok": true, "result": {...}}
 *   failure   {"ok": false, "error": {"code": "EPERM", "message": "..."}}
 *   stream    {"event": {...}} or {"missed": 12}, after a request that follows events
 *
 * Requests are untrusted bytes: protocol_request_parse() is the only reader of them.
 */
#ifndef SLUICE_CONTROL_PROTOCOL_H
#define SLUICE_CONTROL_PROTOCOL_H

#include <stddef.h>

#include <jansson.h>
#include <sluice/plugin.h>

#define PROTOCOL_REQUEST_SIZE_MAX 4096	      /* A request line, newline included. */
#define PROTOCOL_RESPONSE_SIZE_MAX (4u << 20) /* A response line, newline included. */
#define PROTOCOL_COMMAND_SIZE 32
#define PROTOCOL_ARG_SIZE 256
#define PROTOCOL_ARGS_MAX 8

struct protocol_request {
	char command[PROTOCOL_COMMAND_SIZE];
	size_t n_args;
	char args[PROTOCOL_ARGS_MAX][PROTOCOL_ARG_SIZE];
};

/*
 * Parses one line of `len` bytes without its newline; the bytes need not end with NUL.
 * 0, -EINVAL with the reason in `err`, or -ENOMEM.  On failure `request` is unchanged.
 */
int protocol_request_parse(const char *line, size_t len, struct protocol_request *request,
			   struct sluice_err *err) __attribute__((warn_unused_result));

/* A new object, or NULL: no memory, or an argument is not UTF-8. */
json_t *protocol_request_json(const char *command, const char *const *args, size_t n_args);

/* Takes over `result` (NULL: an empty object).  NULL: no memory. */
json_t *protocol_success(json_t *result);
/* `error` is a negative errno; its symbolic name travels. */
json_t *protocol_failure(int error, const char *message);

/*
 * Splits a response: 0 with a new reference to the result in `*result`; the negative errno that it
 * carries, with its message in `err`; or -EPROTO if it is no response.
 */
int protocol_response_parse(const json_t *response, json_t **result, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CONTROL_PROTOCOL_H */
