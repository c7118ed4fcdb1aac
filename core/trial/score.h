/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How a defence did in one run: what it dropped of the attack and of the others, whom that harmed,
 * and how soon.  Pure counting: packets and what stopped them go in, figures come out.
 */
#ifndef SLUICE_TRIAL_SCORE_H
#define SLUICE_TRIAL_SCORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCORE_NEVER UINT64_MAX
#define SCORE_NO_CLIENT UINT32_MAX
/* A window with so many labelled packets a second is the onset of an attack. */
#define SCORE_ONSET_PPS 1000u
#define SCORE_MAX_DETECTORS 32
/* More than one packet in so many dropped harms a client; so does any part of its handshake. */
#define SCORE_HARM_SHARE 100u

enum score_class {
	SCORE_BENIGN,
	SCORE_ATTACK,
	SCORE_IGNORED,
};

/* What stopped a packet: one block or rule, from when it was put in force. */
struct score_cause {
	int detector; /* Index; -1: none of the detectors, such as the filter itself. */
	uint64_t enforced_ns;
	/* score_mark() of that moment. */
	uint64_t attack_packets, attack_dropped;
};

struct score_packet {
	uint64_t time_ns;
	enum score_class class;
	uint32_t client; /* Or SCORE_NO_CLIENT. */
	uint32_t pass;	 /* Repetition of its capture; 0 is the first. */
	bool handshake;
	const struct score_cause *cause; /* NULL: it was let through. */
};

struct score_share {
	uint64_t packets, dropped;
};

struct score_clients {
	uint64_t clients, harmed;
};

struct score_detector {
	bool detected; /* It said "attack" between the onset and the attack's end. */
	uint64_t
		enforced_ns; /* After the attack's begin; SCORE_NEVER: nothing of its own hit it. */
	uint64_t windows;    /* From the onset until then; SCORE_NEVER. */
};

struct score_result {
	struct score_detector detectors[SCORE_MAX_DETECTORS];
	struct score_detector all; /* The same of all together; `detected` by any. */
	struct score_share attack, attack_after;
	struct score_share attack_pass[2]; /* The first pass of each capture, and later ones. */
	struct score_share benign;
	struct score_clients known, fresh;
	/* After the attack's end; SCORE_NEVER: not within the run, or there was nothing to release. */
	uint64_t released_ns;
	bool onset; /* The labelled rate reached SCORE_ONSET_PPS in some window. */
};

struct score_options {
	uint64_t window_ns;
	uint64_t attack_start_ns, attack_end_ns; /* Equal: no attack. */
	size_t n_detectors;
	size_t n_clients;
	bool (*known_before)(void *ctx, uint32_t client);
	void *ctx;
};

struct score;

/* Copies `options`.  0 or -ENOMEM. */
int score_new(const struct score_options *options, struct score **out)
	__attribute__((warn_unused_result));
void score_free(struct score *score);

/* In order of time, before the score_window() of the window that they end in. */
void score_packet(struct score *score, const struct score_packet *packet);

/* What a block or rule that is put in force now must remember. */
struct score_cause score_mark(const struct score *score, int detector, uint64_t now_ns);

/*
 * After a window's work: which detectors said "attack", and how many automatic blocks and rules are in
 * force.
 */
void score_window(struct score *score, uint64_t end_ns, const bool *attacks, uint64_t in_force);

/* May be asked more than once. */
void score_result(const struct score *score, struct score_result *result);

/* Of two runs of the same protocol, figure by figure the worse one: into `worst`. */
void score_worse(struct score_result *worst, const struct score_result *other, size_t n_detectors);

/* Parts per million, or per cent; 0 of nothing. */
uint64_t score_ppm(uint64_t part, uint64_t whole);
double score_percent(uint64_t part, uint64_t whole);

#endif /* SLUICE_TRIAL_SCORE_H */
