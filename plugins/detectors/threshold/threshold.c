/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detector `threshold`: joins the limits of logic.h (sources) and destination.h (destinations, and
 * sources by destination) to the host.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include <sluice/detector.h>

#include "destination.h"
#include "logic.h"

struct threshold {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	struct threshold_limits limits;
	struct destination_params params;
	struct levels *levels;
};

/* Options and what they set. */
struct settings {
	struct threshold_limits limits;
	struct destination_params params;
};

static const char *const option_names[THRESHOLD_N_LIMITS] = {
	[THRESHOLD_LIMIT_SOURCE] = "source_pps",  [THRESHOLD_LIMIT_SYN] = "source_syn_pps",
	[THRESHOLD_LIMIT_UDP] = "source_udp_pps", [THRESHOLD_LIMIT_ICMP] = "source_icmp_pps",
	[THRESHOLD_LIMIT_FLOWS] = "source_flows", [THRESHOLD_LIMIT_BITS] = "source_bps",
};

static const char *const destination_options[THRESHOLD_N_METRICS] = {
	[THRESHOLD_PACKETS] = "destination_pps",   [THRESHOLD_BITS] = "destination_bps",
	[THRESHOLD_SYN] = "destination_syn_pps",   [THRESHOLD_UDP] = "destination_udp_pps",
	[THRESHOLD_ICMP] = "destination_icmp_pps", [THRESHOLD_FLOWS] = "destination_flows",
};

/* A pair is one flow. */
static const char *const pair_options[THRESHOLD_FLOWS] = {
	[THRESHOLD_PACKETS] = "pair_pps",   [THRESHOLD_BITS] = "pair_bps",
	[THRESHOLD_SYN] = "pair_syn_pps",   [THRESHOLD_UDP] = "pair_udp_pps",
	[THRESHOLD_ICMP] = "pair_icmp_pps",
};

static const char *const reasons[THRESHOLD_N_LIMITS] = {
	[THRESHOLD_LIMIT_SOURCE] = "source_rate",     [THRESHOLD_LIMIT_SYN] = "source_syn_rate",
	[THRESHOLD_LIMIT_UDP] = "source_udp_rate",    [THRESHOLD_LIMIT_ICMP] = "source_icmp_rate",
	[THRESHOLD_LIMIT_FLOWS] = "source_flow_rate", [THRESHOLD_LIMIT_BITS] = "source_bit_rate",
};

static const char *const destination_reasons[THRESHOLD_N_METRICS] = {
	[THRESHOLD_PACKETS] = "destination_rate",   [THRESHOLD_BITS] = "destination_bit_rate",
	[THRESHOLD_SYN] = "destination_syn_rate",   [THRESHOLD_UDP] = "destination_udp_rate",
	[THRESHOLD_ICMP] = "destination_icmp_rate", [THRESHOLD_FLOWS] = "destination_flow_rate",
};

static int unreadable(const char *name, int code, struct sluice_err *err)
{
	snprintf(err->path, sizeof(err->path), "%s", name);
	snprintf(err->text, sizeof(err->text),
		 "cannot be read; install the manifest of the same build");
	return code;
}

/* Reads `n` limits; `any` is set if one of them is not 0. */
static int read_list(const struct sluice_host *host, const struct sluice_config *config,
		     const char *const *names, size_t n, uint64_t *values, bool *any,
		     struct sluice_err *err)
{
	for (size_t i = 0; i < n; i++) {
		int code = host->option_u64(config, names[i], &values[i]);

		if (code != 0)
			return unreadable(names[i], code, err);
		*any = *any || values[i] != 0;
	}
	return 0;
}

static int read_learning(const struct sluice_host *host, const struct sluice_config *config,
			 struct destination_params *params, struct sluice_err *err)
{
	int code = host->option_bool(config, "learn", &params->learn);

	if (code != 0)
		return unreadable("learn", code, err);
	code = host->option_double(config, "deviation", &params->deviation);
	if (code != 0)
		return unreadable("deviation", code, err);
	code = host->option_double(config, "growth", &params->growth);
	if (code != 0)
		return unreadable("growth", code, err);
	code = host->option_u64(config, "learned_floor", &params->floor_pps);
	if (code != 0)
		return unreadable("learned_floor", code, err);
	code = host->option_u64(config, "contributor_pps", &params->source_floor_pps);
	return code != 0 ? unreadable("contributor_pps", code, err) : 0;
}

static int read_settings(const struct sluice_host *host, const struct sluice_config *config,
			 struct settings *settings, struct sluice_err *err)
{
	struct destination_params *params = &settings->params;
	bool any = false;
	int code = read_list(host, config, option_names, THRESHOLD_N_LIMITS, settings->limits.pps,
			     &any, err);

	if (code == 0)
		code = read_list(host, config, destination_options, THRESHOLD_N_METRICS,
				 params->fixed, &any, err);
	if (code == 0)
		code = read_list(host, config, pair_options, THRESHOLD_FLOWS, params->pair, &any,
				 err);
	if (code == 0)
		code = read_learning(host, config, params, err);
	if (code != 0 || any || params->learn)
		return code;
	snprintf(err->path, sizeof(err->path), "%s", option_names[0]);
	snprintf(err->text, sizeof(err->text),
		 "all limits are 0, so that nothing would ever be detected; set one or leave the "
		 "detector out");
	return -EINVAL;
}

static void threshold_destroy(void *self)
{
	struct threshold *threshold = self;

	if (!threshold)
		return;
	levels_free(threshold->levels);
	free(threshold);
}

static int threshold_create(struct sluice_instance *instance, const struct sluice_host *host,
			    const struct sluice_config *config, void **self, struct sluice_err *err)
{
	struct threshold *threshold = calloc(1, sizeof(*threshold));
	struct settings settings = { 0 };
	int code = threshold ? levels_new(&threshold->levels) : -ENOMEM;

	if (code != 0)
		snprintf(err->text, sizeof(err->text), "out of memory");
	else
		code = read_settings(host, config, &settings, err);
	if (code != 0) {
		threshold_destroy(threshold);
		return code;
	}
	threshold->limits = settings.limits;
	threshold->params = settings.params;
	threshold->instance = instance;
	threshold->host = host;
	*self = threshold;
	return 0;
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

static int propose_contributor(void *ctx, const struct destination_hit *hit)
{
	struct threshold *threshold = ctx;
	char evidence[160], address[INET6_ADDRSTRLEN] = "?";
	struct sluice_proposal proposal = {
		.size = sizeof(proposal),
		.key = hit->source,
		.packets_per_second = hit->rate < 1e18 ? (uint64_t)hit->rate : UINT64_MAX,
		.reason = hit->is_pair ? "pair_rate" : destination_reasons[hit->metric],
		.evidence = evidence,
	};

	inet_ntop(hit->destination.family == SLUICE_FAMILY_IPV4 ? AF_INET : AF_INET6,
		  hit->destination.addr, address, sizeof(address));
	if (hit->is_pair)
		snprintf(evidence, sizeof(evidence), "%.0f %s/s to %s, limit %.0f", hit->rate,
			 threshold_metric_name(hit->metric), address, hit->limit);
	else
		snprintf(evidence, sizeof(evidence), "%.0f of %.0f %s/s to %s, limit %.0f",
			 hit->rate, hit->total, threshold_metric_name(hit->metric), address,
			 hit->limit);
	return threshold->host->propose(threshold->instance, &proposal) == -ENOSPC;
}

static void say_sources(const struct threshold_result *result, struct sluice_verdict *verdict)
{
	snprintf(verdict->evidence, sizeof(verdict->evidence),
		 "%" PRIu64 " sources over a limit, %" PRIu64
		 " blocked ones still over it, %" PRIu64
		 " known clients over it; the worst at %.2f of its limit",
		 result->over, result->blocked_over, result->known_over, result->worst_ratio);
}

static void say_destinations(const struct destination_result *result,
			     struct sluice_verdict *verdict)
{
	size_t length = strlen(verdict->evidence);

	snprintf(verdict->evidence + length, sizeof(verdict->evidence) - length,
		 "; %" PRIu64 " destinations over (%s), %" PRIu64 " with no heavy source, %" PRIu64
		 " pairs",
		 result->over, threshold_metric_name(result->worst_metric), result->without_heavy,
		 result->pairs_over);
}

static bool looks_at_destinations(const struct sluice_window *window)
{
	return SLUICE_HAS(window, port_bins) && (window->n_destinations || window->n_flows);
}

static int threshold_observe_window(void *self, const struct sluice_window *window,
				    struct sluice_verdict *verdict)
{
	struct threshold *threshold = self;
	struct threshold_result sources;
	struct destination_result destinations;
	int code = threshold_observe(&threshold->limits, window, propose, threshold, &sources);

	if (code != 0)
		return code;
	verdict->attack = sources.attack;
	verdict->score = sources.worst_ratio;
	say_sources(&sources, verdict);
	if (!looks_at_destinations(window))
		return 0;
	code = destination_observe(&threshold->params, threshold->levels, window,
				   threshold->host->now_ns(threshold->instance),
				   propose_contributor, threshold, &destinations);
	if (code != 0)
		return code;
	if (destinations.over || destinations.pairs_over) {
		verdict->attack = true;
		say_destinations(&destinations, verdict);
	}
	if (destinations.worst_ratio > verdict->score)
		verdict->score = destinations.worst_ratio;
	return 0;
}

static int threshold_reconfigure(void *self, const struct sluice_config *config,
				 struct sluice_err *err)
{
	struct threshold *threshold = self;
	struct settings settings = { 0 };
	int code = read_settings(threshold->host, config, &settings, err);

	if (code != 0)
		return code;
	threshold->limits = settings.limits;
	threshold->params = settings.params;
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
