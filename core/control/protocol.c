/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests and responses of the control socket.  See protocol.h. */
#include "protocol.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail.h"

/* Names that no handler can have are refused here, so that messages may quote a command as is. */
static int copy_command(const json_t *value, char *to)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (!text || len == 0 || len >= PROTOCOL_COMMAND_SIZE)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (!(text[i] >= 'a' && text[i] <= 'z') && text[i] != '-')
			return -EINVAL;
	}
	memcpy(to, text, len + 1);
	return 0;
}

/* Printable ASCII only: arguments are addresses, durations and words, and errors quote them. */
static int copy_arg(const json_t *value, char *to)
{
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (!text || len >= PROTOCOL_ARG_SIZE)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		if (text[i] < ' ' || text[i] > '~')
			return -EINVAL;
	}
	memcpy(to, text, len + 1);
	return 0;
}

static int read_args(const json_t *args, struct protocol_request *request, struct sluice_err *err)
{
	size_t n = json_array_size(args);

	if (!args)
		return 0;
	if (!json_is_array(args))
		return fail_with(err, -EINVAL, "request: 'args' is not an array of strings");
	if (n > PROTOCOL_ARGS_MAX)
		return fail_with(err, -EINVAL, "request: %zu arguments, at most %d", n,
				 PROTOCOL_ARGS_MAX);
	for (size_t i = 0; i < n; i++) {
		if (copy_arg(json_array_get(args, i), request->args[i]))
			return fail_with(err, -EINVAL,
					 "request: argument %zu is not a string of at most %d "
					 "printable ASCII characters",
					 i + 1, PROTOCOL_ARG_SIZE - 1);
	}
	request->n_args = n;
	return 0;
}

int protocol_request_parse(const char *line, size_t len, struct protocol_request *request,
			   struct sluice_err *err)
{
	struct protocol_request parsed = { .n_args = 0 };
	json_error_t why;
	json_t *root;
	int ret;

	if (len >= PROTOCOL_REQUEST_SIZE_MAX)
		return fail_with(err, -EINVAL, "request: longer than %d bytes",
				 PROTOCOL_REQUEST_SIZE_MAX);
	root = json_loadb(line, len, JSON_REJECT_DUPLICATES, &why);
	if (!root && json_error_code(&why) == json_error_out_of_memory)
		return fail_with(err, -ENOMEM, "request: no memory");
	if (!root)
		return fail_with(err, -EINVAL, "request: not JSON: %s at byte %d", why.text,
				 why.position);
	if (!json_is_object(root)) {
		ret = fail_with(err, -EINVAL, "request: not a JSON object");
		goto out;
	}
	if (copy_command(json_object_get(root, "command"), parsed.command)) {
		ret = fail_with(err, -EINVAL, "request: 'command' is missing or not a name");
		goto out;
	}
	ret = read_args(json_object_get(root, "args"), &parsed, err);
	if (!ret)
		*request = parsed;
out:
	json_decref(root);
	return ret;
}

json_t *protocol_request_json(const char *command, const char *const *args, size_t n_args)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < n_args; i++) {
		if (json_array_append_new(list, json_string(args[i]))) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:s, s:o}", "command", command, "args", list);
}

json_t *protocol_success(json_t *result)
{
	return json_pack("{s:b, s:o}", "ok", 1, "result", result ? result : json_object());
}

/* A reason may quote a file's bytes, or be cut within a character: JSON takes neither. */
static json_t *message_json(const char *message)
{
	json_t *text = json_string(message);
	char copy[sizeof(((struct sluice_err *)NULL)->text)];
	size_t i = 0;

	if (text)
		return text;
	for (; i < sizeof(copy) - 1 && message[i]; i++)
		copy[i] = message[i] >= ' ' && message[i] <= '~' ? message[i] : '?';
	copy[i] = '\0';
	return json_string(copy);
}

json_t *protocol_failure(int error, const char *message)
{
	const char *code = strerrorname_np(-error);

	return json_pack("{s:b, s:{s:s, s:o}}", "ok", 0, "error", "code", code ? code : "EIO",
			 "message", message_json(message));
}

/* The number of a symbolic name: the two ends may run on kernels that number errors apart. */
static int error_by_name(const char *name)
{
	for (int number = 1; number < 134; number++) {
		const char *known = strerrorname_np(number);

		if (known && strcmp(known, name) == 0)
			return -number;
	}
	return -EIO;
}

int protocol_response_parse(const json_t *response, json_t **result, struct sluice_err *err)
{
	const json_t *ok = json_object_get(response, "ok");
	json_t *value = json_object_get(response, "result");
	const char *code = NULL, *message = NULL;

	if (json_is_true(ok) && value) {
		*result = json_incref(value);
		return 0;
	}
	if (!json_is_false(ok) || json_unpack((json_t *)response, "{s:{s:s, s:s}}", "error", "code",
					      &code, "message", &message))
		return fail_with(err, -EPROTO, "the daemon's answer is not one of this protocol");
	return fail_with(err, error_by_name(code), "%s", message);
}
