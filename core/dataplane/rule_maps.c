/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule_maps.h. */
#include "rule_maps.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "grace.h"
#include "rule_compile.h"
#include "rule_record.h"
#include "rules_shared.h"
#include "shared.h"

static struct rules_generation *generation_in_force(const struct rule_maps *maps)
{
	struct rules_generation *generations = maps->generations.memory;

	return &generations[maps->header->rules & 1];
}

static struct rules_name *names_of(const struct rule_maps *maps)
{
	return maps->names.memory;
}

/* Pinned memory may hold anything: what does not end is no name. */
static void settle_names(struct rule_maps *maps)
{
	struct rules_name *names = names_of(maps);

	for (unsigned int slot = 0; slot < RULES_SLOTS; slot++)
		if (!memchr(names[slot].text, 0, RULES_NAME_SIZE))
			memset(&names[slot], 0, sizeof(names[slot]));
}

int rule_maps_open(struct rule_maps *maps, const struct rule_maps_fds *fds,
		   struct sluice_header *header, uint32_t n_cpus, struct sluice_err *err)
{
	int code = mapped_open(&maps->generations, fds->generations, "rules", err);

	maps->header = header;
	maps->n_cpus = n_cpus;
	/* The daemon before may have died within a change. */
	maps->is_unsettled = true;
	if (!code)
		code = mapped_open(&maps->counters, fds->counters, "rule_counts", err);
	if (!code)
		code = mapped_open(&maps->limits, fds->limits, "rule_limits", err);
	if (!code)
		code = mapped_open(&maps->names, fds->names, "rule_names", err);
	if (code)
		return code;
	maps->compiled = malloc(sizeof(*maps->compiled));
	maps->set = calloc(RULES_MAX, sizeof(*maps->set));
	if (!maps->compiled || !maps->set) {
		err_set(err, NULL, "no memory to make rules ready in");
		return -ENOMEM;
	}
	settle_names(maps);
	return 0;
}

void rule_maps_close(struct rule_maps *maps)
{
	mapped_close(&maps->generations);
	mapped_close(&maps->counters);
	mapped_close(&maps->limits);
	mapped_close(&maps->names);
	free(maps->compiled);
	free(maps->set);
	maps->compiled = NULL;
	maps->set = NULL;
}

static int find_slot(const struct rule_maps *maps, const char *name)
{
	const struct rules_name *names = names_of(maps);

	for (int slot = 0; slot < RULES_SLOTS; slot++)
		if (strncmp(names[slot].text, name, RULES_NAME_SIZE) == 0)
			return slot;
	return -ENOENT;
}

static void wipe_slot(struct rule_maps *maps, unsigned int slot)
{
	struct rules_cpu_counters *cpus = maps->counters.memory;
	struct rules_bucket *limits = maps->limits.memory;

	for (uint32_t cpu = 0; cpu < maps->n_cpus; cpu++)
		memset(&cpus[cpu].slot[slot], 0, sizeof(cpus[cpu].slot[slot]));
	memset(&limits[slot], 0, sizeof(limits[slot]));
}

/* Frees the slots of rules that are not in force; nothing counts into them any more. */
static void release_slots(struct rule_maps *maps)
{
	const struct rules_generation *rules = generation_in_force(maps);
	uint32_t n = rules->n < RULES_MAX ? rules->n : RULES_MAX;
	struct rules_name *names = names_of(maps);
	bool is_used[RULES_SLOTS] = { false };

	for (uint32_t i = 0; i < n; i++)
		if (rules->rule[i].slot < RULES_SLOTS)
			is_used[rules->rule[i].slot] = true;
	for (unsigned int slot = 0; slot < RULES_SLOTS; slot++)
		if (!is_used[slot])
			memset(&names[slot], 0, sizeof(names[slot]));
}

/*
 * With the slots of the rules in force and those of the new ones all find room, which is why there
 * are two slots a rule.
 */
static int assign_slots(struct rule_maps *maps, const struct dataplane_rule *rules, size_t n)
{
	struct rules_name *names = names_of(maps);

	for (size_t i = 0; i < n; i++) {
		int slot = find_slot(maps, rules[i].name);

		if (slot < 0) {
			slot = find_slot(maps, "");
			if (slot < 0)
				return -ENOSPC;
			wipe_slot(maps, (unsigned int)slot);
			memcpy(names[slot].text, rules[i].name, RULES_NAME_SIZE);
		}
		rule_record_write(&rules[i], &names[slot].record);
		maps->compiled->rule[i].slot = (__u16)slot;
	}
	return 0;
}

static int settle(struct rule_maps *maps, struct grace *grace, struct sluice_err *err)
{
	int code = grace_wait(grace, err);

	if (code)
		return code;
	maps->is_unsettled = false;
	release_slots(maps);
	return 0;
}

static void put_in_force(struct rule_maps *maps, const struct dataplane_rule *rules, size_t n)
{
	struct sluice_header *header = maps->header;
	struct rules_generation *generations = maps->generations.memory;
	uint32_t next = (header->rules ^ 1) & 1;

	memcpy(&generations[next], maps->compiled, sizeof(*maps->compiled));
	__atomic_store_n(&header->rules, next, __ATOMIC_RELEASE);
	if (n)
		__atomic_fetch_or(&header->flags, SLUICE_HEADER_HAS_RULES, __ATOMIC_RELEASE);
	else
		__atomic_fetch_and(&header->flags, ~(__u32)SLUICE_HEADER_HAS_RULES,
				   __ATOMIC_RELEASE);
	maps->is_unsettled = true;
	memmove(maps->set, rules, n * sizeof(*rules));
	maps->n_set = n;
}

int rule_maps_set(struct rule_maps *maps, struct grace *grace, const struct dataplane_rule *rules,
		  size_t n, struct sluice_err *err)
{
	int code = rule_compile_check(rules, n, err);

	if (!code && maps->is_unsettled)
		code = settle(maps, grace, err);
	if (code)
		return code;
	rule_compile(rules, n, maps->compiled);
	code = assign_slots(maps, rules, n);
	if (code) {
		err_set(err, "rules", "no room for more rules: %s", err_name(code));
		return code;
	}
	put_in_force(maps, rules, n);
	return settle(maps, grace, err);
}

static void read_slot(const struct rule_maps *maps, unsigned int slot,
		      struct dataplane_rule_counters *out)
{
	const struct rules_cpu_counters *cpus = maps->counters.memory;

	for (uint32_t cpu = 0; cpu < maps->n_cpus; cpu++) {
		const struct rules_counter *counter = &cpus[cpu].slot[slot];

		out->packets += __atomic_load_n(&counter->packets, __ATOMIC_RELAXED);
		out->bytes += __atomic_load_n(&counter->bytes, __ATOMIC_RELAXED);
		out->dropped_packets +=
			__atomic_load_n(&counter->dropped_packets, __ATOMIC_RELAXED);
		out->dropped_bytes += __atomic_load_n(&counter->dropped_bytes, __ATOMIC_RELAXED);
	}
}

/* As the filter reckons; see bucket_conforms() in bpf/rules.h. */
static uint64_t read_tokens(const struct rule_maps *maps, const struct rules_rule *rule,
			    uint64_t now_ns)
{
	const struct rules_bucket *limits = maps->limits.memory;
	uint64_t full_at = __atomic_load_n(&limits[rule->slot].full_at, __ATOMIC_RELAXED);
	int64_t ahead = (int64_t)(full_at - (now_ns << 6));
	uint64_t debt = ahead > 0 ? (uint64_t)ahead : 0;
	uint64_t credit = rule->credit > debt ? rule->credit - debt : 0;

	/* Pinned memory may hold anything. */
	if (rule->cost == 0 || credit > UINT64_MAX >> 15)
		return 0;
	if (rule->is_by_byte)
		return ((credit << 14) + rule->cost / 2) / rule->cost;
	/* A packet costs whole units, of which the filter drops the fraction. */
	return rule->cost >> 14 ? credit / (rule->cost >> 14) : 0;
}

/* The rule as stated, if its place in the generation still holds it. */
static const struct dataplane_rule *stated_rule(const struct rule_maps *maps, uint32_t i,
						const char *name)
{
	return i < maps->n_set && strcmp(maps->set[i].name, name) == 0 ? &maps->set[i] : NULL;
}

void rule_maps_read(const struct rule_maps *maps, dataplane_rule_fn fn, void *ctx)
{
	const struct rules_generation *rules = generation_in_force(maps);
	const struct rules_name *names = names_of(maps);
	uint32_t n = rules->n < RULES_MAX ? rules->n : RULES_MAX;
	uint64_t now_ns = maps->header->clock_ns ? maps->header->clock_ns
						 : clock_monotonic_ns(&clock_system);

	for (uint32_t i = 0; i < n; i++) {
		const struct rules_rule *rule = &rules->rule[i];
		struct dataplane_rule_counters counters = { 0 };

		if (rule->slot >= RULES_SLOTS)
			continue;
		memcpy(counters.name, names[rule->slot].text, sizeof(counters.name) - 1);
		counters.action = rule->action <= RULES_LIMIT_SOURCE
					  ? (enum dataplane_rule_action)rule->action
					  : DATAPLANE_RULE_DROP;
		counters.rule = stated_rule(maps, i, counters.name);
		read_slot(maps, rule->slot, &counters);
		if (counters.action == DATAPLANE_RULE_LIMIT)
			counters.tokens = read_tokens(maps, rule, now_ns);
		if (counters.rule && counters.tokens > counters.rule->burst)
			counters.tokens = counters.rule->burst; /* Rounding gave one more. */
		fn(ctx, &counters);
	}
}

void rule_maps_inherit(const struct rule_maps *maps, dataplane_rule_inherit_fn fn, void *ctx)
{
	const struct rules_generation *rules = generation_in_force(maps);
	const struct rules_name *names = names_of(maps);
	uint32_t n = rules->n < RULES_MAX ? rules->n : RULES_MAX;
	struct dataplane_rule rule;

	for (uint32_t i = 0; i < n; i++)
		if (rules->rule[i].slot < RULES_SLOTS &&
		    rule_record_read(&names[rules->rule[i].slot], &rule))
			fn(ctx, &rule);
}
