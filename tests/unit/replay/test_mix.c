/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Benign captures in a mix: roles, clients, the timeline, and the same stream from the same seed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/address.h"
#include "base/err.h"
#include "mixing.h"
#include "replay/capture.h"

#define HOST "203.0.113.80"
#define HOST6 "2001:db8:80::1"
#define LOCAL "192.168.1.5"

/* One local host with two servers, one of which has a talk in IPv6 too, and a broadcast. */
static void film_home(struct film *film)
{
	film_open(film, 1, false);
	film_talk(film, 0, LOCAL, "8.8.4.4", 40000, 443);
	film_talk(film, 100, LOCAL, "9.9.9.9", 40001, 80);
	film_talk(film, 200, "fd00::5", "2600::9", 40001, 80);
	film_frame(film, 1000, 300000,
		   &(struct frame_spec){ .source = LOCAL,
					 .destination = "255.255.255.255",
					 .protocol = 17,
					 .source_port = 68,
					 .destination_port = 67 });
}

static void set_hosts(struct mix_options *options)
{
	options->host4 = key_of(HOST);
	options->host6 = key_of(HOST6);
}

static const char *client_text(const struct play *play, uint32_t client)
{
	static char text[ADDRESS_TEXT_SIZE];

	return address_format(&mix_client(play->mix, client)->address, text);
}

/* Every packet toward or from the protected host names its client, and is right. */
static void check_packets(const struct play *play)
{
	for (size_t i = 0; i < play->n; i++) {
		const struct mix_packet *packet = &play->heard[i].packet;
		bool toward = packet->direction == MIX_TOWARD;
		const char *near, *far;

		cr_assert(frame_is_right(packet->data, packet->size), "packet %zu", i);
		if (packet->direction == MIX_OTHER) {
			cr_assert_eq(packet->client, MIX_NO_CLIENT);
			continue;
		}
		near = toward ? frame_destination(packet->data) : frame_source(packet->data);
		far = toward ? frame_source(packet->data) : frame_destination(packet->data);
		cr_assert_str_eq(near, strchr(near, ':') ? HOST6 : HOST);
		cr_assert_str_eq(far, client_text(play, packet->client));
	}
}

Test(mix, server_role_makes_each_pair_a_client)
{
	struct mix_options options;
	struct play play;
	struct film film;

	play_options(&options);
	set_hosts(&options);
	film_home(&film);
	play_open(&play, &options);
	play_add(&play, MIX_SET_BENIGN, &film, NULL);
	play_run(&play);
	cr_expect_eq(play.n, 16);
	cr_expect_eq(play.info->n_clients, 3);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_TOWARD), 9);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_FROM), 6);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_OTHER), 1);
	check_packets(&play);
	cr_expect_str_eq(frame_destination(play.heard[0].packet.data), HOST);
	cr_expect(play.heard[0].packet.handshake);
	cr_expect(play.heard[1].packet.handshake);
	cr_expect_not(play.heard[2].packet.handshake);
	cr_expect_eq(play.info->attack_start_ns, 0, "nothing in front without warm-up and attack");
	cr_expect_eq(play.info->end_ns, 300 * MS + 1);
	play_close(&play);
	film_close(&film);
}

Test(mix, client_role_makes_the_busiest_host_the_protected_one)
{
	struct mix_options options;
	struct play play;
	struct film film;

	play_options(&options);
	set_hosts(&options);
	options.role = MIX_ROLE_CLIENT;
	film_home(&film);
	film_talk(&film, 400, "10.9.9.9", "9.9.9.9", 5, 80); /* Between strangers. */
	play_open(&play, &options);
	play_add(&play, MIX_SET_BENIGN, &film, NULL);
	play_run(&play);
	cr_expect_eq(play.info->n_clients, 3);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_FROM), 9);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_TOWARD), 6);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_OTHER), 6);
	check_packets(&play);
	cr_expect_str_eq(frame_source(play.heard[0].packet.data), HOST, "it opens");
	play_close(&play);
	film_close(&film);
}

Test(mix, asis_changes_no_byte)
{
	struct sluice_key protect = key_of("8.8.0.0/16");
	struct mix_options options;
	struct capture *capture;
	struct play play;
	struct film film;

	play_options(&options);
	options.role = MIX_ROLE_ASIS;
	film_home(&film);
	capture = film_load(&film);
	for (options.n_protect = 0; options.n_protect < 2; options.n_protect++) {
		options.protect = &protect;
		play_open(&play, &options);
		play_add(&play, MIX_SET_BENIGN, &film, NULL);
		play_run(&play);
		cr_assert_eq(play.n, capture->n_packets);
		for (size_t i = 0; i < play.n; i++)
			cr_assert_eq(memcmp(play.heard[i].packet.data,
					    capture->data + capture->packets[i].offset,
					    capture->packets[i].size),
				     0);
		cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_TOWARD),
			     options.n_protect ? 3 : 16);
		cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_FROM), options.n_protect * 2);
		play_close(&play);
	}
	capture_free(capture);
	film_close(&film);
}

/* An address is another one in the warm-up than in the benign set, though the file is the same. */
Test(mix, warm_up_clients_are_others_and_known)
{
	struct mix_options options;
	size_t warm = 0, fresh = 0;
	struct film film, attack;
	struct play play;

	play_options(&options);
	film_home(&film);
	film_open(&attack, 1, false);
	film_frame(&attack, 1, 0,
		   &(struct frame_spec){
			   .source = "1.2.3.4", .destination = "10.0.0.1", .protocol = 17 });
	play_open(&play, &options);
	play_add(&play, MIX_SET_WARMUP, &film, NULL);
	play_add(&play, MIX_SET_BENIGN, &film, NULL);
	play_add(&play, MIX_SET_ATTACK, &attack, NULL);
	play_run(&play);
	cr_assert_eq(play.info->n_clients, 6);
	for (uint32_t a = 0; a < 6; a++) {
		const struct mix_client *client = mix_client(play.mix, a);

		cr_expect_eq(client->known_before, a < 3);
		cr_expect_eq(client->seen_before, a < 3);
		for (uint32_t b = 0; b < a; b++)
			cr_expect_not(
				address_equal(&client->address, &mix_client(play.mix, b)->address));
	}
	cr_expect_null(mix_client(play.mix, 6));
	for (size_t i = 0; i < play.n; i++) {
		const struct mix_packet *packet = &play.heard[i].packet;

		warm += packet->set == MIX_SET_WARMUP;
		fresh += packet->set == MIX_SET_BENIGN;
		if (packet->set == MIX_SET_BENIGN)
			cr_assert_geq(packet->time_ns, play.info->attack_start_ns);
		if (packet->set == MIX_SET_WARMUP)
			cr_assert_eq(packet->pass, packet->time_ns / (1300 * MS),
				     "repeats a second after its last packet");
	}
	cr_expect_eq(fresh, 16, "once");
	cr_expect_eq(warm, 16 * 4, "0, 1.3, 2.6 and 3.9 s, all within 5 s");
	cr_expect_eq(play.info->end_ns, 5 * SECOND);
	play_close(&play);
	film_close(&film);
	film_close(&attack);
}

/* Who gets a reply is not known by it; who was spoken to first is. */
Test(mix, a_reply_makes_nobody_known)
{
	static const struct frame_spec ask = { .source = "10.1.1.1",
					       .destination = "9.9.9.9",
					       .protocol = 17,
					       .source_port = 5000,
					       .destination_port = 53 };
	static const struct frame_spec answer = { .source = "9.9.9.9",
						  .destination = "10.1.1.1",
						  .protocol = 17,
						  .source_port = 53,
						  .destination_port = 5000 };

	for (int role = MIX_ROLE_SERVER; role <= MIX_ROLE_CLIENT; role++) {
		struct mix_options options;
		struct play play;
		struct film film;

		play_options(&options);
		options.role = (enum mix_role)role;
		film_open(&film, 1, false);
		film_frame(&film, 1, 0, &ask);
		film_frame(&film, 1, 10, &answer);
		play_open(&play, &options);
		play_add(&play, MIX_SET_WARMUP, &film, NULL);
		play_add(&play, MIX_SET_BENIGN, &film, NULL);
		play_run(&play);
		cr_expect(mix_client(play.mix, 0)->seen_before);
		cr_expect_eq(mix_client(play.mix, 0)->known_before, role == MIX_ROLE_CLIENT);
		play_close(&play);
		film_close(&film);
	}
}

/* "Port unreachable" from one address to another about a packet between two. */
static void film_error(struct film *film, uint32_t at, const char *source, const char *destination,
		       const struct frame_spec *about)
{
	struct frame_spec spec = {
		.source = source, .destination = destination, .protocol = 1, .payload_size = 28
	};
	struct frame frame, quoted;
	uint32_t icmp;

	frame_build(&quoted, about);
	frame_build(&frame, &spec);
	icmp = frame_transport(frame.data);
	frame.data[icmp] = 3;
	frame.data[icmp + 1] = 3;
	memcpy(frame.data + icmp + 8, quoted.data + 14, 28);
	frame_fix(&frame);
	film_packet(film, 1, at, frame.data, frame.size, frame.size);
}

/* The client's error and a router's reach the server; a router's to the client is not the server's. */
Test(mix, icmp_errors_go_where_their_packet_came_from)
{
	static const struct frame_spec ask = { .source = "10.1.1.1",
					       .destination = "9.9.9.9",
					       .protocol = 17,
					       .source_port = 5000,
					       .destination_port = 53 };
	static const struct frame_spec answer = { .source = "9.9.9.9",
						  .destination = "10.1.1.1",
						  .protocol = 17,
						  .source_port = 53,
						  .destination_port = 5000 };
	static const enum mix_direction expected[] = { MIX_TOWARD, MIX_FROM,  MIX_TOWARD,
						       MIX_TOWARD, MIX_OTHER, MIX_FROM };
	struct mix_options options;
	struct frame check;
	struct film film;
	struct play play;

	play_options(&options);
	set_hosts(&options);
	film_open(&film, 1, false);
	film_frame(&film, 1, 0, &ask);
	film_frame(&film, 1, 1, &answer);
	film_error(&film, 2, "10.1.1.1", "9.9.9.9", &answer);
	film_error(&film, 3, "10.0.0.254", "9.9.9.9", &answer);
	film_error(&film, 4, "10.0.0.254", "10.1.1.1", &ask);
	film_error(&film, 5, "9.9.9.9", "10.1.1.1", &ask);
	play_open(&play, &options);
	play_add(&play, MIX_SET_BENIGN, &film, NULL);
	play_run(&play);
	cr_assert_eq(play.n, 6);
	for (size_t i = 0; i < play.n; i++)
		cr_expect_eq(play.heard[i].packet.direction, expected[i], "packet %zu", i);
	check_packets(&play);
	cr_expect_eq(play.heard[2].packet.client, play.heard[0].packet.client);
	cr_expect_eq(play.heard[5].packet.client, play.heard[0].packet.client);
	cr_expect_neq(play.heard[3].packet.client, play.heard[0].packet.client);
	cr_expect_eq(play.info->n_clients, 2);
	memcpy(check.data, play.heard[2].packet.data, 14);
	memcpy(check.data + 14, play.heard[2].packet.data + 42, 28);
	cr_expect_str_eq(frame_source(check.data), HOST, "the quoted packet was the host's");
	cr_expect_str_eq(frame_destination(check.data), frame_source(play.heard[2].packet.data));
	play_close(&play);
	film_close(&film);
}

Test(mix, one_after_another_or_all_at_once_and_faster)
{
	struct mix_options options;
	struct film film;

	play_options(&options);
	film_home(&film);
	for (int overlay = 0; overlay < 2; overlay++) {
		struct play play;

		options.overlay = overlay;
		options.speed_ppm = overlay ? 4000000 : 1000000;
		play_open(&play, &options);
		for (int i = 0; i < 3; i++)
			play_add(&play, MIX_SET_BENIGN, &film, NULL);
		play_run(&play);
		cr_expect_eq(play.n, 48);
		cr_expect_eq(play.info->n_clients, 9);
		cr_expect_eq(play.heard[47].packet.time_ns, overlay ? 75 * MS : 2900 * MS);
		cr_expect_eq(play.heard[1].packet.file, overlay ? 1 : 0);
		play_close(&play);
	}
	film_close(&film);
}

Test(mix, beyond_the_end_is_counted)
{
	struct mix_options options;
	struct film film, attack;
	struct play play;

	play_options(&options);
	options.after_ns = 0;
	film_home(&film);
	film_open(&attack, 1, false);
	film_frame(&attack, 1, 0,
		   &(struct frame_spec){
			   .source = "1.2.3.4", .destination = "10.0.0.1", .protocol = 17 });
	play_open(&play, &options);
	play_add(&play, MIX_SET_BENIGN, &film, NULL);
	play_add(&play, MIX_SET_BENIGN, &film, NULL);
	play_add(&play, MIX_SET_ATTACK, &attack, NULL);
	play_run(&play);
	cr_expect_eq(play.info->beyond_end, 16, "the second begins 1.3 s after T");
	cr_expect_eq(play.n, 17);
	play_close(&play);
	film_close(&film);
	film_close(&attack);
}

Test(mix, benign_labels_take_packets_out_of_the_score)
{
	struct mix_options options;
	struct play play;
	struct film film;

	play_options(&options);
	film_home(&film);
	play_open(&play, &options);
	play_add(&play, MIX_SET_BENIGN, &film, "attack: \"port 443\"\nknown_bad: yes\n");
	play_run(&play);
	cr_expect_eq(play_count(&play, MIX_CLASS_IGNORE, MIX_TOWARD), 3);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_TOWARD), 6);
	cr_expect_eq(play_count(&play, MIX_CLASS_ATTACK, MIX_TOWARD), 0);
	play_close(&play);
	film_close(&film);
}

Test(mix, inbound_only)
{
	struct mix_options options;
	struct play play;
	struct film film;

	play_options(&options);
	options.inbound_only = true;
	film_home(&film);
	play_open(&play, &options);
	play_add(&play, MIX_SET_BENIGN, &film, NULL);
	play_run(&play);
	cr_expect_eq(play.n, 9);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_TOWARD), 9);
	play_close(&play);
	film_close(&film);
}

/* Broken frames of every length pass through, and runts are counted. */
Test(mix, runts_and_stumps)
{
	struct mix_options options;
	struct frame frame;
	struct play play;
	struct film film;

	play_options(&options);
	frame_build(&frame, &(struct frame_spec){ .source = LOCAL,
						  .destination = "8.8.8.8",
						  .protocol = 6,
						  .tcp_flags = FRAME_SYN });
	film_open(&film, 1, false);
	for (uint32_t size = 0; size <= frame.size; size++)
		film_packet(&film, 1, 0, frame.data, size, frame.size);
	play_open(&play, &options);
	play_add(&play, MIX_SET_BENIGN, &film, NULL);
	play_run(&play);
	cr_expect_eq(play.n, frame.size + 1);
	cr_expect_eq(play.info->runts, 14);
	cr_expect_eq(play_count(&play, MIX_CLASS_BENIGN, MIX_OTHER), 34, "no whole IP header");
	play_close(&play);
	film_close(&film);
}

static bool same(const struct play *a, const struct play *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++) {
		struct mix_packet one = a->heard[i].packet, other = b->heard[i].packet;

		if (one.size != other.size || memcmp(one.data, other.data, one.size))
			return false;
		one.data = other.data = NULL;
		if (one.time_ns != other.time_ns || one.client != other.client ||
		    one.pass != other.pass || one.label != other.label ||
		    one.direction != other.direction || one.file != other.file)
			return false;
	}
	return true;
}

static void play_seed(struct play *play, uint64_t seed, const struct film *film,
		      const struct film *attack)
{
	struct mix_options options;

	play_options(&options);
	options.seed = seed;
	options.phase_ns = MIX_PHASE_BY_SEED;
	play_open(play, &options);
	play_add(play, MIX_SET_WARMUP, film, NULL);
	play_add(play, MIX_SET_BENIGN, film, NULL);
	play_add(play, MIX_SET_ATTACK, attack, "attack: udp\nspoofed: yes\n");
	play_run(play);
}

Test(mix, same_seed_same_stream)
{
	struct play one, again, other;
	struct film film, attack;
	struct mix_packet packet;
	size_t n = 0;

	film_home(&film);
	film_open(&attack, 1, false);
	for (uint32_t i = 0; i < 5; i++)
		film_frame(&attack, 1, i * 20000,
			   &(struct frame_spec){ .source = "1.2.3.4",
						 .destination = "10.0.0.1",
						 .protocol = 17 });
	play_seed(&one, 7, &film, &attack);
	play_seed(&again, 7, &film, &attack);
	play_seed(&other, 8, &film, &attack);
	cr_expect(same(&one, &again));
	cr_expect_not(same(&one, &other));
	cr_expect_neq(one.info->attack_start_ns, other.info->attack_start_ns, "another phase");
	cr_expect_lt(one.info->attack_start_ns, 3 * SECOND);
	cr_expect_geq(one.info->attack_start_ns, 2 * SECOND);
	mix_rewind(one.mix);
	while (mix_next(one.mix, &packet) == 1) {
		cr_assert_eq(packet.size, one.heard[n].packet.size);
		cr_assert_eq(memcmp(packet.data, one.heard[n].packet.data, packet.size), 0);
		cr_assert_eq(packet.time_ns, one.heard[n++].packet.time_ns);
	}
	cr_expect_eq(n, one.n);
	/* From the middle on once more, and once more from there. */
	cr_assert_geq(n, 8);
	mix_rewind(one.mix);
	for (size_t i = 0; i < n / 2; i++)
		cr_assert_eq(mix_next(one.mix, &packet), 1);
	mix_mark(one.mix);
	for (int round = 0; round < 2; round++) {
		size_t i = n / 2;

		for (; mix_next(one.mix, &packet) == 1; i++)
			cr_assert_eq(packet.time_ns, one.heard[i].packet.time_ns);
		cr_expect_eq(i, n);
		mix_return(one.mix);
	}
	play_close(&one);
	play_close(&again);
	play_close(&other);
	film_close(&film);
	film_close(&attack);
}

Test(mix, refusals)
{
	struct sluice_key prefix = key_of("192.0.2.0/24"), all = key_of("0.0.0.0/0");
	struct mix_options options;
	struct mix *mix = NULL;
	struct mix_packet packet;
	struct sluice_err err;
	struct film film;

	err_init(&err);
	play_options(&options);
	options.speed_ppm = 0;
	cr_expect_eq(mix_new(&options, &mix, &err), -EINVAL);
	cr_expect_str_eq(err.path, "speed");
	play_options(&options);
	options.host4 = prefix;
	cr_expect_eq(mix_new(&options, &mix, &err), -EINVAL);
	cr_expect_str_eq(err.path, "rewrite-dst");
	options.host4 = key_of("224.0.0.1");
	cr_expect_eq(mix_new(&options, &mix, &err), -EINVAL);
	play_options(&options);
	options.attack_for_ns = UINT64_MAX;
	cr_expect_eq(mix_new(&options, &mix, &err), -EINVAL);
	play_options(&options);
	options.attack_pps = 1000000000;
	cr_expect_eq(mix_new(&options, &mix, &err), -EINVAL);
	cr_expect_str_eq(err.path, "attack-rate");

	play_options(&options);
	cr_assert_eq(mix_new(&options, &mix, &err), 0);
	cr_expect_eq(mix_next(mix, &packet), -EINVAL, "not started");
	cr_expect_eq(mix_start(mix, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "no packet"), "%s", err.text);
	mix_free(mix);

	options.protect = &all;
	options.n_protect = 1;
	options.host4 = key_of(HOST);
	film_home(&film);
	cr_assert_eq(mix_new(&options, &mix, &err), 0);
	cr_assert_eq(mix_add(mix, MIX_SET_BENIGN, film_load(&film), NULL, &err), 0);
	cr_expect_eq(mix_start(mix, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "leave no address"), "%s", err.text);
	mix_free(mix);
	mix_free(NULL);
	film_close(&film);
}
