/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Finds rules that tell a flood from ordinary traffic: what many new senders have in common that
 * peace has not.  Pure: samples of the window and of peace in, rules out.
 */
#ifndef SLUICE_ENTROPY_MINE_H
#define SLUICE_ENTROPY_MINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/rule.h>

#include "../common/packet.h"

#define MINE_HEAD_SIZE 4
#define MINE_MAX_SAMPLES 1024 /* Of either kind that are looked at. */
#define MINE_MAX_PEACE 2048
#define MINE_MAX_RULES 8
#define MINE_ANY_PORT (-2) /* Of an ordinary packet. */

struct mine_packet {
	struct packet packet; /* Its payload pointer is not used. */
	uint64_t source;      /* Tells sources apart. */
	uint8_t head[MINE_HEAD_SIZE];
	uint8_t head_size; /* Bytes of payload in `head`. */
	bool is_new;	   /* The sender is not known from peace. */
};

/* A kind of packet that any host gets, whether peace had it or not. */
struct mine_ordinary {
	struct mine_packet packet; /* Its ports may be MINE_ANY_PORT. */
	uint16_t longest;	   /* Lengths go from the packet's up to this. */
	double share;		   /* Of what a host gets, as far as is to be expected. */
};

struct mine_params {
	double max_benign;    /* The share of peace that a rule may hit. */
	double min_pps;	      /* The least excess that is worth a rule. */
	double growth;	      /* Over what peace has of the same. */
	double new_share;     /* Of what fits, from new senders. */
	double min_evenness;  /* Normalised entropy of the senders. */
	uint32_t min_sources; /* Among the samples that fit. */
	size_t max_rules;     /* At most MINE_MAX_RULES. */
};

struct mine_input {
	/* This window's, strangers only, and what rules in force explain left out. */
	const struct mine_packet *samples;
	size_t n_samples;
	double pps_per_sample;
	const struct mine_packet *peace;
	size_t n_peace;
	double peace_pps;
	/* What any host on the Internet gets, so that a short peace is not taken for all there is. */
	const struct mine_ordinary *ordinary;
	size_t n_ordinary;
};

struct mine_rule {
	struct sluice_rule_match match;
	double pps;	     /* That fits it, by the samples. */
	double excess_pps;   /* Over peace. */
	double benign_share; /* Estimated from above. */
	double coverage;     /* Of the samples that it was mined from. */
	double evenness, new_share;
	uint32_t samples, sources;
};

struct miner;

struct miner *miner_new(void); /* NULL when memory is out. */
void miner_free(struct miner *miner);

/* The best rules, each for what those before it leave unexplained; returns how many. */
size_t miner_run(struct miner *miner, const struct mine_params *params,
		 const struct mine_input *input, struct mine_rule rules[MINE_MAX_RULES]);

/* Copies what a rule can ask for out of a parsed packet. */
void mine_packet_set(struct mine_packet *out, const struct packet *packet, uint64_t source,
		     bool is_new);
bool mine_packet_fits(const struct mine_packet *packet, const struct sluice_rule_match *match);

#endif /* SLUICE_ENTROPY_MINE_H */
