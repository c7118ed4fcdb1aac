/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs that drop on a card, on this machine's CPU with a map of its memory: the same
 * instructions, whose verdicts do not depend on who runs them.  Also what a card would refuse them for.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "frame.h"
#include "nic_drop.h"
#include "plane.h"

#include "nic_drop.skel.h"

TestSuite(nic_drop, .init = plane_isolate, .timeout = 60);

struct case_of {
	const char *what;
	struct frame_recipe recipe;
	const char *source;
	bool drops;
};

/* With rules for 198.51.100.7 and for the network of 2001:db8:1:2::1 that a program covers. */
static const struct case_of cases[] = {
	{ "the IPv4 source", { .family = 4, .protocol = IPPROTO_UDP }, "198.51.100.7", true },
	{ "its neighbour", { .family = 4, .protocol = IPPROTO_UDP }, "198.51.100.8", false },
	{ "options",
	  { .family = 4, .protocol = IPPROTO_TCP, .option_words = 3 },
	  "198.51.100.7",
	  true },
	{ "a later fragment",
	  { .family = 4, .protocol = IPPROTO_UDP, .fragment = 100 },
	  "198.51.100.7",
	  true },
	{ "one tag",
	  { .family = 4, .protocol = IPPROTO_UDP, .vlans = { ETH_P_8021Q } },
	  "198.51.100.7",
	  true },
	{ "two tags",
	  { .family = 4, .protocol = IPPROTO_UDP, .vlans = { ETH_P_8021AD, ETH_P_8021Q } },
	  "198.51.100.7",
	  true },
	{ "three tags",
	  { .family = 4,
	    .protocol = IPPROTO_UDP,
	    .vlans = { ETH_P_8021AD, ETH_P_8021Q, ETH_P_8021Q } },
	  "198.51.100.7",
	  false },
	{ "cut within the IPv4 header",
	  { .family = 4, .protocol = IPPROTO_UDP, .cut = 33 },
	  "198.51.100.7",
	  false },
	{ "the IPv6 source", { .family = 6, .protocol = IPPROTO_UDP }, "2001:db8:1:2::1", true },
	{ "extension headers",
	  { .family = 6, .protocol = IPPROTO_UDP, .extensions = { 1, 43, FRAME_FRAGMENT_LATER } },
	  "2001:db8:1:2::1",
	  true },
	{ "IPv6 under two tags",
	  { .family = 6, .protocol = IPPROTO_UDP, .vlans = { ETH_P_8021AD, ETH_P_8021Q } },
	  "2001:db8:1:2::1",
	  true },
	{ "another IPv6 source",
	  { .family = 6, .protocol = IPPROTO_UDP },
	  "2001:db8:2:2::1",
	  false },
	{ "cut within the IPv6 header",
	  { .family = 6, .protocol = IPPROTO_UDP, .cut = 53 },
	  "2001:db8:1:2::1",
	  false },
	{ "no IP", { .family = 0, .ethertype = ETH_P_ARP }, "198.51.100.7", false },
	{ "IPv4 by its ethertype, too short for it",
	  { .family = 0, .ethertype = ETH_P_IP, .cut = 20 },
	  "198.51.100.7",
	  false },
};

static struct nic_drop_key key_of(const char *source, unsigned int prefix_len)
{
	struct nic_drop_key key = { .family = strchr(source, ':') ? 6 : 4 };
	uint8_t *bytes = (uint8_t *)key.addr;

	cr_assert_eq(inet_pton(key.family == 6 ? AF_INET6 : AF_INET, source, key.addr), 1);
	for (unsigned int i = prefix_len / 8; key.family == 6 && i < 16; i++)
		bytes[i] = 0;
	return key;
}

static struct nic_drop *load(unsigned int max_entries)
{
	struct nic_drop *skel = nic_drop__open();

	cr_assert_not_null(skel);
	cr_assert_eq(bpf_map__set_max_entries(skel->maps.sluice_nic, max_entries), 0);
	cr_assert_eq(nic_drop__load(skel), 0);
	return skel;
}

static uint32_t run(int program_fd, const struct frame *frame)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->data, .data_size_in = frame->size,
		    .repeat = 1);

	cr_assert_eq(bpf_prog_test_run_opts(program_fd, &options), 0);
	return options.retval;
}

static struct frame frame_of(const struct case_of *one)
{
	struct frame frame;
	uint8_t source[16] = { 0 };

	if (one->recipe.family)
		inet_pton(one->recipe.family == 6 ? AF_INET6 : AF_INET, one->source, source);
	frame_build(&frame, &one->recipe, source);
	return frame;
}

static struct nic_drop_hits hits_of(int map_fd, const struct nic_drop_key *key)
{
	struct nic_drop_hits hits;

	cr_assert_eq(bpf_map_lookup_elem(map_fd, key, &hits), 0);
	return hits;
}

/* All cases, and the sum of what was counted against the sum of what was dropped. */
static void check_program(struct nic_drop *skel, const char *name, unsigned int prefix_len,
			  bool counts)
{
	struct bpf_program *program = bpf_object__find_program_by_name(skel->obj, name);
	const struct nic_drop_key keys[] = { key_of("198.51.100.7", prefix_len),
					     key_of("2001:db8:1:2::1", prefix_len) };
	const struct nic_drop_hits none = { 0 };
	int map_fd = bpf_map__fd(skel->maps.sluice_nic);
	uint64_t packets = 0, bytes = 0;

	cr_assert_not_null(program, "%s", name);
	for (size_t i = 0; i < 2; i++)
		cr_assert_eq(bpf_map_update_elem(map_fd, &keys[i], &none, BPF_ANY), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct frame frame = frame_of(&cases[i]);
		uint32_t verdict = run(bpf_program__fd(program), &frame);

		cr_assert_eq(verdict, cases[i].drops ? XDP_DROP : XDP_PASS, "%s: %s: %u", name,
			     cases[i].what, verdict);
		packets += cases[i].drops;
		bytes += cases[i].drops ? frame.size : 0;
	}
	for (size_t i = 0; i < 2; i++) {
		struct nic_drop_hits hits = hits_of(map_fd, &keys[i]);

		packets -= counts ? hits.packets : 0;
		bytes -= counts ? hits.bytes : 0;
		cr_assert_eq(counts, hits.packets > 0, "%s", name);
		cr_assert_eq(bpf_map_delete_elem(map_fd, &keys[i]), 0);
	}
	cr_assert(!counts || (packets == 0 && bytes == 0), "%s counts what it does not drop", name);
}

Test(nic_drop, every_program_drops_and_counts_its_sources)
{
	const unsigned int prefix_lens[] = { 48, 56, 64, 128 };
	struct nic_drop *skel = load(16);

	for (size_t i = 0; i < sizeof(prefix_lens) / sizeof(prefix_lens[0]); i++) {
		char name[16];

		snprintf(name, sizeof(name), "sluice_nic%u", prefix_lens[i]);
		check_program(skel, name, prefix_lens[i], false);
		strcat(name, "c");
		check_program(skel, name, prefix_lens[i], true);
	}
	nic_drop__destroy(skel);
}

Test(nic_drop, a_prefix_covers_its_hosts_and_no_others)
{
	const struct {
		const char *program, *source;
		unsigned int prefix_len;
		bool drops;
	} hosts[] = {
		{ "sluice_nic48", "2001:db8:1:ffff::9", 48, true },
		{ "sluice_nic48", "2001:db8:2::9", 48, false },
		{ "sluice_nic56", "2001:db8:1:ff::9", 56, true },
		{ "sluice_nic56", "2001:db8:1:100::9", 56, false },
		{ "sluice_nic64", "2001:db8:1:0:ffff::9", 64, true },
		{ "sluice_nic64", "2001:db8:1:1::9", 64, false },
		{ "sluice_nic128", "2001:db8:1::", 128, true },
		{ "sluice_nic128", "2001:db8:1::1", 128, false },
	};
	struct nic_drop_key key = key_of("2001:db8:1::", 128);
	const struct nic_drop_hits none = { 0 };
	struct nic_drop *skel = load(16);

	cr_assert_eq(bpf_map_update_elem(bpf_map__fd(skel->maps.sluice_nic), &key, &none, BPF_ANY),
		     0);
	for (size_t i = 0; i < sizeof(hosts) / sizeof(hosts[0]); i++) {
		const struct case_of one = { .recipe = { .family = 6, .protocol = IPPROTO_UDP },
					     .source = hosts[i].source };
		struct frame frame = frame_of(&one);
		int fd = bpf_program__fd(
			bpf_object__find_program_by_name(skel->obj, hosts[i].program));

		cr_assert_eq(run(fd, &frame), hosts[i].drops ? XDP_DROP : XDP_PASS, "%s: %s",
			     hosts[i].program, hosts[i].source);
	}
	nic_drop__destroy(skel);
}

/* A card's driver refuses all of these. */
Test(nic_drop, there_is_nothing_in_it_that_cards_refuse)
{
	struct nic_drop *skel = nic_drop__open();
	struct bpf_program *program;
	struct bpf_map *map;
	int n_maps = 0;

	cr_assert_not_null(skel);
	bpf_object__for_each_map(map, skel->obj) {
		n_maps++;
		cr_assert_eq(bpf_map__type(map), BPF_MAP_TYPE_HASH);
		cr_assert_eq(bpf_map__map_flags(map), 0);
		cr_assert_leq((bpf_map__key_size(map) + 7) / 8 * 8 +
				      (bpf_map__value_size(map) + 7) / 8 * 8,
			      64, "entries of more than 64 bytes");
	}
	cr_assert_eq(n_maps, 1, "global data is a map of its own");
	bpf_object__for_each_program(program, skel->obj) {
		const struct bpf_insn *insns = bpf_program__insns(program);

		for (size_t i = 0; i < bpf_program__insn_cnt(program); i++) {
			if (insns[i].code == (BPF_JMP | BPF_CALL))
				cr_assert_eq(insns[i].imm, BPF_FUNC_map_lookup_elem, "%s",
					     bpf_program__name(program));
			if (insns[i].code == (BPF_STX | BPF_ATOMIC | BPF_DW))
				cr_assert_eq(insns[i].imm, BPF_ADD, "an addition that fetches");
		}
	}
	nic_drop__destroy(skel);
}
