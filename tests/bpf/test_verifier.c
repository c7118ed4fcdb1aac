// SPDX-License-Identifier: BSD-2-Clause
/*
 * That the kernel takes every program in every shape that the daemon loads it in: no packet, only the
 * verifier.  `./run test` runs it on this kernel and, in a virtual machine, on the oldest and the
 * newest one that Debian 12 has, for verifiers differ more than anything else.
 */
#include <criterion/criterion.h>
#include <criterion/parameterized.h>

#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane/replay.h"
#include "plane.h"
#include "wire.h"

#include <xdp/prog_dispatcher.h>

#include "emu_card.h"

/* Use types of the two. */
#include "dispatcher.skel.h"
#include "emu_card.skel.h"
#include "join.skel.h"

/* The end of what the verifier says names the instruction that it refuses. */
#define MESSAGES_SIZE 8192

TestSuite(verifier, .init = plane_isolate, .timeout = 200);

static char messages[MESSAGES_SIZE];

static int keep_message(enum libbpf_print_level level, const char *format, va_list args)
{
	char text[1024];

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(text, sizeof(text), format, args);
	size_t used = strlen(messages), size = strlen(text);

	if (used + size >= sizeof(messages)) {
		/* The end is what counts. */
		memmove(messages, messages + used / 2, used - used / 2 + 1);
		used = strlen(messages);
	}
	snprintf(messages + used, sizeof(messages) - used, "%s", text);
	return 0;
}

struct shape {
	const char *name;
	uint32_t features;
	enum dataplane_swap_design swap;
	bool shared, replays, pass_malformed;
	uint8_t v6_prefix_len;
	uint32_t max_blocked, max_sources;
	size_t delivers_on; /* Interfaces; 0: all goes to Linux. */
};

#define FLOW DATAPLANE_FEATURE_FLOW
#define DESTINATION DATAPLANE_FEATURE_DESTINATION
#define SAMPLE DATAPLANE_FEATURE_SAMPLE
#define ALL (FLOW | DESTINATION | SAMPLE)
#define DUAL_MAP DATAPLANE_SWAP_DUAL_MAP

static struct shape shapes[] = {
	{ .name = "source alone" },
	{ .name = "flow", .features = FLOW },
	{ .name = "destination", .features = DESTINATION },
	{ .name = "sample", .features = SAMPLE },
	{ .name = "flow, destination", .features = FLOW | DESTINATION },
	{ .name = "flow, sample", .features = FLOW | SAMPLE },
	{ .name = "destination, sample", .features = DESTINATION | SAMPLE },
	{ .name = "all features", .features = ALL },
	{ .name = "dual map", .swap = DUAL_MAP },
	{ .name = "dual map, all features", .features = ALL, .swap = DUAL_MAP },
	{ .name = "beside others", .features = ALL, .shared = true },
	{ .name = "beside others, dual map", .features = ALL, .shared = true, .swap = DUAL_MAP },
	{ .name = "replay", .features = ALL, .replays = true },
	{ .name = "replay, dual map", .features = ALL, .replays = true, .swap = DUAL_MAP },
	{ .name = "malformed pass", .features = ALL, .pass_malformed = true },
	{ .name = "whole IPv6 addresses", .features = ALL, .v6_prefix_len = 128 },
	{ .name = "wide IPv6 prefixes", .features = ALL, .v6_prefix_len = 32 },
	/* Sizes are constants to the verifier. */
	{ .name = "smallest tables", .features = ALL, .max_blocked = 1, .max_sources = 1 },
	{ .name = "large tables", .features = ALL, .max_blocked = 1 << 18, .max_sources = 1 << 17 },
	/* The slot of the only interface is a constant, that of several is looked up. */
	{ .name = "deliver", .features = ALL, .delivers_on = 1 },
	{ .name = "deliver, without features", .delivers_on = 1 },
	{ .name = "deliver on two", .features = ALL, .delivers_on = 2 },
	{ .name = "deliver on two, dual map", .features = ALL, .swap = DUAL_MAP, .delivers_on = 2 },
};

static const struct dataplane_interface interfaces[] = { { "sl0", DATAPLANE_MODE_NATIVE },
							 { "sl1", DATAPLANE_MODE_NATIVE } };

static const struct dataplane_deliver_rule web = {
	.protocol = IPPROTO_TCP,
	.ports = { { 80, 80 } },
	.n_ports = 1,
};

ParameterizedTestParameters(verifier, takes_the_filter_and_its_features)
{
	return cr_make_param_array(struct shape, shapes, sizeof(shapes) / sizeof(shapes[0]));
}

static struct dataplane_live_options options_of(const struct shape *shape)
{
	struct dataplane_live_options options = plane_options_for(shape->swap);

	options.features = (struct dataplane_features){
		.loaded = shape->features,
		.max_flows = options.max_sources,
		.max_destinations = options.max_sources,
		.samples_per_window = 100,
	};
	options.shared = shape->shared;
	options.pass_malformed = shape->pass_malformed;
	if (shape->v6_prefix_len)
		options.v6_prefix_len = shape->v6_prefix_len;
	if (shape->max_blocked)
		options.max_blocked = shape->max_blocked;
	if (shape->max_sources)
		options.max_sources = shape->max_sources;
	if (shape->delivers_on) {
		options.deliver = (struct dataplane_deliver){ &web, 1 };
		options.interfaces = interfaces;
		options.n_interfaces = shape->delivers_on;
	}
	return options;
}

ParameterizedTest(struct shape *shape, verifier, takes_the_filter_and_its_features)
{
	struct dataplane_live_options options = options_of(shape);
	struct dataplane *dp = NULL;
	struct sluice_err err = { 0 };
	int code;

	/* Both ends are the deployment's. */
	if (shape->delivers_on)
		wire_add("sl0", "sl1");
	if (shape->replays) {
		struct dataplane_replay_options replay = { .plane = options, .seed = 1 };

		code = dataplane_replay_open(&replay, &dp, &err);
	} else {
		code = dataplane_live_open(&options, &dp, &err);
	}
	cr_assert_eq(code, 0, "%s: %d: %s", shape->name, code, err.text);
	dataplane_close(dp);
}

/* By each way that the kernel has: a filter of clsact's is verified as another type than tcx's. */
Test(verifier, takes_the_programs_at_tc)
{
	struct dataplane_live_options options = plane_options();
	struct dataplane *dp = NULL;
	struct sluice_err err = { 0 };

	wire_add("sl0", "sl1");
	options.interfaces = interfaces;
	options.n_interfaces = 1;
	options.egress = DATAPLANE_EGRESS_CLSACT;
	int code = dataplane_live_open(&options, &dp, &err);

	cr_assert_eq(code, 0, "%d: %s", code, err.text);
	dataplane_close(dp);
}

Test(verifier, takes_the_emulated_card)
{
	libbpf_set_print(keep_message);
	struct emu_card *card = emu_card__open_and_load();

	cr_assert_not_null(card, "%s", messages);
	emu_card__destroy(card);
}

Test(verifier, takes_the_way_into_a_dispatcher)
{
	libbpf_set_print(keep_message);
	struct join *join = join__open_and_load();

	cr_assert_not_null(join, "%s", messages);
	join__destroy(join);
}

/* With all its places in use, as libxdp fills them in. */
Test(verifier, takes_the_dispatcher)
{
	struct dispatcher *dispatcher;

	libbpf_set_print(keep_message);
	dispatcher = dispatcher__open();
	cr_assert_not_null(dispatcher, "%s", messages);
	dispatcher->rodata->conf.num_progs_enabled = MAX_DISPATCHER_ACTIONS;
	for (unsigned int i = 0; i < MAX_DISPATCHER_ACTIONS; i++)
		dispatcher->rodata->conf.chain_call_actions[i] = 1u << XDP_PASS;
	cr_assert_eq(dispatcher__load(dispatcher), 0, "%s", messages);
	dispatcher__destroy(dispatcher);
}
