/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests and responses: what is accepted, what is refused, and random bytes. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "control/protocol.h"

Test(protocol, accepts)
{
	static const struct {
		const char *line, *command;
		size_t n_args;
		const char *last;
	} cases[] = {
		{ "{\"command\":\"status\"}", "status", 0, NULL },
		{ "{\"command\":\"status\",\"args\":[]}", "status", 0, NULL },
		{ " { \"args\" : [ \"192.0.2.7\" , \"10m\" ] , \"command\" : \"block\" } ", "block",
		  2, "10m" },
		{ "{\"command\":\"a-b\",\"args\":[\"\"],\"more\":{\"x\":1}}", "a-b", 1, "" },
		{ "{\"command\":\"x\",\"args\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\"]}",
		  "x", 8, "8" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct protocol_request request;
		struct sluice_err err = { .text = "" };
		int ret = protocol_request_parse(cases[i].line, strlen(cases[i].line), &request,
						 &err);

		cr_assert_eq(ret, 0, "%s: %s", cases[i].line, err.text);
		cr_assert_str_eq(request.command, cases[i].command);
		cr_assert_eq(request.n_args, cases[i].n_args);
		if (cases[i].last)
			cr_assert_str_eq(request.args[request.n_args - 1], cases[i].last);
	}
}

Test(protocol, refuses)
{
	static const struct {
		const char *line, *says;
	} cases[] = {
		{ "", "not JSON" },
		{ "x", "not JSON" },
		{ "{", "not JSON" },
		{ "{\"command\":\"status\"} x", "not JSON" },
		{ "{\"command\":\"status\",\"command\":\"block\"}", "not JSON" },
		{ "[\"status\"]", "not a JSON object" },
		{ "{}", "'command'" },
		{ "{\"command\":7}", "'command'" },
		{ "{\"command\":\"\"}", "'command'" },
		{ "{\"command\":\"Status\"}", "'command'" },
		{ "{\"command\":\"../x\"}", "'command'" },
		{ "{\"command\":\"abcdefghijklmnopqrstuvwxyzabcdef\"}", "'command'" },
		{ "{\"command\":\"a\\u0000b\"}", "" },
		{ "{\"command\":\"x\",\"args\":\"y\"}", "'args'" },
		{ "{\"command\":\"x\",\"args\":[1]}", "argument 1" },
		{ "{\"command\":\"x\",\"args\":[\"a\",null]}", "argument 2" },
		{ "{\"command\":\"x\",\"args\":[\"\\u001b[2J\"]}", "argument 1" },
		{ "{\"command\":\"x\",\"args\":[\"\\u00e4\"]}", "argument 1" },
		{ "{\"command\":\"x\",\"args\":[\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"8\","
		  "\"9\"]}",
		  "9 arguments" },
		{ "[[[[[[[[[[[[[[[[[[[[[[", "not JSON" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct protocol_request request = { .n_args = 5 };
		struct sluice_err err = { .text = "" };
		int ret = protocol_request_parse(cases[i].line, strlen(cases[i].line), &request,
						 &err);

		cr_assert_eq(ret, -EINVAL, "%s", cases[i].line);
		cr_assert_not_null(strstr(err.text, cases[i].says), "%s: %s", cases[i].line,
				   err.text);
		cr_assert_eq(request.n_args, 5, "a refused request leaves nothing behind");
	}
}

Test(protocol, refuses_long_things)
{
	char line[PROTOCOL_REQUEST_SIZE_MAX + 16];
	struct protocol_request request;
	struct sluice_err err;

	memset(line, ' ', sizeof(line));
	cr_assert_eq(protocol_request_parse(line, PROTOCOL_REQUEST_SIZE_MAX, &request, &err),
		     -EINVAL);
	snprintf(line, sizeof(line), "{\"command\":\"x\",\"args\":[\"%0*d\"]}",
		 PROTOCOL_ARG_SIZE - 1, 0);
	cr_assert_eq(protocol_request_parse(line, strlen(line), &request, &err), 0);
	cr_assert_eq(strlen(request.args[0]), PROTOCOL_ARG_SIZE - 1);
	snprintf(line, sizeof(line), "{\"command\":\"x\",\"args\":[\"%0*d\"]}", PROTOCOL_ARG_SIZE,
		 0);
	cr_assert_eq(protocol_request_parse(line, strlen(line), &request, &err), -EINVAL);
}

/* Damaged requests must be refused or understood, never more; the sanitizers watch. */
Test(protocol, survives_damaged_lines)
{
	static const char good[] = "{\"command\":\"block\",\"args\":[\"192.0.2.7\",\"10m\"]}";
	const unsigned int seed = 20240607;

	srand(seed);
	for (int round = 0; round < 20000; round++) {
		struct protocol_request request = { .n_args = 0 };
		char line[sizeof(good)];
		size_t len = 1 + (size_t)rand() % (sizeof(good) - 1);
		int ret;

		memcpy(line, good, sizeof(good));
		for (int flips = rand() % 4; flips >= 0; flips--)
			line[(size_t)rand() % len] = (char)rand();
		ret = protocol_request_parse(line, len, &request, NULL);
		cr_assert(ret == 0 || ret == -EINVAL, "seed %u, round %d: %d", seed, round, ret);
		cr_assert_leq(request.n_args, PROTOCOL_ARGS_MAX);
	}
}

Test(protocol, request_round_trip)
{
	const char *const args[] = { "192.0.2.0/24", "10m" };
	json_t *json = protocol_request_json("block", args, 2);
	char *line = json_dumps(json, JSON_COMPACT);
	struct protocol_request request;

	cr_assert_not_null(line);
	cr_assert_null(strchr(line, '\n'));
	cr_assert_eq(protocol_request_parse(line, strlen(line), &request, NULL), 0);
	cr_assert_str_eq(request.command, "block");
	cr_assert_str_eq(request.args[0], "192.0.2.0/24");
	cr_assert_str_eq(request.args[1], "10m");
	free(line);
	json_decref(json);
	cr_assert_null(protocol_request_json("block", (const char *const[]){ "\xff" }, 1));
}

Test(protocol, response_round_trip)
{
	static const int errors[] = {
		-EPERM, -ENOENT, -EINVAL, -ETIMEDOUT, -ESHUTDOWN, -EOPNOTSUPP
	};
	struct sluice_err err;
	json_t *response, *result = NULL;

	response = protocol_success(json_pack("{s:i}", "x", 7));
	cr_assert_eq(protocol_response_parse(response, &result, &err), 0);
	cr_assert_eq(json_integer_value(json_object_get(result, "x")), 7);
	json_decref(result);
	json_decref(response);
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		response = protocol_failure(errors[i], "because");
		cr_assert_eq(protocol_response_parse(response, &result, &err), errors[i]);
		cr_assert_str_eq(err.text, "because");
		json_decref(response);
	}
}

Test(protocol, strange_reasons_arrive_all_the_same)
{
	struct sluice_err err;
	json_t *response = protocol_failure(-EINVAL, "file 'a\xff\xc3': no"), *result;

	cr_assert_not_null(response);
	cr_assert_eq(protocol_response_parse(response, &result, &err), -EINVAL);
	cr_assert_str_eq(err.text, "file 'a?\?': no");
	json_decref(response);
}

Test(protocol, refuses_strange_responses)
{
	static const char *const lines[] = {
		"{}",
		"[]",
		"{\"ok\":true}",
		"{\"ok\":1,\"result\":{}}",
		"{\"ok\":false}",
		"{\"ok\":false,\"error\":{}}",
		"{\"ok\":false,\"error\":{\"code\":1,\"message\":\"x\"}}",
	};

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		json_t *response = json_loads(lines[i], 0, NULL);
		json_t *result = NULL;
		struct sluice_err err;

		cr_assert_eq(protocol_response_parse(response, &result, &err), -EPROTO, "%s",
			     lines[i]);
		cr_assert_null(result);
		json_decref(response);
	}
}
