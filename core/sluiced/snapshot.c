/* SPDX-License-Identifier: BSD-2-Clause */
/* See snapshot.h. */
#include "snapshot.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/rule_text.h"

struct snapshot_board {
	pthread_mutex_t lock;
	struct snapshot newest;
};

int snapshot_board_new(struct snapshot_board **out)
{
	struct snapshot_board *board = calloc(1, sizeof(*board));
	int ret;

	if (!board)
		return -ENOMEM;
	ret = -pthread_mutex_init(&board->lock, NULL);
	if (ret) {
		free(board);
		return ret;
	}
	*out = board;
	return 0;
}

void snapshot_board_free(struct snapshot_board *board)
{
	if (!board)
		return;
	pthread_mutex_destroy(&board->lock);
	free(board);
}

void snapshot_board_put(struct snapshot_board *board, const struct snapshot *snapshot)
{
	pthread_mutex_lock(&board->lock);
	board->newest = *snapshot;
	pthread_mutex_unlock(&board->lock);
}

void snapshot_board_get(struct snapshot_board *board, struct snapshot *snapshot)
{
	pthread_mutex_lock(&board->lock);
	*snapshot = board->newest;
	pthread_mutex_unlock(&board->lock);
}

void snapshot_set_engine(struct snapshot *snapshot, const struct engine_status *status)
{
	snapshot->engine = *status;
	snapshot->engine.detectors = NULL;
	snapshot->engine.window.sources = NULL;
	snapshot->engine.window.blocked = NULL;
	snapshot->engine.window.flows = NULL;
	snapshot->engine.window.destinations = NULL;
	snapshot->engine.window.samples = NULL;
	snapshot->engine.window.port_bins = NULL;
	snapshot->engine.window.rules = NULL;
	snapshot->n_detectors = 0;
	for (size_t i = 0; i < status->n_detectors && i < SNAPSHOT_DETECTORS_MAX; i++) {
		struct snapshot_detector *copy = &snapshot->detectors[snapshot->n_detectors++];

		snprintf(copy->name, sizeof(copy->name), "%s", status->detectors[i].name);
		copy->status = status->detectors[i];
		copy->status.name = NULL;
	}
}

void snapshot_set_counters(struct snapshot *snapshot, const struct dataplane_counters *counters,
			   const struct dataplane_counters *before, uint64_t elapsed_ns)
{
	snapshot->counters = *counters;
	for (size_t i = 0; i < DATAPLANE_N_REASONS; i++) {
		uint64_t now = counters->reason[i].packets, then = before->reason[i].packets;
		uint64_t packets = now > then ? now - then : 0;

		snapshot->pps[i] =
			elapsed_ns ? (uint64_t)((double)packets * 1e9 / (double)elapsed_ns) : 0;
	}
}

static void add_rule(void *ctx, const struct dataplane_rule_counters *counters)
{
	struct snapshot *snapshot = ctx;
	struct snapshot_rule *rule;

	if (snapshot->n_rules >= DATAPLANE_MAX_RULES)
		return;
	rule = &snapshot->rules[snapshot->n_rules++];
	*rule = (struct snapshot_rule){
		.action = rule_text_action(counters->action),
		.matched = { counters->packets, counters->bytes },
		.dropped = { counters->dropped_packets, counters->dropped_bytes },
	};
	snprintf(rule->name, sizeof(rule->name), "%s", counters->name);
	if (counters->rule)
		snprintf(rule->origin, sizeof(rule->origin), "%s", counters->rule->origin);
}

void snapshot_set_rules(struct snapshot *snapshot, const struct dataplane *dp)
{
	snapshot->n_rules = 0;
	dp->ops->rules_read(dp, add_rule, snapshot);
}
