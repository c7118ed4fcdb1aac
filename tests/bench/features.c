/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds per packet of each set of features: filter, tables per source, and the chain behind
 * them, for packets that pass, from random sources among N that are known already, to one
 * destination.  All take turns for several rounds; best and median, less the bare XDP_DROP.
 *
 *   sluice-bench-features [SOURCES]
 */
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/address.h"
#include "bench/harness.h"
#include "bench/sandbox.h"
#include "dataplane/dataplane.h"
#include "shared.h"

#define ROUNDS 31
#define PACKETS 200000u

struct set {
	const char *name;
	uint32_t loaded;
	enum dataplane_swap_design swap;
	bool exempts; /* A prefix of the allow-list skips everything; no packet comes from it. */
	struct dataplane *dp;
	int fd;
	double ns[ROUNDS];
};

#define FLOW DATAPLANE_FEATURE_FLOW
#define DESTINATION DATAPLANE_FEATURE_DESTINATION
#define SAMPLE DATAPLANE_FEATURE_SAMPLE

static struct set sets[] = {
	{ .name = "bare drop", .fd = -1 },
	{ .name = "source" },
	{ .name = "source, dual map", .swap = DATAPLANE_SWAP_DUAL_MAP },
	{ .name = "source, exempt prefix", .exempts = true },
	{ .name = "source, flow", .loaded = FLOW },
	{ .name = "source, destination", .loaded = DESTINATION },
	{ .name = "source, sample", .loaded = SAMPLE },
	{ .name = "all", .loaded = FLOW | DESTINATION | SAMPLE },
};

#define N_SETS (sizeof(sets) / sizeof(sets[0]))

static int exempt_somebody(struct dataplane *dp, struct sluice_err *err)
{
	struct dataplane_allow allow = { .exempt = true };
	int code = address_parse_prefix("192.0.2.0/24", 0, &allow.prefix, err);

	return code ? code : dp->ops->allow_set(dp, &allow, 1, err);
}

static int open_set(struct set *set, uint32_t n_sources, struct sluice_err *err)
{
	char pin_path[64], filter[128];
	const struct dataplane_live_options options = {
		.pin_path = pin_path,
		.max_blocked = 1000,
		.max_sources = n_sources < 1024 ? 1024 : n_sources,
		.swap = set->swap,
		.features = { .loaded = set->loaded,
			      .max_flows = n_sources < 1024 ? 1024 : n_sources,
			      .max_destinations = 256,
			      .samples_per_window = 1000 },
		.v6_prefix_len = 64,
		.enforce = true,
	};
	int code;

	snprintf(pin_path, sizeof(pin_path), SANDBOX_PIN_PATH "_%zu", (size_t)(set - sets));
	code = dataplane_live_open(&options, &set->dp, err);
	if (code)
		return code;
	snprintf(filter, sizeof(filter), "%s/v%d/sluice_filter", pin_path, SLUICE_LAYOUT);
	set->fd = bpf_obj_get(filter);
	if (set->fd < 0)
		return -errno;
	return set->exempts ? exempt_somebody(set->dp, err) : 0;
}

static int run(struct harness *harness, struct set *set, double *ns)
{
	int code = harness_set_target(harness, set->fd, NULL);

	return code ? code : harness_run(harness, PACKETS, ns);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static int measure(struct harness *harness)
{
	int code = 0;

	harness_set_first(harness, HARNESS_FIRST_UNKNOWN);
	for (size_t i = 0; i < N_SETS && !code; i++) {
		code = harness_set_target(harness, sets[i].fd, NULL);
		if (!code)
			code = harness_run_each(harness);
	}
	for (int round = 0; round < ROUNDS; round++)
		for (size_t turn = 0; turn < N_SETS && !code; turn++) {
			struct set *set = &sets[round % 2 ? N_SETS - 1 - turn : turn];

			code = run(harness, set, &set->ns[round]);
		}
	return code;
}

static void report(uint32_t n_sources)
{
	printf("%u sources; ns per packet less the bare drop, %d interleaved rounds\n", n_sources,
	       ROUNDS);
	for (size_t i = 0; i < N_SETS; i++)
		qsort(sets[i].ns, ROUNDS, sizeof(sets[i].ns[0]), compare);
	for (size_t i = 0; i < N_SETS; i++)
		printf("%-22s best %6.1f  median %6.1f\n", sets[i].name,
		       sets[i].ns[0] - (i ? sets[0].ns[0] : 0),
		       sets[i].ns[ROUNDS / 2] - (i ? sets[0].ns[ROUNDS / 2] : 0));
}

int main(int argc, char **argv)
{
	uint32_t n_sources = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 16384;
	struct harness *harness = NULL;
	struct sluice_err err = { 0 };
	struct sandbox sandbox;
	int code = sandbox_enter(&sandbox, &err);

	if (!code)
		code = sandbox_pin_cpu(&sandbox, 0);
	if (!code)
		code = harness_open(n_sources, 1, &harness, &err);
	if (!code)
		sets[0].fd = harness_reference_fd(harness, HARNESS_DROP);
	for (size_t i = 1; i < N_SETS && !code; i++)
		code = open_set(&sets[i], n_sources, &err);
	if (!code)
		code = measure(harness);
	if (!code)
		report(n_sources);
	else
		fprintf(stderr, "features bench: %s\n", err.text[0] ? err.text : strerror(-code));
	for (size_t i = 1; i < N_SETS; i++) {
		if (sets[i].dp && sets[i].fd >= 0)
			close(sets[i].fd);
		dataplane_close(sets[i].dp);
	}
	harness_close(harness);
	return code ? 1 : 0;
}
