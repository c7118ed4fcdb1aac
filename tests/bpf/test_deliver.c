// SPDX-License-Identifier: BSD-2-Clause
/*
 * Which packets go to AF_XDP: every row against a model of the rules that knows nothing of masks and
 * tables, with a socket in the pinned map and without, and what is counted.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <xdp/xsk.h>

#include "deliver_shared.h"
#include "plane.h"
#include "support/random.h"

#define UMEM_FRAMES 64u
#define SOURCE4 "198.51.100.7"
#define EXEMPT4 "192.0.2.128"

TestSuite(deliver, .init = plane_isolate, .timeout = 120);

/* Frames go to 192.168.0.1 and fd00::. */
static struct dataplane_deliver_rule rules[3];
static struct sluice_key here[2], elsewhere[2];

static struct dataplane_live_options options_with_rules(void)
{
	struct dataplane_live_options options = plane_options();

	here[0] = plane_key("192.168.0.0/24");
	here[1] = plane_key("fd00::/8");
	elsewhere[0] = plane_key("192.168.0.128/25");
	elsewhere[1] = plane_key("fd00::1/128");
	rules[0] = (struct dataplane_deliver_rule){
		.protocol = IPPROTO_TCP,
		.ports = { { 80, 80 }, { 8000, 8099 } },
		.n_ports = 2,
	};
	rules[1] = (struct dataplane_deliver_rule){
		.protocol = IPPROTO_UDP,
		.ports = { { 53, 53 }, { 65535, 65535 } },
		.n_ports = 2,
		.destinations = here,
		.n_destinations = 2,
	};
	rules[2] = (struct dataplane_deliver_rule){
		.protocol = IPPROTO_UDP,
		.ports = { { 54, 54 } },
		.n_ports = 1,
		.destinations = elsewhere,
		.n_destinations = 2,
	};
	options.deliver = (struct dataplane_deliver){ rules, 3 };
	options.features.loaded = 0;
	return options;
}

struct row {
	const char *name;
	struct frame_recipe recipe;
	uint16_t port;
	enum deliver_outcome outcome; /* With a socket; NO_SOCKET without one. */
};

#define V4(...)                          \
	{                                \
		.family = 4, __VA_ARGS__ \
	}
#define V6(...)                          \
	{                                \
		.family = 6, __VA_ARGS__ \
	}
#define TCP .protocol = 6
#define UDP .protocol = 17

static const struct row rows[] = {
	{ "v4 tcp 80", V4(TCP), 80, DELIVER_SOCKET },
	{ "v4 tcp 79", V4(TCP), 79, DELIVER_OTHER },
	{ "v4 tcp 8000", V4(TCP), 8000, DELIVER_SOCKET },
	{ "v4 tcp 8099", V4(TCP), 8099, DELIVER_SOCKET },
	{ "v4 tcp 8100", V4(TCP), 8100, DELIVER_OTHER },
	{ "v4 tcp 22", V4(TCP), 22, DELIVER_OTHER },
	{ "v4 tcp 53 is udp's", V4(TCP), 53, DELIVER_OTHER },
	{ "v4 udp 80 is tcp's", V4(UDP), 80, DELIVER_OTHER },
	{ "v4 udp 53 to one of ours", V4(UDP), 53, DELIVER_SOCKET },
	{ "v4 udp 65535", V4(UDP), 65535, DELIVER_SOCKET },
	{ "v4 udp 0", V4(UDP), 0, DELIVER_OTHER },
	{ "v4 udp 54 to another", V4(UDP), 54, DELIVER_OTHER },
	{ "v4 icmp", V4(.protocol = 1), 80, DELIVER_OTHER },
	{ "v4 sctp 80", V4(.protocol = 132), 80, DELIVER_OTHER },
	{ "v4 options", V4(TCP, .option_words = 10), 80, DELIVER_SOCKET },
	{ "v4 802.1Q", V4(TCP, .vlans = { 0x8100 }), 80, DELIVER_SOCKET },
	{ "v4 QinQ", V4(UDP, .vlans = { 0x88a8, 0x8100 }), 53, DELIVER_SOCKET },
	{ "v4 don't fragment", V4(TCP, .fragment = 0x4000), 80, DELIVER_SOCKET },
	{ "v4 first fragment", V4(TCP, .fragment = 0x2000), 80, DELIVER_FRAGMENT },
	{ "v4 later fragment", V4(TCP, .fragment = 0x0010), 80, DELIVER_FRAGMENT },
	{ "v4 no transport header", V4(TCP, .cut = 34, .cut_honest = true), 80, DELIVER_OTHER },
	{ "v4 half the ports", V4(TCP, .cut = 36, .cut_honest = true), 80, DELIVER_OTHER },
	{ "v4 just the ports", V4(TCP, .cut = 38, .cut_honest = true), 80, DELIVER_SOCKET },
	{ "v6 tcp 80", V6(TCP), 80, DELIVER_SOCKET },
	{ "v6 tcp 443", V6(TCP), 443, DELIVER_OTHER },
	{ "v6 udp 53 to one of ours", V6(UDP), 53, DELIVER_SOCKET },
	{ "v6 udp 54 to another", V6(UDP), 54, DELIVER_OTHER },
	{ "v6 icmp", V6(.protocol = 58), 80, DELIVER_OTHER },
	{ "v6 hop-by-hop", V6(TCP, .extensions = { 1 }), 80, DELIVER_SOCKET },
	{ "v6 destination options", V6(UDP, .extensions = { 60, 43 }), 53, DELIVER_SOCKET },
	{ "v6 first fragment", V6(TCP, .extensions = { FRAME_FRAGMENT_FIRST }), 80,
	  DELIVER_FRAGMENT },
	{ "v6 later fragment", V6(TCP, .extensions = { FRAME_FRAGMENT_LATER }), 80,
	  DELIVER_FRAGMENT },
	{ "v6 802.1Q", V6(TCP, .vlans = { 0x8100 }), 8050, DELIVER_SOCKET },
};

/* Behind IPv4 options or IPv6 extension headers, as frame.c builds them. */
static uint32_t transport_at(const struct frame *frame, const struct frame_recipe *recipe)
{
	uint32_t at = frame->network + (recipe->family == 4 ? 20u + recipe->option_words * 4u : 40);

	for (int i = 0; recipe->family == 6 && recipe->extensions[i]; i++)
		at += recipe->extensions[i] == 60 || recipe->extensions[i] == 51 ? 16 : 8;
	return at;
}

static void build(struct frame *frame, const struct frame_recipe *recipe, uint16_t port,
		  const char *source4)
{
	struct sluice_key key = plane_key(recipe->family == 4 ? source4 : "2001:db8::7");
	uint32_t at;

	frame_build(frame, recipe, key.addr);
	at = transport_at(frame, recipe);
	frame->data[at + 2] = (uint8_t)(port >> 8);
	frame->data[at + 3] = (uint8_t)port;
}

struct socket {
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons complete, rx;
	void *memory;
};

static void socket_open(struct socket *socket, int map_fd, uint32_t queue)
{
	const struct xsk_socket_config config = {
		.rx_size = UMEM_FRAMES,
		.tx_size = UMEM_FRAMES,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = 1 << 1, /* XDP_COPY */
	};
	size_t size = UMEM_FRAMES * XSK_UMEM__DEFAULT_FRAME_SIZE;
	int fd;

	socket->memory =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(socket->memory, MAP_FAILED);
	cr_assert_eq(xsk_umem__create(&socket->umem, socket->memory, size, &socket->fill,
				      &socket->complete, NULL),
		     0);
	cr_assert_eq(xsk_socket__create(&socket->xsk, "lo", 0, socket->umem, &socket->rx,
					&socket->tx, &config),
		     0);
	fd = xsk_socket__fd(socket->xsk);
	cr_assert_eq(bpf_map_update_elem(map_fd, &queue, &fd, BPF_ANY), 0, "%s", strerror(errno));
}

static void socket_close(struct socket *socket)
{
	xsk_socket__delete(socket->xsk);
	xsk_umem__delete(socket->umem);
	munmap(socket->memory, UMEM_FRAMES * XSK_UMEM__DEFAULT_FRAME_SIZE);
}

static uint64_t outcome(const struct dataplane_deliver_counts *counts, enum deliver_outcome which)
{
	const uint64_t all[DELIVER_N_OUTCOMES] = {
		[DELIVER_SOCKET] = counts->socket,
		[DELIVER_NO_SOCKET] = counts->no_socket,
		[DELIVER_FRAGMENT] = counts->fragment,
		[DELIVER_OTHER] = counts->other,
	};

	return all[which];
}

/* One packet: its verdict, and exactly one counter by one. */
static void check(const struct plane *plane, const struct frame *frame,
		  enum deliver_outcome expected, const char *name)
{
	struct dataplane_deliver_counts before, after;
	uint32_t verdict;

	plane->dp->ops->deliver_read(plane->dp, &before);
	verdict = plane_run(plane, frame, 1);
	plane->dp->ops->deliver_read(plane->dp, &after);
	cr_expect_eq(verdict, expected == DELIVER_SOCKET ? XDP_REDIRECT : XDP_PASS, "%s: %u", name,
		     verdict);
	for (int i = 0; i < DELIVER_N_OUTCOMES; i++)
		cr_expect_eq(outcome(&after, i) - outcome(&before, i), i == (int)expected,
			     "%s: outcome %d", name, i);
}

static void check_rows(const struct plane *plane, bool has_socket, const char *source4)
{
	static struct frame frame;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		enum deliver_outcome expected = rows[i].outcome;

		if (expected == DELIVER_SOCKET && !has_socket)
			expected = DELIVER_NO_SOCKET;
		build(&frame, &rows[i].recipe, rows[i].port, source4);
		check(plane, &frame, expected, rows[i].name);
	}
}

PLANE_TEST_BOTH(deliver, rows_with_and_without_a_socket)
{
	struct dataplane_live_options options = options_with_rules();
	struct socket socket;
	struct plane plane;

	options.swap = design;
	plane = plane_open(&options);
	check_rows(&plane, false, SOURCE4);
	socket_open(&socket, plane.dp->ops->deliver_sockets(plane.dp), 0);
	check_rows(&plane, true, SOURCE4);
	/* Whoever goes takes its socket out of the map. */
	socket_close(&socket);
	check_rows(&plane, false, SOURCE4);
	plane_close(&plane);
}

/* The stage is at the end of whatever is loaded, on both sides. */
Test(deliver, behind_every_feature)
{
	struct dataplane_live_options options = options_with_rules();
	struct dataplane_swap swap;
	struct socket socket;
	struct plane plane;

	options.features = plane_every_feature();
	plane = plane_open(&options);
	socket_open(&socket, plane.dp->ops->deliver_sockets(plane.dp), 0);
	for (int side = 0; side < 2; side++) {
		check_rows(&plane, true, SOURCE4);
		cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
	}
	socket_close(&socket);
	plane_close(&plane);
}

/* Exempt sources pass unmeasured, and must reach the stack all the same. */
Test(deliver, exempt_sources_too)
{
	struct dataplane_live_options options = options_with_rules();
	const struct dataplane_allow allow = { plane_key(EXEMPT4), true };
	struct plane plane = plane_open(&options);
	struct socket socket;

	cr_assert_eq(plane.dp->ops->allow_set(plane.dp, &allow, 1, NULL), 0);
	socket_open(&socket, plane.dp->ops->deliver_sockets(plane.dp), 0);
	check_rows(&plane, true, EXEMPT4);
	socket_close(&socket);
	plane_close(&plane);
}

/* What the filter drops is never delivered. */
Test(deliver, blocked_sources_are_dropped)
{
	static const struct frame_recipe tcp = { .family = 4, .protocol = IPPROTO_TCP };
	struct dataplane_live_options options = options_with_rules();
	struct plane plane = plane_open(&options);
	struct dataplane_deliver_counts counts;
	static struct frame frame;
	struct socket socket;

	socket_open(&socket, plane.dp->ops->deliver_sockets(plane.dp), 0);
	plane_block(&plane, SOURCE4, 0);
	build(&frame, &tcp, 80, SOURCE4);
	cr_expect_eq(plane_run(&plane, &frame, 10), XDP_DROP);
	plane.dp->ops->deliver_read(plane.dp, &counts);
	cr_expect_eq(counts.socket + counts.no_socket + counts.fragment + counts.other, 0);
	socket_close(&socket);
	plane_close(&plane);
}

/* A socket of another queue is nobody's who looks at this one. */
Test(deliver, queue_decides)
{
	static const struct frame_recipe tcp = { .family = 4, .protocol = IPPROTO_TCP };
	struct dataplane_live_options options = options_with_rules();
	struct plane plane = plane_open(&options);
	static struct frame frame;
	struct socket socket;

	socket_open(&socket, plane.dp->ops->deliver_sockets(plane.dp), 3);
	build(&frame, &tcp, 80, SOURCE4);
	check(&plane, &frame, DELIVER_NO_SOCKET, "queue 0");
	socket_close(&socket);
	plane_close(&plane);
}

Test(deliver, without_rules_nothing_is_counted)
{
	static const struct frame_recipe tcp = { .family = 4, .protocol = IPPROTO_TCP };
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct dataplane_deliver_counts counts;
	static struct frame frame;

	cr_expect_eq(plane.dp->ops->deliver_sockets(plane.dp), -1);
	build(&frame, &tcp, 80, SOURCE4);
	cr_expect_eq(plane_run(&plane, &frame, 10), XDP_PASS);
	plane.dp->ops->deliver_read(plane.dp, &counts);
	cr_expect_eq(counts.socket + counts.no_socket + counts.fragment + counts.other, 0);
	plane_close(&plane);
}

/* A model that walks over rules and prefixes, one by one. */
static bool model_contains(const struct sluice_key *prefix, const uint8_t *addr)
{
	for (unsigned int bit = 0; bit < prefix->prefix_len; bit++)
		if ((prefix->addr[bit / 8] ^ addr[bit / 8]) >> (7 - bit % 8) & 1)
			return false;
	return true;
}

static bool model_delivers(const struct dataplane_deliver *deliver, uint8_t protocol, uint16_t port,
			   const uint8_t *addr)
{
	for (size_t i = 0; i < deliver->n; i++) {
		const struct dataplane_deliver_rule *rule = &deliver->rules[i];
		bool named = false, reached = !rule->n_destinations;

		for (size_t j = 0; j < rule->n_ports; j++)
			named |= port >= rule->ports[j].from && port <= rule->ports[j].to;
		for (size_t j = 0; j < rule->n_destinations; j++)
			reached |= rule->destinations[j].family == SLUICE_FAMILY_IPV4 &&
				   model_contains(&rule->destinations[j], addr);
		if (rule->protocol == protocol && named && reached)
			return true;
	}
	return false;
}

#define N_DRAWN_RULES 32
#define N_DRAWN_PREFIXES 8
#define N_DRAWN_PACKETS 4000

/* Few bits are drawn, so that prefixes nest and ports overlap. */
static void draw_rules(struct random *random, struct dataplane_deliver_rule *drawn,
		       struct sluice_key (*prefixes)[N_DRAWN_PREFIXES])
{
	for (int i = 0; i < N_DRAWN_RULES; i++) {
		struct dataplane_deliver_rule *rule = &drawn[i];

		*rule = (struct dataplane_deliver_rule){
			.protocol = random_below(random, 2) ? IPPROTO_TCP : IPPROTO_UDP,
			.n_ports = 1 + random_below(random, 3),
			.destinations = prefixes[i],
			.n_destinations = random_below(random, N_DRAWN_PREFIXES + 1),
		};
		for (size_t j = 0; j < rule->n_ports; j++) {
			rule->ports[j].from = (uint16_t)(1000 + random_below(random, 64));
			rule->ports[j].to =
				(uint16_t)(rule->ports[j].from + random_below(random, 4));
		}
		for (size_t j = 0; j < rule->n_destinations; j++) {
			uint8_t len = (uint8_t)(8 + random_below(random, 25));
			uint32_t addr = 0x0a000000u | random_below(random, 8) |
					random_below(random, 4) << 16;
			struct sluice_key *key = &prefixes[i][j];

			addr &= ~0u << (32 - len);
			*key = (struct sluice_key){ .family = 4, .prefix_len = len };
			addr = htonl(addr);
			memcpy(key->addr, &addr, 4);
		}
	}
}

Test(deliver, random_rules_as_the_model)
{
	static const uint8_t protocols[] = { IPPROTO_TCP, IPPROTO_UDP };
	static struct sluice_key prefixes[N_DRAWN_RULES][N_DRAWN_PREFIXES];
	static struct dataplane_deliver_rule drawn[N_DRAWN_RULES];
	struct dataplane_live_options options = plane_options();
	unsigned int delivered = 0;
	struct random random = { 20261126 };
	static struct frame frame;
	struct plane plane;

	draw_rules(&random, drawn, prefixes);
	options.deliver = (struct dataplane_deliver){ drawn, N_DRAWN_RULES };
	plane = plane_open(&options);
	for (int i = 0; i < N_DRAWN_PACKETS; i++) {
		const struct frame_recipe recipe = {
			.family = 4, .protocol = protocols[random_below(&random, 2)]
		};
		uint16_t port = (uint16_t)(998 + random_below(&random, 72));
		uint32_t addr = htonl(0x0a000000u | random_below(&random, 8) |
				      random_below(&random, 4) << 16);
		bool wanted;

		build(&frame, &recipe, port, SOURCE4);
		memcpy(frame.data + frame.network + 16, &addr, 4);
		wanted = model_delivers(&options.deliver, recipe.protocol, port,
					(const uint8_t *)&addr);
		delivered += wanted;
		check(&plane, &frame, wanted ? DELIVER_NO_SOCKET : DELIVER_OTHER, "drawn");
	}
	cr_expect(delivered > N_DRAWN_PACKETS / 10 && delivered < N_DRAWN_PACKETS * 9 / 10, "%u",
		  delivered);
	plane_close(&plane);
}
