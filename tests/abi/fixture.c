/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small detector, and, by macros, its broken siblings: CMakeLists.txt builds one shared object
 * for each way in which a plugin can be unfit.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sluice/backend.h>
#include <sluice/detector.h>

#ifndef FIXTURE_MAGIC
#define FIXTURE_MAGIC SLUICE_PLUGIN_MAGIC
#endif
#ifndef FIXTURE_MAJOR
#define FIXTURE_MAJOR SLUICE_ABI_MAJOR
#endif
#ifndef FIXTURE_MINOR
#define FIXTURE_MINOR 0
#endif
#ifndef FIXTURE_SIZE
#define FIXTURE_SIZE sizeof(struct sluice_plugin)
#endif
#ifndef FIXTURE_KIND
#define FIXTURE_KIND SLUICE_PLUGIN_DETECTOR
#endif
#ifndef FIXTURE_NAME
#define FIXTURE_NAME "fixture"
#endif
#ifndef FIXTURE_VERSION
#define FIXTURE_VERSION "1.2.3"
#endif
#ifndef FIXTURE_OPS
#define FIXTURE_OPS &fixture_ops
#endif
#ifndef FIXTURE_OPS_SIZE
#define FIXTURE_OPS_SIZE sizeof(struct sluice_detector_ops)
#endif
#ifndef FIXTURE_OBSERVE
#define FIXTURE_OBSERVE fixture_observe
#endif

/* So that tests can tell whether any code of ours ran. */
__attribute__((constructor)) static void leave_trace(void)
{
	setenv("SLUICE_FIXTURE_RAN", "1", 1);
#if defined(FIXTURE_CRASH)
	raise(SIGSEGV);
#elif defined(FIXTURE_ABORT)
	abort();
#elif defined(FIXTURE_EXIT)
	exit(0);
#elif defined(FIXTURE_HANG)
	for (;;)
		pause();
#endif
}

#ifdef FIXTURE_CRASH_AT_END
__attribute__((destructor)) static void crash(void)
{
	abort();
}
#endif

struct fixture {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	uint64_t limit;
};

static int fixture_create(struct sluice_instance *instance, const struct sluice_host *host,
			  const struct sluice_config *config, void **self, struct sluice_err *err)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	bool fail = false;

	if (!fixture)
		return -ENOMEM;
	fixture->instance = instance;
	fixture->host = host;
	if (host->option_u64(config, "limit", &fixture->limit) != 0 ||
	    host->option_bool(config, "fail", &fail) != 0 || fail) {
		snprintf(err->path, sizeof(err->path), "fail");
		snprintf(err->text, sizeof(err->text), "told to fail");
		free(fixture);
		return -ENODEV;
	}
	*self = fixture;
	return 0;
}

static void fixture_destroy(void *self)
{
	free(self);
}

/* Which of the ways to be wrong a rule has, by the window's number; see test_instances.c. */
static int propose_rule(const struct fixture *fixture, uint64_t way)
{
	struct sluice_rule_match match = {
		.size = way == 4 ? offsetof(struct sluice_rule_match, source) : sizeof(match),
		.fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_SOURCE_PORT,
		.protocol = 17,
		.source_port = { 123, 124 },
	};
	struct sluice_rule_proposal proposal = {
		.size = way == 2 ? offsetof(struct sluice_rule_proposal, ttl_ns) : sizeof(proposal),
		.match = way == 3 ? NULL : &match,
		.packets_per_second = fixture->limit,
		.reason = way == 5   ? NULL
			  : way == 6 ? "Not so"
				     : "fixture",
	};

	if (!SLUICE_HAS(fixture->host, propose_rule))
		return -EOPNOTSUPP;
	return fixture->host->propose_rule(fixture->instance, way == 7 ? NULL : &proposal);
}

/* Proposes all sources, states the time, and talks more than it may. */
__attribute__((unused)) static int fixture_observe(void *self, const struct sluice_window *window,
						   struct sluice_verdict *verdict)
{
	struct fixture *fixture = self;

	for (size_t i = 0; i < window->n_sources; i++) {
		struct sluice_proposal proposal = {
			.size = sizeof(proposal),
			.key = sluice_window_source(window, i)->key,
			.packets_per_second = fixture->limit,
			.reason = "fixture",
		};
		int rc = fixture->host->propose(fixture->instance, &proposal);

		if (rc != 0)
			return rc;
	}
	if (window->sequence) {
		int rc = propose_rule(fixture, window->sequence);

		if (rc != 0)
			return rc;
	}
	for (int i = 0; i < 100; i++)
		fixture->host->log(fixture->instance, SLUICE_LOG_WARNING, "line %d", i);
	verdict->score = (double)fixture->host->now_ns(fixture->instance);
	return 0;
}

static int fixture_reconfigure(void *self, const struct sluice_config *config,
			       struct sluice_err *err)
{
	struct fixture *fixture = self;
	bool fail = false;
	uint64_t limit = 0;

	if (fixture->host->option_bool(config, "fail", &fail) != 0 || fail) {
		snprintf(err->text, sizeof(err->text), "told to fail");
		return -EINVAL;
	}
	(void)fixture->host->option_u64(config, "limit", &limit);
	if (limit == 0)
		return 0;
	fixture->limit = limit;
	return 1;
}

__attribute__((unused)) static const struct sluice_detector_ops fixture_ops = {
	.size = FIXTURE_OPS_SIZE,
	.create = fixture_create,
	.destroy = fixture_destroy,
	.observe = FIXTURE_OBSERVE,
	.reconfigure = fixture_reconfigure,
};

#if defined(FIXTURE_NO_SYMBOL)
SLUICE_EXPORT extern const int something_else;
const int something_else = 1;
#elif defined(FIXTURE_FUNCTION)
SLUICE_EXPORT void sluice_plugin(void);
void sluice_plugin(void)
{
}
#elif defined(FIXTURE_TINY)
SLUICE_EXPORT extern const uint32_t sluice_plugin;
const uint32_t sluice_plugin = SLUICE_PLUGIN_MAGIC;
#else
#ifdef FIXTURE_UNDEFINED
extern int sluice_fixture_nobody_defines_this(void);
int (*volatile fixture_undefined)(void) = sluice_fixture_nobody_defines_this;
#endif
SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = FIXTURE_MAGIC,
	.abi_major = FIXTURE_MAJOR,
	.abi_minor = FIXTURE_MINOR,
	.size = FIXTURE_SIZE,
	.kind = FIXTURE_KIND,
	.name = FIXTURE_NAME,
	.version = FIXTURE_VERSION,
	.license = "BSD-2-Clause",
	.ops = FIXTURE_OPS,
};
#endif
