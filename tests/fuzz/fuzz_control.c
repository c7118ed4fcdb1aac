/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a request to the daemon and as its answer.  Besides not crashing: what is accepted
 * keeps the promises of protocol.h, survives a round trip, and a refusal has a reason.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "control/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

static void require_text(const char *text, size_t size)
{
	require(memchr(text, '\0', size) != NULL);
	for (; *text; text++)
		require(*text >= ' ' && *text <= '~');
}

/* What the client would send for the same request is understood as the same request. */
static void round_trip(const struct protocol_request *request)
{
	const char *args[PROTOCOL_ARGS_MAX];
	struct protocol_request again;
	json_t *json;
	char *line;

	for (size_t i = 0; i < request->n_args; i++)
		args[i] = request->args[i];
	json = protocol_request_json(request->command, args, request->n_args);
	line = json_dumps(json, JSON_COMPACT);
	require(line != NULL);
	if (strlen(line) < PROTOCOL_REQUEST_SIZE_MAX) {
		require(!protocol_request_parse(line, strlen(line), &again, NULL));
		require(again.n_args == request->n_args &&
			!strcmp(again.command, request->command));
		for (size_t i = 0; i < again.n_args; i++)
			require(!strcmp(again.args[i], request->args[i]));
	}
	free(line);
	json_decref(json);
}

static void try_request(const char *text, size_t size)
{
	struct protocol_request request;
	struct sluice_err err = { .text = "" };
	int ret = protocol_request_parse(text, size, &request, &err);

	require(ret == 0 || ret == -EINVAL);
	require(!ret == !err.text[0]);
	if (ret)
		return;
	require(request.n_args <= PROTOCOL_ARGS_MAX);
	require_text(request.command, sizeof(request.command));
	for (size_t i = 0; i < request.n_args; i++)
		require_text(request.args[i], sizeof(request.args[i]));
	round_trip(&request);
}

static void try_response(const char *text, size_t size)
{
	json_t *response = json_loadb(text, size, 0, NULL), *result = NULL;
	struct sluice_err err;
	int ret;

	if (!response)
		return;
	ret = protocol_response_parse(response, &result, &err);
	require(ret <= 0 && !ret == !!result);
	json_decref(result);
	json_decref(response);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try_request((const char *)data, size);
	try_response((const char *)data, size);
	return 0;
}
