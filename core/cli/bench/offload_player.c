/* SPDX-License-Identifier: BSD-2-Clause */
/* See offload_player.h. */
#include "offload_player.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "offload/select.h"

#define WINDOW_NS 1000000000u

static bool is_managed(const struct sim_case *options)
{
	return options->policy == SIM_SLUICE || options->policy == SIM_NO_HYSTERESIS;
}

static int open_manager(struct player *player, struct sluice_err *err)
{
	const struct sim_case *options = player->options;
	bool hysteresis = options->policy == SIM_SLUICE;
	const struct offload_options manager = {
		.ops = &sim_card_ops,
		.self = &player->card,
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
		.clock = &player->card.clock,
	};
	int rc = offload_new(&manager, &player->offload, err);

	if (!rc)
		offload_drain(player->offload);
	return rc;
}

int player_open(struct player *player, const struct sim_case *options, struct sluice_err *err)
{
	uint32_t n = options->sources;
	int rc;

	*player = (struct player){ .options = options, .random = options->seed };
	rc = sim_card_init(&player->card, n, options->k, options->update_ns, WINDOW_NS);
	if (rc)
		return rc;
	player->sources = calloc(n, sizeof(*player->sources));
	player->fixed = calloc(n, sizeof(*player->fixed));
	if (!player->sources || !player->fixed)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++) {
		player->sources[i].key = sim_card_key(i);
		player->sources[i].handle = i;
	}
	return is_managed(options) ? open_manager(player, err) : 0;
}

void player_close(struct player *player)
{
	offload_free(player->offload);
	sim_card_fini(&player->card);
	free(player->sources);
	free(player->fixed);
}

double player_send(struct player *player, const uint64_t *counts, const double *pps)
{
	double dropped_pps = 0;

	for (uint32_t i = 0; i < player->options->sources; i++) {
		double share = player->offload ? sim_card_coverage(&player->card, i)
					       : player->fixed[i];
		uint64_t hits = world_thin(&player->random, counts[i], share);

		sim_card_hit(&player->card, i, hits);
		player->sources[i].packets = counts[i] - hits;
		dropped_pps += pps[i] * share;
	}
	sim_card_end_window(&player->card);
	return dropped_pps;
}

int player_react(struct player *player)
{
	const struct offload_state *states;
	size_t n_states;

	if (!player->offload)
		return 0;
	return offload_exchange(player->offload, player->sources, player->options->sources, &states,
				&n_states);
}

void player_wait(struct player *player)
{
	struct offload_status status;
	double share;

	if (!player->offload)
		return;
	offload_drain(player->offload);
	offload_status(player->offload, &status);
	share = (double)status.probation / player->options->k;
	if (share > player->probation)
		player->probation = share;
}

int player_fill(struct player *player, const uint64_t *weights)
{
	uint32_t n = player->options->sources;
	struct plan_entry *ranking;

	if (player->offload)
		return 0;
	ranking = calloc(n, sizeof(*ranking));
	if (!ranking)
		return -ENOMEM;
	for (uint32_t i = 0; i < n; i++)
		ranking[i] = (struct plan_entry){
			.rate = player->options->policy == SIM_RANDOM
					? world_random(&player->random)
					: weights[i],
			.handle = i,
		};
	select_heaviest(ranking, n, player->options->k);
	for (uint32_t i = 0; i < player->options->k; i++)
		player->fixed[ranking[i].handle] = true;
	free(ranking);
	return 0;
}
