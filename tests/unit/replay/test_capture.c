/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading captures: the clock rule, link types, and files that are broken or none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/err.h"
#include "frames.h"
#include "replay/capture.h"

#define ETHERNET 1
#define RAW 101
#define NULL_LINK 0
#define LOOP 108
#define COOKED 113
#define COOKED2 276
#define IPV6_LINK 229

static const struct frame_spec plain = { .source = "192.0.2.1",
					 .destination = "192.0.2.2",
					 .protocol = 17,
					 .source_port = 1000,
					 .destination_port = 53,
					 .payload_size = 30 };
static const struct frame_spec plain6 = { .source = "2001:db8::1",
					  .destination = "2001:db8::2",
					  .protocol = 6,
					  .source_port = 1000,
					  .destination_port = 80,
					  .tcp_flags = FRAME_SYN };

static int load(const struct film *film, const struct capture_options *options,
		struct capture **capture, struct sluice_err *err)
{
	FILE *stream = fmemopen(film->data, film->size, "rb");

	err_init(err);
	cr_assert_not_null(stream);
	return capture_load_stream(stream, "film", options, capture, err);
}

Test(capture, clock_cuts_gaps_and_ignores_steps_back)
{
	static const struct {
		uint32_t seconds, microseconds;
		uint64_t time_ns;
	} cases[] = {
		{ 1000, 0, 0 },
		{ 1000, 500000, 500000000 },
		{ 1005, 500000, 5500000000 },  /* Exactly the limit stays. */
		{ 1010, 500001, 6500000000 },  /* A microsecond more becomes a second. */
		{ 1000, 0, 6500000000 },       /* Back. */
		{ 1000, 250000, 6750000000 },  /* On from there. */
		{ 2000000000, 0, 7750000000 }, /* Years ahead. */
		{ 5, 0, 7750000000 },	       /* Years back. */
		{ 5, 1, 7750001000 },
	};
	struct capture *capture;
	struct film film;

	film_open(&film, ETHERNET, false);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		film_frame(&film, cases[i].seconds, cases[i].microseconds, &plain);
	capture = film_load(&film);
	cr_assert_eq(capture->n_packets, sizeof(cases) / sizeof(cases[0]));
	for (size_t i = 0; i < capture->n_packets; i++)
		cr_expect_eq(capture->packets[i].time_ns, cases[i].time_ns, "packet %zu at %lu", i,
			     capture->packets[i].time_ns);
	cr_expect_eq(capture->gaps_cut, 2);
	cr_expect_eq(capture->steps_back, 2);
	cr_expect_not(capture->truncated);
	cr_expect_str_empty(capture->warning);
	capture_free(capture);
	film_close(&film);
}

Test(capture, nanoseconds_and_a_limit_of_its_own)
{
	struct capture_options options = { .max_gap_ns = 100 };
	struct capture *capture;
	struct sluice_err err;
	struct film film;

	film_open(&film, ETHERNET, true);
	film_packet(&film, 7, 999999999, "", 0, 0);
	film_packet(&film, 8, 99, "", 0, 0);
	film_packet(&film, 8, 300, "", 0, 0);
	cr_assert_eq(load(&film, &options, &capture, &err), 0);
	cr_expect_eq(capture->packets[1].time_ns, 100);
	cr_expect_eq(capture->packets[2].time_ns, 200, "a cut gap is no longer than the limit");
	cr_expect_eq(capture->gaps_cut, 1);
	cr_expect_eq(capture->runts, 3);
	capture_free(capture);
	film_close(&film);
}

/* The IP packet of `spec` behind a link header of `size` bytes. */
static void film_linked(struct film *film, const uint8_t *header, uint32_t size,
			const struct frame_spec *spec)
{
	uint8_t data[FRAME_MAX_SIZE];
	struct frame frame;

	frame_build(&frame, spec);
	if (size)
		memcpy(data, header, size);
	memcpy(data + size, frame.data + 14, frame.size - 14);
	film_packet(film, 1, 0, data, size + frame.size - 14, size + frame.size - 14);
}

static void check_link_type(uint32_t link_type, const uint8_t *header, uint32_t size,
			    const struct frame_spec *spec)
{
	struct capture *capture;
	struct frame frame;
	struct film film;

	film_open(&film, link_type, false);
	film_linked(&film, header, size, spec);
	if (size > 1)
		film_packet(&film, 1, 0, header, size - 1, size - 1);
	capture = film_load(&film);
	frame_build(&frame, spec);
	cr_assert_eq(capture->packets[0].size, frame.size, "link type %u", link_type);
	cr_expect_eq(capture->packets[0].wire_size, frame.size);
	cr_expect_eq(memcmp(capture->data + 12, frame.data + 12, frame.size - 12), 0,
		     "link type %u: ethertype and packet", link_type);
	cr_expect_eq(capture->runts, size > 1, "cut within the link header, link type %u",
		     link_type);
	capture_free(capture);
	film_close(&film);
}

Test(capture, every_link_type_becomes_ethernet)
{
	static const uint8_t cooked[16] = { 0, 4, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 8, 0 };
	static const uint8_t cooked6[20] = { 0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 4, 6 };
	static const uint8_t little[4] = { 2, 0, 0, 0 }, big[4] = { 0, 0, 0, 2 };
	static const uint8_t mac[4] = { 30, 0, 0, 0 }, bsd[4] = { 0, 0, 0, 24 };

	check_link_type(RAW, NULL, 0, &plain);
	check_link_type(RAW, NULL, 0, &plain6);
	check_link_type(IPV6_LINK, NULL, 0, &plain6);
	check_link_type(COOKED, cooked, sizeof(cooked), &plain);
	check_link_type(COOKED2, cooked6, sizeof(cooked6), &plain6);
	check_link_type(NULL_LINK, little, sizeof(little), &plain);
	check_link_type(NULL_LINK, big, sizeof(big), &plain);
	check_link_type(NULL_LINK, mac, sizeof(mac), &plain6);
	check_link_type(LOOP, bsd, sizeof(bsd), &plain6);
}

Test(capture, cooked_8022_gets_a_length)
{
	static const uint8_t stp[20] = { 0, 0, 0, 1, 0, 6, 1, 2, 3, 4, 5, 6, 0, 0, 0, 4, 0x42 };
	struct capture *capture;
	struct film film;

	film_open(&film, COOKED, false);
	film_packet(&film, 1, 0, stp, sizeof(stp), sizeof(stp));
	capture = film_load(&film);
	cr_assert_eq(capture->packets[0].size, 14 + 4);
	cr_expect_eq(capture->data[12] << 8 | capture->data[13], 4, "the length of what follows");
	cr_expect_eq(capture->data[14], 0x42);
	capture_free(capture);
	film_close(&film);
}

Test(capture, short_snap_and_lying_lengths)
{
	struct capture *capture;
	struct frame frame;
	struct film film;

	frame_build(&frame, &plain);
	film_open(&film, ETHERNET, false);
	film_packet(&film, 1, 0, frame.data, 20, 1500);
	film_packet(&film, 1, 0, frame.data, frame.size, 3); /* Less than captured. */
	film_packet(&film, 1, 0, frame.data, 13, 60);
	capture = film_load(&film);
	cr_assert_eq(capture->n_packets, 3);
	cr_expect_eq(capture->packets[0].size, 20);
	cr_expect_eq(capture->packets[0].wire_size, 1500);
	cr_expect_eq(capture->packets[1].wire_size, frame.size);
	cr_expect_eq(capture->runts, 1);
	capture_free(capture);
	film_close(&film);
}

/* Cut at every byte: the whole packets are used, and the warning says where it broke off. */
Test(capture, truncated_anywhere)
{
	struct capture *capture;
	struct sluice_err err;
	struct film film;
	size_t whole;

	film_open(&film, ETHERNET, false);
	for (int i = 0; i < 3; i++)
		film_frame(&film, 1, 0, &plain);
	whole = film.size;
	for (size_t size = 1; size <= whole; size++) {
		size_t each = (whole - 24) / 3;
		size_t packets = size < 24 ? 0 : (size - 24) / each;
		char place[32];
		int rc;

		film.size = size;
		rc = load(&film, NULL, &capture, &err);
		if (size < 24) {
			cr_assert_eq(rc, -EINVAL, "%zu bytes", size);
			cr_assert_not_null(strstr(err.text, "no capture"));
			continue;
		}
		cr_assert_eq(rc, 0, "%zu bytes", size);
		cr_assert_eq(capture->n_packets, packets);
		cr_assert_eq(capture->truncated, (size - 24) % each != 0, "%zu bytes", size);
		snprintf(place, sizeof(place), "packet %zu", packets + 1);
		if (capture->truncated)
			cr_assert_not_null(strstr(capture->warning, place), "%s", capture->warning);
		capture_free(capture);
	}
	film_close(&film);
}

Test(capture, pcapng)
{
	struct capture *capture;
	struct frame frame;
	struct film film = { 0 };
	uint32_t padded, total;

	frame_build(&frame, &plain);
	padded = (frame.size + 3) & ~3u;
	total = 32 + padded;
	film_u32(&film, 0x0a0d0d0a);
	film_u32(&film, 28);
	film_u32(&film, 0x1a2b3c4d);
	film_u32(&film, 1);
	film_u32(&film, UINT32_MAX);
	film_u32(&film, UINT32_MAX);
	film_u32(&film, 28);
	film_u32(&film, 1); /* Interface description. */
	film_u32(&film, 20);
	film_u32(&film, ETHERNET);
	film_u32(&film, 0);
	film_u32(&film, 20);
	for (uint32_t i = 0; i < 2; i++) {
		film_u32(&film, 6); /* Enhanced packet. */
		film_u32(&film, total);
		film_u32(&film, 0);
		film_u32(&film, 0);
		film_u32(&film, i * 3000000);
		film_u32(&film, frame.size);
		film_u32(&film, frame.size);
		film_bytes(&film, frame.data, padded);
		film_u32(&film, total);
	}
	capture = film_load(&film);
	cr_assert_eq(capture->n_packets, 2);
	cr_expect_eq(capture->packets[1].time_ns, 3000000000ull);
	cr_expect_eq(memcmp(capture->data + frame.size, frame.data, frame.size), 0);
	capture_free(capture);
	film_close(&film);
}

Test(capture, refused_with_the_reason)
{
	struct capture_options small = { .max_bytes = 200 };
	struct capture *capture = NULL;
	struct sluice_err err;
	struct film film;

	film_open(&film, 105, false); /* Wireless. */
	cr_expect_eq(load(&film, NULL, &capture, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "105"), "%s", err.text);
	cr_expect_not_null(strstr(err.text, "Ethernet"), "%s", err.text);
	film_close(&film);

	memset(&film, 0, sizeof(film));
	film_bytes(&film, "this is a text, not a capture of packets at all", 47);
	cr_expect_eq(load(&film, NULL, &capture, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "'film': no capture"), "%s", err.text);
	film_close(&film);

	memset(&film, 0, sizeof(film));
	film_bytes(&film, "\x1f\x8b\x08 a capture, but packed, and so no capture as it is", 52);
	cr_expect_eq(load(&film, NULL, &capture, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "use gunzip first"), "%s", err.text);
	film_close(&film);

	film_open(&film, ETHERNET, false);
	for (int i = 0; i < 3; i++)
		film_frame(&film, 1, 0, &plain);
	cr_expect_eq(load(&film, &small, &capture, &err), -EFBIG);
	cr_expect_not_null(strstr(err.text, "200 bytes"), "%s", err.text);
	film_close(&film);

	cr_expect_eq(capture_load("/nowhere/a.pcap", NULL, &capture, &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, "/nowhere/a.pcap"), "%s", err.text);
	cr_expect_eq(capture_load("/", NULL, &capture, &err), -EINVAL);
	cr_expect_not_null(strstr(err.text, "regular"), "%s", err.text);
	cr_expect_null(capture);
}

Test(capture, from_a_file)
{
	char path[] = "/tmp/sluice-capture-XXXXXX";
	int fd = mkstemp(path);
	struct capture *capture;
	struct sluice_err err;
	struct film film;

	film_open(&film, ETHERNET, false);
	film_frame(&film, 1, 0, &plain);
	cr_assert_eq(write(fd, film.data, film.size), (ssize_t)film.size);
	close(fd);
	cr_expect_eq(capture_load(path, NULL, &capture, &err), 0);
	unlink(path);
	cr_expect_eq(capture->n_packets, 1);
	cr_expect_str_eq(capture->path, path);
	cr_expect_geq(capture_memory(capture), capture->data_size);
	capture_free(capture);
	film_close(&film);
}
