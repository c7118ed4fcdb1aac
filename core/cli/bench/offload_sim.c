/* SPDX-License-Identifier: BSD-2-Clause */
/* See offload_sim.h. */
#include "offload_sim.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "offload/offload.h"
#include "offload/select.h"

#include "offload_card.h"

#define WINDOW_NS 1000000000u

struct sim {
	const struct sim_case *options;
	struct world world;
	struct sim_card card;
	struct offload *offload;
	struct offload_source *sources; /* What software saw of each in the last window. */
	uint64_t *counts;		/* What each sent in it, counted by both. */
	bool *naive, *fixed;		/* The tables of naive top-K, and of a control. */
	struct plan_entry *ranking;
	uint64_t naive_updates;
};

void sim_case_name(const struct sim_case *sim, char *name, size_t size)
{
	static const char *const suffixes[] = {
		[SIM_SLUICE] = "",
		[SIM_NO_HYSTERESIS] = ", no hysteresis",
		[SIM_NEVER_UPDATE] = ", never update",
		[SIM_RANDOM] = ", random K",
	};

	snprintf(name, size, "%s%s", world_name(sim->distribution), suffixes[sim->policy]);
}

static bool is_managed(const struct sim_case *options)
{
	return options->policy == SIM_SLUICE || options->policy == SIM_NO_HYSTERESIS;
}

static int open_manager(struct sim *sim, struct sluice_err *err)
{
	const struct sim_case *options = sim->options;
	bool hysteresis = options->policy == SIM_SLUICE;
	const struct offload_options manager = {
		.ops = &sim_card_ops,
		.self = &sim->card,
		.caps = {
			.size = sizeof(manager.caps),
			.capacity = options->k,
			.matches = SLUICE_BACKEND_MATCH_IPV4,
			.counters = options->counters,
			.emulated = true,
			.update_p50_ns = options->update_ns,
			.update_p99_ns = options->update_ns,
		},
		.name = "simulation",
		.max_rate_pps = (uint64_t)(WORLD_VOLUME / options->load),
		.threshold_min = hysteresis ? OFFLOAD_THRESHOLD_MIN : 1,
		.threshold_max = hysteresis ? OFFLOAD_THRESHOLD_MAX : 1,
		.churn = hysteresis ? OFFLOAD_CHURN : INFINITY,
		.residency_windows = hysteresis ? OFFLOAD_RESIDENCY : 0,
		.window_ns = WINDOW_NS,
		.clock = &sim->card.clock,
	};
	int rc = offload_new(&manager, &sim->offload, err);

	if (!rc)
		offload_drain(sim->offload);
	return rc;
}

static int sim_open(struct sim *sim, const struct sim_case *options, struct sluice_err *err)
{
	uint32_t n = options->sources;
	int rc = world_init(&sim->world, options->distribution, n, options->seed);

	if (rc)
		return rc;
	rc = sim_card_init(&sim->card, n, options->k, options->update_ns, WINDOW_NS);
	if (rc)
		return rc;
	sim->sources = calloc(n, sizeof(*sim->sources));
	sim->counts = calloc(n, sizeof(*sim->counts));
	sim->naive = calloc(n, sizeof(*sim->naive));
	sim->fixed = calloc(n, sizeof(*sim->fixed));
	sim->ranking = calloc(n, sizeof(*sim->ranking));
	if (!sim->sources || !sim->counts || !sim->naive || !sim->fixed || !sim->ranking)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		sim->sources[i].key = sim_card_key(i);
		sim->sources[i].handle = i;
	}
	return is_managed(options) ? open_manager(sim, err) : 0;
}

static void sim_close(struct sim *sim)
{
	offload_free(sim->offload);
	world_fini(&sim->world);
	sim_card_fini(&sim->card);
	free(sim->sources);
	free(sim->counts);
	free(sim->naive);
	free(sim->fixed);
	free(sim->ranking);
}

/* Nanopackets, so that the order of slow ones is theirs. */
static uint64_t to_rank(double pps)
{
	return (uint64_t)(pps * 1e9);
}

/* The most that K rules could drop of this window. */
static double oracle_share(struct sim *sim)
{
	double sum = 0;

	for (uint32_t i = 0; i < sim->world.n; i++)
		sim->ranking[i] =
			(struct plan_entry){ .rate = to_rank(sim->world.pps[i]), .handle = i };
	select_heaviest(sim->ranking, sim->world.n, sim->options->k);
	for (uint32_t i = 0; i < sim->options->k && i < sim->world.n; i++)
		sum += sim->world.pps[sim->ranking[i].handle];
	return sum / WORLD_VOLUME;
}

/*
 * The K fastest of the last window become the table, whatever that costs; of a card without
 * counters nothing is seen of what it drops.  Returns the updates.
 */
static uint64_t naive_update(struct sim *sim)
{
	uint64_t updates = 0;

	for (uint32_t i = 0; i < sim->world.n; i++) {
		bool unseen = sim->naive[i] && !sim->options->counters;

		sim->ranking[i] = (struct plan_entry){ .rate = unseen ? 0 : sim->counts[i],
						       .handle = i,
						       .offloaded = sim->naive[i] };
	}
	select_heaviest(sim->ranking, sim->world.n, sim->options->k);
	for (uint32_t i = 0; i < sim->world.n; i++) {
		bool wanted = i < sim->options->k && sim->ranking[i].rate > 0;
		uint32_t source = sim->ranking[i].handle;

		updates += sim->naive[source] != wanted;
		sim->naive[source] = wanted;
	}
	return updates;
}

/* A control's table: from the first window's counts, or drawn. */
static void fill_fixed(struct sim *sim)
{
	for (uint32_t i = 0; i < sim->world.n; i++)
		sim->ranking[i] = (struct plan_entry){
			.rate = sim->options->policy == SIM_RANDOM ? world_random(&sim->world)
								   : sim->counts[i],
			.handle = i,
		};
	select_heaviest(sim->ranking, sim->world.n, sim->options->k);
	for (uint32_t i = 0; i < sim->options->k && i < sim->world.n; i++)
		sim->fixed[sim->ranking[i].handle] = true;
}

/* The packets of this window, on both sides; the share of true rates that the table dropped. */
static double send_window(struct sim *sim)
{
	double dropped = 0;

	for (uint32_t i = 0; i < sim->world.n; i++) {
		double pps = sim->world.pps[i], hit_pps;
		uint64_t hits, misses;

		hit_pps = pps * (is_managed(sim->options) ? sim_card_coverage(&sim->card, i)
							  : sim->fixed[i]);
		hits = world_poisson(&sim->world, hit_pps);
		misses = world_poisson(&sim->world, pps - hit_pps);
		sim_card_hit(&sim->card, i, hits);
		sim->sources[i].packets = misses;
		sim->counts[i] = hits + misses;
		dropped += hit_pps;
	}
	sim_card_end_window(&sim->card);
	return dropped / WORLD_VOLUME;
}

/* What follows from the window that has ended. */
static int react(struct sim *sim)
{
	const struct offload_state *states;
	size_t n_states;
	int rc = 0;

	sim->naive_updates += naive_update(sim);
	if (is_managed(sim->options)) {
		rc = offload_exchange(sim->offload, sim->sources, sim->world.n, &states, &n_states);
		if (!rc)
			offload_drain(sim->offload);
	} else if (sim->world.window == 1) {
		fill_fixed(sim);
	}
	return rc;
}

static void note_probation(struct sim *sim, struct sim_result *result)
{
	struct offload_status status;
	double share;

	if (!sim->offload)
		return;
	offload_status(sim->offload, &status);
	share = (double)status.probation / sim->options->k;
	if (share > result->probation)
		result->probation = share;
}

static int run_windows(struct sim *sim, struct sim_result *result)
{
	const struct sim_case *options = sim->options;
	uint64_t updates = 0, naive_updates = 0;
	int rc = 0;

	*result = (struct sim_result){ 0 };
	for (uint32_t i = 0; i < options->warm_up + options->windows && !rc; i++) {
		double share;

		if (i == options->warm_up) {
			updates = sim->card.updates;
			naive_updates = sim->naive_updates;
		}
		world_next(&sim->world);
		share = send_window(sim);
		if (i >= options->warm_up) {
			result->share += share / options->windows;
			result->oracle_share += oracle_share(sim) / options->windows;
		}
		rc = react(sim);
		note_probation(sim, result);
	}
	result->updates_per_s = (double)(sim->card.updates - updates) / options->windows;
	result->naive_updates_per_s =
		(double)(sim->naive_updates - naive_updates) / options->windows;
	return rc;
}

int sim_run(const struct sim_case *options, struct sim_result *result, struct sluice_err *err)
{
	struct sim sim = { .options = options };
	int rc = sim_open(&sim, options, err);

	if (!rc)
		rc = run_windows(&sim, result);
	sim_close(&sim);
	return rc;
}
