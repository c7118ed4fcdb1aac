// SPDX-License-Identifier: BSD-2-Clause
/*
 * Several interfaces behind one pinned map of sockets: whose packets are looked for where, and that an interface's
 * part of the map stays its own over daemons, made again or renamed.  One socket stands for all: where it is put in
 * is where it is found.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <xdp/xsk.h>

#include "deliver_shared.h"
#include "plane.h"
#include "wire.h"

#define UMEM_FRAMES 64u

static struct socket {
	struct xsk_umem *umem;
	struct xsk_socket *xsk;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons complete, rx;
	void *memory;
} joker;

static void isolate(void)
{
	const struct xsk_socket_config config = {
		.rx_size = UMEM_FRAMES,
		.tx_size = UMEM_FRAMES,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
		.bind_flags = 1 << 1, /* XDP_COPY */
	};
	size_t size = UMEM_FRAMES * XSK_UMEM__DEFAULT_FRAME_SIZE;

	plane_isolate();
	wire_add("sl0", "far0");
	wire_add("sl1", "far1");
	joker.memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	cr_assert_neq(joker.memory, MAP_FAILED);
	cr_assert_eq(xsk_umem__create(&joker.umem, joker.memory, size, &joker.fill, &joker.complete,
				      NULL),
		     0);
	cr_assert_eq(xsk_socket__create(&joker.xsk, "lo", 0, joker.umem, &joker.rx, &joker.tx,
					&config),
		     0);
}

TestSuite(deliver_slots, .init = isolate, .timeout = 120);

static const struct dataplane_interface sl0 = { "sl0", DATAPLANE_MODE_NATIVE };
static const struct dataplane_interface sl1 = { "sl1", DATAPLANE_MODE_NATIVE };
static const struct dataplane_interface in_order[] = { { "sl0", DATAPLANE_MODE_NATIVE },
						       { "sl1", DATAPLANE_MODE_NATIVE } };
static const struct dataplane_interface reversed[] = { { "sl1", DATAPLANE_MODE_NATIVE },
						       { "sl0", DATAPLANE_MODE_NATIVE } };

static struct dataplane_live_options options_on(const struct dataplane_interface *interfaces,
						size_t n)
{
	static const struct dataplane_deliver_rule rule = {
		.protocol = IPPROTO_TCP,
		.ports = { { 80, 80 } },
		.n_ports = 1,
	};
	struct dataplane_live_options options = plane_options();

	options.deliver = (struct dataplane_deliver){ &rule, 1 };
	options.interfaces = interfaces;
	options.n_interfaces = n;
	return options;
}

static struct plane open_on(const struct dataplane_interface *interfaces, size_t n)
{
	const struct dataplane_live_options options = options_on(interfaces, n);

	return plane_open(&options);
}

static int slot_of(const struct plane *plane, const char *name)
{
	return plane->dp->ops->deliver_slot(plane->dp, name);
}

static void put(const struct plane *plane, uint32_t index)
{
	int map_fd = plane->dp->ops->deliver_sockets(plane->dp), fd = xsk_socket__fd(joker.xsk);

	cr_assert_eq(bpf_map_update_elem(map_fd, &index, &fd, BPF_ANY), 0, "%s", strerror(errno));
}

static void take_out(const struct plane *plane, uint32_t index)
{
	int map_fd = plane->dp->ops->deliver_sockets(plane->dp);

	cr_assert_eq(bpf_map_delete_elem(map_fd, &index), 0, "%s", strerror(errno));
}

/* Whether a packet that came in there goes to a socket; counted as it should be in either case. */
static bool is_delivered(const struct plane *plane, const char *ifname)
{
	static const struct frame_recipe recipe = { .family = 4, .protocol = IPPROTO_TCP };
	const struct sluice_key source = plane_key("198.51.100.7");
	struct dataplane_deliver_counts before, after;
	struct xdp_md context = { .ingress_ifindex = if_nametoindex(ifname) };
	static struct frame frame;
	bool delivered;

	frame_build(&frame, &recipe, source.addr);
	frame.data[frame.network + 22] = 0;
	frame.data[frame.network + 23] = 80;
	context.data_end = frame.size;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame.data, .data_size_in = frame.size,
		    .ctx_in = &context, .ctx_size_in = sizeof(context), .repeat = 1);

	plane->dp->ops->deliver_read(plane->dp, &before);
	cr_assert_eq(bpf_prog_test_run_opts(plane->filter_fd, &opts), 0, "%s", strerror(errno));
	plane->dp->ops->deliver_read(plane->dp, &after);
	delivered = opts.retval == XDP_REDIRECT;
	cr_expect(delivered || opts.retval == XDP_PASS, "%s: %u", ifname, opts.retval);
	cr_expect_eq(after.socket - before.socket, delivered, "%s", ifname);
	cr_expect_eq(after.no_socket - before.no_socket, !delivered, "%s", ifname);
	return delivered;
}

/* Alone there, the socket gets the packets of `owner` and nobody else's. */
static void expect_place(const struct plane *plane, uint32_t index, const char *owner)
{
	static const char *const names[] = { "sl0", "sl1", "lo" };

	put(plane, index);
	for (int i = 0; i < 3; i++)
		cr_expect_eq(is_delivered(plane, names[i]), strcmp(names[i], owner) == 0,
			     "index %u: %s", index, names[i]);
	take_out(plane, index);
}

PLANE_TEST_BOTH(deliver_slots, each_interface_has_its_own)
{
	struct dataplane_live_options options = options_on(in_order, 2);
	struct plane plane;

	options.swap = design;
	plane = plane_open(&options);
	cr_expect_eq(slot_of(&plane, "sl0"), 0, "as before there were several");
	cr_expect_eq(slot_of(&plane, "sl1"), 1);
	cr_expect_eq(slot_of(&plane, "lo"), -1);
	expect_place(&plane, 0, "sl0");
	expect_place(&plane, DELIVER_MAX_QUEUES, "sl1");
	expect_place(&plane, 1, "nobody");
	expect_place(&plane, DELIVER_MAX_QUEUES + 1, "nobody");
	expect_place(&plane, 2 * DELIVER_MAX_QUEUES, "nobody");
	expect_place(&plane, DELIVER_MAX_SOCKETS - 1, "nobody");
	plane_close(&plane);
}

/* The stage is at the end of whatever is loaded, on both sides. */
Test(deliver_slots, behind_every_feature)
{
	struct dataplane_live_options options = options_on(in_order, 2);
	struct dataplane_swap swap;
	struct plane plane;

	options.features = plane_every_feature();
	plane = plane_open(&options);
	for (int side = 0; side < 2; side++) {
		expect_place(&plane, 0, "sl0");
		expect_place(&plane, DELIVER_MAX_QUEUES, "sl1");
		cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
	}
	plane_close(&plane);
}

/* Nothing is looked up then: whatever comes is its own. */
Test(deliver_slots, one_alone_is_not_looked_up)
{
	struct plane plane = open_on(&sl0, 1);

	put(&plane, 0);
	cr_expect(is_delivered(&plane, "sl0"));
	cr_expect(is_delivered(&plane, "lo"));
	take_out(&plane, 0);
	expect_place(&plane, DELIVER_MAX_QUEUES, "nobody");
	plane_close(&plane);
}

Test(deliver_slots, they_outlive_daemons)
{
	struct plane plane = open_on(in_order, 2);

	put(&plane, 0);
	plane_close(&plane);
	plane = open_on(reversed, 2);
	cr_expect_eq(slot_of(&plane, "sl0"), 0);
	cr_expect_eq(slot_of(&plane, "sl1"), 1);
	cr_expect(is_delivered(&plane, "sl0"), "its socket is still there");
	cr_expect_not(is_delivered(&plane, "sl1"));
	plane_close(&plane);
	/* The second alone keeps its place, and the first finds its own again. */
	plane = open_on(&sl1, 1);
	cr_expect_eq(slot_of(&plane, "sl1"), 1);
	put(&plane, DELIVER_MAX_QUEUES);
	cr_expect(is_delivered(&plane, "sl1"));
	plane_close(&plane);
	plane = open_on(in_order, 2);
	cr_expect_eq(slot_of(&plane, "sl0"), 0);
	cr_expect(is_delivered(&plane, "sl0"));
	cr_expect(is_delivered(&plane, "sl1"));
	plane_close(&plane);
}

/* Its packets would be dropped: the kernel gives a socket none of another interface. */
Test(deliver_slots, no_socket_of_the_last_owner_stays)
{
	struct plane plane = open_on(&sl0, 1);

	put(&plane, 0);
	put(&plane, DELIVER_MAX_QUEUES - 1);
	plane_close(&plane);
	plane = open_on(&sl1, 1);
	cr_expect_eq(slot_of(&plane, "sl1"), 0, "nobody else needs it");
	cr_expect_not(is_delivered(&plane, "sl1"));
	plane_close(&plane);
}

/* Takes what there is to tell; whether `kind` was among it. */
static bool was_told(const struct plane *plane, enum dataplane_event_kind wanted)
{
	enum dataplane_event_kind kind;
	char ifname[IFNAMSIZ];
	bool told = false;

	while (plane->dp->ops->event_next(plane->dp, &kind, ifname)) {
		cr_expect_str_eq(ifname, "sl1");
		told |= kind == wanted;
	}
	return told;
}

Test(deliver_slots, one_that_is_made_again_has_its_own_again)
{
	struct plane plane = open_on(in_order, 2);
	struct deliver_slots slots;
	unsigned int before;
	uint32_t key = 0;
	int fd;

	before = if_nametoindex("sl1");
	wire_del("sl1");
	cr_expect(was_told(&plane, DATAPLANE_EVENT_INTERFACE_GONE));
	fd = bpf_obj_get(PLANE_FOLDER "/sluice_deliver_slots");
	cr_assert_eq(bpf_map_lookup_elem(fd, &key, &slots), 0);
	cr_expect_eq(slots.ifindex[1], 0, "no packet is its any more");
	wire_add("sl1", "far1");
	cr_assert_neq(if_nametoindex("sl1"), before);
	cr_expect(was_told(&plane, DATAPLANE_EVENT_INTERFACE_BACK));
	cr_expect_eq(slot_of(&plane, "sl1"), 1);
	expect_place(&plane, DELIVER_MAX_QUEUES, "sl1");
	expect_place(&plane, 0, "sl0");
	close(fd);
	plane_close(&plane);
}

Test(deliver_slots, one_that_is_renamed_keeps_its_own)
{
	static const struct dataplane_interface renamed[] = { { "uplink", DATAPLANE_MODE_NATIVE },
							      { "sl0", DATAPLANE_MODE_NATIVE } };
	struct plane plane = open_on(in_order, 2);

	put(&plane, DELIVER_MAX_QUEUES);
	plane_close(&plane);
	cr_assert_eq(system("ip link set sl1 down && ip link set sl1 name uplink && "
			    "ip link set uplink up"),
		     0);
	plane = open_on(renamed, 2);
	cr_expect_eq(slot_of(&plane, "uplink"), 1);
	cr_expect(is_delivered(&plane, "uplink"), "with its socket");
	cr_expect_not(is_delivered(&plane, "sl0"));
	plane_close(&plane);
}

/* What is pinned may hold anything. */
Test(deliver_slots, damaged_ones_are_given_anew)
{
	static const uint8_t bytes[] = { 0xff, 1, 0 };
	struct plane plane = open_on(in_order, 2);

	plane_close(&plane);
	for (size_t i = 0; i < sizeof(bytes); i++) {
		plane_fill_map("sluice_deliver_slots", bytes[i]);
		plane = open_on(in_order, 2);
		cr_expect_eq(slot_of(&plane, "sl0"), 0);
		cr_expect_eq(slot_of(&plane, "sl1"), 1);
		expect_place(&plane, 0, "sl0");
		expect_place(&plane, DELIVER_MAX_QUEUES, "sl1");
		plane_close(&plane);
	}
}

/* A map that an earlier version pinned has room for one: that goes on, and several are refused. */
Test(deliver_slots, a_small_map_serves_one)
{
	const struct dataplane_live_options two = options_on(in_order, 2);
	struct plane plane = open_on(&sl0, 1);
	struct sluice_err err = { 0 };
	struct dataplane *dp;
	int fd;

	plane_close(&plane);
	fd = bpf_map_create(BPF_MAP_TYPE_XSKMAP, "sluice_xsks", 4, 4, DELIVER_MAX_QUEUES, NULL);
	cr_assert_geq(fd, 0, "%s", strerror(errno));
	cr_assert_eq(unlink(PLANE_FOLDER "/sluice_xsks"), 0);
	cr_assert_eq(bpf_obj_pin(fd, PLANE_FOLDER "/sluice_xsks"), 0);
	close(fd);
	plane = open_on(&sl0, 1);
	put(&plane, 0);
	cr_expect(is_delivered(&plane, "sl0"));
	plane_close(&plane);
	cr_expect_eq(dataplane_live_open(&two, &dp, &err), -EPROTO);
	cr_expect_str_eq(err.path, "deliver");
	cr_expect_not_null(strstr(err.text, "sluice detach"), "%s", err.text);
}

Test(deliver_slots, more_than_there_is_room_for)
{
	static struct dataplane_interface many[DELIVER_MAX_SLOTS + 1];
	const struct dataplane_live_options options = options_on(many, DELIVER_MAX_SLOTS + 1);
	struct sluice_err err = { 0 };
	struct dataplane *dp;

	for (size_t i = 0; i <= DELIVER_MAX_SLOTS; i++)
		many[i] = sl0;
	cr_expect_eq(dataplane_live_open(&options, &dp, &err), -EPROTO);
	cr_expect_str_eq(err.text, "17 interfaces, and the pinned map of sockets has room for 16");
}
