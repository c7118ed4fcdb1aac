/* SPDX-License-Identifier: BSD-2-Clause */
/* The watching host: see host.h. */
#include "host.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "config/manifest.h"
#include "plugin/plugin.h"

#define ERRNO_MAX 4095
#define CANARY 0xa5
#define CANARY_SIZE 64
/* A detector that was told that a window has no more room may find out a few times over. */
#define AFTER_LIMIT_MAX 64

void host_digest(struct sluice_instance *instance, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < size; i++)
		instance->digest = (instance->digest ^ byte[i]) * 0x100000001b3ull;
}

static void check_call(struct sluice_instance *instance, const char *what)
{
	if (!instance->in_call)
		conform_fail(instance->conform, "it called %s outside of an operation", what);
}

static void __attribute__((format(printf, 3, 4)))
host_log(struct sluice_instance *instance, enum sluice_log_level level, const char *fmt, ...)
{
	char text[512];
	va_list args;

	check_call(instance, "log");
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (level < SLUICE_LOG_ERROR || level > SLUICE_LOG_DEBUG)
		conform_fail(instance->conform, "it logged at level %d", (int)level);
}

static uint64_t host_now_ns(struct sluice_instance *instance)
{
	check_call(instance, "now_ns");
	return instance->now_ns;
}

static int answer(struct sluice_instance *instance, const char *what, int valid)
{
	check_call(instance, what);
	if (!instance->may_propose)
		conform_fail(instance->conform, "it called %s outside of observe", what);
	if (valid != 0)
		return conform_fail(instance->conform, "it made a malformed proposal to %s", what),
		       -EINVAL;
	instance->proposals++;
	if (instance->limit == 0 || instance->proposals <= instance->limit)
		return instance->answer;
	if (++instance->after_limit > AFTER_LIMIT_MAX)
		conform_fail(instance->conform, "it goes on proposing after -ENOSPC");
	return -ENOSPC;
}

static int host_propose(struct sluice_instance *instance, const struct sluice_proposal *proposal)
{
	struct sluice_proposal copy;
	int rc = plugin_proposal_copy(proposal, &copy);

	if (rc == 0) {
		host_digest(instance, &copy.key, sizeof(copy.key));
		host_digest(instance, copy.reason, strlen(copy.reason));
		if (copy.evidence)
			host_digest(instance, copy.evidence, strlen(copy.evidence));
	}
	return answer(instance, "propose", rc);
}

static int host_propose_rule(struct sluice_instance *instance,
			     const struct sluice_rule_proposal *proposal)
{
	struct sluice_rule_proposal copy;
	struct sluice_rule_match match;
	int rc = plugin_rule_proposal_copy(proposal, &copy, &match);

	if (rc == 0)
		host_digest(instance, copy.reason, strlen(copy.reason));
	return answer(instance, "propose_rule", rc);
}

const struct sluice_host conform_host = {
	.size = sizeof(conform_host),
	.log = host_log,
	.now_ns = host_now_ns,
	.propose = host_propose,
	.propose_rule = host_propose_rule,
	CONFIG_SERVICES,
};

int host_config_new(struct conform *conform, const struct config_node *options,
		    struct sluice_config **config)
{
	struct sluice_err err;

	err_init(&err);
	if (plugin_config_new(conform->plugin, options ? options : conform->options, "options",
			      NULL, config, &err) == 0)
		return 0;
	return conform_fail(conform, "%s", err.text);
}

bool host_err_is_whole(const struct sluice_err *err)
{
	return memchr(err->path, '\0', sizeof(err->path)) &&
	       memchr(err->text, '\0', sizeof(err->text));
}

int host_detector_new(struct conform *conform, const struct config_node *options,
		      struct sluice_instance **out, int *refused)
{
	const struct sluice_detector_ops *ops = plugin_detector_ops(conform->plugin);
	struct sluice_instance *instance = calloc(1, sizeof(*instance));
	struct sluice_err err;
	int rc;

	if (!instance)
		return conform_fail(conform, "no memory for the test");
	instance->conform = conform;
	instance->now_ns = 1000000000;
	rc = host_config_new(conform, options, &instance->config);
	if (rc != 0) {
		free(instance);
		return rc;
	}
	err_init(&err);
	instance->in_call = true;
	rc = ops->create(instance, &conform_host, instance->config, &instance->self, &err);
	instance->in_call = false;
	if (rc == 0 && instance->self) {
		*out = instance;
		*refused = 0;
		return 0;
	}
	config_free(instance->config);
	free(instance);
	if (rc >= 0)
		return conform_fail(conform, "create gave %d and no self", rc);
	if (!host_err_is_whole(&err) || err.text[0] == '\0')
		return conform_fail(conform, "create failed (%s) without a reason in err->text",
				    err_name(rc));
	*refused = rc;
	*out = NULL;
	return 0;
}

void host_detector_free(struct sluice_instance *instance)
{
	if (!instance)
		return;
	instance->in_call = true;
	plugin_detector_ops(instance->conform->plugin)->destroy(instance->self);
	config_free(instance->config);
	free(instance);
}

static int check_verdict(struct sluice_instance *instance, const struct sluice_verdict *verdict)
{
	struct conform *conform = instance->conform;

	if (verdict->size != sizeof(*verdict))
		return conform_fail(conform, "it changed the size of the verdict");
	if (!isfinite(verdict->score) || verdict->score < 0)
		return conform_fail(conform, "its score is %g; finite and at least 0 it must be",
				    verdict->score);
	if (!memchr(verdict->evidence, '\0', sizeof(verdict->evidence)))
		return conform_fail(conform, "its evidence does not end inside of the verdict");
	host_digest(instance, &verdict->attack, sizeof(verdict->attack));
	host_digest(instance, &verdict->score, sizeof(verdict->score));
	host_digest(instance, verdict->evidence, strlen(verdict->evidence));
	return 0;
}

int host_observe(struct sluice_instance *instance, const struct sluice_window *window)
{
	struct {
		struct sluice_verdict verdict;
		unsigned char canary[CANARY_SIZE];
	} place;
	int rc;

	memset(&place, 0, sizeof(place));
	memset(place.canary, CANARY, sizeof(place.canary));
	place.verdict.size = sizeof(place.verdict);
	instance->proposals = instance->after_limit = 0;
	instance->now_ns = window->start_ns + window->length_ns;
	instance->in_call = instance->may_propose = true;
	rc = plugin_detector_ops(instance->conform->plugin)
		     ->observe(instance->self, window, &place.verdict);
	instance->in_call = instance->may_propose = false;
	for (size_t i = 0; i < sizeof(place.canary); i++)
		if (place.canary[i] != CANARY)
			return conform_fail(instance->conform, "it wrote behind the verdict");
	instance->rc = rc;
	if (rc > 0 || rc < -ERRNO_MAX)
		return conform_fail(instance->conform,
				    "observe gave %d, neither 0 nor a negative errno", rc);
	if (check_verdict(instance, &place.verdict) != 0)
		return -EPROTO;
	return instance->conform->result->text[0] != '\0' ? -EPROTO : 0;
}
