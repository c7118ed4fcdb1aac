/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A detector for tests: when more packets a second are offered than `limit`, it asks for all sources
 * that it sees, and for one rule that drops UDP.  It goes on asking while that rule drops as much.
 * Its evidence ends in the version of the build.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sluice/detector.h>

#ifndef AGGREGATE_VERSION
#define AGGREGATE_VERSION "1.0.0"
#endif

struct aggregate {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	uint64_t limit;
};

static int aggregate_create(struct sluice_instance *instance, const struct sluice_host *host,
			    const struct sluice_config *config, void **self, struct sluice_err *err)
{
	struct aggregate *aggregate = calloc(1, sizeof(*aggregate));

	if (!aggregate)
		return -ENOMEM;
	aggregate->instance = instance;
	aggregate->host = host;
	if (host->option_u64(config, "limit", &aggregate->limit) != 0) {
		snprintf(err->text, sizeof(err->text), "no limit");
		free(aggregate);
		return -EINVAL;
	}
	*self = aggregate;
	return 0;
}

static void aggregate_destroy(void *self)
{
	free(self);
}

static int ask_for_rule(const struct aggregate *aggregate, uint64_t pps)
{
	const struct sluice_rule_match match = {
		.size = sizeof(match),
		.fields = SLUICE_RULE_PROTOCOL,
		.protocol = 17,
	};
	const struct sluice_rule_proposal proposal = {
		.size = sizeof(proposal),
		.match = &match,
		.action = SLUICE_RULE_DROP,
		.packets_per_second = pps,
		.reason = "udp_flood",
		.evidence = "more packets than the limit",
	};

	if (!SLUICE_HAS(aggregate->host, propose_rule))
		return -EOPNOTSUPP;
	return aggregate->host->propose_rule(aggregate->instance, &proposal);
}

static void ask_for_sources(const struct aggregate *aggregate, const struct sluice_window *window)
{
	for (size_t i = 0; i < window->n_sources; i++) {
		const struct sluice_proposal proposal = {
			.size = sizeof(proposal),
			.key = sluice_window_source(window, i)->key,
			.packets_per_second = sluice_window_source(window, i)->packets,
			.reason = "udp_flood",
		};

		if (aggregate->host->propose(aggregate->instance, &proposal))
			return;
	}
}

static int aggregate_observe(void *self, const struct sluice_window *window,
			     struct sluice_verdict *verdict)
{
	const struct aggregate *aggregate = self;
	uint64_t pps = window->offered_packets * 1000000000 / window->length_ns;
	uint64_t by_rules = 0;

	for (size_t i = 0; i < window->n_rules; i++)
		by_rules += sluice_window_rule(window, i)->dropped_packets;
	verdict->score = (double)pps / (double)aggregate->limit;
	snprintf(verdict->evidence, sizeof(verdict->evidence), "%llu by rules, %s",
		 (unsigned long long)by_rules, AGGREGATE_VERSION);
	if (pps <= aggregate->limit)
		return 0;
	verdict->attack = true;
	ask_for_sources(aggregate, window);
	return ask_for_rule(aggregate, pps);
}

static const struct sluice_detector_ops aggregate_ops = {
	.size = sizeof(aggregate_ops),
	.create = aggregate_create,
	.destroy = aggregate_destroy,
	.observe = aggregate_observe,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 2,
	.size = sizeof(struct sluice_plugin),
	.kind = SLUICE_PLUGIN_DETECTOR,
	.name = "aggregate",
	.version = AGGREGATE_VERSION,
	.license = "BSD-2-Clause",
	.ops = &aggregate_ops,
};
