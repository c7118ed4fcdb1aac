/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Captures and labels in, one stream of packets on a virtual clock out: rewritten to one protected
 * host, merged, labelled, and the same to the byte for the same inputs, options and seed.
 *
 *   mix_new(); mix_add() for each capture; mix_start(); mix_next() until it returns 0; mix_free()
 *
 * Timeline when there is an attack (T = attack_at + phase):
 *
 *   0           T           T + attack_for        T + attack_for + after
 *   |  warm-up  |  attack, repeated to fill  |                          |
 *   |  warm-up clients (looped) ........................................|
 *               |  benign clients, not looped ..........................|
 *
 * Without an attack it is the plain timeline: warm-up captures (if any) for attack_at, then the
 * benign ones to their end.  Memory: that of the captures, 8 bytes a packet, under 200 bytes
 * for each client and, while it starts, under 100 for each distinct attack source.  One thread at a
 * time.
 */
#ifndef SLUICE_REPLAY_MIX_H
#define SLUICE_REPLAY_MIX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

struct capture;
struct labels;
struct mix;
struct sluice_err;

#define MIX_MAX_PROTECTED 64
#define MIX_MAX_CAPTURES 4096
#define MIX_NO_CLIENT UINT32_MAX
#define MIX_PHASE_BY_SEED UINT64_MAX

enum mix_set {
	MIX_SET_WARMUP, /* Benign, from 0 on, looped; its clients are those known before. */
	MIX_SET_BENIGN, /* Benign, from T on, once. */
	MIX_SET_ATTACK, /* From T on for attack_for; background in it runs once, at native speed. */
};

enum mix_role {
	MIX_ROLE_SERVER, /* The responder of each benign flow becomes the protected host. */
	MIX_ROLE_CLIENT, /* The busiest host of each benign capture becomes it. */
	MIX_ROLE_ASIS,	 /* Addresses stay. */
};

enum mix_respoof {
	MIX_RESPOOF_AUTO, /* Where the labels say `spoofed: yes`. */
	MIX_RESPOOF_ON,
	MIX_RESPOOF_OFF,
};

enum mix_class {
	MIX_CLASS_BENIGN,
	MIX_CLASS_ATTACK,
	MIX_CLASS_IGNORE, /* Not scored. */
};

/* Relative to the protected prefixes. */
enum mix_direction {
	MIX_TOWARD, /* To be filtered, and scored. */
	MIX_FROM,   /* Sent by a protected host: feeds state only. */
	MIX_OTHER,  /* Neither, such as a broadcast, ARP or a stranger's packet: neither. */
};

struct mix_options {
	enum mix_role role;
	enum mix_respoof respoof;
	/*
	 * Protected prefixes; none: the protected host alone (role server or client), or all that is
	 * not protected counts as toward (role asis).
	 */
	const struct sluice_key *protect;
	size_t n_protect;
	/* The protected host; of no family: the first address of the first such prefix, or our own. */
	struct sluice_key host4, host6;
	uint16_t attack_port; /* Destination port of attack packets; 0: as it is. */
	bool stealth; /* SYNs of an attack get the TCP options and the length of ordinary ones. */
	uint64_t attack_at_ns;	/* 30 s */
	uint64_t attack_for_ns; /* 10 s */
	uint64_t after_ns;	/* 20 s */
	uint64_t phase_ns;	/* MIX_PHASE_BY_SEED: below one second, from the seed. */
	uint64_t seed;
	uint64_t
		attack_pps; /* Labelled attack packets a second, all captures together; 0: native. */
	uint64_t speed_ppm; /* Of benign captures, in millionths: 1,000,000 is native. */
	bool overlay;	    /* All captures of a set at once, not one after another. */
	bool trim;	    /* Attack captures begin and end with a packet labelled attack. */
	bool inbound_only;  /* mix_next() gives only packets toward protected hosts. */
};

struct mix_packet {
	uint64_t time_ns;
	const uint8_t *data; /* Valid until the next call. */
	uint32_t size;	     /* Captured; may be under 14 (a runt). */
	uint32_t wire_size;
	uint32_t client;   /* Dense from 0; MIX_NO_CLIENT for attack packets and those without. */
	uint32_t pass;	   /* Repetition of its capture: 0 is the first. */
	uint16_t file;	   /* In order of mix_add(). */
	uint8_t set;	   /* enum mix_set */
	uint8_t label;	   /* enum mix_class */
	uint8_t direction; /* enum mix_direction */
	bool handshake;	   /* TCP with SYN: a SYN or a SYN-ACK. */
};

/* A benign pair of a client and a server; in role client the peer of the protected host. */
struct mix_client {
	struct sluice_key address; /* After rewriting. */
	/*
	 * At T it had completed a TCP handshake, or the protected host had sent it the pair's first
	 * packet: what an honest filter can know.  A reply alone makes nobody known.
	 */
	bool known_before;
	bool seen_before; /* It had sent or got any packet before T. */
};

struct mix_info {
	uint64_t attack_start_ns; /* T; the end of the warm-up when there is no attack. */
	uint64_t attack_end_ns;
	uint64_t end_ns; /* No packet is later. */
	struct sluice_key host4, host6;
	const struct sluice_key *protect; /* What counts as protected, the hosts included. */
	size_t n_protect;
	size_t n_clients;
	size_t n_peers; /* The clients, and no fewer than the hosts that an attack's victim answers. */
	size_t n_files;
	uint64_t gaps_cut, steps_back, runts; /* Sum over the captures. */
	uint64_t attack_pps; /* Labelled packets a second while it runs, all captures together. */
	uint64_t attack_packets_a_pass;
	uint64_t beyond_end; /* Packets of benign captures that the timeline has no time for. */
	uint64_t memory_bytes;
};

void mix_options_init(struct mix_options *options);

/* Copies `options`.  0, -EINVAL (options that contradict each other) or -ENOMEM. */
int mix_new(const struct mix_options *options, struct mix **out, struct sluice_err *err)
	__attribute__((warn_unused_result));
/*
 * Takes `capture` over, also on failure, and rewrites it in place later; one loaded capture serves
 * one mix.  `labels` stay the caller's, must live until mix_start(), and may be NULL: all of an
 * attack capture is attack, all of a benign one benign.  In a benign capture what the labels call
 * attack or ignore is not scored.  0, -ENOMEM, -E2BIG or -EBUSY (already started).
 */
int mix_add(struct mix *mix, enum mix_set set, struct capture *capture, const struct labels *labels,
	    struct sluice_err *err) __attribute__((warn_unused_result));
/* 0; -EINVAL nothing to replay or no attack packet; -ENOMEM. */
int mix_start(struct mix *mix, struct sluice_err *err) __attribute__((warn_unused_result));
/* 1 and the next packet, in order of time; 0 at the end.  Negative errno if not started. */
int mix_next(struct mix *mix, struct mix_packet *packet) __attribute__((warn_unused_result));
/* Back to the first packet; the stream is the same again. */
void mix_rewind(struct mix *mix);
/* Keeps the place in the stream, one at a time, and goes back to it; at first it is the first packet. */
void mix_mark(struct mix *mix);
void mix_return(struct mix *mix);
void mix_free(struct mix *mix);

/* Valid from mix_start() on, until mix_free(). */
const struct mix_info *mix_info(const struct mix *mix);
/* NULL for an index that is out of range. */
const struct mix_client *mix_client(const struct mix *mix, uint32_t client);
/* The path of a file index. */
const char *mix_file_path(const struct mix *mix, uint16_t file);

#endif /* SLUICE_REPLAY_MIX_H */
