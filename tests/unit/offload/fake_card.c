/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The fake card: a list of rules under a lock.
 */
#include "fake_card.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static uint64_t fake_now(void *ctx)
{
	struct fake_card *card = ctx;

	return atomic_load(&card->now_ns);
}

static void fake_emit(void *ctx, const struct event *event)
{
	struct fake_card *card = ctx;

	pthread_mutex_lock(&card->lock);
	if (card->n_events < FAKE_EVENTS)
		card->events[card->n_events++] = *event;
	pthread_mutex_unlock(&card->lock);
}

void fake_card_init(struct fake_card *card, uint32_t capacity)
{
	memset(card, 0, sizeof(*card));
	pthread_mutex_init(&card->lock, NULL);
	pthread_cond_init(&card->changed, NULL);
	atomic_init(&card->now_ns, 1000000000000u);
	card->clock = (struct clock_source){ fake_now, fake_now, fake_now, card };
	card->sink = (struct event_sink){ fake_emit, card };
	card->capacity = capacity;
	card->update_ns = 1000;
}

void fake_card_fini(struct fake_card *card)
{
	pthread_cond_destroy(&card->changed);
	pthread_mutex_destroy(&card->lock);
}

struct offload_options fake_card_options(struct fake_card *card)
{
	return (struct offload_options){
		.ops = &fake_card_ops,
		.self = card,
		.caps = {
			.size = sizeof(struct sluice_backend_caps),
			.capacity = card->capacity,
			.matches = SLUICE_BACKEND_MATCH_IPV4,
			.counters = true,
			.update_p50_ns = 1000,
			.update_p99_ns = 1000,
		},
		.name = "fake",
		.churn = INFINITY,
		.threshold_min = 1.2,
		.threshold_max = 10,
		.window_ns = FAKE_WINDOW_NS,
		.clock = &card->clock,
		.events = &card->sink,
	};
}

struct sluice_key fake_key(uint32_t n)
{
	return (struct sluice_key){
		.family = SLUICE_FAMILY_IPV4,
		.prefix_len = 32,
		.addr = { 10, 0, (uint8_t)(n >> 8), (uint8_t)n },
	};
}

struct offload_source fake_source(uint32_t n, uint64_t packets)
{
	return (struct offload_source){ .key = fake_key(n),
					.handle = n + 5000,
					.packets = packets };
}

static struct fake_rule *find(struct fake_card *card, const struct sluice_key *key)
{
	for (size_t i = 0; i < card->n_rules; i++) {
		if (memcmp(&card->rules[i].key, key, sizeof(*key)) == 0)
			return &card->rules[i];
	}
	return NULL;
}

static void remove_rule(struct fake_card *card, struct fake_rule *rule)
{
	*rule = card->rules[--card->n_rules];
}

/* With the lock held. */
static void pass_gate(struct fake_card *card)
{
	card->waiting++;
	pthread_cond_broadcast(&card->changed);
	while (card->gated && card->permits == 0)
		pthread_cond_wait(&card->changed, &card->lock);
	card->waiting--;
	if (card->gated)
		card->permits--;
	pthread_cond_broadcast(&card->changed);
}

static int add_one(struct fake_card *card, const struct sluice_key *key)
{
	if (card->refuse_host && key->addr[3] == card->refuse_host)
		return -EOPNOTSUPP;
	if (card->add_code)
		return card->add_code;
	if (card->swallow)
		return 0;
	if (find(card, key))
		return -EEXIST;
	if (card->n_rules >= card->capacity)
		return -ENOSPC;
	card->rules[card->n_rules++] = (struct fake_rule){ .key = *key };
	return 0;
}

static int fake_add(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		    struct sluice_err *err)
{
	struct fake_card *card = self;
	int rc;

	(void)err;
	pthread_mutex_lock(&card->lock);
	card->n_add_calls++;
	pass_gate(card);
	rc = card->device_code;
	card->n_adds += (unsigned int)n;
	if (n > card->largest_batch)
		card->largest_batch = (unsigned int)n;
	for (size_t i = 0; i < n && rc == 0; i++)
		results[i] = add_one(card, &rules[i].key);
	pthread_mutex_unlock(&card->lock);
	atomic_fetch_add(&card->now_ns, n * card->update_ns);
	return rc;
}

static int del_one(struct fake_card *card, const struct sluice_key *key)
{
	struct fake_rule *rule = find(card, key);

	if (card->del_code)
		return card->del_code;
	if (!rule)
		return -ENOENT;
	if (rule->foreign)
		card->touched_foreign = true;
	remove_rule(card, rule);
	return 0;
}

static int fake_del(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		    struct sluice_err *err)
{
	struct fake_card *card = self;
	int rc;

	(void)err;
	pthread_mutex_lock(&card->lock);
	card->n_del_calls++;
	pass_gate(card);
	rc = card->device_code;
	card->n_dels += (unsigned int)n;
	if (n > card->largest_batch)
		card->largest_batch = (unsigned int)n;
	for (size_t i = 0; i < n && rc == 0; i++)
		results[i] = del_one(card, &rules[i].key);
	pthread_mutex_unlock(&card->lock);
	atomic_fetch_add(&card->now_ns, n * card->update_ns);
	return rc;
}

static int fake_read(void *self, struct sluice_backend_counter *counters, size_t n, size_t *count,
		     struct sluice_err *err)
{
	struct fake_card *card = self;
	int rc;

	(void)err;
	pthread_mutex_lock(&card->lock);
	card->n_read_calls++;
	rc = card->device_code ? card->device_code : card->read_code;
	*count = 0;
	for (size_t i = 0; i < card->n_rules && *count < n && rc == 0; i++) {
		if (card->rules[i].foreign)
			continue;
		counters[(*count)++] = (struct sluice_backend_counter){
			.key = card->rules[i].key,
			.packets = card->rules[i].packets,
			.age_ns = card->age_ns,
		};
	}
	pthread_mutex_unlock(&card->lock);
	return rc;
}

static int fake_list(void *self, struct sluice_backend_rule *rules, size_t n, size_t *count,
		     struct sluice_err *err)
{
	struct fake_card *card = self;
	int rc;

	(void)err;
	pthread_mutex_lock(&card->lock);
	card->n_list_calls++;
	rc = card->device_code ? card->device_code : card->list_code;
	*count = 0;
	for (size_t i = 0; i < card->n_rules && *count < n && rc == 0; i++) {
		if (!card->rules[i].foreign)
			rules[(*count)++].key = card->rules[i].key;
	}
	pthread_mutex_unlock(&card->lock);
	return rc;
}

static int fake_flush(void *self, struct sluice_err *err)
{
	struct fake_card *card = self;
	int rc;

	(void)err;
	pthread_mutex_lock(&card->lock);
	card->n_flushes++;
	rc = card->device_code;
	for (size_t i = card->n_rules; i-- > 0 && rc == 0;) {
		if (!card->rules[i].foreign)
			remove_rule(card, &card->rules[i]);
	}
	pthread_mutex_unlock(&card->lock);
	return rc;
}

static void fake_close(void *self)
{
	struct fake_card *card = self;

	card->n_closes++;
}

const struct sluice_backend_ops fake_card_ops = {
	.size = sizeof(fake_card_ops),
	.close = fake_close,
	.add = fake_add,
	.del = fake_del,
	.read = fake_read,
	.list = fake_list,
	.flush = fake_flush,
};

bool fake_card_has(struct fake_card *card, uint32_t n)
{
	struct sluice_key key = fake_key(n);
	bool has;

	pthread_mutex_lock(&card->lock);
	has = find(card, &key) != NULL;
	pthread_mutex_unlock(&card->lock);
	return has;
}

size_t fake_card_n_rules(struct fake_card *card)
{
	size_t n;

	pthread_mutex_lock(&card->lock);
	n = card->n_rules;
	pthread_mutex_unlock(&card->lock);
	return n;
}

void fake_card_put(struct fake_card *card, uint32_t n, uint64_t packets, bool foreign)
{
	pthread_mutex_lock(&card->lock);
	card->rules[card->n_rules++] = (struct fake_rule){ fake_key(n), packets, foreign };
	pthread_mutex_unlock(&card->lock);
}

bool fake_card_hit(struct fake_card *card, uint32_t n, uint64_t packets)
{
	struct sluice_key key = fake_key(n);
	struct fake_rule *rule;

	pthread_mutex_lock(&card->lock);
	rule = find(card, &key);
	if (rule)
		rule->packets += packets;
	pthread_mutex_unlock(&card->lock);
	return rule != NULL;
}

void fake_card_forget(struct fake_card *card)
{
	pthread_mutex_lock(&card->lock);
	card->n_rules = 0;
	pthread_mutex_unlock(&card->lock);
}

void fake_card_forget_one(struct fake_card *card, uint32_t n)
{
	struct sluice_key key = fake_key(n);
	struct fake_rule *rule;

	pthread_mutex_lock(&card->lock);
	rule = find(card, &key);
	if (rule)
		remove_rule(card, rule);
	pthread_mutex_unlock(&card->lock);
}

void fake_card_gate(struct fake_card *card)
{
	pthread_mutex_lock(&card->lock);
	card->gated = true;
	card->permits = 0;
	pthread_mutex_unlock(&card->lock);
}

void fake_card_wait_held(struct fake_card *card)
{
	pthread_mutex_lock(&card->lock);
	while (card->waiting == 0)
		pthread_cond_wait(&card->changed, &card->lock);
	pthread_mutex_unlock(&card->lock);
}

void fake_card_permit(struct fake_card *card, unsigned int n)
{
	pthread_mutex_lock(&card->lock);
	card->permits += n;
	pthread_cond_broadcast(&card->changed);
	pthread_mutex_unlock(&card->lock);
}

void fake_card_open(struct fake_card *card)
{
	pthread_mutex_lock(&card->lock);
	card->gated = false;
	pthread_cond_broadcast(&card->changed);
	pthread_mutex_unlock(&card->lock);
}

void fake_card_advance(struct fake_card *card, uint64_t ns)
{
	atomic_fetch_add(&card->now_ns, ns);
}

size_t fake_card_events(struct fake_card *card, enum event_kind kind)
{
	size_t n = 0;

	pthread_mutex_lock(&card->lock);
	for (size_t i = 0; i < card->n_events; i++)
		n += card->events[i].kind == kind;
	pthread_mutex_unlock(&card->lock);
	return n;
}

uint32_t fake_card_event_count(struct fake_card *card, enum event_kind kind)
{
	uint32_t n = 0;

	pthread_mutex_lock(&card->lock);
	for (size_t i = 0; i < card->n_events; i++)
		n += card->events[i].kind == kind ? card->events[i].count : 0;
	pthread_mutex_unlock(&card->lock);
	return n;
}

const char *fake_card_event_text(struct fake_card *card, enum event_kind kind)
{
	const char *text = "";

	pthread_mutex_lock(&card->lock);
	for (size_t i = 0; i < card->n_events; i++) {
		if (card->events[i].kind == kind)
			text = card->events[i].text;
	}
	pthread_mutex_unlock(&card->lock);
	return text;
}
