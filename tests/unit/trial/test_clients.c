/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is known: from the packets that a kernel would know it from, and from no others. */
#include <criterion/criterion.h>

#include <string.h>

#include <netinet/in.h>

#include "engine/engine.h"
#include "trial/clients.h"
#include "trial/ends.h"

#define SECOND 1000000000ull
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10

static const uint8_t host[4] = { 192, 0, 2, 1 }, peer[4] = { 198, 51, 100, 7 };

struct bench {
	struct clients *clients;
	struct engine_known known;
	uint64_t now_ns;
};

static struct bench make(void)
{
	struct bench bench = { .now_ns = SECOND };

	cr_assert_eq(clients_new(64, &bench.clients), 0);
	clients_interface(bench.clients, &bench.known);
	return bench;
}

static size_t build4(uint8_t *frame, const uint8_t *from, const uint8_t *to, uint8_t protocol,
		     uint8_t flags)
{
	memset(frame, 0, 64);
	frame[12] = 0x08;
	frame[14] = 0x45;
	frame[14 + 9] = protocol;
	memcpy(frame + 26, from, 4);
	memcpy(frame + 30, to, 4);
	if (protocol == IPPROTO_TCP)
		frame[34 + 13] = flags;
	else
		frame[34] = flags; /* An ICMP type. */
	return 64;
}

static void in(struct bench *bench, uint8_t protocol, uint8_t flags)
{
	uint8_t frame[64];
	struct ends ends;

	cr_assert(ends_read(frame, build4(frame, peer, host, protocol, flags), &ends));
	cr_assert_eq(clients_inbound(bench->clients, bench->now_ns, &ends), 0);
}

static void out(struct bench *bench, uint8_t protocol, uint8_t flags)
{
	uint8_t frame[64];
	struct ends ends;

	cr_assert(ends_read(frame, build4(frame, host, peer, protocol, flags), &ends));
	cr_assert_eq(clients_outbound(bench->clients, bench->now_ns, &ends), 0);
}

static bool knows(const struct bench *bench)
{
	struct sluice_key key = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };

	memcpy(key.addr, peer, 4);
	cr_assert_eq(bench->known.refresh(bench->known.ctx), 0);
	return bench->known.contains(bench->known.ctx, &key);
}

Test(clients, a_handshake_makes_known_when_it_is_done)
{
	struct bench bench = make();

	in(&bench, IPPROTO_TCP, SYN);
	out(&bench, IPPROTO_TCP, SYN | ACK);
	cr_assert(!knows(&bench), "a SYN may be forged");
	in(&bench, IPPROTO_TCP, ACK);
	cr_assert(!knows(&bench), "so may an ACK");
	out(&bench, IPPROTO_TCP, ACK | PSH);
	cr_assert(knows(&bench));
	clients_free(bench.clients);
}

Test(clients, replies_make_nobody_known)
{
	struct bench bench = make();

	in(&bench, IPPROTO_TCP, SYN | ACK);
	out(&bench, IPPROTO_TCP, RST);
	in(&bench, IPPROTO_TCP, ACK);
	out(&bench, IPPROTO_TCP, RST | ACK);
	in(&bench, IPPROTO_UDP, 0);
	out(&bench, IPPROTO_UDP, 0);
	in(&bench, IPPROTO_ICMP, 8);
	out(&bench, IPPROTO_ICMP, 0);
	out(&bench, IPPROTO_ICMP, 3);
	cr_assert(!knows(&bench));
	clients_free(bench.clients);
}

Test(clients, whom_the_host_spoke_to_first_is_known)
{
	static const struct {
		uint8_t protocol, flags;
		bool known;
	} cases[] = {
		{ IPPROTO_UDP, 0, true },	   { IPPROTO_TCP, SYN, true },
		{ IPPROTO_ICMP, 8, true },	   { IPPROTO_ICMP, 3, false },
		{ IPPROTO_TCP, RST | ACK, false }, { IPPROTO_TCP, SYN | ACK, false },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench bench = make();

		out(&bench, cases[i].protocol, cases[i].flags);
		in(&bench, cases[i].protocol, 0);
		cr_assert_eq(knows(&bench), cases[i].known, "case %zu", i);
		clients_free(bench.clients);
	}
}

Test(clients, silence_is_forgotten)
{
	struct bench bench = make();

	out(&bench, IPPROTO_UDP, 0);
	bench.now_ns += CLIENTS_KEEP_NS / 2;
	out(&bench, IPPROTO_UDP, 0);
	bench.now_ns += CLIENTS_KEEP_NS;
	in(&bench, IPPROTO_UDP, 0);
	cr_assert(knows(&bench));
	bench.now_ns++;
	in(&bench, IPPROTO_UDP, 0);
	cr_assert(!knows(&bench));
	clients_free(bench.clients);
}

/* By address and by unit, since sources are measured by the unit. */
Test(clients, ipv6_is_known_by_its_unit)
{
	struct bench bench = make();
	struct sluice_key unit = { .family = SLUICE_FAMILY_IPV6,
				   .prefix_len = 64,
				   .addr = { 0x20, 1, 0x0d, 0xb8, [7] = 9 } };
	struct sluice_key whole = unit;
	uint8_t frame[80] = { [12] = 0x86, [13] = 0xdd, [14] = 0x60, [20] = IPPROTO_UDP };
	struct ends ends;

	whole.prefix_len = 128;
	whole.addr[15] = 5;
	memcpy(frame + 38, whole.addr, 16);
	cr_assert(ends_read(frame, sizeof(frame), &ends));
	cr_assert_eq(clients_outbound(bench.clients, SECOND, &ends), 0);
	cr_assert(bench.known.contains(bench.known.ctx, &unit));
	cr_assert(bench.known.contains(bench.known.ctx, &whole));
	/* The data plane asks by address alone. */
	size_t n;
	const struct sluice_key *listed = bench.known.list(bench.known.ctx, &n);

	cr_assert_eq(n, 1);
	cr_assert_eq(memcmp(listed, &whole, sizeof(whole)), 0);
	whole.addr[7] = 8;
	cr_assert(!bench.known.contains(bench.known.ctx, &whole));
	clients_free(bench.clients);
}

/* Any length of any bytes: read or refused, never beyond the end. */
Test(clients, ends_of_anything)
{
	uint8_t frame[64];
	struct ends ends;

	(void)build4(frame, peer, host, IPPROTO_TCP, SYN);
	for (size_t size = 0; size <= sizeof(frame); size++) {
		bool read = ends_read(frame, size, &ends);

		cr_assert_eq(read, size >= 34, "%zu", size);
		if (read && ends.transport)
			cr_assert_eq(ends.transport_size, size - 34);
	}
	/* Two tags, as the filter reads them, and a later fragment. */
	memmove(frame + 20, frame + 12, 40);
	memcpy(frame + 12, (const uint8_t[]){ 0x88, 0xa8, 0, 1, 0x81, 0, 0, 2 }, 8);
	cr_assert(ends_read(frame, sizeof(frame), &ends));
	cr_assert_eq(memcmp(ends.source.addr, peer, 4), 0);
	frame[22 + 7] = 1;
	cr_assert(ends_read(frame, sizeof(frame), &ends));
	cr_assert_null(ends.transport);
}
