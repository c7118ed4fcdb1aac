/* SPDX-License-Identifier: BSD-2-Clause */
/* An engine among fakes: see rig.h. */
#include "rig.h"

#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

static uint64_t fake_monotonic(void *ctx)
{
	return ((const struct rig *)ctx)->now_ns;
}

static uint64_t fake_boottime(void *ctx)
{
	return ((const struct rig *)ctx)->now_ns + RIG_BOOTTIME_AHEAD_NS;
}

static uint64_t fake_realtime(void *ctx)
{
	return ((const struct rig *)ctx)->now_ns + RIG_REALTIME_AHEAD_NS;
}

static void note_event(void *ctx, const struct event *event)
{
	struct rig *rig = ctx;

	if (rig->n_events == rig->events_capacity) {
		rig->events_capacity = rig->events_capacity ? rig->events_capacity * 2 : 64;
		rig->events = realloc(rig->events, rig->events_capacity * sizeof(*rig->events));
		cr_assert(rig->events);
	}
	rig->events[rig->n_events++] = *event;
}

static void fake_known_start(void *ctx)
{
	((struct rig *)ctx)->n_known_starts++;
}

static int fake_known_refresh(void *ctx)
{
	struct rig *rig = ctx;

	if (rig->known_busy) {
		rig->known_busy--;
		return -EAGAIN;
	}
	if (rig->known_code)
		return rig->known_code;
	memcpy(rig->known_now, rig->known_next, sizeof(rig->known_now));
	rig->n_known_now = rig->n_known_next;
	return 0;
}

static uint64_t fake_known_cost(void *ctx)
{
	return ((struct rig *)ctx)->known_cost_ns;
}

static void fake_known_count(void *ctx, struct engine_known_count *count)
{
	const struct rig *rig = ctx;

	*count = (struct engine_known_count){ .total = rig->n_known_now,
					      .left_out = rig->known_left_out };
}

static bool fake_known_contains(void *ctx, const struct sluice_key *key)
{
	const struct rig *rig = ctx;

	for (size_t i = 0; i < rig->n_known_now; i++) {
		struct sluice_key unit = address_mask(&rig->known_now[i], rig->dp.v6_prefix_len);

		if (address_equal(&rig->known_now[i], key) ||
		    (key->family == SLUICE_FAMILY_IPV6 && address_equal(&unit, key)))
			return true;
	}
	return false;
}

static const struct sluice_key *fake_known_list(void *ctx, size_t *n)
{
	const struct rig *rig = ctx;

	*n = rig->n_known_now;
	return rig->known_now;
}

static int fake_resolve(void *ctx, struct system_addresses *list)
{
	struct rig *rig = ctx;

	if (rig->addresses_code)
		return rig->addresses_code;
	for (size_t i = 0; i < rig->n_addresses; i++) {
		int rc = system_addresses_add(list, rig->addresses[i].kind, &rig->addresses[i].key);

		if (rc)
			return rc;
	}
	return 0;
}

static void propose(struct rig_detector *detector, const struct rig_wish *wish)
{
	const struct sluice_proposal proposal = {
		.size = sizeof(proposal),
		.key = wish->key,
		.packets_per_second = wish->pps,
		.reason = wish->reason ? wish->reason : "source_rate",
		.evidence = wish->evidence ? wish->evidence : "more than the limit",
	};

	detector->last_propose = engine_propose(detector->rig->engine,
						(struct sluice_instance *)detector, &proposal);
}

static void propose_rule(struct rig_detector *detector, struct rig_rule_wish *wish)
{
	wish->proposal.match = &wish->match;
	detector->last_propose = engine_propose_rule(
		detector->rig->engine, (struct sluice_instance *)detector, &wish->proposal);
}

static void look_at_rules(struct rig_detector *detector, const struct sluice_window *window)
{
	detector->n_seen_rules = 0;
	for (size_t i = 0; i < window->n_rules && i < RIG_RULE_WISHES; i++)
		detector->seen_rules[detector->n_seen_rules++] = *sluice_window_rule(window, i);
}

static void look(struct rig_detector *detector, const struct sluice_window *window,
		 struct sluice_verdict *verdict)
{
	for (size_t i = 0; i < window->n_sources; i++) {
		const struct sluice_source *source = sluice_window_source(window, i);
		struct rig_wish wish = { source->key, source->packets, NULL, NULL };

		detector->seen_sources_packets += source->packets;
		detector->seen_flags |= source->flags;
		if (!detector->limit_pps || source->packets <= detector->limit_pps ||
		    source->flags & SLUICE_SOURCE_KNOWN)
			continue;
		propose(detector, &wish);
		verdict->attack = true;
	}
	for (size_t i = 0; i < window->n_blocked; i++) {
		detector->seen_blocked_packets += sluice_window_blocked(window, i)->packets;
		detector->seen_blocked_hw += sluice_window_blocked(window, i)->hw_packets;
	}
}

static int fake_observe(void *self, const struct sluice_window *window,
			struct sluice_verdict *verdict)
{
	struct rig_detector *detector = self;

	detector->calls++;
	detector->rig->now_ns += detector->takes_ns;
	detector->seen = *window;
	detector->seen_sources_packets = 0;
	detector->seen_blocked_packets = 0;
	detector->seen_blocked_hw = 0;
	detector->seen_flags = 0;
	verdict->attack = detector->attack;
	verdict->score = detector->score;
	snprintf(verdict->evidence, sizeof(verdict->evidence), "seen by %s", detector->name);
	look(detector, window, verdict);
	for (size_t i = 0; i < detector->n_wishes; i++)
		propose(detector, &detector->wishes[i]);
	detector->n_wishes = 0;
	look_at_rules(detector, window);
	for (size_t i = 0; i < detector->n_rule_wishes; i++)
		propose_rule(detector, &detector->rule_wishes[i]);
	detector->n_rule_wishes = 0;
	return detector->code;
}

static const struct sluice_detector_ops detector_ops = {
	.size = sizeof(detector_ops),
	.observe = fake_observe,
};

static void set_settings(struct rig *rig)
{
	rig->settings = (struct settings){
		.window_ns = RIG_WINDOW_NS,
		.enforce = true,
		.allow = rig->allow,
		.max_sources = 4096,
		.policy = {
			.max_blocked = 1000000,
			.max_new_per_window = 50000,
			.ttl_ns = 600 * RIG_WINDOW_NS,
			.backoff = 2.0,
			.v6_prefix_len = 64,
			.protect_known = true,
			.max_rules_auto = 32,
			.max_new_rules_per_window = 8,
			.rule_quiet_ns = 5 * RIG_WINDOW_NS,
			.votes = 1.0,
		},
		.rate_monitor = { .quiet_pps = 10, .windows = 5 },
	};
}

struct rig *rig_new(void)
{
	struct rig *rig = calloc(1, sizeof(*rig));

	cr_assert(rig);
	fake_dataplane_init(&rig->dp);
	set_settings(rig);
	rig->now_ns = 1000 * RIG_WINDOW_NS;
	rig->clock = (struct clock_source){ fake_monotonic, fake_boottime, fake_realtime, rig };
	rig->sink = (struct event_sink){ note_event, rig };
	rig->known = (struct engine_known){
		.start = fake_known_start,
		.refresh = fake_known_refresh,
		.contains = fake_known_contains,
		.ctx = rig,
		.list = fake_known_list,
		.count = fake_known_count,
		.cost_ns = fake_known_cost,
	};
	rig->resolver = (struct engine_addresses){ fake_resolve, rig };
	rig_add_detector(rig, "limit", true);
	rig->options = (struct engine_options){
		.settings = &rig->settings,
		.dataplane = &rig->dp.dp,
		.addresses = &rig->resolver,
		.clock = &rig->clock,
		.events = &rig->sink,
	};
	return rig;
}

void rig_free(struct rig *rig)
{
	engine_free(rig->engine);
	cr_expect_eq(rig->dp.violations, 0, "something blocked was allow-listed %u times",
		     rig->dp.violations);
	cr_expect_eq(rig->dp.n_closes, 0, "the engine does not own the data plane");
	for (size_t i = 0; i < RIG_DETECTORS; i++)
		free(rig->detectors[i].wishes);
	fake_dataplane_fini(&rig->dp);
	free(rig->events);
	free(rig);
}

struct rig_detector *rig_add_detector(struct rig *rig, const char *name, bool enforce)
{
	struct rig_detector *detector = &rig->detectors[rig->n_detectors++];

	cr_assert_leq(rig->n_detectors, (size_t)RIG_DETECTORS);
	detector->rig = rig;
	detector->enforce = enforce;
	detector->weight = 1.0;
	snprintf(detector->name, sizeof(detector->name), "%s", name);
	return detector;
}

struct engine_options rig_options(struct rig *rig)
{
	for (size_t i = 0; i < rig->n_detectors; i++)
		rig->engine_detectors[i] = (struct engine_detector){
			.name = rig->detectors[i].name,
			.enforce = rig->detectors[i].enforce,
			.weight = rig->detectors[i].weight,
			.ops = &detector_ops,
			.self = &rig->detectors[i],
			.instance = (struct sluice_instance *)&rig->detectors[i],
		};
	rig->options.detectors = rig->engine_detectors;
	rig->options.n_detectors = rig->n_detectors;
	return rig->options;
}

void rig_start(struct rig *rig)
{
	struct engine_options options = rig_options(rig);
	struct sluice_err err = { 0 };
	int rc = engine_new(&options, &rig->engine, &err);

	cr_assert_eq(rc, 0, "%s", err.text);
}

void rig_use_known(struct rig *rig)
{
	rig->options.known = &rig->known;
}

void rig_use_card(struct rig *rig)
{
	rig->options.offload = &rig->card;
}

void rig_advance(struct rig *rig, uint64_t ns)
{
	rig->now_ns += ns;
}

void rig_window(struct rig *rig)
{
	uint64_t next_ns = engine_next_ns(rig->engine);

	if (next_ns > rig->now_ns)
		rig->now_ns = next_ns;
	cr_assert_eq(engine_step(rig->engine), 0);
}

void rig_windows(struct rig *rig, unsigned int n)
{
	while (n--)
		rig_window(rig);
}

void rig_send(struct rig *rig, const char *source, uint64_t packets)
{
	struct sluice_key key = key_of(source);

	fake_dataplane_send(&rig->dp, &key, packets);
}

void rig_wish_of(struct rig *rig, size_t i, const struct sluice_key *key, uint64_t pps)
{
	struct rig_detector *detector = &rig->detectors[i];

	if (detector->n_wishes == detector->wishes_capacity) {
		size_t capacity = detector->wishes_capacity ? detector->wishes_capacity * 2 : 64;

		detector->wishes = realloc(detector->wishes, capacity * sizeof(struct rig_wish));
		cr_assert(detector->wishes);
		detector->wishes_capacity = capacity;
	}
	detector->wishes[detector->n_wishes++] = (struct rig_wish){ *key, pps, NULL, NULL };
}

void rig_wish(struct rig *rig, const char *source, uint64_t pps)
{
	struct sluice_key key = key_of(source);

	rig_wish_of(rig, 0, &key, pps);
}

struct rig_rule_wish *rig_wish_rule(struct rig *rig, size_t i, uint16_t source_port, uint64_t pps)
{
	struct rig_detector *detector = &rig->detectors[i];
	struct rig_rule_wish *wish = &detector->rule_wishes[detector->n_rule_wishes++];

	cr_assert_leq(detector->n_rule_wishes, (size_t)RIG_RULE_WISHES);
	*wish = (struct rig_rule_wish){
		.match = {
			.size = sizeof(wish->match),
			.fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_SOURCE_PORT,
			.protocol = 17,
			.source_port = { source_port, source_port },
		},
		.proposal = {
			.size = sizeof(wish->proposal),
			.packets_per_second = pps,
			.reason = "reflection",
			.evidence = "many answers, no questions",
		},
	};
	return wish;
}

const struct dataplane_rule *rig_rule(const struct rig *rig, uint16_t source_port)
{
	for (size_t i = 0; i < rig->dp.n_rules; i++) {
		const struct dataplane_rule *rule = &rig->dp.rules[i].rule;

		if (rule->is_automatic && rule->match.source_port.from == source_port)
			return rule;
	}
	return NULL;
}

void rig_send_port(struct rig *rig, const char *source, uint16_t source_port, uint64_t packets)
{
	struct sluice_key key = key_of(source);

	fake_dataplane_send_from_port(&rig->dp, &key, source_port, packets);
}

void rig_block(struct rig *rig, const char *source, uint64_t pps)
{
	rig_wish(rig, source, pps);
	rig_window(rig);
	cr_assert(rig_is_blocked(rig, source), "%s", source);
}

void rig_know(struct rig *rig, const char *address)
{
	cr_assert_lt(rig->n_known_next, (size_t)RIG_KNOWN);
	rig->known_next[rig->n_known_next++] = key_of(address);
}

void rig_own(struct rig *rig, enum system_address_kind kind, const char *address)
{
	cr_assert_lt(rig->n_addresses, (size_t)RIG_ADDRESSES);
	rig->addresses[rig->n_addresses++] = (struct system_address){ kind, key_of(address) };
}

void rig_allow_prefix(struct rig *rig, const char *prefix)
{
	cr_assert_lt(rig->settings.n_allow, (size_t)RIG_ALLOW);
	rig->allow[rig->settings.n_allow++] = (struct settings_allow){
		.kind = SETTINGS_ALLOW_PREFIX,
		.prefix = key_of(prefix),
	};
}

struct sluice_key key_of(const char *text)
{
	struct sluice_err err = { 0 };
	struct sluice_key key;

	cr_assert_eq(address_parse_prefix(text, 0, &key, &err), 0, "%s: %s", text, err.text);
	return key;
}

struct sluice_key key_number(uint32_t n)
{
	const uint8_t addr[4] = { 10, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

	return address_from_ipv4(addr, 32);
}

bool rig_is_blocked(const struct rig *rig, const char *source)
{
	struct sluice_key key = key_of(source), unit;

	unit = address_mask(&key, key.family == SLUICE_FAMILY_IPV6 ? rig->dp.v6_prefix_len : 32);
	return fake_dataplane_blocked(&rig->dp, &unit) != NULL;
}

struct engine_explanation rig_explain(struct rig *rig, const char *source)
{
	struct engine_explanation explanation;
	struct sluice_key key = key_of(source);

	cr_assert_eq(engine_explain(rig->engine, &key, &explanation), 0);
	return explanation;
}

enum engine_state rig_state(struct rig *rig, const char *source)
{
	return rig_explain(rig, source).state;
}

struct engine_status rig_status(struct rig *rig)
{
	struct engine_status status;

	engine_status(rig->engine, &status);
	return status;
}

uint64_t rig_boottime(const struct rig *rig)
{
	return rig->now_ns + RIG_BOOTTIME_AHEAD_NS;
}

size_t rig_events(const struct rig *rig, enum event_kind kind)
{
	size_t n = 0;

	for (size_t i = 0; i < rig->n_events; i++)
		n += rig->events[i].kind == kind;
	return n;
}

uint64_t rig_event_count(const struct rig *rig, enum event_kind kind)
{
	uint64_t n = 0;

	for (size_t i = 0; i < rig->n_events; i++)
		n += rig->events[i].kind == kind ? rig->events[i].count : 0;
	return n;
}

const char *rig_event_text(const struct rig *rig, enum event_kind kind)
{
	for (size_t i = rig->n_events; i-- > 0;)
		if (rig->events[i].kind == kind)
			return rig->events[i].text;
	return "";
}

void rig_forget_events(struct rig *rig)
{
	rig->n_events = 0;
}
