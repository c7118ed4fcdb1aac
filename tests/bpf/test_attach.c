// SPDX-License-Identifier: BSD-2-Clause
/* On interfaces: attaching, refusing, losing, detaching; and that a packet really is dropped. */
#include <criterion/criterion.h>

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "plane.h"
#include "wire.h"

static const struct dataplane_interface native = { "sl0", DATAPLANE_MODE_NATIVE };
static const struct dataplane_interface generic = { "sl0", DATAPLANE_MODE_GENERIC };
static const struct dataplane_interface both[] = { { "sl0", DATAPLANE_MODE_NATIVE },
						   { "sl1", DATAPLANE_MODE_NATIVE } };

static struct dataplane_live_options options_on(const struct dataplane_interface *interfaces,
						size_t n)
{
	struct dataplane_live_options options = plane_options();

	options.interfaces = interfaces;
	options.n_interfaces = n;
	return options;
}

static uint32_t xdp_on(const char *name)
{
	uint32_t id = 0;

	cr_assert_eq(bpf_xdp_query_id((int)if_nametoindex(name), 0, &id), 0);
	return id;
}

/* Links go away behind an RCU grace period. */
static bool xdp_gone(const char *name)
{
	for (int i = 0; i < 200; i++) {
		if (!xdp_on(name))
			return true;
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	return false;
}

static unsigned int entries_in(const char *path)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	unsigned int n = 0;

	if (!directory)
		return 0;
	while ((entry = readdir(directory)))
		n += entry->d_name[0] != '.';
	closedir(directory);
	return n;
}

/* A program of somebody else's: lets everything pass. */
static int foreign_program(void)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "foreign", "GPL", insns, 2, NULL);

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	return fd;
}

static int open_refused(const struct dataplane_live_options *options, struct sluice_err *err)
{
	struct dataplane *dp = NULL;
	int code = dataplane_live_open(options, &dp, err);

	cr_assert_lt(code, 0, "it opened");
	cr_assert_null(dp);
	cr_assert_neq(err->text[0], '\0', "no reason given");
	return code;
}

TestSuite(attach, .init = plane_isolate);

static void drops_on_the_wire(const struct dataplane_interface *interface)
{
	struct dataplane_live_options options = options_on(interface, 1);
	static struct frame bad, good;

	wire_add("sl0", "far0");

	struct plane plane = plane_open(&options);
	int far = wire_open("far0"), near = wire_open("sl0");
	struct sluice_key blocked = plane_key("203.0.113.9"), other = plane_key("203.0.113.8");
	dataplane_slot slot = plane_block(&plane, "203.0.113.9", 0);

	frame_build(&bad, &(struct frame_recipe){ .family = 4, .protocol = 17 }, blocked.addr);
	frame_build(&good, &(struct frame_recipe){ .family = 4, .protocol = 17 }, other.addr);
	struct dataplane_counters before = plane_counters(&plane), after, delta;

	for (int i = 0; i < 1000; i++) {
		wire_send(far, &bad);
		wire_send(far, &good);
	}
	cr_assert_eq(wire_count(near, &good, 1000, 2000), 1000);
	after = plane_counters(&plane);
	delta = plane_delta(&before, &after);
	cr_assert_eq(delta.reason[DATAPLANE_REASON_BLOCKED].packets, 1000);
	cr_assert_eq(delta.reason[DATAPLANE_REASON_BLOCKED].bytes, 1000 * bad.size);
	cr_assert_eq(delta.reason[DATAPLANE_REASON_PASS].packets, 1000);
	cr_assert_eq(delta.reason[DATAPLANE_REASON_PASS].bytes, 1000 * good.size);
	cr_assert_eq(plane.dp->ops->block_packets(plane.dp, slot), 1000);

	/* Whatever came of the blocked source would have been heard before this one. */
	wire_send(far, &bad);
	wire_send(far, &good);
	cr_assert_eq(wire_count(near, &bad, 1, 200), 0);

	/* No daemon: the filter stays.  The next one: no moment without it, then unblocked. */
	uint32_t program = xdp_on("sl0");

	plane_close(&plane);
	cr_assert_eq(xdp_on("sl0"), program);
	wire_send(far, &bad);
	cr_assert_eq(wire_count(near, &bad, 1, 200), 0);
	plane = plane_open(&options);
	cr_assert_neq(xdp_on("sl0"), program, "the program was not replaced");
	plane.dp->ops->unblock(plane.dp, slot);
	wire_send(far, &bad);
	cr_assert_eq(wire_count(near, &bad, 1, 2000), 1);
	close(far);
	close(near);
	plane_close(&plane);
}

Test(attach, drops_on_the_wire_native)
{
	drops_on_the_wire(&native);
}

Test(attach, drops_on_the_wire_generic)
{
	drops_on_the_wire(&generic);
}

Test(attach, detach_removes_everything)
{
	struct dataplane_live_options options = options_on(both, 2);
	struct sluice_err err = { 0 };

	wire_add("sl0", "far0");
	wire_add("sl1", "far1");

	struct plane plane = plane_open(&options);

	cr_assert_neq(xdp_on("sl0"), 0);
	cr_assert_neq(xdp_on("sl1"), 0);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, &err), -EBUSY);
	cr_assert_not_null(strstr(err.text, "running"), "%s", err.text);
	cr_assert_neq(xdp_on("sl0"), 0);
	plane_close(&plane);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, &err), 0, "%s", err.text);
	cr_assert(xdp_gone("sl0"));
	cr_assert(xdp_gone("sl1"));
	cr_assert_neq(access(PLANE_PIN_PATH, F_OK), 0);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, &err), -ENOENT);
	cr_assert_not_null(strstr(err.text, PLANE_PIN_PATH), "%s", err.text);
}

/* The folder may be one that others pin in, too. */
Test(attach, detach_leaves_what_is_not_ours)
{
	struct dataplane_live_options options = plane_options();
	int fd = foreign_program();

	options.pin_path = "/sys/fs/bpf";

	struct dataplane *dp = NULL;

	cr_assert_eq(dataplane_live_open(&options, &dp, NULL), 0);
	dataplane_close(dp);
	cr_assert_eq(mkdir("/sys/fs/bpf/vpn", 0700), 0);
	cr_assert_eq(mkdir("/sys/fs/bpf/v1.5", 0700) == 0 || errno == EPERM, 1);
	cr_assert_eq(bpf_obj_pin(fd, "/sys/fs/bpf/vpn/filter"), 0);
	cr_assert_eq(bpf_obj_pin(fd, "/sys/fs/bpf/vfilter"), 0);
	cr_assert_eq(dataplane_live_detach("/sys/fs/bpf", NULL), 0);
	cr_assert_eq(access("/sys/fs/bpf/vpn/filter", F_OK), 0);
	cr_assert_eq(access("/sys/fs/bpf/vfilter", F_OK), 0);
	cr_assert_neq(access("/sys/fs/bpf/v3", F_OK), 0);
	cr_assert_eq(dataplane_live_detach("/sys/fs/bpf", NULL), -ENOENT);
	close(fd);
}

Test(attach, second_daemon_is_refused)
{
	struct dataplane_live_options options = options_on(&native, 1);
	struct sluice_err err = { 0 };

	wire_add("sl0", "far0");

	struct plane plane = plane_open(&options);
	uint32_t program = xdp_on("sl0");

	cr_assert_eq(open_refused(&options, &err), -EBUSY);
	cr_assert_not_null(strstr(err.text, "another sluiced"), "%s", err.text);

	/* Nor with a folder of its own: the interface is taken. */
	options.pin_path = "/sys/fs/bpf/other";
	cr_assert_eq(open_refused(&options, &err), -EBUSY);
	cr_assert_not_null(strstr(err.text, "sl0"), "%s", err.text);
	cr_assert_eq(entries_in("/sys/fs/bpf/other"), 0);
	cr_assert_eq(xdp_on("sl0"), program);
	plane_close(&plane);
}

Test(attach, no_such_interface)
{
	static const struct dataplane_interface absent[] = { { "sl0", DATAPLANE_MODE_NATIVE },
							     { "nope0", DATAPLANE_MODE_NATIVE } };
	struct dataplane_live_options options = options_on(absent, 2);
	struct sluice_err err = { 0 };

	wire_add("sl0", "far0");
	cr_assert_eq(open_refused(&options, &err), -ENODEV);
	cr_assert_not_null(strstr(err.text, "nope0"), "%s", err.text);
	cr_assert_eq(xdp_on("sl0"), 0);
	cr_assert_neq(access(PLANE_PIN_PATH, F_OK), 0);
}

Test(attach, foreign_program_is_not_replaced)
{
	struct dataplane_live_options options = options_on(both, 2);
	struct sluice_err err = { 0 };
	int fd = foreign_program();
	char id[32];

	wire_add("sl0", "far0");
	wire_add("sl1", "far1");
	cr_assert_eq(bpf_xdp_attach((int)if_nametoindex("sl1"), fd, XDP_FLAGS_DRV_MODE, NULL), 0);
	uint32_t foreign = xdp_on("sl1");

	snprintf(id, sizeof(id), "id %u", foreign);
	cr_assert_eq(open_refused(&options, &err), -EBUSY);
	cr_assert_not_null(strstr(err.text, "sl1"), "%s", err.text);
	cr_assert_not_null(strstr(err.text, id), "%s", err.text);
	cr_assert(xdp_gone("sl0"), "the first interface kept the filter");
	cr_assert_eq(xdp_on("sl1"), foreign);
	cr_assert_eq(entries_in(PLANE_PIN_PATH), 0);
	close(fd);
}

Test(attach, foreign_generic_program_is_not_replaced)
{
	struct dataplane_live_options options = options_on(&native, 1);
	struct sluice_err err = { 0 };
	int fd = foreign_program();

	wire_add("sl0", "far0");
	cr_assert_eq(bpf_xdp_attach((int)if_nametoindex("sl0"), fd, XDP_FLAGS_SKB_MODE, NULL), 0);
	cr_assert_eq(open_refused(&options, &err), -EBUSY);
	cr_assert_not_null(strstr(err.text, "sl0"), "%s", err.text);
	cr_assert_eq(entries_in(PLANE_PIN_PATH), 0);
	close(fd);
}

/* A failed restart leaves the running filter, its links and its modes as they were. */
Test(attach, failed_restart_changes_nothing)
{
	struct dataplane_live_options options = options_on(both, 1);
	struct sluice_err err = { 0 };
	struct sluice_key key = plane_key("203.0.113.9");
	static struct frame frame;
	int fd = foreign_program();

	wire_add("sl0", "far0");
	wire_add("sl1", "far1");

	struct plane plane = plane_open(&options);
	int far = wire_open("far0"), near = wire_open("sl0");

	(void)plane_block(&plane, "203.0.113.9", 0);
	plane_close(&plane);
	cr_assert_eq(bpf_xdp_attach((int)if_nametoindex("sl1"), fd, XDP_FLAGS_DRV_MODE, NULL), 0);
	options.n_interfaces = 2;
	options.enforce = false;
	cr_assert_eq(open_refused(&options, &err), -EBUSY);
	cr_assert_neq(xdp_on("sl0"), 0);
	frame_build(&frame, &(struct frame_recipe){ .family = 4, .protocol = 17 }, key.addr);
	wire_send(far, &frame);
	cr_assert_eq(wire_count(near, &frame, 1, 200), 0, "observe mode came in");
	options.n_interfaces = 1;
	options.enforce = true;
	plane = plane_open(&options);
	cr_assert(plane.dp->adopted);
	cr_assert_eq(plane.dp->occupancy.blocked_v4, 1);
	plane_close(&plane);
	close(far);
	close(near);
	close(fd);
}

Test(attach, interface_no_longer_configured_is_released)
{
	struct dataplane_live_options options = options_on(both, 2);

	wire_add("sl0", "far0");
	wire_add("sl1", "far1");

	struct plane plane = plane_open(&options);

	plane_close(&plane);
	options.n_interfaces = 1;
	plane = plane_open(&options);
	cr_assert(plane.dp->adopted);
	cr_assert_neq(xdp_on("sl0"), 0);
	cr_assert(xdp_gone("sl1"));
	plane_close(&plane);
}

Test(attach, another_mode_is_refused)
{
	struct dataplane_live_options options = options_on(&native, 1);
	struct sluice_err err = { 0 };

	wire_add("sl0", "far0");

	struct plane plane = plane_open(&options);

	plane_close(&plane);
	options.interfaces = &generic;
	cr_assert_eq(open_refused(&options, &err), -EPROTO);
	cr_assert_not_null(strstr(err.text, "generic"), "%s", err.text);
	cr_assert_neq(xdp_on("sl0"), 0);
}

static void expect_event(const struct plane *plane, enum dataplane_event_kind wanted)
{
	enum dataplane_event_kind kind;
	char ifname[IFNAMSIZ];
	bool happened = false;

	for (int i = 0; i < 1000 && !happened; i++) {
		happened = plane->dp->ops->event_next(plane->dp, &kind, ifname);
		if (!happened)
			nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	}
	cr_assert(happened);
	cr_assert_eq(kind, wanted);
	cr_assert_str_eq(ifname, "sl0");
	cr_assert_not(plane->dp->ops->event_next(plane->dp, &kind, ifname), "told twice");
}

Test(attach, interface_deleted_while_running)
{
	struct dataplane_live_options options = options_on(both, 2);
	enum dataplane_event_kind kind;
	char ifname[IFNAMSIZ];

	wire_add("sl0", "far0");
	wire_add("sl1", "far1");

	struct plane plane = plane_open(&options);

	cr_assert_not(plane.dp->ops->event_next(plane.dp, &kind, ifname));
	wire_del("sl0");
	expect_event(&plane, DATAPLANE_EVENT_INTERFACE_GONE);
	/* The rest goes on. */
	struct dataplane_swap swap;

	cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
	cr_assert_neq(xdp_on("sl1"), 0);
	plane_close(&plane);

	/* One by the same name comes back: it is attached afresh. */
	wire_add("sl0", "far0");
	plane = plane_open(&options);
	cr_assert(plane.dp->adopted);
	cr_assert_neq(xdp_on("sl0"), 0);
	/* And without a restart as well, as often as it comes. */
	for (int i = 0; i < 3; i++) {
		wire_del("sl0");
		expect_event(&plane, DATAPLANE_EVENT_INTERFACE_GONE);
		wire_add("sl0", "far0");
		expect_event(&plane, DATAPLANE_EVENT_INTERFACE_BACK);
		cr_assert_neq(xdp_on("sl0"), 0);
	}
	plane_close(&plane);
	cr_assert_neq(xdp_on("sl0"), 0, "the new link is not pinned");
}

/* veth runs no XDP on a card; what else to do is said. */
Test(attach, hardware_is_refused_with_the_next_step)
{
	static const struct dataplane_interface hardware = { "sl0", DATAPLANE_MODE_HARDWARE };
	struct dataplane_live_options options = options_on(&hardware, 1);
	struct sluice_err err = { 0 };

	wire_add("sl0", "far0");
	cr_assert_eq(open_refused(&options, &err), -EOPNOTSUPP);
	cr_assert_not_null(strstr(err.text, "sl0"), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "mode: native"), "%s", err.text);
	cr_assert_eq(xdp_on("sl0"), 0);
	cr_assert_eq(entries_in(PLANE_PIN_PATH), 0);
}

Test(attach, several_interfaces_in_mixed_modes)
{
	static const struct dataplane_interface mixed[] = { { "sl0", DATAPLANE_MODE_NATIVE },
							    { "sl1", DATAPLANE_MODE_GENERIC } };
	struct dataplane_live_options options = options_on(mixed, 2);
	LIBBPF_OPTS(bpf_xdp_query_opts, query0);
	LIBBPF_OPTS(bpf_xdp_query_opts, query1);

	wire_add("sl0", "far0");
	wire_add("sl1", "far1");

	struct plane plane = plane_open(&options);

	cr_assert_eq(bpf_xdp_query((int)if_nametoindex("sl0"), 0, &query0), 0);
	cr_assert_eq(bpf_xdp_query((int)if_nametoindex("sl1"), 0, &query1), 0);
	cr_assert_eq(query0.attach_mode, XDP_ATTACHED_DRV);
	cr_assert_eq(query1.attach_mode, XDP_ATTACHED_SKB);
	cr_assert_eq(query0.prog_id, query1.prog_id, "one filter for both");
	plane_close(&plane);
}

Test(attach, link_detached_by_someone_else)
{
	struct dataplane_live_options options = options_on(&native, 1);

	wire_add("sl0", "far0");

	struct plane plane = plane_open(&options);
	int fd = bpf_obj_get(PLANE_FOLDER "/link_sl0");

	cr_assert_geq(fd, 0);
	cr_assert_eq(bpf_link_detach(fd), 0);
	close(fd);
	expect_event(&plane, DATAPLANE_EVENT_DETACHED);
	plane_close(&plane);
	plane = plane_open(&options);
	cr_assert_neq(xdp_on("sl0"), 0, "not attached again");
	plane_close(&plane);
}

/* bpffs takes no dots in names. */
Test(attach, interface_with_a_dot_in_its_name)
{
	const struct dataplane_interface dotted = { "sl0.100", DATAPLANE_MODE_GENERIC };
	struct dataplane_live_options options = options_on(&dotted, 1);

	wire_add("sl0.100", "far0");

	struct plane plane = plane_open(&options);

	plane_close(&plane);
	plane = plane_open(&options);
	cr_assert(plane.dp->adopted);
	plane_close(&plane);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	cr_assert(xdp_gone("sl0.100"));
}

/* Names that differ in nothing but what bpffs does not take: each has a pin of its own. */
Test(attach, names_alike_but_for_a_dot)
{
	static const struct dataplane_interface alike[] = { { "sl.0", DATAPLANE_MODE_NATIVE },
							    { "sl@0", DATAPLANE_MODE_NATIVE } };
	struct dataplane_live_options options = options_on(alike, 2);

	wire_add("sl.0", "far0");
	wire_add("sl@0", "far1");
	for (int i = 0; i < 2; i++) {
		struct plane plane = plane_open(&options);

		cr_assert_eq(plane.dp->adopted, i == 1);
		plane_close(&plane);
		cr_assert_neq(xdp_on("sl.0"), 0);
		cr_assert_neq(xdp_on("sl@0"), 0);
	}
	/* The one that is no longer configured is let go, the other stays. */
	options.n_interfaces = 1;

	struct plane plane = plane_open(&options);

	plane_close(&plane);
	cr_assert(xdp_gone("sl@0"));
	cr_assert_neq(xdp_on("sl.0"), 0);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	cr_assert(xdp_gone("sl.0"));
}

Test(attach, pin_path_outside_a_bpffs)
{
	struct dataplane_live_options options = plane_options();
	struct sluice_err err = { 0 };

	options.pin_path = "/dev/shm/sluice-test";
	cr_assert_eq(open_refused(&options, &err), -EINVAL);
	cr_assert_not_null(strstr(err.text, "bpffs"), "%s", err.text);
	(void)!rmdir("/dev/shm/sluice-test");
}

/* An interface that is back, and held by somebody else: told once, and tried again. */
Test(attach, interface_comes_back_and_is_not_free)
{
	const struct bpf_insn pass[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct dataplane_live_options options = options_on(both, 1);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "other", "GPL", pass, 2, NULL);

	cr_assert_geq(fd, 0);
	wire_add("sl0", "far0");

	struct plane plane = plane_open(&options);

	wire_del("sl0");
	expect_event(&plane, DATAPLANE_EVENT_INTERFACE_GONE);
	wire_add("sl0", "far0");
	int ifindex = (int)if_nametoindex("sl0");

	cr_assert_eq(bpf_xdp_attach(ifindex, fd, 0, NULL), 0);
	expect_event(&plane, DATAPLANE_EVENT_ATTACH_FAILED);
	cr_assert_not_null(strstr(plane.dp->event_err.text, "another XDP program"), "%s",
			   plane.dp->event_err.text);
	cr_assert_eq(bpf_xdp_detach(ifindex, 0, NULL), 0);
	expect_event(&plane, DATAPLANE_EVENT_INTERFACE_BACK);
	cr_assert_neq(xdp_on("sl0"), 0);
	plane_close(&plane);
	close(fd);
}

static void rename_interface(const char *from, const char *to)
{
	char command[256];

	snprintf(command, sizeof(command),
		 "ip link set %s down && ip link set %s name %s && ip link set %s up", from, from,
		 to, to);
	cr_assert_eq(system(command), 0, "%s", command);
}

/* Renamed while no daemon ran: the filter stays where it is, and the next daemon has it. */
Test(attach, renamed_interface_is_adopted)
{
	static const struct dataplane_interface renamed = { "uplink", DATAPLANE_MODE_NATIVE };
	struct dataplane_live_options options = options_on(&native, 1);

	wire_add("sl0", "far0");

	struct plane plane = plane_open(&options);

	plane_close(&plane);
	rename_interface("sl0", "uplink");
	cr_assert_neq(xdp_on("uplink"), 0);
	options.interfaces = &renamed;
	plane = plane_open(&options);
	cr_assert(plane.dp->adopted);
	plane_close(&plane);
	cr_assert_eq(access(PLANE_FOLDER "/link_uplink", F_OK), 0);
	cr_assert_neq(access(PLANE_FOLDER "/link_sl0", F_OK), 0);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	cr_assert(xdp_gone("uplink"));
}

static uint32_t link_id(const char *pin)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_obj_get(pin);

	cr_assert_geq(fd, 0, "%s", pin);
	cr_assert_eq(bpf_obj_get_info_by_fd(fd, &info, &size), 0);
	close(fd);
	return info.id;
}

/* Each link goes on with its interface, so that there was no moment without a filter. */
Test(attach, interfaces_that_changed_names_are_adopted)
{
	static const struct dataplane_interface three[] = { { "sl0", DATAPLANE_MODE_NATIVE },
							    { "sl1", DATAPLANE_MODE_NATIVE },
							    { "sl2", DATAPLANE_MODE_NATIVE } };
	struct dataplane_live_options options = options_on(three, 3);

	wire_add("sl0", "far0");
	wire_add("sl1", "far1");
	wire_add("sl2", "far2");

	struct plane plane = plane_open(&options);

	plane_close(&plane);
	uint32_t first = link_id(PLANE_FOLDER "/link_sl0"),
		 second = link_id(PLANE_FOLDER "/link_sl1"),
		 third = link_id(PLANE_FOLDER "/link_sl2");

	rename_interface("sl0", "away");
	rename_interface("sl2", "sl0");
	rename_interface("sl1", "sl2");
	rename_interface("away", "sl1");
	plane = plane_open(&options);
	plane_close(&plane);
	cr_assert_eq(link_id(PLANE_FOLDER "/link_sl1"), first);
	cr_assert_eq(link_id(PLANE_FOLDER "/link_sl2"), second);
	cr_assert_eq(link_id(PLANE_FOLDER "/link_sl0"), third);
}
