/* SPDX-License-Identifier: BSD-2-Clause */
/* See offload_sim.h. */
#include "offload_sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "offload/select.h"

#include "offload_player.h"

/* A table that is always the K fastest of the last window, whatever that costs. */
struct naive {
	bool *table;
	uint64_t updates;
};

struct sim {
	const struct sim_case *attack; /* The first case. */
	struct world world;
	uint64_t *counts; /* What each source sent in the last window. */
	struct plan_entry *ranking;
	struct naive naive[2]; /* Of a card without counters, and with. */
	struct player *players;
	size_t n_players, n_open;
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

static int sim_open(struct sim *sim, const struct sim_case *cases, size_t n, struct sluice_err *err)
{
	uint32_t n_sources = cases->sources;
	int rc =
		world_init(&sim->world, cases->distribution, &cases->shape, n_sources, cases->seed);

	if (rc)
		return rc;
	sim->players = calloc(n, sizeof(*sim->players));
	sim->n_players = n;
	sim->counts = calloc(n_sources, sizeof(*sim->counts));
	sim->ranking = calloc(n_sources, sizeof(*sim->ranking));
	for (size_t i = 0; i < 2; i++)
		sim->naive[i].table = calloc(n_sources, sizeof(*sim->naive[i].table));
	if (!sim->players || !sim->counts || !sim->ranking || !sim->naive[0].table ||
	    !sim->naive[1].table)
		return -ENOMEM;
	while (sim->n_open < n && !rc) {
		rc = player_open(&sim->players[sim->n_open], &cases[sim->n_open], err);
		sim->n_open++;
	}
	return rc;
}

static void sim_close(struct sim *sim)
{
	for (size_t i = 0; i < sim->n_open; i++)
		player_close(&sim->players[i]);
	world_fini(&sim->world);
	free(sim->players);
	free(sim->counts);
	free(sim->ranking);
	free(sim->naive[0].table);
	free(sim->naive[1].table);
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
	select_heaviest(sim->ranking, sim->world.n, sim->attack->k);
	for (uint32_t i = 0; i < sim->attack->k; i++)
		sum += sim->world.pps[sim->ranking[i].handle];
	return sum / WORLD_VOLUME;
}

/* Of a card without counters nothing is seen of what it drops. */
static void naive_update(struct sim *sim, bool counters)
{
	struct naive *naive = &sim->naive[counters];

	for (uint32_t i = 0; i < sim->world.n; i++) {
		bool unseen = naive->table[i] && !counters;

		sim->ranking[i] = (struct plan_entry){ .rate = unseen ? 0 : sim->counts[i],
						       .handle = i,
						       .offloaded = naive->table[i] };
	}
	select_heaviest(sim->ranking, sim->world.n, sim->attack->k);
	for (uint32_t i = 0; i < sim->world.n; i++) {
		bool wanted = i < sim->attack->k && sim->ranking[i].rate > 0;
		uint32_t source = sim->ranking[i].handle;

		naive->updates += naive->table[source] != wanted;
		naive->table[source] = wanted;
	}
}

static void note_start(const struct sim *sim, struct sim_result *results)
{
	for (size_t i = 0; i < sim->n_players; i++) {
		const struct player *player = &sim->players[i];

		results[i] = (struct sim_result){
			.updates_per_s = -(double)player->card.updates,
			.naive_updates_per_s =
				-(double)sim->naive[player->options->counters].updates,
		};
	}
}

static void note_end(const struct sim *sim, struct sim_result *results)
{
	double windows = sim->attack->windows;

	for (size_t i = 0; i < sim->n_players; i++) {
		const struct player *player = &sim->players[i];
		struct sim_result *result = &results[i];

		result->share /= windows * WORLD_VOLUME;
		result->oracle_share /= windows;
		result->updates_per_s += (double)player->card.updates;
		result->updates_per_s /= windows;
		result->naive_updates_per_s +=
			(double)sim->naive[player->options->counters].updates;
		result->naive_updates_per_s /= windows;
		result->probation = player->probation;
	}
}

/* What follows from a window; the managers work on it side by side. */
static int react(struct sim *sim)
{
	int rc = 0;

	for (size_t i = 0; i < sim->n_players && !rc; i++) {
		rc = player_react(&sim->players[i]);
		if (!rc && sim->world.window == 1)
			rc = player_fill(&sim->players[i], sim->counts);
	}
	naive_update(sim, false);
	naive_update(sim, true);
	for (size_t i = 0; i < sim->n_players; i++)
		player_wait(&sim->players[i]);
	return rc;
}

static int run_window(struct sim *sim, bool scored, struct sim_result *results)
{
	double oracle;

	world_next(&sim->world);
	for (uint32_t i = 0; i < sim->world.n; i++)
		sim->counts[i] = world_poisson(&sim->world, sim->world.pps[i]);
	oracle = scored ? oracle_share(sim) : 0;
	for (size_t i = 0; i < sim->n_players; i++) {
		double dropped_pps = player_send(&sim->players[i], sim->counts, sim->world.pps);

		if (scored) {
			results[i].share += dropped_pps;
			results[i].oracle_share += oracle;
		}
	}
	return react(sim);
}

int sim_run(const struct sim_case *cases, size_t n, sim_progress *progress, void *ctx,
	    struct sim_result *results, struct sluice_err *err)
{
	struct sim sim = { .attack = cases };
	uint32_t windows = cases->warm_up + cases->windows;
	int rc;

	if (cases->k > cases->sources) {
		err_set(err, NULL, "a table of %u rules is larger than the %u sources", cases->k,
			cases->sources);
		return -EINVAL;
	}
	rc = sim_open(&sim, cases, n, err);
	for (uint32_t i = 0; i < windows && !rc; i++) {
		if (i == cases->warm_up)
			note_start(&sim, results);
		rc = run_window(&sim, i >= cases->warm_up, results);
		if (progress)
			progress(ctx, i + 1, windows);
	}
	if (!rc)
		note_end(&sim, results);
	sim_close(&sim);
	return rc;
}
