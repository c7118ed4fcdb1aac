/* SPDX-License-Identifier: BSD-2-Clause */
/* See forged.h. */
#include "forged.h"

#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "learned.h"

#define SLOWEST 64	   /* Windows in the mean of peace. */
#define DEVIATIONS 8.0	   /* Over that mean. */
#define LEAST_WINDOWS 10   /* Of peace, before any is compared with it. */
#define RETURN_SHARE 0.1   /* Of clients far more come back, also of slow ones. */
#define LEAST_LIMIT 200.0  /* So many new connections a second any server has room for. */
#define QUIET_FRACTION 0.5 /* Of what began it. */
#define QUIET_SECONDS 3.0
/* Each connection begins with a SYN: far more senders than SYNs had none. */
#define SENDERS_PER_SYN 4
/* Of what is counted: other protocols are counted with TCP in open connections, and some may have a rule. */
#define OF_THE_KIND 0.5

void forged_init(struct forged *forged, enum forged_kind kind, uint8_t family)
{
	memset(forged, 0, sizeof(*forged));
	forged->kind = kind;
	forged->family = family;
}

static bool same_range(const struct sluice_rule_range *left, const struct sluice_rule_range *right)
{
	return left->from == right->from && left->to == right->to;
}

/* Only what a limit of ours may ask for. */
static bool same_match(const struct sluice_rule_match *left, const struct sluice_rule_match *right)
{
	uint32_t fields = left->fields;

	return fields == right->fields && left->family == right->family &&
	       left->protocol == right->protocol &&
	       (!(fields & SLUICE_RULE_TCP_FLAGS) ||
		(left->tcp_value == right->tcp_value && left->tcp_mask == right->tcp_mask)) &&
	       (!(fields & SLUICE_RULE_LENGTH) || same_range(&left->length, &right->length)) &&
	       (!(fields & SLUICE_RULE_DESTINATION_PORT) ||
		same_range(&left->destination_port, &right->destination_port));
}

static bool is_ours(const struct forged *forged, const struct sluice_window_rule *rule)
{
	if (!(rule->flags & SLUICE_WINDOW_RULE_AUTOMATIC))
		return false;
	for (size_t i = 0; i < forged->n_matches; i++)
		if (same_match(&forged->match[i], &rule->match))
			return true;
	return false;
}

/* What our rules dropped was offered all the same. */
static double dropped(const struct forged *forged, const struct sluice_window *window)
{
	double packets = 0;

	if (!SLUICE_HAS(window, rule_size) || !window->rules ||
	    window->rule_size < sizeof(struct sluice_window_rule))
		return 0;
	for (size_t i = 0; i < window->n_rules; i++)
		if (is_ours(forged, sluice_window_rule(window, i)))
			packets += (double)sluice_window_rule(window, i)->dropped_packets;
	return packets;
}

static bool is_stranger(const struct sluice_source *source, uint8_t family)
{
	return source->key.family == family && !(source->flags & SLUICE_SOURCE_KNOWN);
}

/* How many packets of the source are such. */
static uint64_t counted(const struct forged *forged, const struct sluice_source *source)
{
	if (forged->kind == FORGED_SYN)
		return source->tcp_syn;
	if (forged->kind == FORGED_UDP)
		return source->udp;
	return source->tcp_syn || source->udp || source->icmp ? 0 : source->packets;
}

static bool was_asked(const struct forged_asked *asked, uint64_t hash)
{
	size_t from = 0, n = asked->n, bit = hash % FORGED_FILTER_BITS;

	if (!(asked->filter[bit / 64] >> (bit % 64) & 1))
		return false;
	while (n > 0) {
		size_t half = n / 2;

		if (asked->hash[from + half] == hash)
			return true;
		if (asked->hash[from + half] < hash) {
			from += half + 1;
			n -= half + 1;
		} else {
			n = half;
		}
	}
	return false;
}

static void count_returned(struct forged *forged, const struct learned *learned,
			   const struct sluice_window *window)
{
	forged->returned = 0;
	forged->n_asked = (uint32_t)forged->asked.n;
	if (forged->asked.n == 0)
		return;
	for (size_t i = 0; i < window->n_sources; i++) {
		const struct sluice_source *source = sluice_window_source(window, i);

		if (source->packets && source->key.family == forged->family)
			forged->returned +=
				was_asked(&forged->asked, learned_hash(learned, &source->key));
	}
}

static int compare_hashes(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Those who sent such packets and nothing else; of very many, evenly some. */
static void ask(struct forged *forged, const struct learned *learned,
		const struct sluice_window *window)
{
	struct forged_asked *asked = &forged->asked;
	size_t step = window->n_sources / FORGED_MAX_ASKED + 1;

	memset(asked, 0, sizeof(*asked));
	for (size_t i = 0; i < window->n_sources && asked->n < FORGED_MAX_ASKED; i += step) {
		const struct sluice_source *source = sluice_window_source(window, i);
		uint64_t packets = counted(forged, source);

		if (is_stranger(source, forged->family) && packets && source->packets == packets)
			asked->hash[asked->n++] = learned_hash(learned, &source->key);
	}
	qsort(asked->hash, asked->n, sizeof(asked->hash[0]), compare_hashes);
	for (size_t i = 0; i < asked->n; i++) {
		size_t bit = asked->hash[i] % FORGED_FILTER_BITS;

		asked->filter[bit / 64] |= 1ull << (bit % 64);
	}
}

/* One window. */
struct tally {
	double packets, known; /* Such of strangers; TCP of known clients. */
	uint64_t senders;      /* Of the former. */
	uint64_t syns;	       /* Of strangers. */
};

static struct tally tally_of(const struct forged *forged, const struct sluice_window *window)
{
	struct tally tally = { 0 };

	for (size_t i = 0; i < window->n_sources; i++) {
		const struct sluice_source *source = sluice_window_source(window, i);
		uint64_t packets = counted(forged, source);

		if (source->key.family != forged->family)
			continue;
		if (source->flags & SLUICE_SOURCE_KNOWN) {
			tally.known += source->udp || source->icmp ? 0 : (double)source->packets;
			continue;
		}
		tally.packets += (double)packets;
		tally.senders += packets > 0;
		tally.syns += source->tcp_syn;
	}
	return tally;
}

/* From here on it is worth a limit. */
static double threshold(const struct forged *forged, const struct forged_params *params)
{
	return fmax(forged->peace.mean + params->min_pps,
		    params->growth * forged->peace.mean + DEVIATIONS * forged->peace.deviation);
}

static void follow(struct forged *forged, const struct forged_params *params, double seconds)
{
	bool few = forged->offered_pps < QUIET_FRACTION * threshold(forged, params);

	forged->quiet = few ? forged->quiet + 1 : 0;
	if (forged->quiet * seconds >= QUIET_SECONDS)
		forged->active = false;
}

/*
 * Whether packets of no connection that is known are of none: not where most who talk are unknown, as
 * on a router, nor while as many connections begin.
 */
static bool is_outside(const struct forged *forged, const struct tally *tally)
{
	return forged->known.mean > 0 && forged->known.mean >= forged->peace.mean &&
	       tally->senders >= SENDERS_PER_SYN * (tally->syns + forged->syns_before);
}

static void judge(struct forged *forged, const struct forged_params *params,
		  const struct tally *tally, const struct shape *shape)
{
	if (forged->peace.n < LEAST_WINDOWS || forged->n_asked < params->min_sources ||
	    forged->returned > RETURN_SHARE * forged->n_asked)
		return;
	if (forged->kind == FORGED_OPEN && !is_outside(forged, tally))
		return;
	if (forged->kind != FORGED_SYN && shape->pps < OF_THE_KIND * forged->passed_pps)
		return;
	if (shape->n == 0)
		return;
	forged->n_matches = shape->n;
	memcpy(forged->match, shape->match, sizeof(forged->match));
	forged->active = true;
	forged->quiet = 0;
	forged->limit_pps = (uint64_t)fmax(LEAST_LIMIT, params->growth * forged->peace.mean);
}

static void learn(struct forged *forged, const struct tally *tally, double seconds)
{
	sluice_usual_learn(&forged->peace, forged->passed_pps, SLOWEST);
	sluice_usual_learn(&forged->known, tally->known / seconds, SLOWEST);
}

void forged_observe(struct forged *forged, const struct forged_params *params,
		    const struct learned *learned, const struct sluice_window *window,
		    const struct shape *shape, bool hold)
{
	double seconds = fmax((double)window->length_ns / 1e9, 0.05);
	const struct tally tally = tally_of(forged, window);
	bool many;

	forged->passed_pps = tally.packets / seconds;
	forged->offered_pps = forged->passed_pps;
	if (forged->active)
		forged->offered_pps += dropped(forged, window) / seconds;
	count_returned(forged, learned, window);
	many = forged->passed_pps >= threshold(forged, params);
	if (forged->active)
		follow(forged, params, seconds);
	/* Limits of one shape do not end the search: the flood may take another. */
	if (many) {
		judge(forged, params, &tally, shape);
		ask(forged, learned, window);
	} else {
		forged->asked.n = 0;
	}
	if (!many && !hold && !forged->active)
		learn(forged, &tally, seconds);
	forged->syns_before = tally.syns;
}
