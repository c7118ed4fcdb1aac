// SPDX-License-Identifier: BSD-2-Clause
/*
 * Whom the server spoke to first: frame by frame through the programs at tc, a flood that changes
 * nothing, and how they are attached, adopted and taken off beside the filters of others.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <netinet/in.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "egress_shared.h"
#include "plane.h"
#include "support/random.h"
#include "wire.h"

#define PEER4 "198.51.100.7"
#define PEER6 "2001:db8::7"
#define HANDLE 0x51c1
#define N_FLOOD 1000000u

static const struct dataplane_interface on_wire = { "sl0", DATAPLANE_MODE_NATIVE };
static const struct dataplane_spoken_terms all_times = { .keep_ns = 3600ull * 1000000000ull };

static void isolate(void)
{
	plane_isolate();
	wire_add("sl0", "sl1");
}

TestSuite(egress, .init = isolate, .timeout = 200);

struct scene {
	struct plane plane;
	int in, out; /* Programs. */
};

static struct dataplane_live_options options_for(enum dataplane_egress mode)
{
	struct dataplane_live_options options = plane_options();

	options.interfaces = &on_wire;
	options.n_interfaces = 1;
	options.egress = mode;
	options.max_known = 4096;
	return options;
}

static uint32_t filter_id(enum bpf_tc_attach_point point, int priority, int handle)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex("sl0"),
		    .attach_point = point);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = (__u32)handle, .priority = (__u32)priority);

	return bpf_tc_query(&hook, &opts) ? 0 : opts.prog_id;
}

/* Programs in both directions that are there by tcx links; a kernel before 6.6 has none. */
static uint32_t tcx_programs(void)
{
	static const int types[] = { 46, 47 }; /* BPF_TCX_INGRESS and BPF_TCX_EGRESS */
	uint32_t sum = 0;

	for (size_t i = 0; i < 2; i++) {
		__u32 ids[8], n = 8, flags = 0;

		if (bpf_prog_query((int)if_nametoindex("sl0"), (enum bpf_attach_type)types[i], 0,
				   &flags, ids, &n) == 0)
			sum += n;
	}
	return sum;
}

static int program_of_link(const char *pin)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	int link = bpf_obj_get(pin), fd;

	cr_assert_geq(link, 0, "%s", pin);
	cr_assert_eq(bpf_obj_get_info_by_fd(link, &info, &size), 0);
	close(link);
	fd = bpf_prog_get_fd_by_id(info.prog_id);
	cr_assert_geq(fd, 0);
	return fd;
}

static struct scene scene_open(enum dataplane_egress mode)
{
	struct dataplane_live_options options = options_for(mode);
	struct scene scene = { .plane = plane_open(&options) };

	cr_assert_neq(scene.plane.dp->egress, DATAPLANE_EGRESS_OFF, "%s",
		      scene.plane.dp->egress_err.text);
	if (scene.plane.dp->egress == DATAPLANE_EGRESS_TCX) {
		scene.in = program_of_link(PLANE_FOLDER "/tcx-in_sl0");
		scene.out = program_of_link(PLANE_FOLDER "/tcx-out_sl0");
	} else {
		scene.in = bpf_prog_get_fd_by_id(filter_id(BPF_TC_INGRESS, 1, HANDLE));
		scene.out = bpf_prog_get_fd_by_id(filter_id(BPF_TC_EGRESS, 1, HANDLE));
	}
	cr_assert_geq(scene.in, 0);
	cr_assert_geq(scene.out, 0);
	return scene;
}

static void scene_close(struct scene *scene)
{
	close(scene->in);
	close(scene->out);
	plane_close(&scene->plane);
}

static void run(int fd, const struct frame *frame, uint32_t ingress_ifindex)
{
	struct __sk_buff context = { .ingress_ifindex = ingress_ifindex };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data, .data_size_in = frame->size,
		    .repeat = 1);

	if (ingress_ifindex) {
		opts.ctx_in = &context;
		opts.ctx_size_in = sizeof(context);
	}
	cr_assert_eq(bpf_prog_test_run_opts(fd, &opts), 0);
	cr_assert_eq((int)opts.retval, TC_ACT_UNSPEC, "every packet goes on");
}

/* A packet between this host and `peer`. */
struct say {
	const char *peer;
	bool inward;
	struct frame_recipe recipe;
	uint16_t ports[2]; /* The peer's and ours; 0 = as built. */
	int icmp_type;	   /* 0 = as built */
};

static void build(struct frame *frame, const struct say *say)
{
	struct sluice_key key = plane_key(say->peer), own;
	struct frame_recipe recipe = say->recipe;
	bool v4 = key.family == SLUICE_FAMILY_IPV4;
	uint8_t *transport;
	uint16_t ports[2];

	own = plane_key(v4 ? "192.0.2.1" : "2001:db8:ffff::1");
	recipe.family = v4 ? 4 : 6;
	frame_build(frame, &recipe, say->inward ? key.addr : own.addr);
	memcpy(frame->data + frame->network + (v4 ? 16 : 24), say->inward ? own.addr : key.addr,
	       v4 ? 4 : 16);
	transport = frame->data + frame->network + (v4 ? 20 + 4 * recipe.option_words : 40);
	ports[0] = htons(say->ports[say->inward ? 0 : 1]);
	ports[1] = htons(say->ports[say->inward ? 1 : 0]);
	if (say->ports[0] || say->ports[1])
		memcpy(transport, ports, sizeof(ports));
	if (say->icmp_type)
		transport[0] = (uint8_t)say->icmp_type;
}

static void utter(const struct scene *scene, const struct say *say)
{
	static struct frame frame;

	build(&frame, say);
	run(say->inward ? scene->in : scene->out, &frame, 0);
}

struct found {
	struct dataplane_spoken spoken[64];
	size_t n;
};

static void take(void *ctx, const struct dataplane_spoken *spoken)
{
	struct found *found = ctx;

	if (found->n < 64)
		found->spoken[found->n] = *spoken;
	found->n++;
}

static struct found read_spoken(const struct scene *scene)
{
	struct found found = { .n = 0 };
	struct sluice_err err = { 0 };
	struct dataplane *dp = scene->plane.dp;

	cr_assert_eq(dp->ops->spoken_read(dp, &all_times, take, &found, &err), 0, "%s", err.text);
	return found;
}

static bool knows(const struct scene *scene, const char *peer)
{
	struct sluice_key key = plane_key(peer);
	struct found found = read_spoken(scene);

	for (size_t i = 0; i < found.n && i < 64; i++)
		if (memcmp(&found.spoken[i].key, &key, sizeof(key)) == 0)
			return true;
	return false;
}

#define UDP                             \
	{                               \
		.protocol = IPPROTO_UDP \
	}
#define TCP(flags)                                            \
	{                                                     \
		.protocol = IPPROTO_TCP, .tcp_flags = (flags) \
	}

/* One packet of ours to a host that has never sent anything. */
static const struct {
	const char *what;
	struct say say;
	bool knows;
} words[] = {
	{ "SYN", { PEER4, false, TCP(0x02), { 0 }, 0 }, true },
	{ "SYN, IPv6", { PEER6, false, TCP(0x02), { 0 }, 0 }, true },
	{ "SYN with ECN", { PEER4, false, TCP(0xc2), { 0 }, 0 }, true },
	{ "SYN-ACK", { PEER4, false, TCP(0x12), { 0 }, 0 }, false },
	{ "SYN-ACK, IPv6", { PEER6, false, TCP(0x12), { 0 }, 0 }, false },
	{ "ACK", { PEER4, false, TCP(0x10), { 0 }, 0 }, false },
	{ "RST", { PEER4, false, TCP(0x04), { 0 }, 0 }, false },
	{ "UDP", { PEER4, false, UDP, { 53, 40000 }, 0 }, true },
	{ "UDP, IPv6", { PEER6, false, UDP, { 53, 40000 }, 0 }, true },
	{ "ping", { PEER4, false, { .protocol = IPPROTO_ICMP }, { 0 }, 8 }, true },
	{ "pong", { PEER4, false, { .protocol = IPPROTO_ICMP }, { 0 }, 16 }, false },
	{ "unreachable", { PEER4, false, { .protocol = IPPROTO_ICMP }, { 0 }, 3 }, false },
	{ "ping, IPv6", { PEER6, false, { .protocol = IPPROTO_ICMPV6 }, { 0 }, 128 }, true },
	{ "pong, IPv6", { PEER6, false, { .protocol = IPPROTO_ICMPV6 }, { 0 }, 129 }, false },
	{ "neighbour, IPv6", { PEER6, false, { .protocol = IPPROTO_ICMPV6 }, { 0 }, 135 }, false },
	{ "ICMPv6 number in IPv4",
	  { PEER4, false, { .protocol = IPPROTO_ICMP }, { 0 }, 128 },
	  false },
	{ "GRE", { PEER4, false, { .protocol = IPPROTO_GRE }, { 0 }, 0 }, false },
	{ "SYN in a VLAN",
	  { PEER4,
	    false,
	    { .vlans = { 0x8100 }, .protocol = IPPROTO_TCP, .tcp_flags = 2 },
	    { 0 },
	    0 },
	  true },
	{ "UDP in QinQ, IPv6",
	  { PEER6, false, { .vlans = { 0x88a8, 0x8100 }, .protocol = IPPROTO_UDP }, { 53, 4 }, 0 },
	  true },
	{ "SYN behind options",
	  { PEER4,
	    false,
	    { .option_words = 4, .protocol = IPPROTO_TCP, .tcp_flags = 2 },
	    { 0 },
	    0 },
	  true },
	{ "SYN behind extension headers",
	  { PEER6,
	    false,
	    { .extensions = { 1, 60 }, .protocol = IPPROTO_TCP, .tcp_flags = 2 },
	    { 0 },
	    0 },
	  true },
	{ "first fragment",
	  { PEER4, false, { .fragment = 0x2000, .protocol = IPPROTO_UDP }, { 53, 4 }, 0 },
	  true },
	{ "later fragment",
	  { PEER4, false, { .fragment = 0x00b9, .protocol = IPPROTO_UDP }, { 0 }, 0 },
	  false },
	{ "later fragment of TCP",
	  { PEER4,
	    false,
	    { .fragment = 0x00b9, .protocol = IPPROTO_TCP, .tcp_flags = 2 },
	    { 0 },
	    0 },
	  false },
	{ "header of another version",
	  { PEER4,
	    false,
	    { .is_version_set = true, .version = 5, .protocol = IPPROTO_TCP, .tcp_flags = 2 },
	    { 0 },
	    0 },
	  false },
	{ "header too short",
	  { PEER4,
	    false,
	    { .is_ihl_set = true, .ihl = 4, .protocol = IPPROTO_TCP, .tcp_flags = 2 },
	    { 0 },
	    0 },
	  false },
	{ "cut in TCP",
	  { PEER4, false, { .cut = 40, .protocol = IPPROTO_TCP, .tcp_flags = 2 }, { 0 }, 0 },
	  false },
	{ "cut in UDP", { PEER4, false, { .cut = 36, .protocol = IPPROTO_UDP }, { 0 }, 0 }, false },
	{ "multicast", { "224.0.0.251", false, UDP, { 5353, 5353 }, 0 }, false },
	{ "broadcast", { "255.255.255.255", false, UDP, { 67, 68 }, 0 }, false },
	{ "multicast, IPv6", { "ff02::fb", false, UDP, { 5353, 5353 }, 0 }, false },
	{ "loopback", { "127.0.0.1", false, UDP, { 53, 4 }, 0 }, false },
	{ "loopback, IPv6", { "::1", false, UDP, { 53, 4 }, 0 }, false },
};

Test(egress, first_words_by_kind_of_packet)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct scene scene = scene_open(DATAPLANE_EGRESS_AUTO);

		utter(&scene, &words[i].say);
		cr_expect_eq(knows(&scene, words[i].say.peer), words[i].knows, "%s", words[i].what);
		cr_expect_eq(read_spoken(&scene).n, words[i].knows, "%s", words[i].what);
		scene_close(&scene);
		cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	}
}

/* Whoever sends first is answered, and a reply makes nobody known. */
Test(egress, a_reply_makes_nobody_known)
{
	static const struct say asks[] = {
		{ PEER4, true, UDP, { 4000, 53 }, 0 },
		{ PEER6, true, UDP, { 4000, 53 }, 0 },
		/* What the filter cannot read the kernel may: it counts as having sent. */
		{ "198.51.100.8", true, { .fragment = 0x00b9, .protocol = IPPROTO_UDP }, { 0 }, 0 },
		{ "198.51.100.9", true, { .protocol = IPPROTO_ICMP }, { 0 }, 8 },
		{ "198.51.100.10", true, { .protocol = IPPROTO_GRE }, { 0 }, 0 },
		{ "198.51.100.11",
		  true,
		  { .vlans = { 0x8100 }, .protocol = IPPROTO_UDP },
		  { 0 },
		  0 },
		{ "2001:db8::8",
		  true,
		  { .extensions = { 1, 60, 60, 60, 60, 60, 60, 60 }, .protocol = IPPROTO_UDP },
		  { 0 },
		  0 },
	};
	struct scene scene = scene_open(DATAPLANE_EGRESS_AUTO);

	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++) {
		struct say reply = { asks[i].peer, false, UDP, { 4000, 53 }, 0 };

		utter(&scene, &asks[i]);
		utter(&scene, &reply);
		/* As a TFTP server does: from another port, to another. */
		reply.ports[0] = 4001;
		reply.ports[1] = 45000;
		utter(&scene, &reply);
		cr_expect_not(knows(&scene, asks[i].peer), "%zu", i);
	}
	cr_expect_eq(read_spoken(&scene).n, 0);
	scene_close(&scene);
}

Test(egress, a_resolver_stays_known_by_new_questions_and_not_by_answers_to_its_own)
{
	struct scene scene = scene_open(DATAPLANE_EGRESS_AUTO);
	struct say question = { PEER4, false, UDP, { 53, 40000 }, 0 };
	struct say answer = { PEER4, true, UDP, { 53, 40000 }, 0 };
	uint64_t first;

	utter(&scene, &question);
	utter(&scene, &answer);
	first = read_spoken(&scene).spoken[0].last_ns;
	sleep(1);
	/* It, or somebody in its name, asks us. */
	utter(&scene, &(struct say){ PEER4, true, UDP, { 53, 123 }, 0 });
	utter(&scene, &(struct say){ PEER4, false, UDP, { 53, 123 }, 0 });
	cr_expect_eq(read_spoken(&scene).spoken[0].last_ns, first);
	question.ports[1] = 40001;
	utter(&scene, &question);
	cr_expect_gt(read_spoken(&scene).spoken[0].last_ns, first);
	cr_expect_lt(read_spoken(&scene).spoken[0].first_ns, first + 1);
	scene_close(&scene);
}

Test(egress, what_is_only_passed_on_is_nobodys_first_word)
{
	struct scene scene = scene_open(DATAPLANE_EGRESS_AUTO);
	const struct say syn = { PEER4, false, TCP(0x02), { 0 }, 0 };
	struct dataplane_egress_counts counts;
	static struct frame frame;

	build(&frame, &syn);
	run(scene.out, &frame, if_nametoindex("sl0"));
	cr_expect_eq(read_spoken(&scene).n, 0);
	scene.plane.dp->ops->egress_read(scene.plane.dp, &counts);
	cr_expect_eq(counts.relayed, 1);
	/* From elsewhere, such as a container of this machine. */
	run(scene.out, &frame, 1);
	cr_expect(knows(&scene, PEER4));
	scene_close(&scene);
}

static int by_key(const void *a, const void *b)
{
	return memcmp(a, b, sizeof(struct dataplane_spoken));
}

/* A million forged senders, whom the server also answers: not a bit of the set changes. */
Test(egress, a_flood_leaves_the_set_as_it_was)
{
	struct scene scene = scene_open(DATAPLANE_EGRESS_AUTO);
	struct found before, after;
	struct random random = { 7 };
	static struct frame in, out;

	for (int i = 0; i < 40; i++) {
		struct say syn = { PEER4, false, TCP(0x02), { 0 }, 0 };

		build(&out, &syn);
		out.data[out.network + 19] = (uint8_t)(100 + i);
		run(scene.out, &out, 0);
	}
	before = read_spoken(&scene);
	cr_assert_eq(before.n, 40);
	build(&in, &(struct say){ PEER4, true, UDP, { 4000, 53 }, 0 });
	build(&out, &(struct say){ PEER4, false, UDP, { 4000, 53 }, 0 });
	for (uint32_t i = 0; i < N_FLOOD; i++) {
		uint32_t source = (uint32_t)random_next(&random);

		memcpy(in.data + in.network + 12, &source, 4);
		run(scene.in, &in, 0);
		if (i % 16)
			continue;
		memcpy(out.data + out.network + 16, &source, 4);
		run(scene.out, &out, 0);
	}
	after = read_spoken(&scene);
	cr_assert_eq(after.n, 40);
	qsort(before.spoken, before.n, sizeof(before.spoken[0]), by_key);
	qsort(after.spoken, after.n, sizeof(after.spoken[0]), by_key);
	cr_assert_eq(memcmp(before.spoken, after.spoken, sizeof(before.spoken)), 0);
	/* Nor does it keep the server from making others known: by a connection, for one. */
	utter(&scene, &(struct say){ "203.0.113.9", false, TCP(0x02), { 0 }, 0 });
	cr_expect(knows(&scene, "203.0.113.9"));
	scene_close(&scene);
}

/* More first words than there is room for: the oldest make room, and the newest are there. */
Test(egress, when_it_is_full_the_oldest_go)
{
	struct scene scene = scene_open(DATAPLANE_EGRESS_AUTO);
	struct say syn = { PEER4, false, TCP(0x02), { 0 }, 0 };
	struct dataplane_egress_counts counts;
	static struct frame frame;

	build(&frame, &syn);
	for (uint32_t i = 0; i < 6000; i++) {
		uint32_t peer = htonl(0x0a000000 + i);

		memcpy(frame.data + frame.network + 16, &peer, 4);
		run(scene.out, &frame, 0);
		if (i % 512 == 511)
			read_spoken(&scene);
	}
	cr_expect_leq(read_spoken(&scene).n, 4096);
	cr_expect_geq(read_spoken(&scene).n, 3072);
	scene.plane.dp->ops->egress_read(scene.plane.dp, &counts);
	cr_expect_eq(counts.tcp, 6000);
	cr_expect_eq(counts.refused, 0);
	scene_close(&scene);
}

/* Of somebody else: lets everything pass. */
static int other_program(enum bpf_prog_type type, int verdict)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = verdict },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(type, "other", "GPL", insns, 2, NULL);

	cr_assert_geq(fd, 0);
	return fd;
}

static int other_filter(int priority)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)if_nametoindex("sl0"),
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int fd = other_program(BPF_PROG_TYPE_SCHED_CLS, TC_ACT_OK);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = (__u32)priority, .prog_fd = fd);

	(void)!bpf_tc_hook_create(&hook);
	hook.attach_point = BPF_TC_EGRESS;
	cr_assert_eq(bpf_tc_attach(&hook, &opts), 0);
	return fd;
}

static void check_life(enum dataplane_egress mode)
{
	int other = other_filter(1);
	uint32_t other_id = filter_id(BPF_TC_EGRESS, 1, 1);
	struct dataplane_live_options options = options_for(mode);
	struct scene scene = scene_open(mode);

	cr_assert_neq(other_id, 0);
	cr_assert_eq(scene.plane.dp->egress, mode);
	utter(&scene, &(struct say){ PEER4, false, TCP(0x02), { 0 }, 0 });
	scene_close(&scene);
	/* Without the daemon it goes on; the next one adopts it. */
	scene = scene_open(mode);
	cr_assert(scene.plane.dp->adopted);
	cr_expect(knows(&scene, PEER4));
	utter(&scene, &(struct say){ PEER6, false, TCP(0x02), { 0 }, 0 });
	cr_expect(knows(&scene, PEER6));
	scene_close(&scene);
	/* Switched off in the configuration, it goes. */
	options.egress = DATAPLANE_EGRESS_OFF;
	scene.plane = plane_open(&options);
	cr_expect_neq(access(PLANE_FOLDER "/tcx-out_sl0", F_OK), 0);
	cr_expect_eq(filter_id(BPF_TC_EGRESS, 1, HANDLE), 0);
	cr_expect_eq(tcx_programs(), 0, "off at once, not some time later");
	plane_close(&scene.plane);
	scene = scene_open(mode);
	cr_expect_eq(tcx_programs(), mode == DATAPLANE_EGRESS_TCX ? 2 : 0);
	scene_close(&scene);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	cr_expect_eq(tcx_programs(), 0, "off at once, not some time later");
	cr_expect_eq(filter_id(BPF_TC_EGRESS, 1, HANDLE), 0);
	cr_expect_eq(filter_id(BPF_TC_INGRESS, 1, HANDLE), 0);
	cr_expect_eq(filter_id(BPF_TC_EGRESS, 1, 1), other_id, "the other one is untouched");
	close(other);
}

Test(egress, life_by_clsact)
{
	check_life(DATAPLANE_EGRESS_CLSACT);
}

static bool has_tcx(void)
{
	struct scene scene = scene_open(DATAPLANE_EGRESS_AUTO);
	bool has = scene.plane.dp->egress == DATAPLANE_EGRESS_TCX;

	scene_close(&scene);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	return has;
}

Test(egress, life_by_tcx)
{
	if (!has_tcx()) {
		cr_skip_test("a kernel before 6.6 has no tcx");
		return;
	}
	check_life(DATAPLANE_EGRESS_TCX);
}

Test(egress, changes_hands_from_tcx_to_clsact)
{
	struct scene scene = scene_open(DATAPLANE_EGRESS_AUTO);

	utter(&scene, &(struct say){ PEER4, false, TCP(0x02), { 0 }, 0 });
	scene_close(&scene);
	scene = scene_open(DATAPLANE_EGRESS_CLSACT);
	cr_expect(knows(&scene, PEER4));
	cr_expect_neq(access(PLANE_FOLDER "/tcx-out_sl0", F_OK), 0);
	cr_expect_neq(access(PLANE_FOLDER "/tcx-in_sl0", F_OK), 0);
	scene_close(&scene);
}

/* Renamed while no daemon ran: what it had stays with it, and is not there twice. */
static void check_rename(enum dataplane_egress mode)
{
	static const struct dataplane_interface renamed = { "uplink", DATAPLANE_MODE_NATIVE };
	struct dataplane_live_options options = options_for(mode);
	struct scene scene = scene_open(mode);
	bool is_tcx = scene.plane.dp->egress == DATAPLANE_EGRESS_TCX;

	scene_close(&scene);
	cr_assert_eq(system("ip link set sl0 down && ip link set sl0 name uplink"), 0);
	options.interfaces = &renamed;
	scene.plane = plane_open(&options);
	cr_assert_eq(system("ip link set uplink name sl0 && ip link set sl0 up"), 0);
	cr_expect_eq(tcx_programs(), is_tcx ? 2 : 0);
	cr_expect_eq(!filter_id(BPF_TC_EGRESS, 1, HANDLE), is_tcx);
	cr_expect_eq(filter_id(BPF_TC_EGRESS, 2, HANDLE), 0);
	cr_expect_eq(filter_id(BPF_TC_INGRESS, 2, HANDLE), 0);
	plane_close(&scene.plane);
}

Test(egress, a_renamed_interface_keeps_its_filters)
{
	check_rename(DATAPLANE_EGRESS_CLSACT);
}

Test(egress, a_renamed_interface_keeps_its_links)
{
	check_rename(DATAPLANE_EGRESS_AUTO);
}

/* An interface that is taken fails the start: the other's programs stay, and it gets none. */
static void check_failed_start(enum dataplane_egress mode)
{
	static const struct dataplane_interface both[] = { { "sl0", DATAPLANE_MODE_NATIVE },
							   { "sl2", DATAPLANE_MODE_NATIVE } };
	struct dataplane_live_options options = options_for(mode);
	struct scene scene = scene_open(mode);
	struct dataplane *dp = NULL;
	uint32_t links = tcx_programs();
	bool filters = filter_id(BPF_TC_EGRESS, 1, HANDLE);
	int other = other_program(BPF_PROG_TYPE_XDP, XDP_PASS);

	scene_close(&scene);
	wire_add("sl2", "sl3");
	cr_assert_eq(bpf_xdp_attach((int)if_nametoindex("sl2"), other, 0, NULL), 0);
	options.interfaces = both;
	options.n_interfaces = 2;
	cr_assert_eq(dataplane_live_open(&options, &dp, NULL), -EBUSY);
	cr_expect_eq(tcx_programs(), links);
	cr_expect_eq(filter_id(BPF_TC_EGRESS, 1, HANDLE) != 0, filters);
	cr_expect_neq(access(PLANE_FOLDER "/tcx-out_sl2", F_OK), 0);
	cr_expect_neq(access(PLANE_FOLDER "/cls-out-1_sl2", F_OK), 0);
	close(other);
}

Test(egress, a_failed_start_leaves_filters_as_they_were)
{
	check_failed_start(DATAPLANE_EGRESS_CLSACT);
}

Test(egress, a_failed_start_leaves_links_as_they_were)
{
	check_failed_start(DATAPLANE_EGRESS_AUTO);
}

/* A rule that spares known clients would drop the answer before the daemon has told of anybody. */
Test(egress, an_answer_passes_at_once)
{
	static const struct dataplane_rule rule = {
		.name = "tcp",
		.match.fields = SLUICE_RULE_PROTOCOL,
		.match.protocol = IPPROTO_TCP,
		.action = DATAPLANE_RULE_DROP,
		.exempts_known = true,
	};
	static const char *const peers[] = { PEER4, PEER6 };
	struct scene scene = scene_open(DATAPLANE_EGRESS_AUTO);

	cr_assert_eq(scene.plane.dp->ops->rules_set(scene.plane.dp, &rule, 1, NULL), 0);
	for (size_t i = 0; i < 2; i++) {
		const struct say syn_ack = { peers[i], true, TCP(0x12), { 0 }, 0 };
		const struct say syn = { peers[i], false, TCP(0x02), { 0 }, 0 };
		const struct say reset = { peers[i], false, TCP(0x04), { 0 }, 0 };
		static struct frame frame;

		build(&frame, &syn_ack);
		cr_expect_eq(plane_run(&scene.plane, &frame, 1), XDP_DROP);
		utter(&scene, &reset);
		cr_expect_eq(plane_run(&scene.plane, &frame, 1), XDP_DROP,
			     "a reply changes nothing");
		utter(&scene, &syn);
		cr_expect_eq(plane_run(&scene.plane, &frame, 1), XDP_PASS);
	}
	scene_close(&scene);
}
