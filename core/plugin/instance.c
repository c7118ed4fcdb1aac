/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A configured use of a plugin: its options, its `self`, and the host services it runs on.  What a
 * plugin hands over is checked here, once, for everybody behind.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "config/errors.h"
#include "config/manifest.h"
#include "plugin.h"

#define LOG_TEXT_SIZE 512
#define REASON_MAX_LEN 23
#define PROPOSAL_SIZE_1_0 (offsetof(struct sluice_proposal, evidence) + sizeof(const char *))
#define RULE_PROPOSAL_SIZE_1_2 (offsetof(struct sluice_rule_proposal, ttl_ns) + sizeof(uint64_t))
#define RULE_MATCH_SIZE_1_2 (offsetof(struct sluice_rule_match, source) + sizeof(struct sluice_key))

struct sluice_instance {
	struct plugin *plugin;
	struct sluice_config *config;
	const struct clock_source *clock;
	const struct logger *logger;
	struct log_limit limit;
	plugin_propose_fn propose;
	plugin_propose_rule_fn propose_rule;
	void *propose_ctx;
	void *self;
	atomic_bool retired; /* What the services use may be gone. */

	/* A call that may not come back: what it was made with, and what it said. */
	struct sluice_config *offered;
	struct sluice_err err;
	int rc;
	bool given_up;
	atomic_bool left; /* By one of the two, the call and the owner: the other frees it. */
};

static void __attribute__((format(printf, 3, 4)))
host_log(struct sluice_instance *instance, enum sluice_log_level level, const char *fmt, ...)
{
	char text[LOG_TEXT_SIZE];
	va_list args;

	if (atomic_load(&instance->retired))
		return;
	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	log_write_limited(instance->logger, &instance->limit, level, "%s '%s': %s",
			  plugin_kind_name(manifest_kind(plugin_manifest(instance->plugin))),
			  plugin_name(instance->plugin), text);
}

static uint64_t host_now_ns(struct sluice_instance *instance)
{
	return atomic_load(&instance->retired) ? 0 : clock_monotonic_ns(instance->clock);
}

static bool key_is_valid(const struct sluice_key *key)
{
	static const uint8_t zero[sizeof(key->addr)];
	size_t bytes = key->family == SLUICE_FAMILY_IPV4 ? 4 : 16;
	size_t used = key->prefix_len / 8;

	if (key->family != SLUICE_FAMILY_IPV4 && key->family != SLUICE_FAMILY_IPV6)
		return false;
	if (key->prefix_len > bytes * 8 || memcmp(key->reserved, zero, sizeof(key->reserved)) != 0)
		return false;
	if (key->prefix_len % 8 != 0) {
		if (key->addr[used] & (0xff >> (key->prefix_len % 8)))
			return false;
		used++;
	}
	return memcmp(key->addr + used, zero, sizeof(key->addr) - used) == 0;
}

static bool reason_is_valid(const char *reason)
{
	size_t len;

	if (!reason)
		return false;
	len = strspn(reason, "abcdefghijklmnopqrstuvwxyz0123456789_");
	return len > 0 && len <= REASON_MAX_LEN && reason[len] == '\0';
}

int plugin_proposal_copy(const struct sluice_proposal *proposal, struct sluice_proposal *copy)
{
	if (!proposal || proposal->size < PROPOSAL_SIZE_1_0)
		return -EINVAL;
	memset(copy, 0, sizeof(*copy));
	/* To this host's layout, so that nobody behind has to look at sizes. */
	memcpy(copy, proposal, proposal->size < sizeof(*copy) ? proposal->size : sizeof(*copy));
	copy->size = sizeof(*copy);
	return key_is_valid(&copy->key) && reason_is_valid(copy->reason) ? 0 : -EINVAL;
}

static int host_propose(struct sluice_instance *instance, const struct sluice_proposal *proposal)
{
	struct sluice_proposal copy;

	if (plugin_proposal_copy(proposal, &copy) != 0)
		return -EINVAL;
	if (!instance->propose || atomic_load(&instance->retired))
		return -EOPNOTSUPP;
	return instance->propose(instance->propose_ctx, instance, &copy);
}

/* What a rule asks for is checked where it becomes a rule of the filter. */
int plugin_rule_proposal_copy(const struct sluice_rule_proposal *proposal,
			      struct sluice_rule_proposal *copy, struct sluice_rule_match *match)
{
	if (!proposal || proposal->size < RULE_PROPOSAL_SIZE_1_2)
		return -EINVAL;
	memset(copy, 0, sizeof(*copy));
	memset(match, 0, sizeof(*match));
	memcpy(copy, proposal, proposal->size < sizeof(*copy) ? proposal->size : sizeof(*copy));
	copy->size = sizeof(*copy);
	if (!copy->match || copy->match->size < RULE_MATCH_SIZE_1_2 ||
	    !reason_is_valid(copy->reason))
		return -EINVAL;
	memcpy(match, copy->match,
	       copy->match->size < sizeof(*match) ? copy->match->size : sizeof(*match));
	match->size = sizeof(*match);
	copy->match = match;
	return 0;
}

static int host_propose_rule(struct sluice_instance *instance,
			     const struct sluice_rule_proposal *proposal)
{
	struct sluice_rule_proposal copy;
	struct sluice_rule_match match;

	if (plugin_rule_proposal_copy(proposal, &copy, &match) != 0)
		return -EINVAL;
	if (!instance->propose_rule || atomic_load(&instance->retired))
		return -EOPNOTSUPP;
	return instance->propose_rule(instance->propose_ctx, instance, &copy);
}

static const struct sluice_host host_services = {
	.size = sizeof(host_services),
	.log = host_log,
	.now_ns = host_now_ns,
	.propose = host_propose,
	.propose_rule = host_propose_rule,
	CONFIG_SERVICES,
};

int plugin_config_new(const struct plugin *plugin, const struct config_node *options,
		      const char *key, struct config_errors *errors, struct sluice_config **out,
		      struct sluice_err *err)
{
	struct config_errors *own = NULL;
	int rc;

	if (!errors) {
		own = malloc(sizeof(*own));
		if (!own) {
			err_set(err, NULL, "out of memory (-ENOMEM)");
			return -ENOMEM;
		}
		config_errors_init(own);
		errors = own;
	}
	rc = config_new(plugin_manifest(plugin), options, key, errors, out);
	if (rc != 0)
		config_errors_to_err(errors, err);
	free(own);
	return rc;
}

static int instance_new(struct plugin *plugin, const struct plugin_use *use,
			struct config_errors *errors, struct sluice_instance **out,
			struct sluice_err *err)
{
	struct sluice_instance *instance = calloc(1, sizeof(*instance));
	int rc;

	err_init(err);
	if (!instance)
		return -ENOMEM;
	rc = plugin_config_new(plugin, use->options, use->key, errors, &instance->config, err);
	if (rc != 0) {
		free(instance);
		return rc;
	}
	instance->plugin = plugin;
	plugin_hold(plugin);
	instance->clock = use->clock;
	instance->logger = use->logger;
	instance->limit = (struct log_limit)LOG_LIMIT_DEFAULT;
	instance->propose = use->propose;
	instance->propose_rule = use->propose_rule;
	instance->propose_ctx = use->propose_ctx;
	*out = instance;
	return 0;
}

/* Makes one message of what the plugin or a lower layer said; a plugin may have said nothing. */
static int fail(const struct plugin *plugin, const char *what, int rc, struct sluice_err *err)
{
	struct sluice_err reason;

	if (rc >= 0)
		rc = -EPROTO; /* A plugin broke the contract: neither success nor an errno. */
	err->path[sizeof(err->path) - 1] = '\0';
	err->text[sizeof(err->text) - 1] = '\0';
	reason = *err;
	err_set(err, reason.path, "plugin '%s': %s: %s%s%s (%s)", plugin_name(plugin), what,
		reason.path, reason.path[0] != '\0' ? ": " : "",
		reason.text[0] != '\0' ? reason.text : "no reason given", err_name(rc));
	return rc;
}

void plugin_instance_retire(struct sluice_instance *instance)
{
	if (atomic_exchange(&instance->retired, true))
		return;
	plugin_lose(instance->plugin);
	plugin_pin(instance->plugin);
}

void plugin_detector_end(struct sluice_instance *instance)
{
	const struct sluice_detector_ops *ops = plugin_detector_ops(instance->plugin);

	if (!ops)
		return;
	if (instance->self)
		ops->destroy(instance->self);
	instance->self = NULL;
}

static void instance_free(struct sluice_instance *instance)
{
	const struct sluice_stack_ops *stack = plugin_stack_ops(instance->plugin);

	plugin_detector_end(instance);
	if (stack && instance->self)
		stack->close(instance->self);
	if (atomic_load(&instance->retired))
		plugin_find(instance->plugin);
	config_free(instance->config);
	config_free(instance->offered);
	plugin_let_go(instance->plugin);
	free(instance);
}

void plugin_instance_free(struct sluice_instance *instance)
{
	if (!instance || (instance->given_up && !atomic_exchange(&instance->left, true)))
		return;
	instance_free(instance);
}

static int check_contract(int rc, const void *self)
{
	return rc == 0 && !self ? -EPROTO : rc;
}

/* After the plugin's own create or open, which said `rc`: the instance, or why there is none. */
static int hand_over(struct sluice_instance *instance, int rc, const char *what,
		     struct sluice_instance **out, struct sluice_err *err)
{
	const struct plugin *plugin = instance->plugin;

	rc = check_contract(rc, instance->self);
	if (rc == 0) {
		*out = instance;
		return 0;
	}
	/* What failed left nothing to destroy. */
	instance->self = NULL;
	plugin_instance_free(instance);
	return fail(plugin, what, rc, err);
}

static void create(void *ctx)
{
	struct sluice_instance *instance = ctx;

	instance->rc = plugin_detector_ops(instance->plugin)
			       ->create(instance, &host_services, instance->config, &instance->self,
					&instance->err);
	/* What failed left nothing to destroy. */
	if (instance->rc != 0)
		instance->self = NULL;
}

static void reconfigure(void *ctx)
{
	struct sluice_instance *instance = ctx;

	instance->rc = plugin_detector_ops(instance->plugin)
			       ->reconfigure(instance->self, instance->offered, &instance->err);
}

static void give_up(void *ctx)
{
	struct sluice_instance *instance = ctx;

	instance->given_up = true;
	plugin_instance_retire(instance);
}

static void come_back(void *ctx)
{
	struct sluice_instance *instance = ctx;

	if (atomic_exchange(&instance->left, true))
		instance_free(instance);
}

static int fail_hanging(const struct plugin *plugin, const char *what, const char *call,
			uint64_t limit_ns, struct sluice_err *err)
{
	err_init(err);
	err_set(err, NULL,
		"%s does not come back after %" PRIu64 " s; take it out, or install a build that "
		"does not hang",
		call, limit_ns / 1000000000);
	return fail(plugin, what, -ETIMEDOUT, err);
}

int plugin_detector_new(struct plugin *plugin, const struct plugin_use *use,
			struct config_errors *errors, struct sluice_instance **out,
			struct sluice_err *err)
{
	const struct sluice_detector_ops *ops = plugin_detector_ops(plugin);
	struct sluice_instance *instance = NULL;
	struct sluice_err own;
	int rc;

	err = err ? err : &own; /* A plugin may rely on having one. */
	if (!ops) {
		err_set(err, NULL, "it is no detector");
		return fail(plugin, "cannot start it", -EINVAL, err);
	}
	if (plugin_n_lost(plugin) >= PLUGIN_LOST_MAX) {
		err_init(err);
		err_set(err, NULL,
			"%zu earlier instances of it hang in a call; take it out, or install a build "
			"that does not hang",
			plugin_n_lost(plugin));
		return fail(plugin, "cannot start it", -EBUSY, err);
	}
	rc = instance_new(plugin, use, errors, &instance, err);
	if (rc != 0)
		return fail(plugin, "cannot configure it", rc, err);
	if (!patience_run(&(struct patience){ create, give_up, come_back, instance,
					      PLUGIN_CREATE_LIMIT_NS })) {
		plugin_instance_free(instance);
		return fail_hanging(plugin, "cannot start it", "create", PLUGIN_CREATE_LIMIT_NS,
				    err);
	}
	*err = instance->err;
	return hand_over(instance, instance->rc, "cannot start it", out, err);
}

/* The options that were offered are in force. */
static void take_offer(struct sluice_instance *instance, const struct plugin_use *use)
{
	config_free(instance->config);
	instance->config = instance->offered;
	instance->clock = use->clock;
	instance->logger = use->logger;
	instance->propose = use->propose;
	instance->propose_rule = use->propose_rule;
	instance->propose_ctx = use->propose_ctx;
}

static int settle(struct sluice_instance *instance, const struct plugin_use *use,
		  struct sluice_err *err)
{
	int rc = instance->rc;

	if (rc == 1)
		take_offer(instance, use);
	else
		config_free(instance->offered);
	instance->offered = NULL;
	if (rc == 1 || rc == 0)
		return rc;
	*err = instance->err;
	return fail(instance->plugin, "cannot take the new options", rc, err);
}

static bool run_alone(void *ctx, const struct patience *call)
{
	(void)ctx;
	return patience_run(call);
}

int plugin_detector_reconfigure(struct sluice_instance *instance, const struct plugin_use *use,
				plugin_run_fn run, void *run_ctx, struct sluice_err *err)
{
	const struct sluice_detector_ops *ops = plugin_detector_ops(instance->plugin);
	const struct patience call = { reconfigure, give_up, come_back, instance,
				       PLUGIN_RECONFIGURE_LIMIT_NS };
	struct sluice_err own;
	int rc;

	err = err ? err : &own;
	err_init(err);
	/* One that hung before may still use what it was offered then. */
	if (atomic_load(&instance->retired))
		return 0;
	rc = plugin_config_new(instance->plugin, use->options, use->key, NULL, &instance->offered,
			       err);
	if (rc != 0)
		return fail(instance->plugin, "cannot configure it", rc, err);
	err_init(&instance->err);
	instance->rc = 0;
	run = run ? run : run_alone;
	if (ops && ops->reconfigure && !run(run_ctx, &call))
		return fail_hanging(instance->plugin, "cannot take the new options", "reconfigure",
				    PLUGIN_RECONFIGURE_LIMIT_NS, err);
	return settle(instance, use, err);
}

int plugin_backend_open(struct plugin *plugin, const struct plugin_use *use, const char *ifname,
			struct sluice_backend_caps *caps, struct config_errors *errors,
			struct sluice_instance **out, struct sluice_err *err)
{
	const struct sluice_backend_ops *ops = plugin_backend_ops(plugin);
	struct sluice_instance *instance = NULL;
	struct sluice_err own;
	int rc;

	err = err ? err : &own;
	if (!ops) {
		err_set(err, NULL, "it is no back end");
		return fail(plugin, "cannot open it", -EINVAL, err);
	}
	rc = instance_new(plugin, use, errors, &instance, err);
	if (rc != 0)
		return fail(plugin, "cannot configure it", rc, err);
	*caps = (struct sluice_backend_caps){ .size = sizeof(*caps) };
	rc = ops->open(instance, &host_services, instance->config, ifname, caps, &instance->self,
		       err);
	return hand_over(instance, rc, "cannot open the device", out, err);
}

int plugin_stack_open(struct plugin *plugin, const struct plugin_use *use,
		      const struct sluice_io_ops *io_ops, struct sluice_io *io,
		      struct config_errors *errors, struct sluice_instance **out,
		      struct sluice_err *err)
{
	const struct sluice_stack_ops *ops = plugin_stack_ops(plugin);
	struct sluice_instance *instance = NULL;
	struct sluice_err own;
	int rc;

	err = err ? err : &own;
	if (!ops) {
		err_set(err, NULL, "it is no stack");
		return fail(plugin, "cannot start it", -EINVAL, err);
	}
	rc = instance_new(plugin, use, errors, &instance, err);
	if (rc != 0)
		return fail(plugin, "cannot configure it", rc, err);
	rc = ops->open(instance, &host_services, instance->config, io_ops, io, &instance->self,
		       err);
	return hand_over(instance, rc, "cannot start it", out, err);
}

int plugin_stack_wake_fd(const struct sluice_instance *instance)
{
	const struct sluice_stack_ops *ops = plugin_stack_ops(instance->plugin);

	return ops && ops->wake_fd ? ops->wake_fd(instance->self) : -1;
}

void *plugin_instance_self(const struct sluice_instance *instance)
{
	return instance->self;
}

struct plugin *plugin_instance_plugin(const struct sluice_instance *instance)
{
	return instance->plugin;
}

const struct sluice_config *plugin_instance_config(const struct sluice_instance *instance)
{
	return instance->config;
}
