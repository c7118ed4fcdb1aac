/* SPDX-License-Identifier: BSD-2-Clause */
/* See offload_card.h. */
#include "offload_card.h"

#include <errno.h>
#include <stdlib.h>

static uint64_t card_time(void *ctx)
{
	const struct sim_card *card = ctx;

	return card->now_ns;
}

int sim_card_init(struct sim_card *card, uint32_t n_sources, uint32_t capacity, uint64_t update_ns,
		  uint64_t window_ns)
{
	*card = (struct sim_card){
		.rules = calloc(n_sources, sizeof(*card->rules)),
		.n_sources = n_sources,
		.capacity = capacity,
		.update_ns = update_ns,
		.window_ns = window_ns,
		.start_ns = window_ns,
		.now_ns = window_ns,
		.clock = { card_time, card_time, card_time, card },
	};
	return card->rules ? 0 : -ENOMEM;
}

void sim_card_fini(struct sim_card *card)
{
	free(card->rules);
	card->rules = NULL;
}

struct sluice_key sim_card_key(uint32_t source)
{
	struct sluice_key key = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };

	key.addr[0] = 11;
	key.addr[1] = (uint8_t)(source >> 16);
	key.addr[2] = (uint8_t)(source >> 8);
	key.addr[3] = (uint8_t)source;
	return key;
}

static struct sim_rule *rule_of(struct sim_card *card, const struct sluice_key *key)
{
	uint32_t source = (uint32_t)key->addr[1] << 16 | (uint32_t)key->addr[2] << 8 | key->addr[3];

	return &card->rules[source];
}

static int add(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
	       struct sluice_err *err)
{
	struct sim_card *card = self;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct sim_rule *rule = rule_of(card, &rules[i].key);

		card->now_ns += card->update_ns;
		results[i] = rule->present ? -EEXIST : 0;
		if (!rule->present && card->n_present == card->capacity)
			results[i] = -ENOSPC;
		if (results[i])
			continue;
		rule->present = true;
		rule->since_ns = card->now_ns;
		rule->packets = 0;
		card->n_present++;
		card->updates++;
	}
	return 0;
}

static int del(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
	       struct sluice_err *err)
{
	struct sim_card *card = self;

	(void)err;
	for (size_t i = 0; i < n; i++) {
		struct sim_rule *rule = rule_of(card, &rules[i].key);

		card->now_ns += card->update_ns;
		results[i] = rule->present ? 0 : -ENOENT;
		if (!rule->present)
			continue;
		rule->present = false;
		rule->covered_ns += card->now_ns - rule->since_ns;
		card->n_present--;
		card->updates++;
	}
	return 0;
}

static int read_counters(void *self, struct sluice_backend_counter *counters, size_t n,
			 size_t *count, struct sluice_err *err)
{
	const struct sim_card *card = self;

	(void)err;
	*count = 0;
	for (uint32_t i = 0; i < card->n_sources && *count < n; i++) {
		if (card->rules[i].present)
			counters[(*count)++] = (struct sluice_backend_counter){
				.key = sim_card_key(i),
				.packets = card->rules[i].packets,
			};
	}
	return 0;
}

static int list(void *self, struct sluice_backend_rule *rules, size_t n, size_t *count,
		struct sluice_err *err)
{
	const struct sim_card *card = self;

	(void)err;
	*count = 0;
	for (uint32_t i = 0; i < card->n_sources && *count < n; i++) {
		if (card->rules[i].present)
			rules[(*count)++].key = sim_card_key(i);
	}
	return 0;
}

static int flush(void *self, struct sluice_err *err)
{
	struct sim_card *card = self;

	(void)err;
	for (uint32_t i = 0; i < card->n_sources; i++)
		card->rules[i].present = false;
	card->n_present = 0;
	return 0;
}

static void close_card(void *self)
{
	(void)self;
}

const struct sluice_backend_ops sim_card_ops = {
	.size = sizeof(sim_card_ops),
	.close = close_card,
	.add = add,
	.del = del,
	.read = read_counters,
	.list = list,
	.flush = flush,
};

double sim_card_coverage(const struct sim_card *card, uint32_t source)
{
	const struct sim_rule *rule = &card->rules[source];
	uint64_t end_ns = card->start_ns + card->window_ns, covered_ns = rule->covered_ns;

	if (rule->present && rule->since_ns < end_ns)
		covered_ns += end_ns - rule->since_ns;
	return (double)covered_ns / (double)card->window_ns;
}

void sim_card_hit(struct sim_card *card, uint32_t source, uint64_t packets)
{
	if (card->rules[source].present)
		card->rules[source].packets += packets;
}

void sim_card_end_window(struct sim_card *card)
{
	card->start_ns += card->window_ns;
	/* A card that is behind goes on from where it is. */
	if (card->now_ns < card->start_ns)
		card->now_ns = card->start_ns;
	for (uint32_t i = 0; i < card->n_sources; i++) {
		struct sim_rule *rule = &card->rules[i];

		rule->covered_ns = 0;
		if (rule->since_ns < card->start_ns)
			rule->since_ns = card->start_ns;
	}
}
