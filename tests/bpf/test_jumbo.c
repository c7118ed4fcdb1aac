// SPDX-License-Identifier: BSD-2-Clause
/*
 * Jumbo frames over a wire at MTU 9000, where they come to the filter in several buffers.  The
 * packet table has such frames too, but a test run takes them from any program; a driver does not.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "plane.h"
#include "wire.h"

#define MTU 9000
#define REPEAT 20

#define PASS DATAPLANE_REASON_PASS
#define EXEMPT DATAPLANE_REASON_EXEMPT
#define BLOCKED DATAPLANE_REASON_BLOCKED
#define IN_PREFIX DATAPLANE_REASON_BLOCKED_PREFIX

static const struct {
	const char *v4, *v6;
	enum dataplane_reason reason;
} origins[] = {
	{ "198.51.100.7", "2001:db8:1:1::7", PASS },
	{ "203.0.113.9", "2001:db8:2:2::9", BLOCKED },
	{ "192.0.2.55", "2001:db8:bad:55::1", IN_PREFIX },
	{ "192.0.2.200", "2001:db8:bad:200::1", PASS },
	{ "192.0.2.128", "2001:db8:bad:128::1", EXEMPT },
};

/* What IP's part of a frame may be: in one buffer, just beyond it, in two, in three. */
static const uint16_t packet_sizes[] = { 1500, 3400, 3500, 4000, 4096, 4200, 8191, MTU };

#define LENGTH(array) (sizeof(array) / sizeof((array)[0]))

static void wire_add_jumbo(void)
{
	wire_add("sl0", "far0");
	cr_assert_eq(system("ip link set sl0 mtu 9000 && ip link set far0 mtu 9000"), 0);
}

static void list_sources(const struct plane *plane)
{
	const struct dataplane_allow allow[] = {
		{ plane_key("192.0.2.200"), false },
		{ plane_key("192.0.2.128"), true },
		{ plane_key("2001:db8:bad:200::/64"), false },
		{ plane_key("2001:db8:bad:128::/64"), true },
	};
	struct sluice_key v4 = plane_key("192.0.2.0/24"), v6 = plane_key("2001:db8:bad::/48");

	(void)plane_block(plane, "203.0.113.9", 0);
	(void)plane_block(plane, "2001:db8:2:2::/64", 0);
	cr_assert_eq(plane->dp->ops->prefix_set(plane->dp, &v4, 0, NULL), 0);
	cr_assert_eq(plane->dp->ops->prefix_set(plane->dp, &v6, 0, NULL), 0);
	cr_assert_eq(plane->dp->ops->allow_set(plane->dp, allow, LENGTH(allow), NULL), 0);
}

struct ends {
	int far, near;
};

/* One kind of frame, many times: what arrives, and the one counter that moves. */
static void expect(const struct plane *plane, const struct ends *ends, const struct frame *frame,
		   const char *source, enum dataplane_reason reason)
{
	bool drop = dataplane_reason_is_drop(reason);
	struct dataplane_counters before = plane_counters(plane);

	for (int i = 0; i < REPEAT; i++)
		wire_send(ends->far, frame);

	/* With nothing to wait for, the counter tells that all have been judged. */
	unsigned int arrived = wire_count(ends->near, frame, REPEAT, drop ? 20 : 2000);
	struct dataplane_counters after = plane_counters(plane);
	struct dataplane_counters delta = plane_delta(&before, &after);

	cr_assert_eq(arrived, drop ? 0 : REPEAT, "%s, %u bytes: %u arrived", source, frame->size,
		     arrived);
	for (int i = 0; i < DATAPLANE_N_REASONS; i++) {
		uint64_t packets = i == (int)reason ? REPEAT : 0;

		cr_assert_eq(delta.reason[i].packets, packets, "%s, %u bytes: %s +%lu", source,
			     frame->size, dataplane_reason_name(i), delta.reason[i].packets);
		cr_assert_eq(delta.reason[i].bytes, packets * frame->size,
			     "%s, %u bytes: %s +%lu bytes", source, frame->size,
			     dataplane_reason_name(i), delta.reason[i].bytes);
	}
}

static void judge_all(const struct plane *plane, const struct ends *ends, int family)
{
	uint16_t headers = family == 6 ? 48 : 28;
	static struct frame frame;

	for (size_t i = 0; i < LENGTH(origins); i++) {
		const char *source = family == 6 ? origins[i].v6 : origins[i].v4;
		struct sluice_key key = plane_key(source);
		struct frame_recipe recipe = { .family = (uint8_t)family, .protocol = 17 };

		for (size_t j = 0; j < LENGTH(packet_sizes); j++) {
			recipe.payload = (uint16_t)(packet_sizes[j] - headers);
			frame_build(&frame, &recipe, key.addr);
			expect(plane, ends, &frame, source, origins[i].reason);
		}
		/* The header claims a byte more than all the buffers hold together. */
		recipe.length_change = 1;
		frame_build(&frame, &recipe, key.addr);
		expect(plane, ends, &frame, source,
		       origins[i].reason == EXEMPT ? EXEMPT : DATAPLANE_REASON_MALFORMED);
	}
}

static void jumbo(enum dataplane_mode mode)
{
	const struct dataplane_interface interface = { .name = "sl0", .mode = mode };
	struct dataplane_live_options options = plane_options();

	options.interfaces = &interface;
	options.n_interfaces = 1;
	wire_add_jumbo();

	struct plane plane = plane_open(&options);
	struct ends ends = { wire_open("far0"), wire_open("sl0") };

	list_sources(&plane);
	judge_all(&plane, &ends, 4);
	judge_all(&plane, &ends, 6);
	close(ends.far);
	close(ends.near);
	plane_close(&plane);
}

TestSuite(jumbo, .init = plane_isolate);

Test(jumbo, native)
{
	jumbo(DATAPLANE_MODE_NATIVE);
}

Test(jumbo, generic)
{
	jumbo(DATAPLANE_MODE_GENERIC);
}

/* That the wire tells one from the other: it takes no program that knows a single buffer only. */
Test(jumbo, wire_refuses_a_program_without_frags)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "single", "GPL", insns, 2, NULL);

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	wire_add_jumbo();
	cr_assert_lt(bpf_xdp_attach((int)if_nametoindex("sl0"), fd, XDP_FLAGS_DRV_MODE, NULL), 0);
	close(fd);
}
