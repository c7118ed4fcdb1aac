/* SPDX-License-Identifier: BSD-2-Clause */
/* See score.h. */
#include "score.h"

#include <errno.h>
#include <stdlib.h>

#define SECOND_NS 1000000000ull

struct client {
	uint32_t packets, dropped;
	bool handshake_dropped;
};

/* The earliest of the causes that hit the attack. */
struct first {
	bool hit;
	struct score_cause cause;
};

struct score {
	struct score_options options;
	struct client *clients;
	struct score_share attack, attack_pass[2], benign;
	struct first first, first_of[SCORE_MAX_DETECTORS];
	bool detected[SCORE_MAX_DETECTORS];
	uint64_t in_window; /* Labelled packets of the window that goes on. */
	uint64_t window_start_ns;
	uint64_t onset_ns; /* SCORE_NEVER */
	uint64_t released_ns;
	bool was_in_force; /* Anything, since the attack began. */
};

int score_new(const struct score_options *options, struct score **out)
{
	struct score *score = calloc(1, sizeof(*score));

	if (!score)
		return -ENOMEM;
	score->options = *options;
	score->onset_ns = score->released_ns = SCORE_NEVER;
	score->clients = calloc(options->n_clients + 1, sizeof(*score->clients));
	if (!score->clients) {
		free(score);
		return -ENOMEM;
	}
	*out = score;
	return 0;
}

void score_free(struct score *score)
{
	if (!score)
		return;
	free(score->clients);
	free(score);
}

uint64_t score_ppm(uint64_t part, uint64_t whole)
{
	return whole ? (uint64_t)((double)part * 1e6 / (double)whole + 0.5) : 0;
}

double score_percent(uint64_t part, uint64_t whole)
{
	return whole ? (double)part * 100 / (double)whole : 0;
}

static void count(struct score_share *share, bool dropped)
{
	share->packets++;
	share->dropped += dropped;
}

static void note_cause(struct first *first, const struct score_cause *cause)
{
	if (first->hit && first->cause.enforced_ns <= cause->enforced_ns)
		return;
	first->hit = true;
	first->cause = *cause;
}

static void count_attack(struct score *score, const struct score_packet *packet)
{
	const struct score_cause *cause = packet->cause;

	count(&score->attack, cause);
	count(&score->attack_pass[packet->pass > 0], cause);
	score->in_window++;
	if (!cause)
		return;
	note_cause(&score->first, cause);
	if (cause->detector >= 0 && cause->detector < SCORE_MAX_DETECTORS)
		note_cause(&score->first_of[cause->detector], cause);
}

static void count_benign(struct score *score, const struct score_packet *packet)
{
	struct client *client;

	count(&score->benign, packet->cause);
	if (packet->client >= score->options.n_clients)
		return;
	client = &score->clients[packet->client];
	client->packets++;
	client->dropped += packet->cause != NULL;
	client->handshake_dropped |= packet->cause && packet->handshake;
}

void score_packet(struct score *score, const struct score_packet *packet)
{
	switch (packet->class) {
	case SCORE_ATTACK:
		count_attack(score, packet);
		break;
	case SCORE_BENIGN:
		count_benign(score, packet);
		break;
	case SCORE_IGNORED:
		break;
	}
}

struct score_cause score_mark(const struct score *score, int detector, uint64_t now_ns)
{
	return (struct score_cause){
		.detector = detector,
		.enforced_ns = now_ns,
		.attack_packets = score->attack.packets,
		.attack_dropped = score->attack.dropped,
	};
}

static bool has_attack(const struct score *score)
{
	return score->options.attack_end_ns > score->options.attack_start_ns;
}

static void note_onset(struct score *score, uint64_t end_ns)
{
	uint64_t length_ns = end_ns - score->window_start_ns;

	if (score->onset_ns == SCORE_NEVER && length_ns &&
	    score->in_window * SECOND_NS >= SCORE_ONSET_PPS * length_ns)
		score->onset_ns = score->window_start_ns;
	score->in_window = 0;
	score->window_start_ns = end_ns;
}

void score_window(struct score *score, uint64_t end_ns, const bool *attacks, uint64_t in_force)
{
	const struct score_options *options = &score->options;

	note_onset(score, end_ns);
	if (!has_attack(score))
		return;
	for (size_t i = 0; i < options->n_detectors && i < SCORE_MAX_DETECTORS; i++)
		/* The window that the attack ends in may be the first that shows it. */
		score->detected[i] |= attacks[i] && end_ns > options->attack_start_ns &&
				      end_ns < options->attack_end_ns + options->window_ns;
	score->was_in_force |= in_force && end_ns >= options->attack_start_ns;
	if (end_ns < options->attack_end_ns)
		return;
	if (in_force)
		score->released_ns = SCORE_NEVER;
	else if (score->was_in_force && score->released_ns == SCORE_NEVER)
		score->released_ns = end_ns - options->attack_end_ns;
}

/* An attack that never gets to the rate begins when it begins. */
static uint64_t onset_of(const struct score *score)
{
	const struct score_options *options = &score->options;

	if (score->onset_ns != SCORE_NEVER)
		return score->onset_ns;
	return options->attack_start_ns - options->attack_start_ns % options->window_ns;
}

static struct score_detector conclude(const struct score *score, const struct first *first,
				      bool detected)
{
	uint64_t enforced_ns = first->cause.enforced_ns, window_ns = score->options.window_ns;
	uint64_t start_ns = score->options.attack_start_ns, onset_ns = onset_of(score);

	if (!first->hit)
		return (struct score_detector){ detected, SCORE_NEVER, SCORE_NEVER };
	return (struct score_detector){
		.detected = detected,
		.enforced_ns = enforced_ns > start_ns ? enforced_ns - start_ns : 0,
		.windows = enforced_ns > onset_ns
				   ? (enforced_ns - onset_ns + window_ns - 1) / window_ns
				   : 0,
	};
}

static bool is_harmed(const struct client *client)
{
	return client->handshake_dropped ||
	       (uint64_t)client->dropped * SCORE_HARM_SHARE > client->packets;
}

static void count_clients(const struct score *score, struct score_result *result)
{
	const struct score_options *options = &score->options;

	for (size_t i = 0; i < options->n_clients; i++) {
		const struct client *client = &score->clients[i];
		bool known = options->known_before &&
			     options->known_before(options->ctx, (uint32_t)i);
		struct score_clients *clients = known ? &result->known : &result->fresh;

		/* Only outbound packets, or none that is scored. */
		if (!client->packets)
			continue;
		clients->clients++;
		clients->harmed += is_harmed(client);
	}
}

void score_result(const struct score *score, struct score_result *result)
{
	const struct score_cause *first = &score->first.cause;
	bool any = false;

	*result = (struct score_result){
		.attack = score->attack,
		.attack_pass = { score->attack_pass[0], score->attack_pass[1] },
		.benign = score->benign,
		.released_ns = score->released_ns,
		.onset = score->onset_ns != SCORE_NEVER,
	};
	for (size_t i = 0; i < score->options.n_detectors && i < SCORE_MAX_DETECTORS; i++) {
		result->detectors[i] = conclude(score, &score->first_of[i], score->detected[i]);
		any |= score->detected[i];
	}
	result->all = conclude(score, &score->first, any);
	if (score->first.hit)
		result->attack_after = (struct score_share){
			.packets = score->attack.packets - first->attack_packets,
			.dropped = score->attack.dropped - first->attack_dropped,
		};
	count_clients(score, result);
}

static void worse_detector(struct score_detector *worst, const struct score_detector *other)
{
	worst->detected &= other->detected;
	/* SCORE_NEVER is the largest. */
	if (other->enforced_ns > worst->enforced_ns)
		worst->enforced_ns = other->enforced_ns;
	if (other->windows > worst->windows)
		worst->windows = other->windows;
}

static bool smaller_share(const struct score_share *a, const struct score_share *b)
{
	return score_ppm(a->dropped, a->packets) < score_ppm(b->dropped, b->packets);
}

static bool more_harm(const struct score_clients *a, const struct score_clients *b)
{
	return score_ppm(a->harmed, a->clients) > score_ppm(b->harmed, b->clients);
}

void score_worse(struct score_result *worst, const struct score_result *other, size_t n_detectors)
{
	for (size_t i = 0; i < n_detectors && i < SCORE_MAX_DETECTORS; i++)
		worse_detector(&worst->detectors[i], &other->detectors[i]);
	worse_detector(&worst->all, &other->all);
	if (smaller_share(&other->attack, &worst->attack)) {
		worst->attack = other->attack;
		worst->attack_pass[0] = other->attack_pass[0];
		worst->attack_pass[1] = other->attack_pass[1];
	}
	/* Never enforced is nothing of nothing, and the worst of all. */
	if (smaller_share(&other->attack_after, &worst->attack_after))
		worst->attack_after = other->attack_after;
	if (smaller_share(&worst->benign, &other->benign))
		worst->benign = other->benign;
	if (more_harm(&other->known, &worst->known))
		worst->known = other->known;
	if (more_harm(&other->fresh, &worst->fresh))
		worst->fresh = other->fresh;
	if (other->released_ns > worst->released_ns)
		worst->released_ns = other->released_ns;
	worst->onset |= other->onset;
}
