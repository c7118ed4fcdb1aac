/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated NIC's table on the kernel where it gets tight: full buckets, the exact capacity over
 * both families, and what a writer leaves that was killed.  Runs as root in namespaces of its own.
 */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <linux/bpf.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "emu_bench.h"
#include "emu_card.h"
#include "support/random.h"

#define XDP_PIN BENCH_CARD "/xdp"

static const struct sluice_config config = { .card = BENCH_CARD, .counters = true };

/* A criterion test cannot be skipped from a function that it calls. */
#define ENTER()                                     \
	do {                                        \
		const char *reason = bench_enter(); \
		if (reason)                         \
			cr_skip_test("%s", reason); \
	} while (0)

struct table {
	struct bench_backend backend;
	struct emu_card_info info;
	struct emu_card_bucket *buckets;
	int hash_fd;
};

static void reopen(struct table *table)
{
	int rc;

	if (table->backend.self)
		bench_close(&table->backend);
	rc = bench_open(&table->backend, &config);
	cr_assert_eq(rc, 0, "%d %s", rc, table->backend.err.text);
}

/* A new card with a back end, and a way into its memory past the back end. */
static struct table make_table(const char *capacity)
{
	struct table table = { .hash_fd = -1 };
	int card_fd, buckets_fd;
	__u32 zero = 0;

	cr_assert_eq(BENCH_TOOL(NULL, 0, "create", "--pin", BENCH_CARD, "--capacity", capacity), 0);
	card_fd = bpf_obj_get(BENCH_CARD "/card");
	buckets_fd = bpf_obj_get(BENCH_CARD "/buckets");
	table.hash_fd = bpf_obj_get(BENCH_CARD "/hash");
	cr_assert_eq(bpf_map_lookup_elem(card_fd, &zero, &table.info), 0);
	table.buckets = mmap(NULL, table.info.n_buckets * sizeof(*table.buckets),
			     PROT_READ | PROT_WRITE, MAP_SHARED, buckets_fd, 0);
	cr_assert_neq(table.buckets, MAP_FAILED);
	close(card_fd);
	close(buckets_fd);
	reopen(&table);
	return table;
}

static struct emu_card_bucket *bucket_of(const struct table *table, __be32 addr)
{
	return &table->buckets[emu_card_bucket_of(table->info.hash_key, table->info.n_buckets,
						  addr)];
}

/* Sources that all belong into one bucket. */
static void same_bucket(const struct table *table, __be32 *addrs, size_t n)
{
	uint32_t addr = 0xc0000201; /* 192.0.2.1 */

	addrs[0] = htonl(addr);
	for (size_t i = 1; i < n; i++) {
		do {
			addrs[i] = htonl(++addr);
		} while (bucket_of(table, addrs[i]) != bucket_of(table, addrs[0]));
	}
}

static const char *text_of(__be32 addr)
{
	static char text[INET_ADDRSTRLEN];

	return inet_ntop(AF_INET, &addr, text, sizeof(text));
}

static int add(struct table *table, __be32 addr)
{
	return bench_add(&table->backend, text_of(addr), 32);
}

static int del(struct table *table, __be32 addr)
{
	return bench_del(&table->backend, text_of(addr), 32);
}

static int verdict(__be32 addr, int repeat)
{
	struct bench_frame frame = bench_frame(text_of(addr), 0);

	return bench_send(XDP_PIN, &frame, repeat);
}

static size_t n_rules(struct table *table)
{
	struct sluice_backend_rule rules[256];
	size_t n;

	cr_assert_eq(table->backend.ops->list(table->backend.self, rules, 256, &n,
					      &table->backend.err),
		     0);
	return n;
}

static uint64_t packets_of(struct table *table, __be32 addr)
{
	uint64_t packets = ~0ull, bytes;

	bench_hits(&table->backend, text_of(addr), 32, &packets, &bytes);
	return packets;
}

Test(emu_table, rules_beyond_a_full_bucket)
{
	enum { N = EMU_CARD_WAYS + 5 };
	struct table table;
	__be32 addrs[N + 1];

	ENTER();
	table = make_table("64");
	same_bucket(&table, addrs, N + 1);
	for (int i = 0; i < N; i++) {
		cr_expect_eq(verdict(addrs[i], 1), XDP_PASS, "rule %d, before", i);
		cr_expect_eq(add(&table, addrs[i]), 0);
		cr_expect_eq(add(&table, addrs[i]), -EEXIST);
		cr_expect_eq(verdict(addrs[i], i + 1), XDP_DROP, "rule %d, after", i);
	}
	cr_expect_eq(verdict(addrs[N], 1), XDP_PASS, "none of them");
	cr_expect_eq(del(&table, addrs[N]), -ENOENT);
	cr_expect_eq(bucket_of(&table, addrs[0])->spilled, N - EMU_CARD_WAYS);
	cr_expect_eq(n_rules(&table), N);
	for (int i = 0; i < N; i++)
		cr_expect_eq(packets_of(&table, addrs[i]), (uint64_t)i + 1, "rule %d", i);

	/* A way comes free, and a rule in the hash is still known. */
	cr_expect_eq(del(&table, addrs[0]), 0);
	cr_expect_eq(add(&table, addrs[N - 1]), -EEXIST);
	cr_expect_eq(add(&table, addrs[0]), 0);
	cr_expect_eq(packets_of(&table, addrs[0]), 0, "counts from 0 again");
	for (int i = 0; i < N; i++) {
		cr_expect_eq(del(&table, addrs[i]), 0, "rule %d", i);
		cr_expect_eq(del(&table, addrs[i]), -ENOENT, "rule %d", i);
		cr_expect_eq(verdict(addrs[i], 1), XDP_PASS, "rule %d", i);
	}
	cr_expect_eq(bucket_of(&table, addrs[0])->spilled, 0, "no more look-ups than needed");
	bench_close(&table.backend);
}

/* Its key is that of an empty way. */
Test(emu_table, the_source_of_all_zeroes)
{
	struct table table;

	ENTER();
	table = make_table("4");
	cr_expect_eq(verdict(0, 1), XDP_PASS);
	cr_expect_eq(add(&table, 0), 0);
	cr_expect_eq(add(&table, 0), -EEXIST);
	cr_expect_eq(verdict(0, 3), XDP_DROP);
	cr_expect_eq(packets_of(&table, 0), 3);
	cr_expect_eq(verdict(htonl(0xc0000201), 1), XDP_PASS);
	cr_expect_eq(del(&table, 0), 0);
	cr_expect_eq(verdict(0, 1), XDP_PASS);
	/* One empty way looks most like a match. */
	for (int way = 0; way < EMU_CARD_WAYS; way++)
		bucket_of(&table, 0)->key[way] = way == 2 ? 0 : htonl(0xc0000201);
	cr_expect_eq(verdict(0, 1), XDP_PASS);
	bench_close(&table.backend);
}

/* K is K, whatever the mix, and whoever put the rules there. */
Test(emu_table, the_capacity_is_exact)
{
	enum { K = 33 };
	struct table table;

	ENTER();
	table = make_table("33");
	for (uint32_t i = 0; i <= K; i++) {
		char v6[64];

		if (i == K / 2)
			reopen(&table);
		snprintf(v6, sizeof(v6), "2001:db8:0:%x::", i);
		cr_expect_eq(i % 3 ? add(&table, htonl(0x0a000000 + i))
				   : bench_add(&table.backend, v6, 64),
			     i < K ? 0 : -ENOSPC, "rule %u", i);
	}
	cr_expect_eq(bench_add(&table.backend, "2001:db8:0:3::", 64), -EEXIST, "also when full");
	cr_expect_eq(add(&table, htonl(0x0a000001)), -EEXIST);
	cr_expect_eq(add(&table, htonl(0x0b000001)), -ENOSPC);
	cr_expect_eq(n_rules(&table), K);
	cr_expect_eq(bench_del(&table.backend, "2001:db8:0:3::", 64), 0);
	cr_expect_eq(add(&table, htonl(0x0b000001)), 0);
	cr_expect_eq(bench_add(&table.backend, "2001:db8:0:3::", 64), -ENOSPC);
	cr_expect_eq(n_rules(&table), K);
	bench_close(&table.backend);
}

/* Random rules come and go; after each step the card agrees with a plain list. */
Test(emu_table, agrees_with_a_plain_list)
{
	enum { POOL = 96, STEPS = 6000 };
	bool model[POOL] = { false };
	unsigned int seed = 20261123;
	struct table table;
	size_t n = 0;

	ENTER();
	table = make_table("40");
	for (int step = 0; step < STEPS; step++) {
		uint32_t i = (uint32_t)rand_r(&seed) % POOL;
		__be32 addr = htonl(0x0a000000 + i);

		if (rand_r(&seed) % 5 < 3) {
			int expected = model[i] ? -EEXIST : n < 40 ? 0 : -ENOSPC;

			cr_assert_eq(add(&table, addr), expected, "step %d", step);
			n += expected == 0;
			model[i] |= expected == 0;
		} else {
			cr_assert_eq(del(&table, addr), model[i] ? 0 : -ENOENT, "step %d", step);
			n -= model[i];
			model[i] = false;
		}
		cr_assert_eq(verdict(addr, 1), model[i] ? XDP_DROP : XDP_PASS, "step %d", step);
		if (step % 500 == 0)
			reopen(&table);
		if (step % 100 == 0)
			cr_assert_eq(n_rules(&table), n, "step %d", step);
	}
	for (uint32_t i = 0; i < POOL; i++)
		cr_expect_eq(verdict(htonl(0x0a000000 + i), 1), model[i] ? XDP_DROP : XDP_PASS);
	bench_close(&table.backend);
}

/* All that a killed writer, or a stranger with access, can have left is mended by the next one. */
Test(emu_table, what_a_killed_writer_left)
{
	struct emu_card_key key = { .family = 4 };
	struct emu_card_hits hits = { 9, 540 };
	struct emu_card_bucket *bucket;
	struct table table;
	__be32 addrs[3];

	ENTER();
	table = make_table("8");
	same_bucket(&table, addrs, 3);
	bucket = bucket_of(&table, addrs[0]);
	/* Killed before it published a key; and before it added to the hash. */
	bucket->hits[1] = hits;
	bucket->spilled = 1;
	reopen(&table);
	cr_expect_eq(n_rules(&table), 0);
	cr_expect_eq(bucket->spilled, 0);
	/* Killed after it deleted from the hash, or with the hash ahead of `spilled`. */
	key.addr[0] = addrs[0];
	cr_assert_eq(bpf_map_update_elem(table.hash_fd, &key, &hits, BPF_ANY), 0);
	reopen(&table);
	cr_expect_eq(n_rules(&table), 1);
	cr_expect_eq(packets_of(&table, addrs[0]), 9);
	cr_expect_eq(verdict(addrs[0], 1), XDP_DROP);
	/* The same rule in both places, a double, and a key of another bucket. */
	bucket->key[0] = bucket->key[3] = addrs[0];
	bucket->key[2] = addrs[1];
	while (bucket_of(&table, key.addr[0]) == bucket)
		key.addr[0]++;
	bucket->key[4] = key.addr[0];
	reopen(&table);
	cr_expect_eq(n_rules(&table), 2);
	cr_expect_eq(bucket->spilled, 0);
	cr_expect_eq(verdict(key.addr[0], 1), XDP_PASS);
	/* So does listing, which is what the host asks for when it has doubts. */
	bucket->key[5] = key.addr[0];
	bucket->spilled = 3;
	cr_expect_eq(n_rules(&table), 2);
	cr_expect_eq(bucket->spilled, 0);
	cr_expect_eq(bucket->key[5], 0);
	cr_expect_eq(table.backend.ops->flush(table.backend.self, &table.backend.err), 0);
	cr_expect_eq(n_rules(&table), 0);
	cr_expect_eq(verdict(addrs[0], 1), XDP_PASS);
	bench_close(&table.backend);
}

/* Whatever a stranger with access may do to the maps: words of buckets, and any key in the hash. */
static void garble(struct table *table, struct random *random)
{
	uint32_t *words = (uint32_t *)table->buckets;
	size_t n_words = table->info.n_buckets * sizeof(*table->buckets) / sizeof(*words);
	struct emu_card_hits hits = { random_below(random, 1000), random_below(random, 1000) };
	struct emu_card_key key = { .family = (uint32_t)random_below(random, 8) };

	for (int i = 0; i < 4; i++)
		words[random_below(random, n_words)] =
			random_below(random, 2) ? htonl((uint32_t)random_below(random, 99))
						: (uint32_t)random_below(random, UINT32_MAX);
	for (int i = 0; i < 4; i++)
		key.addr[i] = random_below(random, 2) ? htonl((uint32_t)random_below(random, 99))
						      : 0;
	(void)!bpf_map_update_elem(table->hash_fd, &key, &hits, BPF_ANY);
}

static bool is_sound(const struct sluice_key *key)
{
	static const uint8_t zeroes[16];

	if (key->family == SLUICE_FAMILY_IPV4)
		return key->prefix_len == 32 && !memcmp(key->addr + 4, zeroes, 12);
	return key->family == SLUICE_FAMILY_IPV6 && key->prefix_len == 64 &&
	       !memcmp(key->addr + 8, zeroes, 8);
}

/* What is listed is there: the card drops it. */
static void check_listed(struct table *table)
{
	struct sluice_backend_rule rules[256];
	size_t n;

	cr_assert_eq(table->backend.ops->list(table->backend.self, rules, 256, &n,
					      &table->backend.err),
		     0, "%s", table->backend.err.text);
	for (size_t i = 0; i < n; i++) {
		__be32 addr;

		cr_assert(is_sound(&rules[i].key));
		memcpy(&addr, rules[i].key.addr, sizeof(addr));
		if (rules[i].key.family == SLUICE_FAMILY_IPV4)
			cr_assert_eq(verdict(addr, 1), XDP_DROP, "%s", text_of(addr));
	}
}

Test(emu_table, others_write_into_it_meanwhile)
{
	struct random random = { 7 };
	struct table table;

	ENTER();
	table = make_table("64");
	for (int round = 0; round < 2000; round++) {
		struct sluice_backend_counter counters[16];
		__be32 addr = htonl((uint32_t)random_below(&random, 99));
		size_t n;
		int rc;

		garble(&table, &random);
		rc = random_below(&random, 2) ? add(&table, addr) : del(&table, addr);
		cr_assert(rc == 0 || rc == -EEXIST || rc == -ENOSPC || rc == -ENOENT, "%d", rc);
		cr_assert_eq(table.backend.ops->read(table.backend.self, counters, 16, &n,
						     &table.backend.err),
			     0);
		cr_assert_leq(n, 16);
		for (size_t i = 0; i < n; i++)
			cr_assert(is_sound(&counters[i].key));
		if (round % 50 == 0)
			check_listed(&table);
	}
	cr_expect_eq(table.backend.ops->flush(table.backend.self, &table.backend.err), 0);
	cr_expect_eq(n_rules(&table), 0);
	bench_close(&table.backend);
}

/* Sums of a counter go on beyond 32 bits. */
Test(emu_table, counters_of_64_bits)
{
	struct table table;
	__be32 addr = htonl(0xc0000201);

	ENTER();
	table = make_table("8");
	cr_assert_eq(add(&table, addr), 0);
	for (int way = 0; way < EMU_CARD_WAYS; way++)
		bucket_of(&table, addr)->hits[way].packets = 0xffffffff;
	cr_expect_eq(verdict(addr, 3), XDP_DROP);
	cr_expect_eq(packets_of(&table, addr), 0x100000002);
	bench_close(&table.backend);
}

/* Adds and deletes without end, until it is killed. */
static void churn(struct table *table)
{
	__be32 addrs[EMU_CARD_WAYS + 4];

	same_bucket(table, addrs, EMU_CARD_WAYS + 4);
	for (size_t i = 0;; i++) {
		if (add(table, addrs[i % (EMU_CARD_WAYS + 4)]))
			(void)!del(table, addrs[i * 7 % (EMU_CARD_WAYS + 4)]);
	}
}

/* A writer that is killed anywhere, while others look, leaves a card that the next one takes up. */
Test(emu_table, killed_at_work)
{
	struct table table;
	__be32 addrs[EMU_CARD_WAYS + 4];

	ENTER();
	table = make_table("8");
	same_bucket(&table, addrs, EMU_CARD_WAYS + 4);
	for (int round = 0; round < 20; round++) {
		char output[8192];
		size_t n, dropped = 0;
		pid_t pid = fork();

		if (pid == 0)
			churn(&table);
		cr_assert_gt(pid, 0);
		cr_expect_eq(BENCH_TOOL(output, sizeof(output), "show", "--pin", BENCH_CARD,
					"--json"),
			     0, "%s", output);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		reopen(&table);
		n = n_rules(&table);
		for (size_t i = 0; i < EMU_CARD_WAYS + 4; i++)
			dropped += verdict(addrs[i], 1) == XDP_DROP;
		cr_expect_eq(dropped, n, "round %d: %zu rules, %zu dropped", round, n, dropped);
		cr_expect_leq(n, 8);
		for (size_t i = 0; i < EMU_CARD_WAYS + 4; i++) {
			int rc = del(&table, addrs[i]);

			n -= rc == 0;
			cr_expect(rc == 0 || rc == -ENOENT);
		}
		cr_expect_eq(n, 0);
		cr_expect_eq(bucket_of(&table, addrs[0])->spilled, 0);
	}
	bench_close(&table.backend);
}
