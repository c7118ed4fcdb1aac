/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One handler per command.  What concerns the engine runs on its thread, posted there with a time
 * limit; `status` reads the last snapshot and never waits.
 */
#include "handlers.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/quantity.h"
#include "control/fail.h"
#include "control/protocol.h"
#include "engine/engine.h"

#include "engine_thread.h"
#include "rule_explanation.h"
#include "rules_list.h"
#include "snapshot.h"

#define TTL_MIN_NS 1000000000ull
#define TTL_MAX_NS (365ull * 86400 * 1000000000ull)

/* A request on its way to the engine's thread and back. */
struct engine_call {
	const struct handlers_context *context;
	struct engine *engine;
	struct sluice_key key;
	uint64_t ttl_ns;
	struct engine_explanation explanation;
	const char *rule;
	struct engine_rule_explanation rule_explanation;
};

static int parse_key(const struct protocol_request *request, struct sluice_key *key,
		     struct sluice_err *err)
{
	return address_parse_prefix(request->args[0], ADDRESS_STRICT, key, err);
}

static int source_result(const struct sluice_key *key, json_t **result, struct sluice_err *err)
{
	char text[ADDRESS_TEXT_SIZE];

	*result = json_pack("{s:s}", "source", address_format(key, text));
	return *result ? 0 : fail_system(err, -ENOMEM, "answer");
}

/* Parses the address, runs `fn` with it on the engine's thread, and answers with the address. */
static int call_with_key(struct handlers_context *context, const struct protocol_request *request,
			 engine_thread_fn fn, struct engine_call *call, json_t **result,
			 struct sluice_err *err)
{
	int ret = parse_key(request, &call->key, err);

	call->context = context;
	call->engine = context->engine;
	if (!ret)
		ret = engine_thread_call(context->thread, fn, call, err);
	return ret ? ret : source_result(&call->key, result, err);
}

static int changed(const struct engine_call *call, int ret)
{
	if (!ret)
		call->context->refresh(call->context->refresh_ctx);
	return ret;
}

static int run_block(void *ctx, struct sluice_err *err)
{
	struct engine_call *call = ctx;

	return changed(call, engine_block(call->engine, &call->key, call->ttl_ns, err));
}

static int handle_block(void *ctx, const struct protocol_request *request, json_t **result,
			struct sluice_err *err)
{
	struct engine_call call = { .ttl_ns = 0 };
	int ret = 0;

	if (request->n_args > 1)
		ret = quantity_parse_range(QUANTITY_DURATION, request->args[1], TTL_MIN_NS,
					   TTL_MAX_NS, &call.ttl_ns, err);
	return ret ? ret : call_with_key(ctx, request, run_block, &call, result, err);
}

static int run_unblock(void *ctx, struct sluice_err *err)
{
	struct engine_call *call = ctx;

	return changed(call, engine_unblock(call->engine, &call->key, err));
}

static int run_unblock_rule(void *ctx, struct sluice_err *err)
{
	struct engine_call *call = ctx;

	return changed(call, engine_unblock_rule(call->engine, call->rule, &call->ttl_ns, err));
}

static int unblock_rule(struct handlers_context *context, const char *name, json_t **result,
			struct sluice_err *err)
{
	struct engine_call call = { .context = context, .engine = context->engine, .rule = name };
	int ret = engine_thread_call(context->thread, run_unblock_rule, &call, err);

	if (ret)
		return ret;
	*result = json_pack("{s:s, s:I}", "rule", name, "held_ns", (json_int_t)call.ttl_ns);
	return *result ? 0 : fail_system(err, -ENOMEM, "answer");
}

static int handle_unblock(void *ctx, const struct protocol_request *request, json_t **result,
			  struct sluice_err *err)
{
	struct engine_call call = { .ttl_ns = 0 };

	if (!address_is_meant(request->args[0]))
		return unblock_rule(ctx, request->args[0], result, err);
	return call_with_key(ctx, request, run_unblock, &call, result, err);
}

static int run_allow(void *ctx, struct sluice_err *err)
{
	struct engine_call *call = ctx;

	return changed(call, engine_allow(call->engine, &call->key, err));
}

static int handle_allow(void *ctx, const struct protocol_request *request, json_t **result,
			struct sluice_err *err)
{
	struct engine_call call = { .ttl_ns = 0 };

	return call_with_key(ctx, request, run_allow, &call, result, err);
}

static int run_explain(void *ctx, struct sluice_err *err)
{
	struct engine_call *call = ctx;
	char text[ADDRESS_TEXT_SIZE];
	int ret = engine_explain(call->engine, &call->key, &call->explanation);

	/* Nothing known is an answer too: the source is not blocked. */
	if (ret == -ENOENT) {
		call->explanation = (struct engine_explanation){ .key = call->key };
		return 0;
	}
	return ret ? fail_system(err, ret, "explain %s", address_format(&call->key, text)) : 0;
}

static int run_explain_rule(void *ctx, struct sluice_err *err)
{
	struct engine_call *call = ctx;
	int ret = engine_explain_rule(call->engine, call->rule, &call->rule_explanation);

	return ret ? fail_with(err, ret,
			       "there is no rule '%s', in force or remembered; `sluice rules` "
			       "lists those in force",
			       call->rule)
		   : 0;
}

static int explain_rule(struct handlers_context *context, const char *name, json_t **result,
			struct sluice_err *err)
{
	struct engine_call call = { .engine = context->engine, .rule = name };
	int ret = engine_thread_call(context->thread, run_explain_rule, &call, err);

	if (ret)
		return ret;
	*result = rule_explanation_json(&call.rule_explanation);
	return *result ? 0 : fail_system(err, -ENOMEM, "explain");
}

static int handle_explain(void *ctx, const struct protocol_request *request, json_t **result,
			  struct sluice_err *err)
{
	struct handlers_context *context = ctx;
	struct engine_call call = { .engine = context->engine };
	int ret;

	if (!address_is_meant(request->args[0]))
		return explain_rule(context, request->args[0], result, err);
	ret = parse_key(request, &call.key, err);
	if (!ret)
		ret = engine_thread_call(context->thread, run_explain, &call, err);
	if (ret)
		return ret;
	*result = status_explanation_json(&call.explanation);
	return *result ? 0 : fail_system(err, -ENOMEM, "explain");
}

static int handle_status(void *ctx, const struct protocol_request *request, json_t **result,
			 struct sluice_err *err)
{
	struct handlers_context *context = ctx;
	struct snapshot *snapshot = malloc(sizeof(*snapshot));

	(void)request;
	if (!snapshot)
		return fail_system(err, -ENOMEM, "status");
	snapshot_board_get(context->board, snapshot);
	context->status.uptime_ns = clock_monotonic_ns(&clock_system) - context->started_ns;
	*result = status_json(snapshot, &context->status);
	free(snapshot);
	return *result ? 0 : fail_system(err, -ENOMEM, "status");
}

#define TOP_MAX 1000u
#define TOP_USUAL 20u

struct top_call {
	struct engine *engine;
	size_t max, n, total;
	struct engine_top_source list[TOP_MAX];
};

static int run_top(void *ctx, struct sluice_err *err)
{
	struct top_call *call = ctx;

	(void)err;
	call->n = engine_top(call->engine, call->list, call->max, &call->total);
	return 0;
}

static int handle_top(void *ctx, const struct protocol_request *request, json_t **result,
		      struct sluice_err *err)
{
	struct handlers_context *context = ctx;
	struct top_call *call = malloc(sizeof(*call));
	uint64_t max = TOP_USUAL;
	int ret = 0;

	if (!call)
		return fail_system(err, -ENOMEM, "top");
	if (request->n_args)
		ret = quantity_parse_range(QUANTITY_COUNT, request->args[0], 1, TOP_MAX, &max, err);
	call->engine = context->engine;
	call->max = (size_t)max;
	if (!ret)
		ret = engine_thread_call(context->thread, run_top, call, err);
	if (!ret) {
		*result = status_top_json(call->list, call->n, call->total);
		ret = *result ? 0 : fail_system(err, -ENOMEM, "top");
	}
	free(call);
	return ret;
}

struct rules_call {
	const struct dataplane *dataplane;
	struct rules_list *list;
};

static int run_rules(void *ctx, struct sluice_err *err)
{
	struct rules_call *call = ctx;

	(void)err;
	rules_list_read(call->dataplane, call->list);
	return 0;
}

static int handle_rules(void *ctx, const struct protocol_request *request, json_t **result,
			struct sluice_err *err)
{
	struct handlers_context *context = ctx;
	struct rules_call call = { context->dataplane, malloc(sizeof(*call.list)) };
	int ret;

	(void)request;
	if (!call.list)
		return fail_system(err, -ENOMEM, "rules");
	ret = engine_thread_call(context->thread, run_rules, &call, err);
	if (!ret) {
		*result = rules_list_json(call.list);
		ret = *result ? 0 : fail_system(err, -ENOMEM, "rules");
	}
	free(call.list);
	return ret;
}

static int handle_reload(void *ctx, const struct protocol_request *request, json_t **result,
			 struct sluice_err *err)
{
	struct handlers_context *context = ctx;

	if (request->n_args == 0)
		return context->reload(context->reload_ctx, result, err);
	if (strcmp(request->args[0], "dry-run") != 0)
		return fail_with(err, -EINVAL, "reload: '%s' is no word for it; dry-run is",
				 request->args[0]);
	return context->foresee(context->reload_ctx, result, err);
}

static const struct server_handler handlers[] = {
	{ "status", "", "what goes on, as one document", 0, 0, handle_status },
	{ "top", "[N]", "the fastest sources, blocked or not", 0, 1, handle_top },
	{ "block", "ADDRESS[/LEN] [DURATION]", "block a source by hand", 1, 2, handle_block },
	{ "unblock", "ADDRESS[/LEN]|RULE", "release a source or an automatic rule", 1, 1,
	  handle_unblock },
	{ "allow", "ADDRESS[/LEN]", "never block it, until the next reload", 1, 1, handle_allow },
	{ "explain", "ADDRESS[/LEN]|RULE", "all that is known of a source or a rule", 1, 1,
	  handle_explain },
	{ "rules", "", "the signature rules in force, and what each did", 0, 0, handle_rules },
	{ "reload", "[dry-run]", "read the deployment file again, or tell what that would change",
	  0, 1, handle_reload },
};

const struct server_handler *handlers_list(size_t *n)
{
	*n = sizeof(handlers) / sizeof(handlers[0]);
	return handlers;
}
