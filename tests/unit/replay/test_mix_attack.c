/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Attack captures in a mix: the victim, repetition, pace, invented sources, ports, and what is not
 * attack in them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/address.h"
#include "base/err.h"
#include "mixing.h"

#define VICTIM "10.0.0.1"
#define HOST "203.0.113.80"
#define N_ATTACK 10
#define STEP_US 10000u

/*
 * Ten SYN from sources of their own, 10 ms apart, each answered by the victim; 50 ms before and
 * after them a benign UDP packet, and 20 ms into them another.
 */
static void film_flood(struct film *film)
{
	struct frame_spec background = { .source = "7.7.7.7",
					 .destination = VICTIM,
					 .protocol = 17,
					 .source_port = 7,
					 .destination_port = 53 };

	film_open(film, 1, false);
	film_frame(film, 9, 950000, &background);
	for (uint32_t i = 0; i < N_ATTACK; i++) {
		char source[16];
		struct frame_spec syn = { .source = source,
					  .destination = VICTIM,
					  .protocol = 6,
					  .source_port = (uint16_t)(1000 + i),
					  .destination_port = 25565,
					  .tcp_flags = FRAME_SYN };
		struct frame_spec reply = { .source = VICTIM,
					    .destination = source,
					    .protocol = 6,
					    .source_port = 25565,
					    .destination_port = (uint16_t)(1000 + i),
					    .tcp_flags = FRAME_SYN_ACK };

		snprintf(source, sizeof(source), "20.0.0.%u", i + 1);
		film_frame(film, 10, i * STEP_US, &syn);
		if (i + 1 < N_ATTACK)
			film_frame(film, 10, i * STEP_US + 1000, &reply);
		if (i == 2)
			film_frame(film, 10, i * STEP_US + 2000, &background);
	}
	film_frame(film, 10, (N_ATTACK - 1) * STEP_US + 50000, &background);
}

#define FLOOD_LABELS "attack: \"tcp[13] = 2\"\nignore: \"src host " VICTIM "\"\nbackground: udp\n"

static void play_flood(struct play *play, const struct mix_options *options, const char *labels)
{
	struct film film;

	film_flood(&film);
	play_open(play, options);
	play_add(play, MIX_SET_ATTACK, &film, labels);
	play_run(play);
	film_close(&film);
}

static void options_of(struct mix_options *options)
{
	play_options(options);
	options->host4 = key_of(HOST);
}

Test(mix_attack, repeats_to_fill_and_no_longer)
{
	struct mix_options options;
	uint32_t last_pass = 0;
	struct play play;

	options_of(&options);
	play_flood(&play, &options, FLOOD_LABELS);
	/* 19 packets in 90 ms: a pass takes 95 ms; ten whole ones and 50 ms, which is five packets. */
	cr_expect_eq(play.info->attack_packets_a_pass, N_ATTACK);
	cr_expect_eq(play.info->attack_pps, N_ATTACK * 1000 / 95);
	cr_expect_eq(play_count(&play, MIX_CLASS_ATTACK, MIX_TOWARD), 10 * N_ATTACK + 5);
	cr_expect_eq(play_count(&play, MIX_CLASS_IGNORE, MIX_FROM), 10 * (N_ATTACK - 1) + 5);
	for (size_t i = 0; i < play.n; i++) {
		const struct mix_packet *packet = &play.heard[i].packet;

		cr_assert_geq(packet->time_ns, 2 * SECOND);
		cr_assert(frame_is_right(packet->data, packet->size));
		if (packet->label != MIX_CLASS_ATTACK)
			continue;
		cr_assert_lt(packet->time_ns, 3 * SECOND);
		cr_assert_eq(packet->pass, (packet->time_ns - 2 * SECOND) / (95 * MS));
		cr_assert_str_eq(frame_destination(packet->data), HOST);
		cr_assert_eq(packet->client, MIX_NO_CLIENT);
		last_pass = packet->pass;
	}
	cr_expect_eq(last_pass, 10);
	play_close(&play);
}

/* What is benign in an attack capture neither repeats nor speeds up, and has clients. */
Test(mix_attack, background_plays_once)
{
	struct mix_options options;
	struct play play;

	options_of(&options);
	options.attack_pps = 2000;
	play_flood(&play, &options, FLOOD_LABELS);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_TOWARD), 1, "trimmed at both ends");
	for (size_t i = 0; i < play.n; i++) {
		const struct mix_packet *packet = &play.heard[i].packet;

		if (packet->label != MIX_CLASS_BENIGN)
			continue;
		cr_expect_eq(packet->time_ns, 2 * SECOND + 22 * MS);
		cr_expect_eq(packet->client, 0);
		cr_expect_str_eq(frame_source(packet->data), "7.7.7.7");
	}
	cr_expect_eq(play.info->n_clients, 1);
	cr_expect_not(mix_client(play.mix, 0)->seen_before);
	play_close(&play);
	options.trim = false;
	play_flood(&play, &options, FLOOD_LABELS);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_TOWARD), 3);
	play_close(&play);
}

Test(mix_attack, pace)
{
	static const uint64_t rates[] = { 50, 1000, 20000 };
	struct mix_options options;

	options_of(&options);
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
		struct play play;
		size_t n;

		options.attack_pps = rates[i];
		play_flood(&play, &options, FLOOD_LABELS);
		n = play_count(&play, MIX_CLASS_ATTACK, MIX_TOWARD);
		cr_expect_eq(n, rates[i], "%zu in one second", n);
		cr_expect_eq(play.info->attack_pps, rates[i]);
		play_close(&play);
	}
}

/* Two attack captures share the pace and run at once. */
Test(mix_attack, several_at_once)
{
	struct mix_options options;
	struct film film;
	struct play play;
	size_t files[2] = { 0 };

	options_of(&options);
	options.attack_pps = 1000;
	film_flood(&film);
	play_open(&play, &options);
	play_add(&play, MIX_SET_ATTACK, &film, FLOOD_LABELS);
	play_add(&play, MIX_SET_ATTACK, &film, FLOOD_LABELS);
	play_run(&play);
	for (size_t i = 0; i < play.n; i++)
		files[play.heard[i].packet.file] += play.heard[i].packet.label == MIX_CLASS_ATTACK;
	cr_expect_eq(files[0], 500);
	cr_expect_eq(files[1], 500);
	play_close(&play);
	film_close(&film);
}

/* Sources by pass and place; returns how many passes keep those of the capture. */
static size_t passes_with_own_sources(const struct play *play)
{
	bool own[64] = { false }, fresh[64] = { false };
	size_t n = 0;

	for (size_t i = 0; i < play->n; i++) {
		const struct mix_packet *packet = &play->heard[i].packet;
		bool from = packet->direction == MIX_FROM;
		const char *far;

		if (packet->label == MIX_CLASS_BENIGN)
			continue;
		cr_assert(frame_is_right(packet->data, packet->size));
		far = from ? frame_destination(packet->data) : frame_source(packet->data);
		if (!strncmp(far, "20.0.0.", 7))
			own[packet->pass] = true;
		else
			fresh[packet->pass] = true;
	}
	for (size_t pass = 0; pass < 64; pass++) {
		cr_assert_not(own[pass] && fresh[pass], "pass %zu has both", pass);
		n += own[pass];
	}
	return n;
}

/* Hosts that the victim sent anything: without fresh ones the same in every pass. */
static size_t answered(const struct play *play, bool respoofed)
{
	size_t n = 0;

	for (size_t i = 0; i < play->n; i++) {
		const struct mix_packet *packet = &play->heard[i].packet;

		n += packet->direction == MIX_FROM && (respoofed || packet->pass == 0);
	}
	return n;
}

Test(mix_attack, spoofed_sources_are_fresh_on_every_pass)
{
	static const struct {
		enum mix_respoof respoof;
		const char *labels;
		size_t own;
	} cases[] = {
		{ MIX_RESPOOF_AUTO, FLOOD_LABELS "spoofed: yes\n", 1 },
		{ MIX_RESPOOF_AUTO, FLOOD_LABELS "spoofed: no\n", 11 },
		{ MIX_RESPOOF_ON, FLOOD_LABELS, 1 },
		{ MIX_RESPOOF_OFF, FLOOD_LABELS "spoofed: yes\n", 11 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct mix_options options;
		struct play play;
		size_t n_answered;

		options_of(&options);
		options.respoof = cases[i].respoof;
		play_flood(&play, &options, cases[i].labels);
		cr_expect_eq(passes_with_own_sources(&play), cases[i].own, "case %zu", i);
		n_answered = answered(&play, cases[i].own == 1);
		cr_expect_geq(play.info->n_peers, n_answered, "case %zu", i);
		cr_expect_leq(play.info->n_peers, n_answered + 2 * N_ATTACK, "case %zu", i);
		play_close(&play);
	}
}

/*
 * With three quarters of all addresses protected, none of 20,000 fresh ones falls among them; no
 * two passes share one, and the victim's answer goes where the SYN came from.
 */
Test(mix_attack, fresh_sources_hit_nothing_protected)
{
	struct sluice_key protect[] = { key_of("64.0.0.0/2"), key_of("128.0.0.0/1"),
					key_of("2001:db8::/32") };
	struct mix_options options;
	const char *syn = "";
	struct play play;
	size_t seen = 0;

	options_of(&options);
	options.protect = protect;
	options.n_protect = 3;
	options.attack_pps = 20000;
	play_flood(&play, &options, FLOOD_LABELS "spoofed: yes\n");
	for (size_t i = 0; i < play.n; i++) {
		const struct mix_packet *packet = &play.heard[i].packet;
		uint8_t first;

		if (packet->label == MIX_CLASS_ATTACK) {
			syn = frame_source(packet->data);
			first = packet->data[14 + 12];
			cr_assert_lt(first, 64, "%s is protected", syn);
			cr_assert_neq(first, 0);
			cr_assert_neq(first, 10);
			seen++;
		} else if (packet->label == MIX_CLASS_IGNORE) {
			cr_assert_str_eq(frame_destination(packet->data), syn);
		}
	}
	cr_expect_eq(seen, 20000);
	play_close(&play);
}

/* A source of the capture that is protected here gets another address, even on the first pass. */
Test(mix_attack, protected_sources_are_replaced)
{
	struct sluice_key protect = key_of("20.0.0.0/8");
	struct mix_options options;
	struct play play;

	options_of(&options);
	options.protect = &protect;
	options.n_protect = 1;
	play_flood(&play, &options, FLOOD_LABELS);
	cr_expect_eq(passes_with_own_sources(&play), 0);
	play_close(&play);
}

Test(mix_attack, port)
{
	struct mix_options options;
	struct play play;

	options_of(&options);
	options.attack_port = 443;
	play_flood(&play, &options, FLOOD_LABELS);
	for (size_t i = 0; i < play.n; i++) {
		const struct mix_packet *packet = &play.heard[i].packet;
		const uint8_t *ports = packet->data + frame_transport(packet->data);
		unsigned int source = ports[0] << 8 | ports[1];
		unsigned int destination = ports[2] << 8 | ports[3];

		cr_assert(frame_is_right(packet->data, packet->size));
		if (packet->label == MIX_CLASS_ATTACK)
			cr_assert_eq(destination, 443);
		else if (packet->label == MIX_CLASS_IGNORE)
			cr_assert_eq(source, 443, "the victim's answer");
		else
			cr_assert_eq(destination, 53, "background stays");
	}
	play_close(&play);
}

/* Without labels all that goes to the victim is attack; its answers are not scored. */
Test(mix_attack, without_labels)
{
	struct mix_options options;
	struct play play;

	options_of(&options);
	play_flood(&play, &options, NULL);
	cr_expect_eq(play.info->attack_packets_a_pass, N_ATTACK + 3);
	cr_expect_gt(play_count(&play, MIX_CLASS_IGNORE, MIX_FROM), 0);
	cr_expect_eq(play_count(&play, MIX_CLASS_ATTACK, MIX_FROM), 0);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_TOWARD), 0);
	play_close(&play);
}

/* Attack on a whole network: all of it becomes attack on the protected host. */
Test(mix_attack, carpet_and_land)
{
	struct mix_options options;
	struct film film;
	struct play play;

	options_of(&options);
	film_open(&film, 1, false);
	for (uint32_t i = 0; i < 6; i++) {
		char destination[16];

		snprintf(destination, sizeof(destination), "10.0.0.%u", i < 3 ? 1 : i);
		film_frame(&film, 1, i * 1000,
			   &(struct frame_spec){ .source = i == 1 ? VICTIM : "9.8.7.6",
						 .destination = destination,
						 .protocol = 17 });
	}
	options.attack_for_ns = 6 * MS;
	play_open(&play, &options);
	play_add(&play, MIX_SET_ATTACK, &film, "attack: udp\n");
	play_run(&play);
	cr_assert_eq(play.n, 6);
	for (size_t i = 0; i < 6; i++)
		cr_expect_str_eq(frame_destination(play.heard[i].packet.data), HOST);
	cr_expect_str_eq(frame_source(play.heard[1].packet.data), HOST,
			 "from the victim's own address, still");
	play_close(&play);
	film_close(&film);
}

/* A burst of a few packets does not become a flood of billions by repetition. */
Test(mix_attack, tiny_captures)
{
	struct mix_options options;
	struct film film;

	options_of(&options);
	for (uint32_t n = 1; n <= 3; n++) {
		struct play play;

		film_open(&film, 1, true);
		for (uint32_t i = 0; i < n; i++) {
			struct frame frame;

			frame_build(&frame, &(struct frame_spec){ .source = "9.8.7.6",
								  .destination = VICTIM,
								  .protocol = 17 });
			film_packet(&film, 1, n == 3 ? i * 10 : 0, frame.data, frame.size,
				    frame.size);
		}
		if (n == 3)
			options.attack_for_ns = 10 * MS;
		play_open(&play, &options);
		play_add(&play, MIX_SET_ATTACK, &film, NULL);
		play_run(&play);
		cr_expect_eq(play.n, n == 3 ? 10000 : n, "%zu packets", play.n);
		play_close(&play);
		film_close(&film);
	}
}

Test(mix_attack, no_attack_packet_is_refused)
{
	struct mix_options options;
	struct sluice_err err;
	struct film film;
	struct play play;

	options_of(&options);
	err_init(&err);
	film_flood(&film);
	play_open(&play, &options);
	play_add(&play, MIX_SET_ATTACK, &film, "attack: \"udp port 9\"\n");
	cr_expect_eq(mix_start(play.mix, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "labelled attack"), "%s", err.text);
	play_close(&play);
	film_close(&film);
}

/* Stealth: all SYNs of the attack, in every pass, are 60 bytes of IP with an ordinary client's options. */
Test(mix_attack, stealth_dresses_its_syns)
{
	static const uint8_t mss[] = { 2, 4, 0x05, 0xb4 };
	struct mix_options options;
	struct play play;
	size_t dressed = 0;

	options_of(&options);
	options.stealth = true;
	options.respoof = MIX_RESPOOF_ON;
	play_flood(&play, &options, FLOOD_LABELS);
	for (size_t i = 0; i < play.n; i++) {
		const struct mix_packet *packet = &play.heard[i].packet;
		const uint8_t *tcp = packet->data + frame_transport(packet->data);

		cr_assert(frame_is_right(packet->data, packet->size));
		if (packet->label != MIX_CLASS_ATTACK) {
			cr_assert_lt(packet->size, 74, "others stay as they are");
			continue;
		}
		dressed++;
		cr_assert_eq(packet->size, 74);
		cr_assert_eq(packet->wire_size, 74);
		cr_assert_eq(packet->data[16] << 8 | packet->data[17], 60, "the IP length");
		cr_assert_eq(tcp[12] >> 4, 10);
		cr_assert_eq(tcp[13], FRAME_SYN);
		cr_assert_arr_eq(tcp + 20, mss, sizeof(mss));
		cr_assert_arr_eq(tcp + 28, tcp + 4, 4, "a clock of its own");
	}
	cr_expect_eq(dressed, 10 * N_ATTACK + 5);
	play_close(&play);
}
