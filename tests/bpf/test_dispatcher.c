// SPDX-License-Identifier: BSD-2-Clause
/*
 * Beside other XDP programs, through libxdp's dispatcher.  Not every kernel loads one: there the
 * tests demand that Sluice says so and leaves nothing behind.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/bpf.h>
#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include "neighbour.skel.h"
#include "plane.h"
#include "wire.h"

static const struct dataplane_interface interface = { .name = "sl0",
						      .mode = DATAPLANE_MODE_NATIVE };

struct neighbour_use {
	struct neighbour *skel;
	struct xdp_program *program;
};

static int silent(enum libxdp_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static int ifindex(void)
{
	return (int)if_nametoindex("sl0");
}

static uint32_t xdp_on(void)
{
	uint32_t id = 0;

	cr_assert_eq(bpf_xdp_query_id(ifindex(), 0, &id), 0);
	return id;
}

static bool xdp_gone(void)
{
	for (int i = 0; i < 500 && xdp_on(); i++)
		nanosleep(&(struct timespec){ .tv_nsec = 10000000 }, NULL);
	return !xdp_on();
}

/* As another process would; libxdp's own dispatcher is its, whatever Sluice needed. */
static int neighbour_try(unsigned int priority, struct neighbour_use *out)
{
	struct neighbour_use use = { .skel = neighbour__open() };

	unsetenv("LIBXDP_OBJECT_PATH");
	cr_assert_not_null(use.skel);
	use.program = xdp_program__from_bpf_obj(use.skel->obj, "xdp.frags");
	cr_assert_eq(libxdp_get_error(use.program), 0);
	cr_assert_eq(xdp_program__set_xdp_frags_support(use.program, true), 0);
	cr_assert_eq(xdp_program__set_run_prio(use.program, priority), 0);
	cr_assert_eq(xdp_program__set_chain_call_enabled(use.program, XDP_PASS, true), 0);

	*out = use;
	return xdp_program__attach(use.program, ifindex(), XDP_MODE_NATIVE, 0);
}

static struct neighbour_use neighbour_attach(unsigned int priority)
{
	struct neighbour_use use;
	int code = neighbour_try(priority, &use);

	cr_assert_eq(code, 0, "the neighbour: %s", strerror(-code));
	return use;
}

static void neighbour_free(struct neighbour_use *use)
{
	xdp_program__close(use->program);
	neighbour__destroy(use->skel);
}

static uint64_t neighbour_seen(const struct neighbour_use *use)
{
	uint32_t zero = 0;
	uint64_t seen = 0;

	cr_assert_eq(bpf_map_lookup_elem(bpf_map__fd(use->skel->maps.neighbour_seen), &zero, &seen),
		     0);
	return seen;
}

/* How many components the dispatcher has; 0 if there is none. */
static int components(void)
{
	struct xdp_multiprog *programs = xdp_multiprog__get_from_ifindex(ifindex());
	int n = 0;

	if (libxdp_get_error(programs))
		return 0;
	if (!xdp_multiprog__is_legacy(programs))
		n = xdp_multiprog__program_count(programs);
	xdp_multiprog__close(programs);
	return n;
}

static void detach_all(void)
{
	struct xdp_multiprog *programs = xdp_multiprog__get_from_ifindex(ifindex());

	cr_assert_eq(libxdp_get_error(programs), 0);
	cr_assert_eq(xdp_multiprog__detach(programs), 0);
	xdp_multiprog__close(programs);
}

static struct dataplane_live_options shared_options(void)
{
	struct dataplane_live_options options = plane_options();

	options.interfaces = &interface;
	options.n_interfaces = 1;
	options.shared = true;
	options.priority = 50;
	return options;
}

/* Whether libxdp can put a program of its own into a dispatcher here. */
static bool takes_programs(void)
{
	struct neighbour_use probe = neighbour_attach(10);
	bool has = components() == 1;

	detach_all();
	neighbour_free(&probe);
	cr_assert(xdp_gone());
	return has;
}

static void expect_refusal(const char *reason)
{
	struct dataplane_live_options options = shared_options();
	struct sluice_err err = { 0 };
	struct dataplane *dp = NULL;

	cr_assert_eq(dataplane_live_open(&options, &dp, &err), -EOPNOTSUPP, "%s", err.text);
	cr_assert_null(dp);
	cr_assert_not_null(strstr(err.text, reason), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "attach: exclusive"), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "sl0"), "%s", err.text);
	cr_assert(xdp_gone(), "a single program stayed attached");
	cr_assert_neq(access(PLANE_FOLDER, F_OK), 0);
	cr_log_info("that Sluice says so is all that was tested: %s", err.text);
}

/* What libxdp itself makes of this kernel; where it has no dispatcher, that Sluice says so. */
static bool has_dispatchers(void)
{
	libxdp_set_print(silent);
	wire_add("sl0", "far0");
	cr_assert_eq(system("ip link set sl0 mtu 9000 && ip link set far0 mtu 9000"), 0);
	if (takes_programs())
		return true;
	expect_refusal("EXT");
	return false;
}

struct traffic {
	int far, near;
	struct frame bad, good;
};

static void traffic_open(struct traffic *traffic)
{
	struct sluice_key blocked = plane_key("203.0.113.9"), other = plane_key("203.0.113.8");
	/* In several buffers, which only a dispatcher with frags support takes. */
	struct frame_recipe recipe = { .family = 4, .protocol = 17, .payload = 8000 };

	frame_build(&traffic->bad, &recipe, blocked.addr);
	frame_build(&traffic->good, &recipe, other.addr);
	traffic->far = wire_open("far0");
	traffic->near = wire_open("sl0");
}

static void traffic_close(const struct traffic *traffic)
{
	close(traffic->far);
	close(traffic->near);
}

/* Ten of each kind; all good ones arrive, and the bad ones if so told. */
static void exchange(const struct traffic *traffic, bool bad_arrive)
{
	unsigned int bad;

	for (int i = 0; i < 10; i++) {
		wire_send(traffic->far, &traffic->bad);
		wire_send(traffic->far, &traffic->good);
	}
	/* In the order sent: with the last good one all bad ones would have been heard. */
	cr_assert_eq(wire_count(traffic->near, &traffic->good, 10, 5000), 10);
	for (int i = 0; i < 10; i++)
		wire_send(traffic->far, &traffic->bad);
	bad = wire_count(traffic->near, &traffic->bad, 10, bad_arrive ? 5000 : 300);
	cr_assert_eq(bad, bad_arrive ? 10 : 0, "%u bad ones arrived", bad);
}

TestSuite(dispatcher, .init = plane_isolate, .timeout = 240);

Test(dispatcher, runs_beside_others)
{
	struct dataplane_live_options options = shared_options();
	static struct traffic traffic;

	if (!has_dispatchers())
		return;
	struct neighbour_use before = neighbour_attach(10);
	struct neighbour_use after = neighbour_attach(90);
	struct plane plane = plane_open(&options);

	cr_assert_eq(components(), 3);
	(void)plane_block(&plane, "203.0.113.9", 0);
	traffic_open(&traffic);
	exchange(&traffic, false);
	cr_assert_eq(neighbour_seen(&before), 30);
	cr_assert_eq(neighbour_seen(&after), 10, "the next one sees what we let pass");

	struct dataplane_counters counters = plane_counters(&plane);

	cr_assert_eq(counters.reason[DATAPLANE_REASON_BLOCKED].packets, 20);
	cr_assert_eq(counters.reason[DATAPLANE_REASON_BLOCKED].bytes, 20 * traffic.bad.size);
	cr_assert_eq(counters.reason[DATAPLANE_REASON_PASS].packets, 10);
	plane_close(&plane);

	/* Without a daemon it goes on; `detach` takes ours out and leaves the others. */
	exchange(&traffic, false);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	cr_assert_eq(components(), 2);
	cr_assert_neq(access(PLANE_PIN_PATH, F_OK), 0);
	exchange(&traffic, true);
	cr_assert_geq(neighbour_seen(&after), 10 + 10 + 30);
	detach_all();
	traffic_close(&traffic);
	neighbour_free(&before);
	neighbour_free(&after);
}

/*
 * Who comes later brings its own dispatcher, which some kernels let no component of ours into: there
 * it is refused, and Sluice stays.
 */
Test(dispatcher, others_may_come_later)
{
	struct dataplane_live_options options = shared_options();
	static struct traffic traffic;
	struct neighbour_use later;

	if (!has_dispatchers())
		return;
	struct plane plane = plane_open(&options);

	(void)plane_block(&plane, "203.0.113.9", 0);
	int code = neighbour_try(10, &later);

	cr_assert(code == 0 || code == -EINVAL, "the later one: %d", code);
	cr_log_info("who comes later is %s", code ? "refused" : "taken in");
	cr_assert_eq(components(), code ? 1 : 2);
	traffic_open(&traffic);
	exchange(&traffic, false);
	if (!code)
		cr_assert_eq(neighbour_seen(&later), 30);
	plane_close(&plane);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	cr_assert_eq(components(), code ? 0 : 1);
	exchange(&traffic, true);
	if (!code)
		detach_all();
	traffic_close(&traffic);
	neighbour_free(&later);
}

/* With all that may follow the filter; both ways to swap. */
PLANE_TEST_BOTH(dispatcher, features_count)
{
	struct dataplane_live_options options = shared_options();
	static struct traffic traffic;
	struct dataplane_swap swap;
	struct dataplane_count untracked;
	struct dataplane_features_read read;
	struct sluice_source sources[8];

	if (!has_dispatchers())
		return;
	options.swap = design;
	options.features = (struct dataplane_features){ .loaded = DATAPLANE_FEATURE_FLOW |
								  DATAPLANE_FEATURE_DESTINATION |
								  DATAPLANE_FEATURE_SAMPLE,
							.max_flows = 1000,
							.max_destinations = 1000,
							.samples_per_window = 100 };
	struct neighbour_use before = neighbour_attach(10);
	struct plane plane = plane_open(&options);

	(void)plane_block(&plane, "203.0.113.9", 0);
	traffic_open(&traffic);
	for (int window = 0; window < 3; window++) {
		exchange(&traffic, false);
		cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
		cr_assert_eq(plane.dp->ops->sources_read(plane.dp, sources, 8, &untracked), 1);
		cr_assert_eq(sources[0].packets, 10);
		plane.dp->ops->features_read(plane.dp, &read);
		cr_assert_eq(read.n_flows, 1);
		cr_assert_eq(read.n_destinations, 1);
		cr_assert_eq(read.destinations[0].packets, 10);
	}
	plane_close(&plane);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	detach_all();
	traffic_close(&traffic);
	neighbour_free(&before);
}

/* The next daemon changes nothing of the dispatcher: it stores its filter where the jump leads. */
Test(dispatcher, next_daemon_takes_over_in_place)
{
	struct dataplane_live_options options = shared_options();
	static struct traffic traffic;

	if (!has_dispatchers())
		return;
	struct plane plane = plane_open(&options);
	uint32_t dispatcher = xdp_on();
	dataplane_slot slot = plane_block(&plane, "203.0.113.9", 0);

	traffic_open(&traffic);
	exchange(&traffic, false);
	plane_close(&plane);
	exchange(&traffic, false);
	plane = plane_open(&options);
	cr_assert(plane.dp->adopted);
	cr_assert_eq(xdp_on(), dispatcher, "the dispatcher was exchanged");
	cr_assert_eq(components(), 1);
	exchange(&traffic, false);
	plane.dp->ops->unblock(plane.dp, slot);
	exchange(&traffic, true);
	plane_close(&plane);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	cr_assert(xdp_gone());
	traffic_close(&traffic);
}

Test(dispatcher, somebody_takes_us_out)
{
	struct dataplane_live_options options = shared_options();
	enum dataplane_event_kind kind = 0;
	char ifname[IFNAMSIZ];

	if (!has_dispatchers())
		return;
	struct neighbour_use other = neighbour_attach(10);
	struct plane plane = plane_open(&options);

	cr_assert_not(plane.dp->ops->event_next(plane.dp, &kind, ifname),
		      "another one beside us is no event");
	detach_all();
	cr_assert(plane.dp->ops->event_next(plane.dp, &kind, ifname));
	cr_assert_eq(kind, DATAPLANE_EVENT_DETACHED);
	cr_assert_str_eq(ifname, "sl0");
	cr_assert_not(plane.dp->ops->event_next(plane.dp, &kind, ifname), "told twice");
	plane_close(&plane);
	neighbour_free(&other);
}

/* Who does not use the dispatcher is not replaced, and neither are we by going shared. */
Test(dispatcher, exclusive_programs_are_left_alone)
{
	struct dataplane_live_options options = shared_options();
	struct sluice_err err = { 0 };
	struct dataplane *dp = NULL;

	if (!has_dispatchers())
		return;
	options.shared = false;

	struct plane plane = plane_open(&options);
	uint32_t program = xdp_on();

	plane_close(&plane);
	options.shared = true;
	cr_assert_lt(dataplane_live_open(&options, &dp, &err), 0);
	cr_assert_not_null(strstr(err.text, "detach"), "%s", err.text);
	cr_assert_eq(xdp_on(), program);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	/* And the other way round. */
	plane = plane_open(&options);
	program = xdp_on();
	plane_close(&plane);
	options.shared = false;
	cr_assert_eq(dataplane_live_open(&options, &dp, &err), -EPROTO, "%s", err.text);
	cr_assert_not_null(strstr(err.text, "dispatcher"), "%s", err.text);
	cr_assert_not_null(strstr(err.text, "detach"), "%s", err.text);
	cr_assert_eq(xdp_on(), program);
	cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	cr_assert(xdp_gone());
}

/* What `sluice check` tells is what an attach would come to. */
Test(dispatcher, a_trial_comes_to_the_same)
{
	struct sluice_err err = { .text = "" };
	int rc = dataplane_try_dispatcher(&err);

	if (has_dispatchers()) {
		cr_expect_eq(rc, 0, "%s", err.text);
		return;
	}
	cr_expect_eq(rc, -EOPNOTSUPP);
	cr_expect_str_eq(err.text, DATAPLANE_NO_DISPATCHER);
}
