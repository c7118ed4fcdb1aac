/* SPDX-License-Identifier: BSD-2-Clause */
/* Making, changing and ending an engine; see step.c for what it does in a window. */
#include "engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "adopt.h"
#include "base/clock.h"
#include "base/err.h"
#include "detector_thread.h"
#include "internal.h"

#define CANDIDATES_REMEMBERED (1u << 16)
/* Sources of one window, however many CPUs and families bring them. */
#define SOURCES_MAX (1u << 22)

struct blocklist_terms engine_terms(const struct engine *engine)
{
	return (struct blocklist_terms){
		.ttl_ns = engine->settings->policy.ttl_ns,
		.backoff = engine->settings->policy.backoff,
	};
}

bool engine_is_known(const struct engine *engine, const struct sluice_key *key)
{
	return engine->has_known && engine->known.contains(engine->known.ctx, key);
}

bool engine_unit(const struct engine *engine, const struct sluice_key *key, struct sluice_key *unit)
{
	unsigned int length =
		key->family == SLUICE_FAMILY_IPV4 ? 32 : engine->settings->policy.v6_prefix_len;

	if (key->prefix_len < length)
		return false;
	*unit = address_mask(key, length);
	return true;
}

uint64_t engine_next_ns(const struct engine *engine)
{
	return engine->next_ns;
}

int engine_propose(struct engine *engine, struct sluice_instance *instance,
		   const struct sluice_proposal *proposal)
{
	struct detector_thread *thread = detector_thread_current();

	if (thread)
		return detector_thread_propose(thread, instance, proposal);
	/* Only for the detector that is being asked, and only while it is. */
	if (!engine->detect.calling || engine->detect.calling->detector.instance != instance)
		return -EINVAL;
	return proposals_add(engine->proposals, &engine->names, proposal);
}

int engine_propose_rule(struct engine *engine, struct sluice_instance *instance,
			const struct sluice_rule_proposal *proposal)
{
	struct detector_thread *thread = detector_thread_current();
	const char *why;

	if (thread)
		return detector_thread_propose_rule(thread, instance, proposal);
	if (!engine->detect.calling || engine->detect.calling->detector.instance != instance)
		return -EINVAL;
	return rule_wishes_add(&engine->rule_wishes, &engine->names, proposal, &why);
}

static void take_services(struct engine *engine, const struct engine_options *options)
{
	engine->settings = options->settings;
	engine->dp = options->dataplane;
	engine->offload = options->offload;
	engine->has_known = options->known != NULL;
	if (options->known)
		engine->known = *options->known;
	engine->known_asked = 0;
	engine->clock = options->clock;
	engine->events = options->events;
}

static size_t most_sources(const struct settings *settings)
{
	/* Both families, and CPUs that each see others. */
	size_t most = 4 * (size_t)settings->max_sources;

	return most < SOURCES_MAX ? most : SOURCES_MAX;
}

static int make_parts(struct engine *engine, const struct engine_options *options)
{
	int rc;

	name_table_init(&engine->names);
	engine->operator_id = name_table_intern(&engine->names, "operator");
	engine->manual_id = name_table_intern(&engine->names, "manual");
	prefix_list_init(&engine->prefixes);
	rate_monitor_init(&engine->rate_monitor);
	attack_init(&engine->attack);
	min_pass_init(&engine->min_pass);
	report_init(&engine->report);
	spoofed_init(&engine->spoofed);
	rc = seen_init(&engine->seen, &engine->secret);
	if (!rc)
		rc = aggregate_new(most_sources(engine->settings), &engine->aggregate);
	if (!rc)
		rc = blocklist_new(engine->dp, &engine->names, &engine->secret, &engine->blocklist);
	if (!rc)
		rc = history_new(CANDIDATES_REMEMBERED, &engine->secret, &engine->candidates);
	if (!rc)
		rc = proposals_new(&engine->secret, &engine->proposals);
	if (!rc)
		rc = allow_new(options->addresses, &engine->allow);
	if (!rc)
		rc = detect_init(&engine->detect, options->detectors, options->n_detectors, NULL,
				 &engine->names);
	return rc;
}

static int adopt(struct engine *engine, struct sluice_err *err)
{
	const struct adopt_options options = {
		.dp = engine->dp,
		.now_ns = engine_boottime_ns(engine),
		.ttl_ns = engine->settings->policy.ttl_ns,
		.v6_prefix_len = engine->settings->policy.v6_prefix_len,
		.lapsed = engine->dp->lapsed,
	};
	char damage[128] = "";
	struct adopt_result result;
	int rc = adopt_all(&options, engine->blocklist, &engine->prefixes, &result, err);

	if (rc)
		return rc;
	engine->inherited = result.sources > 0;
	if (result.dropped || result.repaired)
		snprintf(damage, sizeof(damage),
			 "; %u records were damaged and put right, %u could not be kept and were "
			 "unblocked",
			 result.repaired, result.dropped);
	event_emit(engine->events, EVENT_KIND_ADOPTED,
		   result.dropped || result.repaired ? SLUICE_LOG_WARNING : SLUICE_LOG_NOTICE, NULL,
		   1, "engine", "took over %u blocked sources and %u prefixes%s", result.sources,
		   result.prefixes, damage);
	if (result.lapsed)
		event_emit(engine->events, EVENT_KIND_RELEASED, SLUICE_LOG_NOTICE, NULL,
			   result.lapsed, "engine",
			   "%u automatic blocks had lapsed while no daemon was there (on_death)",
			   result.lapsed);
	return 0;
}

/*
 * Begins the first window.  The swap throws away what was counted while nobody read it: minutes
 * without a daemon would look like one window of enormous rates.
 */
static int begin(struct engine *engine, struct sluice_err *err)
{
	struct dataplane_swap swap = { 0 };
	int rc = engine->dp->ops->swap(engine->dp, &swap, err);

	if (rc)
		return rc;
	engine->dp->ops->counters_read(engine->dp, &engine->counters);
	engine->window.size = sizeof(engine->window);
	engine->started_ns = clock_monotonic_ns(engine->clock);
	engine->next_ns = engine->started_ns + engine->settings->window_ns;
	return 0;
}

int engine_new(const struct engine_options *options, struct engine **out, struct sluice_err *err)
{
	struct engine *engine = calloc(1, sizeof(*engine));
	bool changed;
	int rc;

	if (!engine) {
		err_set(err, NULL, "no memory for the engine");
		return -ENOMEM;
	}
	take_services(engine, options);
	if (getrandom(&engine->secret, sizeof(engine->secret), 0) != sizeof(engine->secret)) {
		rc = -EIO;
		err_set(err, NULL, "no randomness from the kernel");
		goto out;
	}
	rc = make_parts(engine, options);
	if (rc) {
		err_set(err, NULL, "no memory for the engine");
		goto out;
	}
	engine->dp->ops->enforce_set(engine->dp, engine->settings->enforce);
	rc = engine->dp->adopted ? adopt(engine, err) : 0;
	if (!rc)
		rc = allow_prepare(engine->allow, engine->settings, true, &changed, err);
	if (!rc)
		rc = release_allowed(engine, err);
	/* Only now, since the data plane has been told who is exempt from rules. */
	/* Before rules are in force that spare them. */
	known_tell(engine);
	if (!rc)
		rc = rule_policy_start(engine, err);
	if (!rc)
		rc = begin(engine, err);
	if (rc)
		goto out;
	*out = engine;
	return 0;
out:
	engine_free(engine);
	return rc;
}

void engine_free(struct engine *engine)
{
	if (!engine)
		return;
	detect_fini(&engine->detect);
	allow_free(engine->allow);
	proposals_free(engine->proposals);
	history_free(engine->candidates);
	blocklist_free(engine->blocklist);
	prefix_list_fini(&engine->prefixes);
	aggregate_free(engine->aggregate);
	seen_fini(&engine->seen);
	free(engine->offload_sources);
	free(engine);
}

/* From now on blocks count.  Those noted while they did not were never held to the caps. */
static void enforce_change(struct engine *engine, bool before)
{
	if (!before && engine->settings->enforce)
		release_automatic(engine, "observe mode is over");
	engine->dp->ops->enforce_set(engine->dp, engine->settings->enforce);
	report_flush(&engine->report, engine->events, clock_monotonic_ns(engine->clock));
}

/*
 * The list of the settings in force once more, because what came after the next one failed.  What
 * the next one released stays free until a detector asks for it again.
 */
static void restore_allowed(struct engine *engine)
{
	struct sluice_err err = { .text = "" };
	bool changed;
	int rc = allow_prepare(engine->allow, engine->settings, true, &changed, &err);

	if (!rc && changed)
		rc = release_allowed(engine, &err);
	if (rc)
		event_emit(engine->events, EVENT_KIND_CONFIG_REFUSED, SLUICE_LOG_ERROR, NULL, 1,
			   "engine",
			   "the allow-list of before cannot be restored: %s; tried again "
			   "with the next look at the system",
			   err.text);
}

int engine_reconfigure(struct engine *engine, const struct engine_options *options,
		       struct sluice_err *err)
{
	bool enforce_before = engine->settings->enforce, changed;
	struct detect detect;
	uint64_t next_ns;
	int rc;

	if (options->dataplane != engine->dp ||
	    options->settings->policy.v6_prefix_len != engine->settings->policy.v6_prefix_len) {
		err_set(err, "policy.v6_prefix",
			"the unit of IPv6 sources cannot change while running; restart sluiced "
			"after `sluice detach`");
		return -EINVAL;
	}
	rc = detect_init(&detect, options->detectors, options->n_detectors, &engine->detect,
			 &engine->names);
	if (rc) {
		err_set(err, NULL, "no memory for the detectors");
		return rc;
	}
	rc = allow_prepare(engine->allow, options->settings, false, &changed, err);
	if (!rc && changed)
		rc = release_allowed(engine, err);
	/* The last step that may fail; it leaves the old rules in force then. */
	if (!rc) {
		rc = rule_set_apply(&engine->rule_set, engine->dp, options->settings,
				    &engine->auto_rules, err);
		if (rc)
			restore_allowed(engine);
	}
	if (rc) {
		detect_fini(&detect);
		return rc;
	}
	allow_forget_added(engine->allow, 0);
	detect_fini(&engine->detect);
	engine->detect = detect;
	/* Those that wait carry the old detectors' right to enforce. */
	proposals_keep(engine->proposals, 0);
	engine->rules_changed = false;
	take_services(engine, options);
	next_ns = clock_monotonic_ns(engine->clock) + engine->settings->window_ns;
	if (engine->next_ns > next_ns)
		engine->next_ns = next_ns;
	enforce_change(engine, enforce_before);
	return 0;
}
