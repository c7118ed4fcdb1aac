/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detector `entropy`: joins logic.h to the host, and puts its figures into words.
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <sluice/detector.h>

#include "logic.h"

struct detector {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	struct entropy *entropy;
};

/* Reads one option and remembers the first that failed. */
struct reader {
	const struct sluice_host *host;
	const struct sluice_config *config;
	struct sluice_err *err;
	int rc;
};

static void note_failure(struct reader *reader, const char *name, int rc)
{
	if (rc == 0 || reader->rc != 0)
		return;
	reader->rc = rc;
	snprintf(reader->err->path, sizeof(reader->err->path), "%s", name);
	snprintf(reader->err->text, sizeof(reader->err->text),
		 "cannot be read; install the manifest of the same build");
}

static uint64_t read_u64(struct reader *reader, const char *name)
{
	uint64_t value = 0;

	note_failure(reader, name, reader->host->option_u64(reader->config, name, &value));
	return value;
}

static double read_double(struct reader *reader, const char *name)
{
	double value = 0;

	note_failure(reader, name, reader->host->option_double(reader->config, name, &value));
	return value;
}

static int read_params(const struct sluice_host *host, const struct sluice_config *config,
		       struct entropy_params *params, struct sluice_err *err)
{
	struct reader reader = { .host = host, .config = config, .err = err };

	*params = (struct entropy_params){
		.source_floor_pps = (double)read_u64(&reader, "source_floor"),
		.flood_pps = (double)read_u64(&reader, "flood_pps"),
		.learned_flood_pps = (double)read_u64(&reader, "learned_flood_pps"),
		.high_entropy = read_double(&reader, "high_entropy"),
		.low_entropy = read_double(&reader, "low_entropy"),
		.new_share = read_double(&reader, "new_share"),
		.deviation = read_double(&reader, "deviation"),
		.growth = read_double(&reader, "growth"),
		.min_sources = (uint32_t)read_u64(&reader, "min_sources"),
		.learn_windows = (uint32_t)read_u64(&reader, "learn_windows"),
		.calm_windows = (uint32_t)read_u64(&reader, "calm_windows"),
		.max_learned = (uint32_t)read_u64(&reader, "max_learned"),
	};
	params->aggregate = (struct aggregate_params){
		.mine = { .max_benign = read_double(&reader, "max_benign"),
			  .min_pps = (double)read_u64(&reader, "rule_pps"),
			  .growth = params->growth,
			  .new_share = read_double(&reader, "rule_new_share"),
			  .min_evenness = params->high_entropy,
			  .min_sources = (uint32_t)read_u64(&reader, "rule_sources"),
			  .max_rules = (size_t)read_u64(&reader, "max_rules") },
		.distance = read_double(&reader, "distance"),
		.alpha = read_double(&reader, "alpha"),
		.phi = read_double(&reader, "phi"),
		.learn_windows = params->learn_windows,
		.calm_windows = params->calm_windows,
	};
	if (reader.rc == 0 && params->low_entropy >= params->high_entropy) {
		snprintf(err->path, sizeof(err->path), "low_entropy");
		snprintf(err->text, sizeof(err->text),
			 "%g is not below high_entropy, %g; lower it or raise high_entropy",
			 params->low_entropy, params->high_entropy);
		return -EINVAL;
	}
	return reader.rc;
}

static int detector_create(struct sluice_instance *instance, const struct sluice_host *host,
			   const struct sluice_config *config, void **self, struct sluice_err *err)
{
	struct detector *detector;
	struct entropy_params params;
	int rc = read_params(host, config, &params, err);

	if (rc != 0)
		return rc;
	/* Without randomness an attacker could aim at one bucket of the learned set, no more. */
	if (getrandom(&params.seed, sizeof(params.seed), GRND_NONBLOCK) != sizeof(params.seed))
		params.seed = host->now_ns(instance);
	params.aggregate.seed = params.seed;
	detector = calloc(1, sizeof(*detector));
	rc = detector ? entropy_new(&params, &detector->entropy) : -ENOMEM;
	if (rc != 0) {
		snprintf(err->text, sizeof(err->text), "out of memory");
		free(detector);
		return rc;
	}
	detector->instance = instance;
	detector->host = host;
	*self = detector;
	return 0;
}

static void detector_destroy(void *self)
{
	struct detector *detector = self;

	if (!detector)
		return;
	entropy_free(detector->entropy);
	free(detector);
}

static int propose(const struct detector *detector, const struct sluice_window *window,
		   const struct judge *judge, const struct entropy_suspect *suspect)
{
	const struct sluice_source *source = sluice_window_source(window, suspect->index);
	const struct judge_class *class = &judge->class[suspect->class];
	double pps = (double)source->packets * 1e9 / (double)window->length_ns;
	char evidence[160];
	struct sluice_proposal proposal = {
		.size = sizeof(proposal),
		.key = source->key,
		.packets_per_second = pps < 1e18 ? (uint64_t)pps : UINT64_MAX,
		.reason = class->shape == JUDGE_SHAPE_MANY ? "entropy_many_sources"
							   : "entropy_few_sources",
		.evidence = evidence,
	};

	snprintf(evidence, sizeof(evidence),
		 "%.0f %s/s; flood of %.0f/s, %" PRIu64 " strangers, entropy %.2f", pps,
		 entropy_class_name((enum entropy_class)suspect->class), judge->pressure_pps,
		 class->n, class->normalised);
	return detector->host->propose(detector->instance, &proposal);
}

static void propose_all(const struct detector *detector, const struct sluice_window *window,
			const struct entropy_result *result)
{
	for (size_t i = 0; i < result->n_named; i++)
		if (propose(detector, window, result->judge, &result->named[i]) == -ENOSPC)
			return; /* The rest still sends in the next window. */
}

static void propose_rules(const struct detector *detector, const struct aggregate_result *aggregate)
{
	const struct sluice_host *host = detector->host;

	if (!SLUICE_HAS(host, propose_rule))
		return;
	for (size_t i = 0; i < aggregate->n_rules; i++) {
		const struct aggregate_rule *rule = &aggregate->rules[i];
		const struct mine_rule *mined = &rule->mined;
		double pps = fmin(fmax(rule->offered_pps, 0), 1e18);
		char evidence[192];
		struct sluice_rule_proposal proposal = {
			.size = sizeof(proposal),
			.match = &mined->match,
			.action = SLUICE_RULE_DROP,
			.packets_per_second = (uint64_t)pps,
			.reason = "entropy_aggregate",
			.evidence = evidence,
		};

		snprintf(evidence, sizeof(evidence),
			 "%.0f packets/s fit; of samples %.0f%%, from %" PRIu32
			 " senders, %.0f%% new, entropy %.2f; at most %.2f%% of peace fits",
			 pps, mined->coverage * 100, mined->sources, mined->new_share * 100,
			 mined->evenness, mined->benign_share * 100);
		if (host->propose_rule(detector->instance, &proposal) == -ENOSPC)
			return;
	}
}

static const char *const forged_reasons[FORGED_N_KINDS] = {
	[FORGED_SYN] = "entropy_forged_syn",
	[FORGED_OPEN] = "entropy_forged_tcp",
	[FORGED_UDP] = "entropy_forged_udp",
};

static const char *const forged_names[FORGED_N_KINDS] = {
	[FORGED_SYN] = "SYNs",
	[FORGED_OPEN] = "packets of no connection",
	[FORGED_UDP] = "UDP packets to any port",
};

/* 0, or -ENOSPC: no more are taken. */
static int propose_limit(const struct detector *detector, const struct forged *forged)
{
	char evidence[160];
	struct sluice_rule_proposal proposal = {
		.size = sizeof(proposal),
		.action = SLUICE_RULE_LIMIT,
		.rate = forged->limit_pps,
		.packets_per_second = (uint64_t)fmin(forged->offered_pps, 1e18),
		.reason = forged_reasons[forged->kind],
		.evidence = evidence,
	};

	snprintf(evidence, sizeof(evidence),
		 "%.0f %s/s of strangers, %.0f of them pass; in peace %.0f", forged->offered_pps,
		 forged_names[forged->kind], forged->passed_pps, forged->peace.mean);
	for (size_t i = 0; i < forged->n_matches; i++) {
		proposal.match = &forged->match[i];
		if (detector->host->propose_rule(detector->instance, &proposal) == -ENOSPC)
			return -ENOSPC;
	}
	return 0;
}

static void propose_limits(const struct detector *detector, const struct forged *forged)
{
	for (size_t i = 0; SLUICE_HAS(detector->host, propose_rule) && i < ENTROPY_N_FORGED; i++)
		if (forged[i].active && propose_limit(detector, &forged[i]) == -ENOSPC)
			return;
}

/* The class that stands out most. */
static enum entropy_class leading_class(const struct judge *judge)
{
	int leading = 0;

	for (int i = 1; i < ENTROPY_N_CLASSES; i++)
		if (judge->class[i].pps / judge->class[i].limit >
		    judge->class[leading].pps / judge->class[leading].limit)
			leading = i;
	return (enum entropy_class)leading;
}

static void describe(const struct entropy_result *result, char *text, size_t size)
{
	const struct judge *judge = result->judge;
	enum entropy_class leading = leading_class(judge);
	const struct judge_class *class = &judge->class[leading];

	if (result->aggregate.attack)
		snprintf(
			text, size,
			"%zu aggregate rules; strangers that none explains send %.0f packets/s; kinds of "
			"packets %.2f bits from peace, their entropy %.2f (Renyi), %.2f (phi)",
			result->aggregate.n_rules, result->aggregate.stranger_pps,
			result->aggregate.distance, result->aggregate.renyi, result->aggregate.phi);
	else if (result->attack)
		snprintf(text, size,
			 "flood of %.0f packets/s, %.0f of them blocked, until below %.0f; %" PRIu64
			 " strangers pass %.0f %s/s, their entropy %.2f (all: offered %.2f, passed "
			 "%.2f)",
			 judge->pressure_pps, judge->blocked_pps, judge->off_pps, class->n,
			 class->pps, entropy_class_name(leading), class->normalised,
			 result->offered_entropy, result->passed_entropy);
	else
		snprintf(text, size,
			 "strangers send %.0f %s/s from %" PRIu64
			 ", limit %.0f, entropy %.2f; all: %.2f "
			 "offered; %" PRIu32 " windows learned",
			 class->pps, entropy_class_name(leading), class->n, class->limit,
			 class->normalised, result->offered_entropy, result->learned_windows);
}

static int detector_observe(void *self, const struct sluice_window *window,
			    struct sluice_verdict *verdict)
{
	struct detector *detector = self;
	struct entropy_result result;
	int rc = entropy_observe(detector->entropy, window, &result);

	if (rc != 0)
		return rc;
	propose_all(detector, window, &result);
	propose_rules(detector, &result.aggregate);
	propose_limits(detector, result.forged);
	verdict->attack = result.attack;
	verdict->score = result.score;
	describe(&result, verdict->evidence, sizeof(verdict->evidence));
	return 0;
}

static int detector_reconfigure(void *self, const struct sluice_config *config,
				struct sluice_err *err)
{
	struct detector *detector = self;
	struct entropy_params params;
	int rc = read_params(detector->host, config, &params, err);

	if (rc != 0)
		return rc;
	return entropy_reconfigure(detector->entropy, &params) ? 1 : 0;
}

static const struct sluice_detector_ops detector_ops = {
	.size = sizeof(detector_ops),
	.create = detector_create,
	.destroy = detector_destroy,
	.observe = detector_observe,
	.reconfigure = detector_reconfigure,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 2, /* propose_rule(); the window's samples and rules. */
	.size = sizeof(sluice_plugin),
	.kind = SLUICE_PLUGIN_DETECTOR,
	.name = "entropy",
	.version = "0.1.0",
	.license = "BSD-2-Clause",
	.ops = &detector_ops,
};
