/* SPDX-License-Identifier: BSD-2-Clause */
/* See forged.h. */
#include "forged.h"

#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "learned.h"

#define SYN 0x02
#define ACK 0x10
#define SLOWEST 64	   /* Windows in the mean of peace. */
#define DEVIATIONS 8.0	   /* Over that mean. */
#define LEAST_WINDOWS 10   /* Of peace, before any is compared with it. */
#define RETURN_SHARE 0.1   /* Of clients far more come back, also of slow ones. */
#define LEAST_LIMIT 200.0  /* So many new connections a second any server has room for. */
#define QUIET_FRACTION 0.5 /* Of what began it. */
#define QUIET_SECONDS 3.0

void forged_match(uint8_t family, struct sluice_rule_match *match)
{
	*match = (struct sluice_rule_match){
		.size = sizeof(*match),
		.fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_TCP_FLAGS,
		.family = family,
		.protocol = IPPROTO_TCP,
		.tcp_value = SYN,
		.tcp_mask = SYN | ACK,
	};
}

static bool is_ours(const struct sluice_window_rule *rule, uint8_t family)
{
	struct sluice_rule_match match;

	forged_match(family, &match);
	return rule->flags & SLUICE_WINDOW_RULE_AUTOMATIC && rule->match.family == family &&
	       rule->match.fields == match.fields && rule->match.protocol == match.protocol &&
	       rule->match.tcp_value == match.tcp_value && rule->match.tcp_mask == match.tcp_mask;
}

/* What our rule dropped was offered all the same. */
static double dropped(const struct sluice_window *window, uint8_t family)
{
	double packets = 0;

	if (!SLUICE_HAS(window, rule_size) || !window->rules ||
	    window->rule_size < sizeof(struct sluice_window_rule))
		return 0;
	for (size_t i = 0; i < window->n_rules; i++)
		if (is_ours(sluice_window_rule(window, i), family))
			packets += (double)sluice_window_rule(window, i)->dropped_packets;
	return packets;
}

static bool is_stranger(const struct sluice_source *source, uint8_t family)
{
	return source->key.family == family && !(source->flags & SLUICE_SOURCE_KNOWN);
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

static void count_returned(struct forged *forged, uint8_t family, const struct learned *learned,
			   const struct sluice_window *window)
{
	forged->returned = 0;
	forged->n_asked = (uint32_t)forged->asked.n;
	if (forged->asked.n == 0)
		return;
	for (size_t i = 0; i < window->n_sources; i++) {
		const struct sluice_source *source = sluice_window_source(window, i);

		if (source->packets && source->key.family == family)
			forged->returned +=
				was_asked(&forged->asked, learned_hash(learned, &source->key));
	}
}

static int compare_hashes(const void *left, const void *right)
{
	const uint64_t *a = left, *b = right;

	return *a < *b ? -1 : *a > *b;
}

/* Those who sent SYNs and nothing else; of very many, evenly some. */
static void ask(struct forged *forged, uint8_t family, const struct learned *learned,
		const struct sluice_window *window)
{
	struct forged_asked *asked = &forged->asked;
	size_t step = window->n_sources / FORGED_MAX_ASKED + 1;

	memset(asked, 0, sizeof(*asked));
	for (size_t i = 0; i < window->n_sources && asked->n < FORGED_MAX_ASKED; i += step) {
		const struct sluice_source *source = sluice_window_source(window, i);

		if (is_stranger(source, family) && source->tcp_syn &&
		    source->packets == source->tcp_syn)
			asked->hash[asked->n++] = learned_hash(learned, &source->key);
	}
	qsort(asked->hash, asked->n, sizeof(asked->hash[0]), compare_hashes);
	for (size_t i = 0; i < asked->n; i++) {
		size_t bit = asked->hash[i] % FORGED_FILTER_BITS;

		asked->filter[bit / 64] |= 1ull << (bit % 64);
	}
}

static double count_passed(uint8_t family, const struct sluice_window *window)
{
	double syns = 0;

	for (size_t i = 0; i < window->n_sources; i++) {
		const struct sluice_source *source = sluice_window_source(window, i);

		if (is_stranger(source, family))
			syns += source->tcp_syn;
	}
	return syns;
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

static void judge(struct forged *forged, const struct forged_params *params)
{
	if (forged->peace.n < LEAST_WINDOWS || forged->n_asked < params->min_sources ||
	    forged->returned > RETURN_SHARE * forged->n_asked)
		return;
	forged->active = true;
	forged->quiet = 0;
	forged->limit_pps = (uint64_t)fmax(LEAST_LIMIT, params->growth * forged->peace.mean);
}

void forged_observe(struct forged *forged, const struct forged_params *params, uint8_t family,
		    const struct learned *learned, const struct sluice_window *window, bool hold)
{
	double seconds = fmax((double)window->length_ns / 1e9, 0.05);
	bool many;

	forged->passed_pps = count_passed(family, window) / seconds;
	forged->offered_pps = forged->passed_pps + dropped(window, family) / seconds;
	count_returned(forged, family, learned, window);
	many = forged->passed_pps >= threshold(forged, params);
	if (forged->active)
		follow(forged, params, seconds);
	else if (many)
		judge(forged, params);
	if (many && !forged->active)
		ask(forged, family, learned, window);
	else
		forged->asked.n = 0;
	if (!many && !hold && !forged->active)
		sluice_usual_learn(&forged->peace, forged->passed_pps, SLOWEST);
}
