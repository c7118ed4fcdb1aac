/* SPDX-License-Identifier: BSD-2-Clause */
/* See replay.h.  Built of the live data plane's parts, with a few calls of its own in front. */
#include "replay.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/bpf.h>

#include "base/err.h"
#include "egress.h"
#include "libbpf_messages.h"
#include "live.h"
#include "rules_shared.h"

/* The programs see rows up to this CPU; a low one keeps tables small and alike on all machines. */
#define PREFERRED_CPUS 2

struct replay {
	struct live live; /* First member. */
	struct dataplane_replay_observer observer;
	cpu_set_t cpus_before;
	bool is_pinned;
	int cpu;
	int filter_fd;
	struct dataplane_ops ops;
	uint64_t dropped[DATAPLANE_N_REASONS]; /* As last seen. */
	uint64_t rule_dropped[RULES_SLOTS];    /* The same. */
	/* Most drops are for the reason, and by the rule, of the last one. */
	enum dataplane_reason last_reason;
	uint32_t last_rule;
};

static struct replay *replay_of(struct dataplane *dp)
{
	return (struct replay *)dp;
}

static const struct sluice_cpu_counters *counters_of(const struct replay *replay)
{
	const struct sluice_cpu_counters *cpus = replay->live.counters.memory;

	return &cpus[replay->cpu];
}

static const struct rules_counter *rule_counters_of(const struct replay *replay)
{
	const struct rules_cpu_counters *cpus = replay->live.rules.counters.memory;

	return cpus[replay->cpu].slot;
}

static int pin_thread(struct replay *replay, struct sluice_err *err)
{
	cpu_set_t one;
	int cpu = sched_getcpu();

	if (sched_getaffinity(0, sizeof(replay->cpus_before), &replay->cpus_before))
		return -errno;
	/* The one it runs on, if that is low enough; else the lowest it may run on. */
	if (cpu < 0 || cpu >= PREFERRED_CPUS || !CPU_ISSET(cpu, &replay->cpus_before))
		for (cpu = 0; cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &replay->cpus_before);)
			cpu++;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	if (sched_setaffinity(0, sizeof(one), &one)) {
		int code = -errno;

		err_set(err, NULL, "cannot stay on CPU %d: %s", cpu, err_name(code));
		return code;
	}
	replay->is_pinned = true;
	replay->cpu = cpu;
	return 0;
}

static void replay_close(struct dataplane *dp)
{
	struct replay *replay = replay_of(dp);

	if (replay->is_pinned)
		(void)!sched_setaffinity(0, sizeof(replay->cpus_before), &replay->cpus_before);
	live_free(live_of(dp), false);
}

static int replay_block(struct dataplane *dp, const struct dataplane_block_record *record,
			dataplane_slot *slot, struct sluice_err *err)
{
	const struct dataplane_replay_observer *observer = &replay_of(dp)->observer;
	int code = live_ops.block(dp, record, slot, err);

	if (!code && observer->blocked)
		observer->blocked(observer->ctx, record);
	return code;
}

static int replay_prefix_set(struct dataplane *dp, const struct sluice_key *prefix,
			     uint64_t expires_ns, struct sluice_err *err)
{
	const struct dataplane_replay_observer *observer = &replay_of(dp)->observer;
	int code = live_ops.prefix_set(dp, prefix, expires_ns, err);

	if (!code && observer->prefix_blocked)
		observer->prefix_blocked(observer->ctx, prefix);
	return code;
}

/* A slot may be another rule's from now on. */
static void look_at_rules(struct replay *replay)
{
	const struct rules_counter *counters = rule_counters_of(replay);

	for (unsigned int slot = 0; slot < RULES_SLOTS; slot++)
		replay->rule_dropped[slot] = counters[slot].dropped_packets;
	replay->last_rule = 0;
}

static int replay_rules_set(struct dataplane *dp, const struct dataplane_rule *rules, size_t n,
			    struct sluice_err *err)
{
	struct replay *replay = replay_of(dp);
	int code = live_ops.rules_set(dp, rules, n, err);

	look_at_rules(replay);
	if (!code && replay->observer.rules)
		replay->observer.rules(replay->observer.ctx, rules, n);
	return code;
}

/* The same key for the same seed: two words that depend on all its bits (splitmix64). */
static uint64_t mix_seed(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

static int prepare(struct replay *replay, const struct dataplane_live_options *options,
		   uint64_t seed, struct sluice_err *err)
{
	struct live *live = &replay->live;
	__u64 *key = live->state.sizes.hash_key;
	uint64_t state = seed;
	int code;

	key[0] = mix_seed(&state) | 1;
	key[1] = mix_seed(&state);
	code = live_prepare(live, options, err);
	if (!code)
		code = live_open_egress(live, options, err);
	if (code)
		return code;
	live->header->random = mix_seed(&state) | 1;
	live_modes_set(live, options->enforce, options->pass_malformed);
	replay->filter_fd = live_filter_fd(live);
	return 0;
}

int dataplane_replay_open(const struct dataplane_replay_options *options, struct dataplane **out,
			  struct sluice_err *err)
{
	struct replay *replay = calloc(1, sizeof(*replay));
	struct live *live;
	int code;

	if (!replay)
		return -ENOMEM;
	live = &replay->live;
	replay->ops = live_ops;
	replay->ops.close = replay_close;
	replay->ops.block = replay_block;
	replay->ops.prefix_set = replay_prefix_set;
	replay->ops.rules_set = replay_rules_set;
	replay->observer = options->observer;
	live->dp.ops = &replay->ops;
	live->replays = true;
	live->swap = options->plane.swap;
	live->slot_fd = -1;
	live->state.lock_fd = -1;
	libbpf_messages_init();
	code = pin_thread(replay, err);
	if (!code) {
		state_open_unpinned(&live->state, &options->plane, (uint32_t)replay->cpu + 1);
		code = prepare(replay, &options->plane, options->seed, err);
	}
	if (code) {
		replay_close(&live->dp);
		return code;
	}
	*out = &live->dp;
	return 0;
}

/* 0 and XDP_DROP or XDP_PASS in `*action`, or a negative errno. */
static int test_run(const struct replay *replay, const void *frame, size_t size, uint32_t *action)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr.test));
	attr.test.prog_fd = (__u32)replay->filter_fd;
	attr.test.data_in = (__u64)(uintptr_t)frame;
	attr.test.data_size_in = (__u32)size;
	attr.test.repeat = 1;
	if (syscall(SYS_bpf, BPF_PROG_TEST_RUN, &attr, sizeof(attr.test)))
		return -errno;
	*action = attr.test.retval;
	return 0;
}

static bool reason_moved(struct replay *replay, enum dataplane_reason reason)
{
	uint64_t packets = counters_of(replay)->reason[reason].packets;

	if (packets == replay->dropped[reason])
		return false;
	replay->dropped[reason] = packets;
	return true;
}

/* The reason whose counter has moved: a packet moves one. */
static enum dataplane_reason find_reason(struct replay *replay)
{
	if (replay->last_reason && reason_moved(replay, replay->last_reason))
		return replay->last_reason;
	for (int i = 0; i < DATAPLANE_N_REASONS; i++) {
		if (!dataplane_reason_is_drop(i) || !reason_moved(replay, i))
			continue;
		replay->last_reason = i;
		return i;
	}
	return DATAPLANE_REASON_PASS;
}

static bool rule_moved(struct replay *replay, const struct rules_generation *rules, uint32_t i)
{
	uint32_t slot = rules->rule[i].slot;
	uint64_t packets;

	if (slot >= RULES_SLOTS)
		return false;
	packets = rule_counters_of(replay)[slot].dropped_packets;
	if (packets == replay->rule_dropped[slot])
		return false;
	replay->rule_dropped[slot] = packets;
	return true;
}

static const struct dataplane_rule *find_rule(struct replay *replay)
{
	const struct rule_maps *maps = &replay->live.rules;
	const struct rules_generation *rules = maps->generations.memory;
	uint32_t n = (uint32_t)maps->n_set;

	rules += replay->live.header->rules & 1;
	if (replay->last_rule < n && rule_moved(replay, rules, replay->last_rule))
		return &maps->set[replay->last_rule];
	for (uint32_t i = 0; i < n; i++) {
		if (!rule_moved(replay, rules, i))
			continue;
		replay->last_rule = i;
		return &maps->set[i];
	}
	return NULL;
}

int dataplane_replay_packet(struct dataplane *dp, uint64_t time_ns, const void *frame, size_t size,
			    struct dataplane_replay_verdict *verdict)
{
	struct replay *replay = replay_of(dp);
	uint64_t observed, *seen = &replay->dropped[DATAPLANE_REASON_WOULD_DROP];
	uint32_t action;
	int code;

	replay->live.header->clock_ns = time_ns;
	code = test_run(replay, frame, size, &action);
	if (code)
		return code;
	observed = counters_of(replay)->reason[DATAPLANE_REASON_WOULD_DROP].packets;
	*verdict = (struct dataplane_replay_verdict){
		.drop = action == XDP_DROP,
		.would_drop = observed != *seen,
	};
	*seen = observed;
	if (verdict->drop)
		verdict->reason = find_reason(replay);
	if (verdict->drop && (verdict->reason == DATAPLANE_REASON_RULE ||
			      verdict->reason == DATAPLANE_REASON_RATE_LIMITED))
		verdict->rule = find_rule(replay);
	return 0;
}

static int pass_tc(struct dataplane *dp, uint64_t time_ns, bool out, const void *frame, size_t size)
{
	struct live *live = &replay_of(dp)->live;

	live->header->clock_ns = time_ns;
	return live->egress ? egress_run(live->egress, out, frame, size) : 0;
}

int dataplane_replay_sent(struct dataplane *dp, uint64_t time_ns, const void *frame, size_t size)
{
	return pass_tc(dp, time_ns, true, frame, size);
}

int dataplane_replay_delivered(struct dataplane *dp, uint64_t time_ns, const void *frame,
			       size_t size)
{
	return pass_tc(dp, time_ns, false, frame, size);
}

bool dataplane_replay_has_heard(const struct dataplane *dp, const struct sluice_key *source,
				const uint8_t *ports)
{
	const struct live *live = live_of_const(dp);

	return !live->egress || egress_has_heard(live->egress, source, ports);
}

int dataplane_replay_bare(struct dataplane *dp, bool out, const void *frame, size_t size)
{
	struct egress_plane *egress = replay_of(dp)->live.egress;
	uint32_t action;

	if (out)
		return egress ? egress_run(egress, true, frame, size) : 0;
	return test_run(replay_of(dp), frame, size, &action);
}
