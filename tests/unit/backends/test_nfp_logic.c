/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nfp back end against a kernel and a card of the tests' own, which refuse as real ones do.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/bpf.h>

#include "nfp_machine.h"
#include "words.h"

static struct card_options options_of(struct machine *machine)
{
	machine->ifindex = machine->ifindex ? machine->ifindex : 4;
	machine->size = machine->size ? machine->size : CARD_CAPACITY_DEFAULT;
	machine->reserved = 0;
	return (struct card_options){
		.wanted = { .v6_prefix_len = 64, .counts = true },
		.calls = &calls,
		.self = machine,
	};
}

static struct card *card_of(struct machine *machine)
{
	struct card_options options = options_of(machine);
	struct sluice_err err = { 0 };
	struct card *card;

	cr_assert_eq(card_open(&options, "eth0", &card, &err), 0, "%s", err.text);
	return card;
}

/* A card that cannot be opened, and what it says. */
static void expect_refusal(struct machine *machine, int rc, const char *word)
{
	struct card_options options = options_of(machine);
	uint32_t program_id = machine->program_id;
	struct sluice_err err = { 0 };
	struct card *card;

	cr_assert_eq(card_open(&options, "eth0", &card, &err), rc, "%s", err.text);
	cr_assert(strncmp(err.text, "interface 'eth0': cannot ", 25) == 0, "%s", err.text);
	cr_assert(strstr(err.text, word), "no '%s' in: %s", word, err.text);
	cr_assert_eq(machine->open_fds, 0);
	cr_assert_eq(machine->program_id, program_id);
}

static struct sluice_key source(const char *text, uint8_t prefix_len)
{
	struct sluice_key key = { .prefix_len = prefix_len };
	bool v6 = strchr(text, ':');

	key.family = v6 ? SLUICE_FAMILY_IPV6 : SLUICE_FAMILY_IPV4;
	cr_assert_eq(inet_pton(v6 ? AF_INET6 : AF_INET, text, key.addr), 1);
	return key;
}

static struct sluice_key numbered(uint32_t i)
{
	return (struct sluice_key){
		.family = 4,
		.prefix_len = 32,
		.addr = { 198, 18, (uint8_t)(i >> 8), (uint8_t)i },
	};
}

static void add(struct card *card, uint32_t i, int wanted)
{
	struct sluice_key key = numbered(i);

	cr_assert_eq(card_add(card, &key), wanted, "rule %u", i);
}

static size_t listed(struct card *card)
{
	struct sluice_backend_rule rules[ENTRIES];
	struct sluice_err err = { 0 };
	size_t n = SIZE_MAX;

	cr_assert_eq(card_list(card, rules, ENTRIES, &n, &err), 0, "%s", err.text);
	return n;
}

Test(nfp, keys_survive_the_way_there_and_back)
{
	const struct sluice_key keys[] = { source("198.51.100.7", 32), source("2001:db8:1::", 64),
					   source("0.0.0.0", 32) };

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct nic_drop_key on_card;
		struct sluice_key back;

		cr_assert_eq(key_to_card(64, &keys[i], &on_card), 0);
		cr_assert(key_from_card(64, &on_card, &back));
		cr_assert_arr_eq(&back, &keys[i], sizeof(back));
	}
}

Test(nfp, other_masks_are_refused)
{
	struct sluice_key stray = source("2001:db8::1", 64);
	const struct sluice_key keys[] = { source("198.51.100.0", 24), source("2001:db8::1", 128),
					   source("2001:db8::", 48), stray };
	struct nic_drop_key on_card;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		cr_assert_eq(key_to_card(64, &keys[i], &on_card), -EOPNOTSUPP, "key %zu", i);
}

Test(nfp, what_no_rule_of_ours_can_be_is_not_read_as_one)
{
	const struct nic_drop_key keys[] = {
		{ .family = 0 },
		{ .family = 5 },
		{ .family = 4, .addr = { 1, 1 } },
		{ .family = 6, .addr = { 1, 1, 1 } },
	};
	struct sluice_key key;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		cr_assert_not(key_from_card(64, &keys[i], &key), "key %zu", i);
}

Test(nfp, programs_are_known_by_name)
{
	struct key_variant variant;

	cr_assert(key_variant_of("sluice_nic64c", &variant));
	cr_assert(variant.counts && variant.v6_prefix_len == 64);
	cr_assert(key_variant_of("sluice_nic128", &variant));
	cr_assert(!variant.counts && variant.v6_prefix_len == 128);
	cr_assert(key_has_program(48) && key_has_program(56));
	cr_assert_not(key_has_program(49) || key_has_program(0));
	cr_assert_not(key_variant_of("sluice_nic32", &variant));
	cr_assert_not(key_variant_of("xdp_filter", &variant));
	cr_assert_not(key_variant_of("", &variant));
}

Test(nfp, adds_deletes_and_knows_duplicates)
{
	struct machine machine = { 0 };
	struct card *card = card_of(&machine);
	struct sluice_key one = numbered(1), two = numbered(2), net = source("198.18.0.0", 24);

	add(card, 1, 0);
	add(card, 1, -EEXIST);
	cr_assert_eq(card_del(card, &two), -ENOENT);
	cr_assert_eq(card_add(card, &net), -EOPNOTSUPP);
	cr_assert_eq(card_del(card, &net), -ENOENT);
	cr_assert_eq(listed(card), 1);
	cr_assert_eq(card_del(card, &one), 0);
	cr_assert_eq(listed(card), 0);
	card_close(card);
}

Test(nfp, counters_are_read_with_their_rules)
{
	struct machine machine = { 0 };
	struct card *card = card_of(&machine);
	struct sluice_backend_counter counters[4];
	struct sluice_err err;
	size_t n;

	cr_assert(card_counts(card));
	add(card, 1, 0);
	add(card, 2, 0);
	machine.entries[1].hits = (struct nic_drop_hits){ .packets = 5, .bytes = 300 };
	cr_assert_eq(card_read(card, counters, 4, &n, &err), 0);
	cr_assert_eq(n, 2);
	cr_assert_eq(counters[1].key.addr[3], 2);
	cr_assert_eq(counters[1].packets, 5);
	cr_assert_eq(counters[1].bytes, 300);
	cr_assert_eq(counters[0].packets, 0);
	cr_assert_eq(card_read(card, counters, 1, &n, &err), 0);
	cr_assert_eq(n, 1, "no more than there is room for");
	card_close(card);
}

Test(nfp, types_are_given_up_once_they_are_refused)
{
	struct machine machine = { .size = 64 },
		       future = { .size = CARD_CAPACITY_DEFAULT + 1, .takes_types = true };
	struct card *card = card_of(&machine);

	cr_assert_eq(machine.typed_maps, 1);
	cr_assert_gt(machine.maps, 2);
	card_close(card);
	card = card_of(&future);
	cr_assert_eq(future.typed_maps, 2);
	cr_assert_eq(future.maps, 2);
	card_close(card);
	cr_assert_eq(future.open_fds, 0);
}

Test(nfp, the_map_is_as_large_as_the_card_lets_it_be)
{
	const struct {
		uint32_t asked, size, capacity;
	} cases[] = {
		{ 0, 1u << 20, CARD_CAPACITY_DEFAULT },
		{ 0, 4096, 4096 },
		{ 0, 1, 1 },
		{ 0, 3, 3 },
		{ 100, 4096, 100 },
		{ 50000, 32768, 32768 },
		{ CARD_CAPACITY_MOST, 1u << 20, CARD_CAPACITY_MOST },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct machine machine = { .size = cases[i].size };
		struct card_options options = options_of(&machine);
		struct sluice_err err = { 0 };
		struct card *card;

		options.capacity = cases[i].asked;
		cr_assert_eq(card_open(&options, "eth0", &card, &err), 0, "%s", err.text);
		cr_assert_eq(card_capacity(card), cases[i].capacity, "case %zu: %u", i,
			     card_capacity(card));
		cr_assert_lt(machine.maps, 800);
		card_close(card);
	}
}

Test(nfp, little_of_any_card_is_left_unused)
{
	for (uint32_t size = 1; size < 65536; size += size / 7 + 1) {
		struct machine machine = { .size = size };
		struct card *card = card_of(&machine);

		cr_assert_leq(card_capacity(card), size);
		cr_assert_geq(card_capacity(card), size - size / 15, "%u of %u",
			      card_capacity(card), size);
		card_close(card);
	}
}

Test(nfp, memory_that_the_kernel_gives_back_late_is_waited_for)
{
	struct machine machine = { .late_frees = 20 };
	struct card *card = card_of(&machine);

	cr_assert_eq(card_capacity(card), CARD_CAPACITY_DEFAULT);
	cr_assert_eq(machine.pauses, 20);
	card_close(card);
}

Test(nfp, memory_that_comes_back_on_the_way_down_is_not_missed)
{
	/* From the second request, of 65536 entries, to one of a single entry. */
	for (uint32_t late = 1; late < 190; late++) {
		struct machine machine = { .late_maps = late };
		struct card *card = card_of(&machine);

		cr_assert_geq(card_capacity(card), CARD_CAPACITY_DEFAULT / 2 - 2048, "%u: %u", late,
			      card_capacity(card));
		card_close(card);
		cr_assert_eq(machine.open_fds, 0);
	}
}

Test(nfp, a_full_table_has_one_name)
{
	const int words[] = { -E2BIG, -ENOMEM, -ENOSPC };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		struct machine machine = { .size = 2, .full = words[i] };
		struct card *card = card_of(&machine);

		add(card, 1, 0);
		add(card, 2, 0);
		add(card, 3, -ENOSPC);
		cr_assert_eq(listed(card), 2);
		card_close(card);
	}
}

Test(nfp, a_card_that_cannot_count_does_without)
{
	struct machine loads = { .program_fault = -EINVAL, .only_counting = true };
	struct machine starts = { .attach_fault = -EOPNOTSUPP, .only_counting = true };
	struct machine *machines[] = { &loads, &starts };

	for (size_t i = 0; i < 2; i++) {
		struct card *card = card_of(machines[i]);

		cr_assert_not(card_counts(card));
		cr_assert_eq(machines[i]->programs, 2);
		cr_assert_str_eq(machines[i]->program.name, "sluice_nic64");
		card_close(card);
		cr_assert_eq(machines[i]->open_fds, 0);
	}
}

Test(nfp, refusals_are_told_in_words)
{
	struct machine no_bpf = { .map_fault = -EOPNOTSUPP };
	struct machine no_maps = { .map_fault = -EINVAL };
	struct machine no_memory = { .map_fault = -ENOMEM };
	struct machine too_big = { .map_fault = -E2BIG };
	struct machine no_right = { .map_fault = -EPERM };
	struct machine gone = { .gone = true };
	struct machine no_program = { .program_fault = -EINVAL };
	struct machine no_room = { .program_fault = -ENOMEM };
	struct machine no_start = { .attach_fault = -EOPNOTSUPP };
	struct machine busy = { .attach_fault = -EBUSY };

	expect_refusal(&no_bpf, -EOPNOTSUPP, "firmware that runs BPF");
	expect_refusal(&no_maps, -EINVAL, "no BPF offload");
	expect_refusal(&no_memory, -ENOMEM, "no memory for a single rule");
	expect_refusal(&too_big, -E2BIG, "no memory for a single rule");
	expect_refusal(&no_right, -EPERM, "CAP_SYS_ADMIN");
	expect_refusal(&gone, -ENODEV, "ip link");
	expect_refusal(&no_program, -EINVAL, "atomics are not supported: its driver");
	expect_refusal(&no_room, -ENOMEM, "bpftool prog");
	expect_refusal(&no_start, -EOPNOTSUPP, "MTU");
	expect_refusal(&busy, -EBUSY, "xdpoffload off");
}

Test(nfp, a_name_that_is_too_long_is_nobodys)
{
	struct machine machine = { 0 };
	struct card_options options = options_of(&machine);
	struct sluice_err err = { 0 };
	struct card *card;

	cr_assert_eq(card_open(&options, "eth0_and_much_more", &card, &err), -ENODEV);
	cr_assert(strstr(err.text, "none of that name"), "%s", err.text);
}

Test(nfp, rules_outlive_a_close_and_an_empty_card_is_given_back)
{
	struct machine machine = { .size = 64 };
	struct card *card = card_of(&machine);
	struct sluice_err err = { 0 };

	cr_assert_not(card_adopted(card));
	add(card, 1, 0);
	card_close(card);
	cr_assert_eq(machine.program_id, OUR_ID);
	cr_assert_eq(machine.open_fds, 0);
	card = card_of(&machine);
	cr_assert(card_adopted(card));
	cr_assert_eq(card_capacity(card), 64);
	cr_assert_eq(listed(card), 1);
	cr_assert_eq(card_flush(card, &err), 0, "%s", err.text);
	cr_assert_eq(held(&machine), 0);
	card_close(card);
	cr_assert_eq(machine.program_id, 0, "our program is still on an empty card");
	cr_assert_eq(machine.open_fds, 0);
}

Test(nfp, a_program_of_somebody_else_is_left_alone)
{
	struct machine machine = { .program_id = 99, .program = { .name = "katran" } };

	expect_refusal(&machine, -EBUSY, "katran");
	cr_assert_eq(machine.program_id, 99);
}

Test(nfp, what_an_earlier_version_left_is_replaced)
{
	const struct kernel_map maps[] = {
		{ BPF_MAP_TYPE_ARRAY, 20, 16, 8, 0, 4 },  { BPF_MAP_TYPE_HASH, 16, 16, 8, 0, 4 },
		{ BPF_MAP_TYPE_HASH, 20, 8, 8, 0, 4 },	  { BPF_MAP_TYPE_HASH, 20, 16, 0, 0, 4 },
		{ BPF_MAP_TYPE_HASH, 20, 16, 8, 1, 4 },	  { BPF_MAP_TYPE_HASH, 20, 16, 8, 0, 0 },
		{ BPF_MAP_TYPE_HASH, 20, 16, ~0u, 0, 4 },
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		struct machine machine = {
			.program_id = 99,
			.program = { .name = "sluice_nic64c", .n_maps = 1, .map_id = 3 },
			.map = maps[i],
		};
		struct card *card = card_of(&machine);

		cr_assert_not(card_adopted(card), "map %zu", i);
		cr_assert_eq(machine.program_id, OUR_ID);
		card_close(card);
		cr_assert_eq(machine.open_fds, 0);
	}
}

Test(nfp, another_prefix_length_takes_another_program)
{
	struct machine machine = { 0 };
	struct card_options options = options_of(&machine);
	struct card *card = card_of(&machine);
	struct sluice_err err = { 0 };

	add(card, 1, 0);
	card_close(card);
	machine.reserved = 0;
	options.wanted.v6_prefix_len = 128;
	cr_assert_eq(card_open(&options, "eth0", &card, &err), 0, "%s", err.text);
	cr_assert_not(card_adopted(card));
	cr_assert_str_eq(machine.program.name, "sluice_nic128c");
	card_close(card);
}

Test(nfp, a_program_that_cannot_be_replaced_is_an_error)
{
	struct machine machine = { .program_id = 99, .detach_fault = -EBUSY };

	strcpy(machine.program.name, "sluice_nic48");
	expect_refusal(&machine, -EBUSY, "stop the program");
}

Test(nfp, a_removed_card_is_gone_and_its_successor_is_taken)
{
	struct machine machine = { 0 };
	struct card *card = card_of(&machine);
	struct sluice_err err = { 0 };
	struct sluice_key one = numbered(1);
	size_t n;

	add(card, 1, 0);
	machine.gone = true;
	add(card, 2, -ENODEV);
	cr_assert_eq(card_del(card, &one), -ENODEV);
	cr_assert_eq(card_read(card, NULL, 0, &n, &err), -ENODEV);
	cr_assert_eq(card_flush(card, &err), -ENODEV);
	cr_assert(strstr(err.text, "is gone"), "%s", err.text);
	cr_assert_eq(card_list(card, NULL, 0, &n, &err), -ENODEV);
	machine.gone = false;
	machine.program_id = 0;
	machine.ifindex = 9; /* Another one by the same name. */
	machine.reserved = 0;
	cr_assert_eq(card_list(card, NULL, 0, &n, &err), 1, "%s", err.text);
	cr_assert_eq(listed(card), 0);
	cr_assert_eq(card_list(card, NULL, 0, &n, &err), 0);
	add(card, 3, 0);
	card_close(card);
	cr_assert_eq(machine.open_fds, 0);
}

Test(nfp, a_card_that_comes_back_without_memory_is_asked_again)
{
	struct machine machine = { 0 };
	struct card *card = card_of(&machine);
	struct sluice_err err = { 0 };
	size_t n;

	machine.ifindex = 9;
	machine.reserved = machine.program_id = 0;
	machine.map_fault = -EPERM;
	cr_assert_eq(card_list(card, NULL, 0, &n, &err), -EPERM);
	cr_assert(strstr(err.text, "restart"), "%s", err.text);
	add(card, 1, -ENODEV);
	cr_assert_eq(card_flush(card, &err), -ENODEV);
	machine.map_fault = 0;
	cr_assert_eq(card_list(card, NULL, 0, &n, &err), 1);
	add(card, 1, 0);
	card_close(card);
	cr_assert_eq(machine.open_fds, 0);
}

Test(nfp, what_the_card_can_do_does_not_change_when_it_comes_back)
{
	struct machine machine = { .program_fault = -EINVAL, .only_counting = true };
	struct card *card = card_of(&machine);
	struct sluice_err err = { 0 };
	size_t n;

	machine.ifindex = 9;
	machine.reserved = machine.program_id = 0;
	machine.program_fault = 0;
	cr_assert_eq(card_list(card, NULL, 0, &n, &err), 1, "%s", err.text);
	cr_assert_str_eq(machine.program.name, "sluice_nic64");
	card_close(card);
}

Test(nfp, a_program_that_was_taken_off_goes_back_with_its_rules)
{
	struct machine machine = { 0 };
	struct card *card = card_of(&machine);
	struct sluice_err err = { 0 };
	uint32_t maps = machine.maps;
	size_t n;

	add(card, 1, 0);
	machine.program_id = 0;
	cr_assert_eq(card_read(card, NULL, 0, &n, &err), -ESTALE);
	cr_assert(strstr(err.text, "took our program off"), "%s", err.text);
	cr_assert_eq(card_list(card, NULL, 0, &n, &err), 1);
	cr_assert_eq(machine.maps, maps);
	cr_assert_eq(listed(card), 1);
	machine.program_id = 99;
	strcpy(machine.program.name, "katran");
	cr_assert_eq(card_list(card, NULL, 0, &n, &err), -EBUSY);
	card_close(card);
	cr_assert_eq(machine.program_id, 99);
	cr_assert_eq(machine.open_fds, 0);
}

Test(nfp, what_a_card_says_is_not_trusted)
{
	struct machine machine = { .size = 4 };
	struct card *card = card_of(&machine);
	struct sluice_backend_rule rules[ENTRIES];
	struct sluice_err err = { 0 };
	size_t n;

	add(card, 1, 0);
	machine.entries[7] = (struct entry){ .used = true, .key = { .family = 77 } };
	cr_assert_eq(listed(card), 1, "an entry of nobody's is listed");
	machine.loops = true;
	cr_assert_eq(card_list(card, rules, ENTRIES, &n, &err), -EPROTO);
	cr_assert_eq(n, 0);
	cr_assert_eq(card_flush(card, &err), -EPROTO);
	cr_assert(strstr(err.text, "makes no sense"), "%s", err.text);
	machine.loops = false;
	cr_assert_eq(card_flush(card, &err), 0);
	cr_assert_eq(held(&machine), 0);
	machine.entry_fault = -EIO;
	add(card, 1, -EIO);
	cr_assert_eq(card_list(card, rules, ENTRIES, &n, &err), -EIO);
	card_close(card);
}

Test(nfp, nothing_is_left_when_an_open_card_is_closed_without_its_interface)
{
	struct machine machine = { 0 };
	struct card *card = card_of(&machine);

	machine.gone = true;
	card_close(card);
	card_close(NULL);
	cr_assert_eq(machine.open_fds, 0);
}

Test(nfp, the_driver_has_the_last_word)
{
	char why[KERNEL_WHY_SIZE];

	words_last("0: (b7) r0 = 1\n[nfp] unsupported function id: 7\n"
		   "processed 4 insns (limit 1000000)\n",
		   why, sizeof(why));
	cr_assert_str_eq(why, "[nfp] unsupported function id: 7");
	words_last("", why, sizeof(why));
	cr_assert_str_eq(why, "");
	words_last("no end of line", why, sizeof(why));
	cr_assert_str_eq(why, "no end of line");
}
