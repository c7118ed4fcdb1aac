// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The filter's look-up in the exact blocklist, many times a run, on sources of which it is known what
 * the verdict must be; and how often each was dropped, for comparing with the hits in the table.
 */
#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

#include "table_stress_shared.h"

/* How often the clock is read between finding an entry and counting its hit. */
const volatile __u32 delay_calls = 0;

/* Not static: verified once, not in each of the places that call it. */
__attribute__((noinline)) int stress_delay(void)
{
	__u64 sum = 0;

	for (__u32 i = 0; i < delay_calls && i < 64; i++)
		sum += bpf_ktime_get_ns();
	return (int)sum;
}

#define BLOCKLIST_BEFORE_HIT()                \
	do {                                  \
		if (delay_calls)              \
			(void)stress_delay(); \
	} while (0)

#include "blocklist.h"

char _license[] SEC("license") = "Dual BSD/GPL";

const volatile bool v6 = false;
const volatile __u32 key_mask = STRESS_KEYS - 1;

struct stress_source sources[STRESS_KEYS];
struct stress_count counts[STRESS_CPUS];
__u64 drops[STRESS_CPUS][STRESS_KEYS];

struct run {
	__u32 start, cpu;
};

static long judge(__u32 i, struct run *run)
{
	/* An odd factor: all sources in an order that looks like none. */
	__u32 n = (i * 2654435769u + run->start) & key_mask & (STRESS_KEYS - 1);
	__u32 cpu = run->cpu & (STRESS_CPUS - 1);
	const struct stress_source *source = &sources[n];
	bool is_blocked = v6 ? blocked6(source->high, source->low) : blocked4(source->high);

	if (is_blocked) {
		drops[cpu][n]++;
		if (n % STRESS_N_KINDS == STRESS_ABSENT)
			counts[cpu].dropped_wrongly++;
	} else if (n % STRESS_N_KINDS == STRESS_PRESENT) {
		counts[cpu].passed_wrongly++;
	}
	return 0;
}

SEC("xdp")
int table_stress(struct xdp_md *ctx)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct run run = { bpf_get_prandom_u32(), cpu };

	(void)ctx;
	if (cpu >= STRESS_CPUS)
		return XDP_ABORTED;
	bpf_loop(STRESS_RUN_VERDICTS, judge, &run, 0);
	counts[cpu & (STRESS_CPUS - 1)].verdicts += STRESS_RUN_VERDICTS;
	return XDP_PASS;
}
