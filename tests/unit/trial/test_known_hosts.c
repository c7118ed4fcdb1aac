/* SPDX-License-Identifier: BSD-2-Clause */
/* Who is known: from the packets that a kernel would know it from, and from no others. */
#include <criterion/criterion.h>

#include <stddef.h>
#include <string.h>

#include <netinet/in.h>

#include "dataplane/dataplane.h"
#include "engine/engine.h"
#include "trial/ends.h"
#include "trial/known_hosts.h"
#include "trial/virtual_clock.h"

#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10

static const uint8_t host[4] = { 192, 0, 2, 1 }, peer[4] = { 198, 51, 100, 7 };

struct bench {
	struct known_hosts *hosts;
	struct engine_known known;
	struct virtual_clock clock;
	/* A data plane that has seen the host speak first to one other, or to nobody. */
	struct dataplane plane;
	struct dataplane_ops ops;
	struct dataplane_spoken spoken;
};

static int read_spoken(struct dataplane *dp, const struct dataplane_spoken_terms *terms,
		       dataplane_spoken_fn fn, void *ctx, struct sluice_err *err)
{
	const struct bench *bench =
		(const struct bench *)((const char *)dp - offsetof(struct bench, plane));

	(void)err;
	cr_assert_eq(terms->keep_ns, KNOWN_HOSTS_KEEP_NS);
	if (bench->spoken.last_ns)
		fn(ctx, &bench->spoken);
	return 0;
}

static void make(struct bench *bench)
{
	*bench = (struct bench){ 0 };
	virtual_clock_init(&bench->clock);
	bench->ops.spoken_read = read_spoken;
	bench->plane.ops = &bench->ops;
	cr_assert_eq(known_hosts_new(64, &bench->clock.source, &bench->hosts), 0);
	known_hosts_plane(bench->hosts, &bench->plane);
	known_hosts_interface(bench->hosts, &bench->known);
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

/* The host sends a segment of TCP. */
static void out(struct bench *bench, uint8_t flags)
{
	uint8_t frame[64];
	struct sluice_key destination;
	struct ends ends;

	cr_assert(ends_read(frame, build4(frame, host, peer, IPPROTO_TCP, flags), &ends));
	destination = ends_destination(&ends);
	if (ends_are_established(&ends))
		cr_assert_eq(known_hosts_connected(bench->hosts, &destination), 0);
}

static bool knows(const struct bench *bench)
{
	struct sluice_key key = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };

	memcpy(key.addr, peer, 4);
	cr_assert_eq(bench->known.refresh(bench->known.ctx), 0);
	return bench->known.contains(bench->known.ctx, &key);
}

Test(known_hosts, a_handshake_makes_known_when_it_is_done)
{
	struct bench bench;

	make(&bench);
	out(&bench, SYN | ACK);
	cr_assert(!knows(&bench), "a SYN may be forged");
	out(&bench, RST | ACK);
	out(&bench, RST);
	out(&bench, SYN);
	cr_assert(!knows(&bench), "so may whatever is answered by that");
	out(&bench, ACK | PSH);
	cr_assert(knows(&bench));
	known_hosts_free(bench.hosts);
}

Test(known_hosts, whom_the_host_spoke_to_first_is_known)
{
	struct bench bench;

	make(&bench);
	cr_assert(!knows(&bench));
	bench.spoken.key = (struct sluice_key){ .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };
	memcpy(bench.spoken.key.addr, peer, 4);
	bench.spoken.last_ns = virtual_clock_monotonic_ns(0);
	cr_assert(knows(&bench));
	known_hosts_free(bench.hosts);
}

Test(known_hosts, silence_is_forgotten)
{
	struct bench bench;

	make(&bench);
	out(&bench, ACK);
	bench.clock.now_ns += KNOWN_HOSTS_KEEP_NS / 2;
	out(&bench, ACK);
	bench.clock.now_ns += KNOWN_HOSTS_KEEP_NS;
	cr_assert(knows(&bench));
	bench.clock.now_ns++;
	cr_assert(!knows(&bench));
	known_hosts_free(bench.hosts);
}

/* By address and by unit, since sources are measured by the unit. */
Test(known_hosts, ipv6_is_known_by_its_unit)
{
	struct bench bench;
	struct sluice_key unit = { .family = SLUICE_FAMILY_IPV6,
				   .prefix_len = 64,
				   .addr = { 0x20, 1, 0x0d, 0xb8, [7] = 9 } };
	struct sluice_key whole = unit;

	whole.prefix_len = 128;
	whole.addr[15] = 5;
	make(&bench);
	cr_assert_eq(known_hosts_connected(bench.hosts, &whole), 0);
	cr_assert(bench.known.contains(bench.known.ctx, &unit));
	cr_assert(bench.known.contains(bench.known.ctx, &whole));
	/* The data plane asks by address alone. */
	size_t n;
	const struct sluice_key *listed = bench.known.list(bench.known.ctx, &n);

	cr_assert_eq(n, 1);
	cr_assert_eq(memcmp(listed, &whole, sizeof(whole)), 0);
	whole.addr[7] = 8;
	cr_assert(!bench.known.contains(bench.known.ctx, &whole));
	known_hosts_free(bench.hosts);
}

/* Any length of any bytes: read or refused, never beyond the end. */
Test(known_hosts, ends_of_anything)
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
	cr_assert_eq(memcmp(ends_source(&ends).addr, peer, 4), 0);
	cr_assert_eq(memcmp(ends_destination(&ends).addr, host, 4), 0);
	frame[22 + 7] = 1;
	cr_assert(ends_read(frame, sizeof(frame), &ends));
	cr_assert_null(ends.transport);
}
