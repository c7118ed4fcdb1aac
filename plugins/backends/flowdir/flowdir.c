/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Back end for cards with ntuple filters: opens the interface and maps the contract's calls to
 * single rules.  Such rules have no hit counters, so that the host puts them on probation instead.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/backend.h>

#include "device.h"
#include "explain.h"
#include "steer.h"

struct flowdir {
	struct device device;
	struct steer *steer;
	const struct rule_profile *profile;
	char driver[32];
};

static int read_options(const struct sluice_host *host, const struct sluice_config *config,
			struct steer_options *options)
{
	uint64_t capacity = 0, first = 0, prefix = 64, queue = 0;
	const char *location = "";
	int rc = host->option_u64(config, "capacity", &capacity), sink;

	rc = rc ? rc : host->option_string(config, "location", &location);
	rc = rc ? rc : host->option_u64(config, "first_location", &first);
	rc = rc ? rc : host->option_bool(config, "adopt", &options->adopt);
	rc = rc ? rc : host->option_u64(config, "v6_prefix", &prefix);
	sink = host->option_u64(config, "sink_queue", &queue);
	options->capacity = (uint32_t)capacity;
	options->first_location = (uint32_t)first;
	options->driver_chooses = strcmp(location, "driver") == 0;
	options->shape.v6_prefix_len = (uint8_t)prefix;
	options->shape.action = sink == 0 ? queue : RX_CLS_FLOW_DISC;
	return rc ? rc : (sink == -ENODATA ? 0 : sink);
}

/* ethtool says -EOPNOTSUPP where a driver has no such filters at all. */
static int explain_failure(const struct flowdir *flowdir, const char *what, int rc,
			   struct sluice_err *err)
{
	explain(err, "interface '%s': cannot %s: %s%s", flowdir->device.ifname, what, strerror(-rc),
		rc == -EOPNOTSUPP ? "; see whether `ethtool -k` lists ntuple-filters, and use the "
				    "back end flower if it does not"
				  : "");
	return rc;
}

static int flowdir_list(void *self, struct sluice_backend_rule *rules, size_t n, size_t *count,
			struct sluice_err *err)
{
	struct flowdir *flowdir = self;
	int rc = steer_list(flowdir->steer, rules, n, count);

	return rc ? explain_failure(flowdir, "read its ntuple rules", rc, err) : 0;
}

/* In the driver's own words there is nothing but a number. */
static void explain_refusal(const struct flowdir *flowdir, int rc, struct sluice_err *err)
{
	if (flowdir->profile->traps && (rc == -EINVAL || rc == -EOPNOTSUPP))
		explain(err, "interface '%s': the driver %s refused a rule; known of it: %s",
			flowdir->device.ifname, flowdir->driver, flowdir->profile->traps);
}

static int change(struct flowdir *flowdir, bool add, const struct sluice_backend_rule *rules,
		  size_t n, int *results, struct sluice_err *err)
{
	for (size_t i = 0; i < n; i++) {
		results[i] = (add ? steer_add : steer_del)(flowdir->steer, &rules[i].key);
		if (results[i] == -ENODEV)
			return explain_failure(flowdir, "change its ntuple rules", -ENODEV, err);
		if (add)
			explain_refusal(flowdir, results[i], err);
	}
	return 0;
}

static int flowdir_add(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		       struct sluice_err *err)
{
	return change(self, true, rules, n, results, err);
}

static int flowdir_del(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		       struct sluice_err *err)
{
	return change(self, false, rules, n, results, err);
}

static int flowdir_flush(void *self, struct sluice_err *err)
{
	struct flowdir *flowdir = self;
	int rc = steer_flush(flowdir->steer);

	return rc ? explain_failure(flowdir, "delete every rule", rc, err) : 0;
}

static void flowdir_close(void *self)
{
	struct flowdir *flowdir = self;

	if (!flowdir)
		return;
	steer_free(flowdir->steer);
	device_close(&flowdir->device);
	free(flowdir);
}

static int start(struct flowdir *flowdir, struct steer_options *options, struct sluice_err *err)
{
	size_t n;
	int rc = device_driver(&flowdir->device, flowdir->driver);

	if (rc)
		return explain_failure(flowdir, "ask for its driver", rc, err);
	flowdir->profile = rule_profile_find(flowdir->driver);
	rule_shape_for(flowdir->profile, &options->shape);
	options->n_locations = flowdir->profile->capacity;
	rc = steer_new(options, device_ask, &flowdir->device, &flowdir->steer);
	return rc ? rc : flowdir_list(flowdir, NULL, 0, &n, err);
}

static void describe(const struct steer_options *options, struct sluice_backend_caps *caps)
{
	caps->capacity = options->capacity;
	caps->matches = SLUICE_BACKEND_MATCH_IPV4;
	if (options->shape.ipv6)
		caps->matches |= options->shape.v6_prefix_len == 128
					 ? SLUICE_BACKEND_MATCH_IPV6
					 : SLUICE_BACKEND_MATCH_IPV6_PREFIX;
	caps->counters = false;
}

static void say_traps(const struct flowdir *flowdir, const struct steer_options *options,
		      struct sluice_instance *instance, const struct sluice_host *host)
{
	const struct rule_profile *profile = flowdir->profile;
	bool futile = profile->cannot_drop && options->shape.action == RX_CLS_FLOW_DISC;

	if (profile->traps)
		host->log(instance, futile ? SLUICE_LOG_WARNING : SLUICE_LOG_NOTICE,
			  "interface '%s': driver %s, which says that %u rules fit: %s",
			  flowdir->device.ifname, flowdir->driver, steer_locations(flowdir->steer),
			  profile->traps);
}

static int flowdir_open(struct sluice_instance *instance, const struct sluice_host *host,
			const struct sluice_config *config, const char *ifname,
			struct sluice_backend_caps *caps, void **self, struct sluice_err *err)
{
	struct flowdir *flowdir = calloc(1, sizeof(*flowdir));
	struct steer_options options = { 0 };
	int rc;

	if (!flowdir) {
		explain(err, "out of memory");
		return -ENOMEM;
	}
	flowdir->device.fd = -1;
	rc = read_options(host, config, &options);
	if (rc)
		explain(err, "the manifest does not declare what this back end reads");
	if (rc == 0) {
		rc = device_open(ifname, &flowdir->device);
		if (rc)
			explain(err, "interface '%s': %s", ifname, strerror(-rc));
	}
	rc = rc ? rc : start(flowdir, &options, err);
	if (rc) {
		flowdir_close(flowdir);
		return rc;
	}
	say_traps(flowdir, &options, instance, host);
	if (steer_alike(flowdir->steer))
		host->log(
			instance, SLUICE_LOG_WARNING,
			"interface '%s': %zu rules look like an earlier sluiced's and stay in the "
			"card; if nobody else made them, set adopt: true or delete them by ethtool",
			ifname, steer_alike(flowdir->steer));
	describe(&options, caps);
	*self = flowdir;
	return 0;
}

static const struct sluice_backend_ops flowdir_ops = {
	.size = sizeof(flowdir_ops),
	.open = flowdir_open,
	.close = flowdir_close,
	.add = flowdir_add,
	.del = flowdir_del,
	.list = flowdir_list,
	.flush = flowdir_flush,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 0, /* As the manifest has it: nothing younger is used. */
	.size = sizeof(sluice_plugin),
	.kind = SLUICE_PLUGIN_BACKEND,
	.name = "flowdir",
	.version = "0.1.0",
	.license = "BSD-2-Clause",
	.ops = &flowdir_ops,
};
