/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detector `threshold`: joins the limits of logic.h to the host.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/detector.h>

#include "logic.h"

struct threshold {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	struct threshold_limits limits;
};

static const char *const option_names[THRESHOLD_N_LIMITS] = {
	[THRESHOLD_LIMIT_SOURCE] = "source_pps",
	[THRESHOLD_LIMIT_SYN] = "source_syn_pps",
	[THRESHOLD_LIMIT_UDP] = "source_udp_pps",
	[THRESHOLD_LIMIT_ICMP] = "source_icmp_pps",
};

static const char *const reasons[THRESHOLD_N_LIMITS] = {
	[THRESHOLD_LIMIT_SOURCE] = "source_rate",
	[THRESHOLD_LIMIT_SYN] = "source_syn_rate",
	[THRESHOLD_LIMIT_UDP] = "source_udp_rate",
	[THRESHOLD_LIMIT_ICMP] = "source_icmp_rate",
};

static int read_limits(const struct sluice_host *host, const struct sluice_config *config,
		       struct threshold_limits *limits, struct sluice_err *err)
{
	bool any = false;

	for (int i = 0; i < THRESHOLD_N_LIMITS; i++) {
		int rc = host->option_u64(config, option_names[i], &limits->pps[i]);

		if (rc != 0) {
			snprintf(err->path, sizeof(err->path), "%s", option_names[i]);
			snprintf(err->text, sizeof(err->text),
				 "cannot be read; install the manifest of the same build");
			return rc;
		}
		any = any || limits->pps[i] != 0;
	}
	if (any)
		return 0;
	snprintf(err->path, sizeof(err->path), "%s", option_names[0]);
	snprintf(err->text, sizeof(err->text),
		 "all limits are 0, so that nothing would ever be detected; set one or leave the "
		 "detector out");
	return -EINVAL;
}

static int threshold_create(struct sluice_instance *instance, const struct sluice_host *host,
			    const struct sluice_config *config, void **self, struct sluice_err *err)
{
	struct threshold *threshold = calloc(1, sizeof(*threshold));
	int rc;

	if (!threshold) {
		snprintf(err->text, sizeof(err->text), "out of memory");
		return -ENOMEM;
	}
	rc = read_limits(host, config, &threshold->limits, err);
	if (rc != 0) {
		free(threshold);
		return rc;
	}
	threshold->instance = instance;
	threshold->host = host;
	*self = threshold;
	return 0;
}

static void threshold_destroy(void *self)
{
	free(self);
}

static int propose(void *ctx, const struct threshold_hit *hit)
{
	struct threshold *threshold = ctx;
	char evidence[96];
	struct sluice_proposal proposal = {
		.size = sizeof(proposal),
		.key = hit->source->key,
		.packets_per_second = hit->pps < 1e18 ? (uint64_t)hit->pps : UINT64_MAX,
		.reason = reasons[hit->limit],
		.evidence = evidence,
	};

	snprintf(evidence, sizeof(evidence), "%.0f %s/s, limit %" PRIu64, hit->pps,
		 threshold_limit_name(hit->limit), threshold->limits.pps[hit->limit]);
	return threshold->host->propose(threshold->instance, &proposal) == -ENOSPC;
}

static int threshold_observe_window(void *self, const struct sluice_window *window,
				    struct sluice_verdict *verdict)
{
	struct threshold *threshold = self;
	struct threshold_result result;
	int rc = threshold_observe(&threshold->limits, window, propose, threshold, &result);

	if (rc != 0)
		return rc;
	verdict->attack = result.attack;
	verdict->score = result.worst_ratio;
	snprintf(verdict->evidence, sizeof(verdict->evidence),
		 "%" PRIu64 " sources over a limit, %" PRIu64
		 " blocked ones still over it, %" PRIu64
		 " known clients over it; the worst at %.2f of its limit",
		 result.over, result.blocked_over, result.known_over, result.worst_ratio);
	return 0;
}

static int threshold_reconfigure(void *self, const struct sluice_config *config,
				 struct sluice_err *err)
{
	struct threshold *threshold = self;
	struct threshold_limits limits;
	int rc = read_limits(threshold->host, config, &limits, err);

	if (rc != 0)
		return rc;
	threshold->limits = limits;
	return 1;
}

static const struct sluice_detector_ops threshold_ops = {
	.size = sizeof(threshold_ops),
	.create = threshold_create,
	.destroy = threshold_destroy,
	.observe = threshold_observe_window,
	.reconfigure = threshold_reconfigure,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 0, /* As the manifest has it: nothing younger is used. */
	.size = sizeof(sluice_plugin),
	.kind = SLUICE_PLUGIN_DETECTOR,
	.name = "threshold",
	.version = "0.1.0",
	.license = "BSD-2-Clause",
	.ops = &threshold_ops,
};
