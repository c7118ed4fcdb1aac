/* SPDX-License-Identifier: BSD-2-Clause */
/* Loading, freeing and inheriting.  See generation.h. */
#include "generation.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/interface.h"
#include "base/log.h"
#include "base/patience.h"
#include "config/errors.h"
#include "config/manifest.h"
#include "config/node.h"
#include "config/settings.h"
#include "control/listener.h"
#include "engine/detector_thread.h"

#include "plugin_shelf.h"

struct slot {
	struct generation *generation; /* That it is part of. */
	struct plugin *plugin;	       /* On the shelf. */
	struct sluice_instance *instance;
	struct plugin_use use;
	struct config_node *options; /* The file's with overrides; NULL: the file's alone. */
	char key[48];
	bool would_hang; /* A running one would, were it offered these options: foreseen. */
	bool given;	 /* Its instance runs in the next generation, ... */
	size_t given_to; /* ... in this place. */
};

struct generation {
	char *path;
	struct settings *settings;
	struct slot *slots;
	struct engine_detector *detectors;
	size_t n_slots;
	atomic_size_t held;	/* Once it is being freed: slots that are not, and the caller. */
	struct plugin *backend; /* On the shelf. */
	struct sluice_config *backend_config;
	struct plugin_use backend_use;
};

/* Problems that are already listed with their place in the file are not listed twice. */
static void note(const struct generation *generation, const struct settings_plugin *where,
		 struct config_errors *errors, size_t errors_before, const char *key,
		 const struct sluice_err *err)
{
	const struct settings *settings = generation->settings;

	if (errors->count != errors_before)
		return;
	/* A plugin that nobody named is missing where the file says that plugins are. */
	if (where->line)
		config_errors_add(errors, generation->path, where->line, where->column, key, "%s",
				  err->text);
	else
		config_errors_add(errors, generation->path, settings->plugin_path_line,
				  settings->plugin_path_column, NULL, "%s", err->text);
}

static struct plugin_use make_use(const struct settings_plugin *settings, const char *key,
				  const struct generation_services *services)
{
	return (struct plugin_use){
		.options = settings->options,
		.key = key,
		.clock = services->clock,
		.logger = services->logger,
		.propose = services->propose,
		.propose_rule = services->propose_rule,
		.propose_ctx = services->propose_ctx,
	};
}

/* The options of a slot, with all that overrides them. */
static int override_options(struct slot *slot, const struct settings_plugin *settings,
			    const struct generation_services *services)
{
	for (size_t i = 0; i < services->n_overrides; i++) {
		const struct generation_override *override = &services->overrides[i];
		struct config_node *merged;
		int ret;

		if (strcmp(override->detector, settings->name) != 0)
			continue;
		ret = config_node_merge(slot->use.options, override->options, &merged);
		if (ret)
			return ret;
		config_node_free(slot->options);
		slot->options = merged;
		slot->use.options = merged;
	}
	return 0;
}

static int load_detector(struct generation *generation, size_t i,
			 const struct generation_services *services, struct config_errors *errors)
{
	const struct settings_plugin *settings = &generation->settings->detectors[i];
	struct engine_detector *detector = &generation->detectors[i];
	struct slot *slot = &generation->slots[i];
	size_t before = errors->count;
	struct sluice_err err;
	int ret;

	err_init(&err);
	slot->generation = generation;
	snprintf(slot->key, sizeof(slot->key), "detectors[%zu].options", i);
	slot->use = make_use(settings, slot->key, services);
	ret = override_options(slot, settings, services);
	if (ret)
		return ret;
	ret = plugin_shelf_get(services->shelf, generation->settings->plugin_path, settings->name,
			       SLUICE_PLUGIN_DETECTOR, &slot->plugin, &err);
	if (!ret)
		ret = plugin_detector_new(slot->plugin, &slot->use, errors, &slot->instance, &err);
	if (ret) {
		note(generation, settings, errors, before, NULL, &err);
		return ret;
	}
	*detector = (struct engine_detector){
		.name = settings->name,
		.enforce = settings->enforce,
		.weight = settings->weight,
		.ops = plugin_detector_ops(slot->plugin),
		.self = plugin_instance_self(slot->instance),
		.instance = slot->instance,
		.budget_ns = settings->budget_ns,
	};
	return services->isolate ? detector_thread_new(detector->ops, detector->self,
						       slot->instance, &detector->thread)
				 : 0;
}

/* Each override must have a detector. */
static int check_overrides(const struct generation *generation,
			   const struct generation_services *services, struct config_errors *errors)
{
	const struct settings *settings = generation->settings;
	int ret = 0;

	for (size_t i = 0; i < services->n_overrides; i++) {
		const char *wanted = services->overrides[i].detector;
		size_t j = 0;

		while (j < settings->n_detectors && strcmp(settings->detectors[j].name, wanted))
			j++;
		if (j < settings->n_detectors)
			continue;
		config_errors_add(errors, generation->path, 0, 0, "detectors",
				  "there is no detector '%s' whose options could be set", wanted);
		ret = -EINVAL;
	}
	return ret;
}

static int load_detectors(struct generation *generation, const struct generation_services *services,
			  struct config_errors *errors)
{
	int ret = check_overrides(generation, services, errors);

	if (ret)
		return ret;
	generation->n_slots = generation->settings->n_detectors;
	generation->slots = calloc(generation->n_slots + 1, sizeof(*generation->slots));
	generation->detectors = calloc(generation->n_slots + 1, sizeof(*generation->detectors));
	if (!generation->slots || !generation->detectors) {
		generation->n_slots = 0;
		return -ENOMEM;
	}
	/* All of them, so that the operator sees everything that is wrong at once. */
	for (size_t i = 0; i < generation->n_slots; i++) {
		int one = load_detector(generation, i, services, errors);

		ret = ret ? ret : one;
	}
	return ret;
}

static int load_backend(struct generation *generation, const struct generation_services *services,
			struct config_errors *errors)
{
	const struct settings_plugin *settings = &generation->settings->offload.backend;
	size_t before = errors->count;
	struct sluice_err err;
	int ret;

	if (!generation->settings->offload.enabled)
		return 0;
	err_init(&err);
	generation->backend_use = make_use(settings, "offload.options", services);
	ret = plugin_shelf_get(services->shelf, generation->settings->plugin_path, settings->name,
			       SLUICE_PLUGIN_BACKEND, &generation->backend, &err);
	if (!ret)
		ret = config_new(plugin_manifest(generation->backend), settings->options,
				 "offload.options", errors, &generation->backend_config);
	if (ret)
		note(generation, settings, errors, before, NULL, &err);
	return ret;
}

int generation_load(const char *path, const struct generation_services *services,
		    struct config_errors *errors, struct generation **out)
{
	struct generation *generation = calloc(1, sizeof(*generation));
	int ret, backend_ret;

	if (!generation)
		return -ENOMEM;
	generation->path = strdup(path);
	ret = generation->path ? settings_load(path, errors, &generation->settings) : -ENOMEM;
	if (ret)
		goto out_free;
	ret = load_detectors(generation, services, errors);
	backend_ret = load_backend(generation, services, errors);
	ret = ret ? ret : backend_ret;
	if (ret)
		goto out_free;
	*out = generation;
	return 0;

out_free:
	if (ret == -ENOMEM && errors->count == 0)
		config_errors_add(errors, path, 0, 0, NULL, "no memory");
	generation_free(generation);
	return ret;
}

static void drop(struct generation *generation)
{
	if (atomic_fetch_sub(&generation->held, 1) != 1)
		return;
	config_free(generation->backend_config);
	for (size_t i = 0; i < generation->n_slots; i++)
		config_node_free(generation->slots[i].options);
	free(generation->slots);
	free(generation->detectors);
	settings_free(generation->settings);
	free(generation->path);
	free(generation);
}

/* Also on the thread of a detector that came back too late. */
static void slot_free(void *ctx)
{
	struct slot *slot = ctx;

	plugin_instance_free(slot->instance);
	drop(slot->generation);
}

/* How long a detector may take for its end. */
#define END_LIMIT_NS 1000000000

static void end(void *ctx)
{
	const struct slot *slot = ctx;

	plugin_detector_end(slot->instance);
}

static void leave(void *ctx)
{
	const struct slot *slot = ctx;

	log_write(slot->use.logger, SLUICE_LOG_WARNING,
		  "detector '%s': its end does not come back after %d s; left behind",
		  plugin_name(slot->plugin), END_LIMIT_NS / 1000000000);
	plugin_instance_retire(slot->instance);
}

/* A detector that hangs in its end holds up neither a reload nor the daemon's. */
static void slot_end(void *ctx)
{
	const struct patience call = { end, leave, slot_free, ctx, END_LIMIT_NS };

	if (patience_run(&call))
		slot_free(ctx);
}

void generation_free(struct generation *generation)
{
	if (!generation)
		return;
	atomic_init(&generation->held, generation->n_slots + 1);
	for (size_t i = 0; i < generation->n_slots; i++) {
		struct slot *slot = &generation->slots[i];
		struct detector_thread *thread = generation->detectors[i].thread;

		slot->generation = generation;
		if (!thread) {
			(slot->instance ? slot_end : slot_free)(slot);
			continue;
		}
		/* Before it can come back, after which the instance is no more. */
		if (detector_thread_is_busy(thread)) {
			plugin_instance_retire(slot->instance);
			detector_thread_free(thread, slot_free, slot);
		} else {
			detector_thread_free(thread, slot_end, slot);
		}
	}
	drop(generation);
}

static void refuse_interface(const struct generation *generation, size_t i,
			     struct config_errors *errors)
{
	const struct settings_interface *interface = &generation->settings->interfaces[i];
	char key[40], hint[IFNAMSIZ + 20] = "", nearest[IFNAMSIZ];

	if (interface_nearest(interface->name, nearest))
		snprintf(hint, sizeof(hint), "did you mean '%s'? ", nearest);
	snprintf(key, sizeof(key), "interfaces[%zu]", i);
	config_errors_add(errors, generation->path, interface->line, interface->column, key,
			  "interface '%s': no such interface (-ENODEV); %s`ip link` lists them",
			  interface->name, hint);
}

static int check_interfaces(const struct generation *generation, struct config_errors *errors)
{
	const struct settings *settings = generation->settings;
	int ret = 0;

	for (size_t i = 0; i < settings->n_interfaces; i++) {
		if (if_nametoindex(settings->interfaces[i].name) != 0)
			continue;
		refuse_interface(generation, i, errors);
		ret = -ENODEV;
	}
	return ret;
}

static int check_group(const struct generation *generation, struct config_errors *errors)
{
	const struct settings_control *control = &generation->settings->control;
	struct sluice_err err;
	gid_t gid;
	int ret = listener_find_group(control->group, &gid, &err);

	if (ret)
		config_errors_add(errors, generation->path, control->group_line,
				  control->group_column, "control.group", "%s", err.text);
	return ret;
}

int generation_check_host(const struct generation *generation, struct config_errors *errors)
{
	int interfaces_ret = check_interfaces(generation, errors);
	int group_ret = check_group(generation, errors);

	return interfaces_ret ? interfaces_ret : group_ret;
}

const struct settings *generation_settings(const struct generation *generation)
{
	return generation->settings;
}

const struct engine_detector *generation_detectors(const struct generation *generation, size_t *n)
{
	*n = generation->n_slots;
	return generation->detectors;
}

struct dataplane_features generation_features(const struct generation *generation)
{
	const struct settings *settings = generation->settings;
	double samples =
		(double)settings->features.samples_per_second * (double)settings->window_ns / 1e9;
	struct dataplane_features features = {
		.max_flows = settings->features.flows,
		.max_destinations = settings->features.destinations,
		.samples_per_window = samples < 1 ? 1 : (uint32_t)samples,
	};

	for (size_t i = 0; i < generation->n_slots; i++) {
		const struct manifest *manifest = plugin_manifest(generation->slots[i].plugin);
		const struct sluice_config *config =
			plugin_instance_config(generation->slots[i].instance);
		const char *name;

		for (size_t j = 0; j < manifest_n_features(manifest); j++)
			features.loaded |= dataplane_feature_find(manifest_feature(manifest, j));
		for (size_t j = 0; (name = config_feature(config, j)); j++)
			features.loaded |= dataplane_feature_find(name);
	}
	return features;
}

struct plugin *generation_backend(const struct generation *generation)
{
	return generation->backend;
}

const struct sluice_config *generation_backend_config(const struct generation *generation)
{
	return generation->backend_config;
}

const struct plugin_use *generation_backend_use(const struct generation *generation)
{
	return &generation->backend_use;
}

/* The two, of one plugin, change places; each place keeps its options and its name. */
static void swap_instances(struct generation *a, size_t i, struct generation *b, size_t j)
{
	struct slot *sa = &a->slots[i], *sb = &b->slots[j];
	struct engine_detector *da = &a->detectors[i], *db = &b->detectors[j];
	struct sluice_instance *instance = sa->instance;
	struct detector_thread *thread = da->thread;

	sa->instance = da->instance = sb->instance;
	da->self = plugin_instance_self(sa->instance);
	da->thread = db->thread;
	sb->instance = db->instance = instance;
	db->self = plugin_instance_self(sb->instance);
	db->thread = thread;
}

static bool hangs(const struct slot *slot)
{
	const struct generation *generation = slot->generation;
	struct detector_thread *thread = generation->detectors[slot - generation->slots].thread;

	return thread && detector_thread_is_busy(thread);
}

static bool run_on_thread(void *ctx, const struct patience *call)
{
	return detector_thread_run(ctx, call);
}

static void tell_of_hanging(const struct plugin_use *use, const struct sluice_err *err)
{
	log_write(use->logger, SLUICE_LOG_WARNING, "%s; left behind, a new one takes its place",
		  err->text);
}

/*
 * Offers the instance of `slot` the options of `use`, on the detector's own thread: should it hang
 * there, it is as busy as one that hangs over a window.
 */
static int reconfigure(const struct slot *slot, const struct plugin_use *use)
{
	const struct generation *generation = slot->generation;
	struct detector_thread *thread = generation->detectors[slot - generation->slots].thread;
	struct sluice_err err;
	int rc = plugin_detector_reconfigure(slot->instance, use, thread ? run_on_thread : NULL,
					     thread, &err);

	if (rc == -ETIMEDOUT)
		tell_of_hanging(use, &err);
	return rc;
}

/* True if the instance of `from` goes on with the options of `slot`. */
static bool keeps(struct slot *from, const struct slot *slot)
{
	if (config_equal(plugin_instance_config(from->instance),
			 plugin_instance_config(slot->instance)))
		return true;
	return !slot->would_hang && reconfigure(from, &slot->use) == 1;
}

/*
 * Options that a running instance refuses were accepted by a fresh one a moment ago, which is then
 * used: it has to learn anew, but nothing is half in force.
 */
static void inherit_slot(struct generation *generation, size_t i, struct generation *old)
{
	struct slot *slot = &generation->slots[i];

	for (size_t j = 0; j < old->n_slots; j++) {
		struct slot *from = &old->slots[j];

		if (from->given || slot->plugin != from->plugin)
			continue;
		if (!hangs(from) && keeps(from, slot)) {
			swap_instances(generation, i, old, j);
			from->given = true;
			from->given_to = i;
		}
		return;
	}
}

const char *generation_fate_name(enum generation_fate_kind what)
{
	static const char *const names[] = { "added",	     "removed",	  "kept",
					     "reconfigured", "recreated", "replaced" };

	return names[what];
}

/* Of that name, in whatever build. */
static const struct slot *find_plugin(const struct generation *generation,
				      const struct plugin *plugin)
{
	for (size_t i = 0; i < generation->n_slots; i++)
		if (strcmp(plugin_name(generation->slots[i].plugin), plugin_name(plugin)) == 0)
			return &generation->slots[i];
	return NULL;
}

static void end_trial(void *instance)
{
	plugin_detector_end(instance);
}

static void leave_trial(void *instance)
{
	plugin_instance_retire(instance);
}

static void free_trial(void *instance)
{
	plugin_instance_free(instance);
}

/* Would an instance with the options of `from` take those of `slot`?  Asks a fresh one. */
static bool would_take(const struct slot *from, struct slot *slot)
{
	struct plugin_use before = from->use, after = slot->use;
	struct patience call = { end_trial, leave_trial, free_trial, NULL, END_LIMIT_NS };
	struct sluice_instance *instance = NULL;
	struct sluice_err err;
	int rc;

	before.logger = after.logger = NULL;
	if (plugin_detector_new(from->plugin, &before, NULL, &instance, NULL) != 0)
		return false;
	rc = plugin_detector_reconfigure(instance, &after, NULL, NULL, &err);
	call.ctx = instance;
	slot->would_hang = rc == -ETIMEDOUT;
	if (slot->would_hang)
		tell_of_hanging(&slot->use, &err);
	if (rc == -ETIMEDOUT || patience_run(&call))
		plugin_instance_free(instance);
	return rc == 1;
}

/* One of the two may be NULL. */
static struct generation_fate foresee(const struct plugin *plugin, const struct slot *from,
				      struct slot *slot)
{
	struct generation_fate fate = {
		.name = plugin_name(plugin),
		.what = slot ? GENERATION_ADDED : GENERATION_REMOVED,
		.before = from ? plugin_instance_config(from->instance) : NULL,
		.after = slot ? plugin_instance_config(slot->instance) : NULL,
	};

	if (!from || !slot)
		return fate;
	if (from->plugin != slot->plugin)
		fate.what = GENERATION_REPLACED;
	else if (hangs(from))
		fate.what = GENERATION_RECREATED;
	else if (config_equal(fate.before, fate.after))
		fate.what = GENERATION_KEPT;
	else
		fate.what = would_take(from, slot) ? GENERATION_RECONFIGURED : GENERATION_RECREATED;
	return fate;
}

void generation_foresee(struct generation *generation, const struct generation *old,
			void (*tell)(void *ctx, const struct generation_fate *fate), void *ctx)
{
	struct generation_fate fate;

	for (size_t i = 0; i < generation->n_slots; i++) {
		struct slot *slot = &generation->slots[i];

		fate = foresee(slot->plugin, find_plugin(old, slot->plugin), slot);
		tell(ctx, &fate);
	}
	for (size_t j = 0; j < old->n_slots; j++) {
		if (find_plugin(generation, old->slots[j].plugin))
			continue;
		fate = foresee(old->slots[j].plugin, &old->slots[j], NULL);
		tell(ctx, &fate);
	}
}

void generation_inherit(struct generation *generation, struct generation *old)
{
	for (size_t i = 0; i < generation->n_slots; i++)
		inherit_slot(generation, i, old);
}

void generation_return(struct generation *generation, struct generation *old)
{
	for (size_t j = 0; j < old->n_slots; j++) {
		struct slot *slot = &old->slots[j];

		if (!slot->given)
			continue;
		swap_instances(generation, slot->given_to, old, j);
		slot->given = false;
		/* It accepted them before; should it refuse now, it works by those that it has. */
		(void)!reconfigure(slot, &slot->use);
	}
	generation_free(generation);
}
