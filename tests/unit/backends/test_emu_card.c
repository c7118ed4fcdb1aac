/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated NIC on the kernel: the card tool, the back end through its ops, and frames through
 * the card's programs.  Runs as root in namespaces of its own.
 */
#include <cap-ng.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "emu_bench.h"
#include "emu_card.h"

#define XDP_PIN BENCH_CARD "/xdp"
#define TC_PIN BENCH_CARD "/tc"

static const struct sluice_config config = { .card = BENCH_CARD, .counters = true };

/* A criterion test cannot be skipped from a function that it calls. */
#define ENTER()                                     \
	do {                                        \
		const char *reason = bench_enter(); \
		if (reason)                         \
			cr_skip_test("%s", reason); \
	} while (0)

static void create(const char *capacity)
{
	char output[1024];

	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "create", "--pin", BENCH_CARD, "--capacity",
				capacity),
		     0, "%s", output);
}

static struct bench_backend open_backend(void)
{
	struct bench_backend backend;
	int rc = bench_open(&backend, &config);

	cr_assert_eq(rc, 0, "%d %s", rc, backend.err.text);
	return backend;
}

Test(emu_card, rules_come_and_go)
{
	struct bench_backend backend;
	struct sluice_backend_rule rules[8];
	size_t n;

	ENTER();
	create("3");
	backend = open_backend();
	cr_expect(backend.caps.emulated && backend.caps.counters);
	cr_expect_eq(backend.caps.capacity, 3);

	cr_expect_eq(bench_add(&backend, "192.0.2.1", 32), 0);
	cr_expect_eq(bench_add(&backend, "192.0.2.1", 32), -EEXIST);
	cr_expect_eq(bench_add(&backend, "192.0.2.0", 24), -EOPNOTSUPP);
	cr_expect_eq(bench_add(&backend, "2001:db8::", 64), 0);
	cr_expect_eq(bench_add(&backend, "2001:db8::1", 128), -EOPNOTSUPP);
	cr_expect_eq(bench_add(&backend, "192.0.2.2", 32), 0);
	cr_expect_eq(bench_add(&backend, "192.0.2.3", 32), -ENOSPC);
	cr_expect_eq(bench_add(&backend, "192.0.2.1", 32), -EEXIST, "also when full");

	cr_assert_eq(backend.ops->list(backend.self, rules, 8, &n, &backend.err), 0);
	cr_expect_eq(n, 3);
	cr_assert_eq(backend.ops->list(backend.self, rules, 2, &n, &backend.err), 0);
	cr_expect_eq(n, 2, "never more than there is room for");

	cr_expect_eq(bench_del(&backend, "192.0.2.9", 32), -ENOENT);
	cr_expect_eq(bench_del(&backend, "192.0.2.0", 24), -ENOENT);
	cr_expect_eq(bench_del(&backend, "192.0.2.1", 32), 0);
	cr_expect_eq(bench_del(&backend, "192.0.2.1", 32), -ENOENT);
	cr_expect_eq(bench_add(&backend, "192.0.2.3", 32), 0, "there is room again");

	cr_expect_eq(backend.ops->flush(backend.self, &backend.err), 0);
	cr_assert_eq(backend.ops->list(backend.self, rules, 8, &n, &backend.err), 0);
	cr_expect_eq(n, 0);
	bench_close(&backend);
	backend.ops->close(NULL);
}

/* Results belong to their rules, wherever in a batch one fails. */
Test(emu_card, large_batches)
{
	enum { N = 5000 };
	struct sluice_backend_rule *rules = calloc(N, sizeof(*rules));
	struct sluice_backend_counter *counters = calloc(N, sizeof(*counters));
	int *results = calloc(N, sizeof(*results));
	struct bench_backend backend;
	size_t n;

	ENTER();
	cr_assert(rules && counters && results);
	create("4000");
	backend = open_backend();
	for (unsigned int i = 0; i < N; i++) {
		rules[i].key = bench_key("10.0.0.0", 32);
		rules[i].key.addr[2] = (uint8_t)(i >> 8);
		rules[i].key.addr[3] = (uint8_t)i;
	}
	cr_assert_eq(backend.ops->add(backend.self, rules, N, results, &backend.err), 0);
	for (int i = 0; i < N; i++)
		cr_assert_eq(results[i], i < 4000 ? 0 : -ENOSPC, "rule %d: %d", i, results[i]);
	cr_assert_eq(backend.ops->read(backend.self, counters, N, &n, &backend.err), 0);
	cr_expect_eq(n, 4000);
	cr_assert_eq(backend.ops->read(backend.self, counters, 100, &n, &backend.err), 0);
	cr_expect_eq(n, 100);

	/* Every seventh is gone already, and every eleventh cannot be in this card. */
	for (int i = 0; i < N; i += 7) {
		int result;

		cr_assert_eq(backend.ops->del(backend.self, &rules[i], 1, &result, &backend.err),
			     0);
	}
	for (int i = 0; i < N; i += 11)
		rules[i].key.prefix_len = 24;
	cr_assert_eq(backend.ops->del(backend.self, rules, N, results, &backend.err), 0);
	for (int i = 0; i < N; i++) {
		bool there = i < 4000 && i % 7 != 0 && i % 11 != 0;

		cr_assert_eq(results[i], there ? 0 : -ENOENT, "rule %d: %d", i, results[i]);
	}
	bench_close(&backend);
	free(rules);
	free(counters);
	free(results);
}

struct drop_case {
	const char *name;
	const char *source;
	unsigned int tags;
	bool dropped;
};

/* Rules: 192.0.2.1, 2001:db8:1:2::/64. */
static const struct drop_case drop_cases[] = {
	{ "IPv4", "192.0.2.1", 0, true },
	{ "IPv4, another source", "192.0.2.2", 0, false },
	{ "IPv4 under VLAN", "192.0.2.1", 1, true },
	{ "IPv4 under QinQ", "192.0.2.1", 2, true },
	{ "IPv4 under three tags, which no card of this kind parses", "192.0.2.1", 3, false },
	{ "IPv4 under VLAN, another source", "192.0.2.2", 1, false },
	{ "IPv6, first of the /64", "2001:db8:1:2::", 0, true },
	{ "IPv6, last of the /64", "2001:db8:1:2:ffff:ffff:ffff:ffff", 0, true },
	{ "IPv6, the /64 before", "2001:db8:1:1:ffff:ffff:ffff:ffff", 0, false },
	{ "IPv6, the /64 after", "2001:db8:1:3::", 0, false },
	{ "IPv6 under VLAN", "2001:db8:1:2::7", 1, true },
	{ "IPv6 under QinQ", "2001:db8:1:2::7", 2, true },
	{ "IPv6 that begins like a blocked IPv4 source", "c000:201::", 0, false },
};

static uint64_t expect_drops(struct bench_backend *backend, const char *program, int drop, int pass)
{
	uint64_t packets[2] = { 0 }, bytes[2] = { 0 }, got_packets, got_bytes;

	for (size_t i = 0; i < sizeof(drop_cases) / sizeof(drop_cases[0]); i++) {
		const struct drop_case *c = &drop_cases[i];
		struct bench_frame frame = bench_frame(c->source, c->tags);
		int repeat = 3 + (int)i, verdict = bench_send(program, &frame, repeat);
		bool v6 = strchr(c->source, ':') != NULL;

		cr_expect_eq(verdict, c->dropped ? drop : pass, "%s, %s: %d", program, c->name,
			     verdict);
		if (!c->dropped)
			continue;
		packets[v6] += (uint64_t)repeat;
		bytes[v6] += (uint64_t)repeat * frame.size;
	}
	cr_assert(bench_hits(backend, "192.0.2.1", 32, &got_packets, &got_bytes));
	cr_expect_eq(got_packets, packets[0]);
	cr_expect_eq(got_bytes, bytes[0], "%llu of %llu", (unsigned long long)got_bytes,
		     (unsigned long long)bytes[0]);
	cr_assert(bench_hits(backend, "2001:db8:1:2::", 64, &got_packets, &got_bytes));
	cr_expect_eq(got_packets, packets[1]);
	cr_expect_eq(got_bytes, bytes[1]);
	return packets[0] + packets[1];
}

static void add_drop_rules(struct bench_backend *backend)
{
	cr_assert_eq(bench_add(backend, "192.0.2.1", 32), 0);
	cr_assert_eq(bench_add(backend, "2001:db8:1:2::", 64), 0);
}

Test(emu_card, drops_exactly_what_matches)
{
	struct bench_backend backend;
	char output[4096], expected[64];
	uint64_t total;

	ENTER();
	create("16");
	backend = open_backend();
	add_drop_rules(&backend);
	total = expect_drops(&backend, XDP_PIN, XDP_DROP, XDP_PASS);
	/* Counters start at 0 again with a rule that is added anew. */
	cr_assert_eq(backend.ops->flush(backend.self, &backend.err), 0);
	add_drop_rules(&backend);
	total += expect_drops(&backend, TC_PIN, TC_ACT_SHOT, TC_ACT_UNSPEC);

	/* The card's own total has what deleted rules dropped, too. */
	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "show", "--pin", BENCH_CARD, "--json"), 0);
	snprintf(expected, sizeof(expected), "\"dropped_packets\": %llu,",
		 (unsigned long long)total);
	cr_expect_not_null(strstr(output, expected), "no %s in %s", expected, output);
	cr_expect_not_null(strstr(output, "\"source\": \"2001:db8:1:2::/64\""), "%s", output);
	cr_expect_not_null(strstr(output, "\"emulated\": true"));
	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "show", "--pin", BENCH_CARD), 0);
	cr_expect_not_null(strstr(output, "rules     2 of 16"), "%s", output);
	bench_close(&backend);
}

/* Cut at every length: never a crash, and a drop only once the whole IP header is there. */
Test(emu_card, frames_cut_short)
{
	struct bench_backend backend;
	static const struct {
		const char *source;
		unsigned int tags;
		uint32_t headers;
	} cases[] = { { "192.0.2.1", 0, 34 },
		      { "192.0.2.1", 2, 42 },
		      { "2001:db8:1:2::1", 0, 54 },
		      { "2001:db8:1:2::1", 2, 62 } };

	ENTER();
	create("16");
	backend = open_backend();
	add_drop_rules(&backend);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bench_frame frame = bench_frame(cases[i].source, cases[i].tags);

		for (uint32_t size = frame.size; size >= 14; size--) {
			frame.size = size;
			cr_assert_eq(bench_send(XDP_PIN, &frame, 1),
				     size >= cases[i].headers ? XDP_DROP : XDP_PASS,
				     "case %zu, %u bytes", i, size);
		}
	}
	bench_close(&backend);
}

Test(emu_card, without_counters)
{
	struct sluice_config ignore = config;
	struct bench_frame frame;
	struct bench_backend backend;
	uint64_t packets, bytes;
	char output[2048];

	ENTER();
	frame = bench_frame("192.0.2.1", 0);
	/* A card that has them, and a back end told not to look. */
	create("4");
	ignore.counters = false;
	cr_assert_eq(bench_open(&backend, &ignore), 0);
	cr_expect_not(backend.caps.counters);
	bench_close(&backend);
	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "destroy", "--pin", BENCH_CARD), 0, "%s",
		     output);

	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "create", "--pin", BENCH_CARD,
				"--no-counters", "--v6-prefix", "128"),
		     0, "%s", output);
	backend = open_backend();
	cr_expect_not(backend.caps.counters);
	cr_expect(backend.caps.matches & SLUICE_BACKEND_MATCH_IPV6);
	cr_assert_eq(bench_add(&backend, "192.0.2.1", 32), 0);
	cr_assert_eq(bench_add(&backend, "2001:db8::1", 128), 0);
	cr_expect_eq(bench_send(XDP_PIN, &frame, 10), XDP_DROP);
	frame = bench_frame("2001:db8::1", 0);
	cr_expect_eq(bench_send(XDP_PIN, &frame, 1), XDP_DROP);
	frame = bench_frame("2001:db8::2", 0);
	cr_expect_eq(bench_send(XDP_PIN, &frame, 1), XDP_PASS);
	cr_assert(bench_hits(&backend, "192.0.2.1", 32, &packets, &bytes));
	cr_expect_eq(packets, 0);
	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "show", "--pin", BENCH_CARD, "--json"), 0);
	cr_expect_not_null(strstr(output, "\"dropped_packets\": 11,"), "%s", output);
	cr_expect_null(strstr(output, "\"packets\""), "no figure that nobody counted: %s", output);
	bench_close(&backend);
}

Test(emu_card, survives_its_user)
{
	struct bench_frame frame;
	struct bench_backend backend;
	uint64_t packets, bytes;

	ENTER();
	frame = bench_frame("192.0.2.1", 0);
	create("4");
	backend = open_backend();
	cr_assert_eq(bench_add(&backend, "192.0.2.1", 32), 0);
	bench_close(&backend);
	cr_expect_eq(bench_send(XDP_PIN, &frame, 5), XDP_DROP);
	backend = open_backend();
	cr_assert(bench_hits(&backend, "192.0.2.1", 32, &packets, &bytes));
	cr_expect_eq(packets, 5);
	bench_close(&backend);
}

Test(emu_card, works_with_the_capabilities_that_the_daemon_keeps)
{
	struct bench_backend backend;
	struct sluice_backend_rule rule;
	uint64_t packets, bytes;
	size_t n;

	ENTER();
	create("4");
	capng_clear(CAPNG_SELECT_BOTH);
	capng_updatev(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED, CAP_BPF, CAP_NET_ADMIN,
		      CAP_PERFMON, -1);
	cr_assert_eq(capng_apply(CAPNG_SELECT_BOTH), 0);
	backend = open_backend();
	cr_expect_eq(bench_add(&backend, "192.0.2.1", 32), 0);
	cr_expect_eq(bench_add(&backend, "192.0.2.2", 32), 0);
	cr_expect_eq(bench_del(&backend, "192.0.2.2", 32), 0);
	cr_expect(bench_hits(&backend, "192.0.2.1", 32, &packets, &bytes));
	cr_expect_eq(backend.ops->list(backend.self, &rule, 1, &n, &backend.err), 0);
	cr_expect_eq(backend.ops->flush(backend.self, &backend.err), 0);
	bench_close(&backend);
}

Test(emu_card, a_card_that_is_destroyed_and_made_anew)
{
	struct bench_backend backend;
	struct sluice_backend_rule rules[4];
	char output[1024];
	size_t n;

	ENTER();
	create("4");
	backend = open_backend();
	cr_assert_eq(bench_add(&backend, "192.0.2.1", 32), 0);
	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "destroy", "--pin", BENCH_CARD), 0);
	cr_expect_eq(bench_add(&backend, "192.0.2.2", 32), -ENODEV);
	cr_expect_not_null(strstr(backend.err.text, "destroyed"), "%s", backend.err.text);
	cr_expect_eq(bench_del(&backend, "192.0.2.1", 32), -ENODEV);
	cr_expect_eq(backend.ops->list(backend.self, rules, 4, &n, &backend.err), -ENODEV);
	cr_expect_eq(backend.ops->flush(backend.self, &backend.err), -ENODEV);

	create("8");
	cr_expect_eq(bench_add(&backend, "192.0.2.2", 32), -ENODEV, "not before list()");
	cr_assert_eq(backend.ops->list(backend.self, rules, 4, &n, &backend.err), 0);
	cr_expect_eq(n, 0);
	cr_expect_eq(bench_add(&backend, "192.0.2.2", 32), 0);

	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "destroy", "--pin", BENCH_CARD), 0);
	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "create", "--pin", BENCH_CARD,
				"--no-counters"),
		     0);
	cr_expect_eq(backend.ops->list(backend.self, rules, 4, &n, &backend.err), -ENODEV);
	cr_expect_not_null(strstr(backend.err.text, "restart sluiced"), "%s", backend.err.text);
	bench_close(&backend);
}

static void expect_refused(int rc, const char *words)
{
	struct bench_backend backend;

	cr_expect_eq(bench_open(&backend, &config), rc);
	cr_expect_not_null(strstr(backend.err.text, words), "no '%s' in '%s'", words,
			   backend.err.text);
}

/* Puts another map in the place of a pinned one. */
static void replace_pin(const char *path, enum bpf_map_type type, __u32 key_size, __u32 value_size,
			__u32 max_entries, __u32 flags, const void *value)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = flags);
	__u32 zero = 0;
	int fd = bpf_map_create(type, "other", key_size, value_size, max_entries, &options);

	cr_assert_geq(fd, 0);
	if (value)
		cr_assert_eq(bpf_map_update_elem(fd, &zero, value, BPF_ANY), 0);
	unlink(path);
	cr_assert_eq(bpf_obj_pin(fd, path), 0);
	close(fd);
}

struct foreign_map {
	const char *name;
	enum bpf_map_type type;
	__u32 key_size, value_size, max_entries, flags;
};

/* In the place of those of a card of 4 rules. */
static const struct foreign_map foreign_maps[] = {
	{ "buckets", BPF_MAP_TYPE_ARRAY, 4, 4096, 2, BPF_F_MMAPABLE },
	{ "buckets", BPF_MAP_TYPE_ARRAY, 4, 64, 2, BPF_F_MMAPABLE },
	{ "buckets", BPF_MAP_TYPE_ARRAY, 4, 128, 1, BPF_F_MMAPABLE },
	{ "buckets", BPF_MAP_TYPE_ARRAY, 4, 128, 3, BPF_F_MMAPABLE },
	{ "buckets", BPF_MAP_TYPE_ARRAY, 4, 128, 2, 0 },
	{ "buckets", BPF_MAP_TYPE_HASH, 4, 128, 2, 0 },
	{ "hash", BPF_MAP_TYPE_HASH, 20, 4096, 4, 0 },
	{ "hash", BPF_MAP_TYPE_HASH, 16, 16, 4, 0 },
	{ "hash", BPF_MAP_TYPE_LRU_HASH, 20, 16, 4, 0 },
	{ "hash", BPF_MAP_TYPE_HASH, 20, 16, 5, 0 },
	{ "totals", BPF_MAP_TYPE_ARRAY, 4, 64, 4096, BPF_F_MMAPABLE },
	{ "totals", BPF_MAP_TYPE_PERCPU_ARRAY, 4, 16, 1, 0 },
	{ "card", BPF_MAP_TYPE_ARRAY, 4, 8, 1, 0 },
};

Test(emu_card, pinned_maps_are_not_trusted)
{
	ENTER();
	for (size_t i = 0; i < sizeof(foreign_maps) / sizeof(foreign_maps[0]); i++) {
		const struct foreign_map *map = &foreign_maps[i];
		char path[128], words[128];

		create("4");
		snprintf(path, sizeof(path), BENCH_CARD "/%s", map->name);
		snprintf(words, sizeof(words), "'%s' is not what sluice-emu-card pins", map->name);
		replace_pin(path, map->type, map->key_size, map->value_size, map->max_entries,
			    map->flags, NULL);
		expect_refused(-EPROTO, words);
		/* And even that can be cleared away. */
		cr_expect_eq(BENCH_TOOL(NULL, 0, "destroy", "--pin", BENCH_CARD), 0);
		cr_expect_eq(access(BENCH_CARD, F_OK), -1);
	}
}

Test(emu_card, pinned_state_is_not_trusted)
{
	struct emu_card_info info = { .magic = 1 };

	ENTER();
	create("4");
	unlink(BENCH_CARD "/hash");
	cr_assert_eq(bpf_obj_pin(bpf_obj_get(XDP_PIN), BENCH_CARD "/hash"), 0);
	expect_refused(-EPROTO, "'hash'");
	unlink(BENCH_CARD "/hash");
	expect_refused(-ENOENT, "no 'hash' in it");
	unlink(BENCH_CARD "/totals");
	expect_refused(-ENOENT, "no 'totals' in it");
	unlink(BENCH_CARD "/buckets");
	expect_refused(-ENOENT, "no 'buckets' in it");
	replace_pin(BENCH_CARD "/card", BPF_MAP_TYPE_ARRAY, 4, sizeof(info), 1, 0, &info);
	expect_refused(-EPROTO, "not an emulated card's description");
	cr_expect_eq(BENCH_TOOL(NULL, 0, "destroy", "--pin", BENCH_CARD), 0);
	cr_expect_eq(access(BENCH_CARD, F_OK), -1);
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

Test(emu_card, an_emulated_cost_is_really_spent)
{
	struct sluice_config slow = config;
	struct bench_backend backend;
	uint64_t start_ns;

	ENTER();
	create("16");
	slow.update_cost_ns = 2000000;
	cr_assert_eq(bench_open(&backend, &slow), 0);
	cr_expect_geq(backend.caps.update_p50_ns, 2000000);
	start_ns = now_ns();
	for (int i = 1; i <= 5; i++) {
		char text[32];

		snprintf(text, sizeof(text), "192.0.2.%d", i);
		cr_expect_eq(bench_add(&backend, text, 32), 0);
		cr_expect_eq(bench_del(&backend, text, 32), 0);
	}
	cr_expect_geq(now_ns() - start_ns, 20000000);
	bench_close(&backend);
}

/* What this process sends through `lo`, whose egress the card filters. */
Test(emu_card, filters_what_a_stack_sends)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP };
	struct bench_backend backend;
	uint64_t packets, bytes;
	char output[2048];
	int fd;

	ENTER();
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	cr_assert_eq(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "create", "--pin", BENCH_CARD,
				"--interface", "lo"),
		     0, "%s", output);
	backend = open_backend();
	(void)!sendto(fd, "before", 6, 0, (struct sockaddr *)&to, sizeof(to));
	cr_assert_eq(bench_add(&backend, "127.0.0.1", 32), 0);
	for (int i = 0; i < 7; i++)
		(void)!sendto(fd, "during", 6, 0, (struct sockaddr *)&to, sizeof(to));
	cr_assert(bench_hits(&backend, "127.0.0.1", 32, &packets, &bytes));
	cr_expect_eq(packets, 7);
	cr_expect_eq(bytes, 7 * (14 + 20 + 8 + 6));
	bench_close(&backend);

	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "create", "--pin", "/sys/fs/bpf/card1",
				"--interface", "lo"),
		     1);
	cr_expect_not_null(strstr(output, "another filter"), "%s", output);
	cr_expect_eq(access("/sys/fs/bpf/card1", F_OK), -1, "nothing is left behind");
	cr_assert_eq(BENCH_TOOL(output, sizeof(output), "destroy", "--pin", BENCH_CARD), 0);
	cr_expect_str_empty(output);
	cr_expect_eq(sendto(fd, "after", 5, 0, (struct sockaddr *)&to, sizeof(to)), 5);
	close(fd);
}

/* A program that sends every frame to the first entry of a device map. */
static int redirect_program(int map_fd)
{
	struct bpf_insn instructions[] = {
		{ .code = BPF_LD | BPF_DW | BPF_IMM,
		  .dst_reg = BPF_REG_1,
		  .src_reg = BPF_PSEUDO_MAP_FD,
		  .imm = map_fd },
		{ .code = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_2, .imm = 0 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_3, .imm = 0 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_redirect_map },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "redirect", "GPL", instructions, 6, NULL);
}

static int drop_program(void)
{
	struct bpf_insn instructions[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_DROP },
		{ .code = BPF_JMP | BPF_EXIT },
	};

	return bpf_prog_load(BPF_PROG_TYPE_XDP, "drop", "GPL", instructions, 2, NULL);
}

static int send_live(int program_fd, const struct bench_frame *frame, int repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = frame->size, .repeat = repeat,
		    .flags = BPF_F_TEST_XDP_LIVE_FRAMES);

	return bpf_prog_test_run_opts(program_fd, &options);
}

/* The way of the generator's frames: a device map entry with the card's egress program. */
Test(emu_card, filters_redirected_frames)
{
	struct bpf_devmap_val entry = { 0 };
	struct bench_frame blocked, other;
	struct bench_backend backend;
	uint64_t packets, bytes;
	__u32 zero = 0;
	int map_fd, redirect_fd, drop_fd;

	ENTER();
	cr_assert_eq(bench_run((const char *const[]){ "ip", "link", "add", "wire0", "type", "veth",
						      "peer", "name", "host0", NULL }),
		     0);
	cr_assert_eq(bench_run((const char *const[]){ "ip", "link", "set", "wire0", "up", NULL }),
		     0);
	cr_assert_eq(bench_run((const char *const[]){ "ip", "link", "set", "host0", "up", NULL }),
		     0);
	create("4");
	backend = open_backend();
	cr_assert_eq(bench_add(&backend, "192.0.2.1", 32), 0);

	drop_fd = drop_program();
	cr_assert_geq(drop_fd, 0);
	cr_assert_eq(bpf_xdp_attach((int)if_nametoindex("host0"), drop_fd, 0, NULL), 0);
	map_fd = bpf_map_create(BPF_MAP_TYPE_DEVMAP, "tx", 4, sizeof(entry), 1, NULL);
	cr_assert_geq(map_fd, 0);
	entry.ifindex = if_nametoindex("wire0");
	entry.bpf_prog.fd = bpf_obj_get(BENCH_CARD "/egress");
	cr_assert_geq(entry.bpf_prog.fd, 0);
	cr_assert_eq(bpf_map_update_elem(map_fd, &zero, &entry, BPF_ANY), 0);
	redirect_fd = redirect_program(map_fd);
	cr_assert_geq(redirect_fd, 0);

	blocked = bench_frame("192.0.2.1", 0);
	other = bench_frame("192.0.2.2", 0);
	cr_assert_eq(send_live(redirect_fd, &blocked, 1000), 0);
	cr_assert_eq(send_live(redirect_fd, &other, 500), 0);
	cr_assert(bench_hits(&backend, "192.0.2.1", 32, &packets, &bytes));
	cr_expect_eq(packets, 1000);
	cr_expect_eq(bytes, 1000ull * blocked.size);
	bench_close(&backend);
}

Test(emu_card, the_tool_explains_its_refusals)
{
	static const struct {
		const char *arguments[8];
		int code;
		const char *words;
	} cases[] = {
		{ { "--help" }, 0, "It is an emulation" },
		{ { "create", "--help" }, 0, "Usage: sluice-emu-card create" },
		{ { "make" }, 2, "unknown command 'make'" },
		{ { "create" }, 2, "--pin DIR is missing" },
		{ { "create", "--pin", BENCH_CARD, "--capacity", "0" }, 2, "1 to 1048576" },
		{ { "create", "--pin", BENCH_CARD, "--capacity", "1k" }, 2, "not '1k'" },
		{ { "create", "--pin", BENCH_CARD, "--v6-prefix", "129" }, 2, "1 to 128" },
		{ { "create", "--pin", BENCH_CARD, "--json" }, 2, "not for command 'create'" },
		{ { "show", "--pin", BENCH_CARD, "--capacity", "4" }, 2, "not for command 'show'" },
		{ { "create", "--pin", BENCH_CARD, "more" }, 2, "unexpected argument 'more'" },
		{ { "create", "--pin", "/tmp/card0" }, 1, "not in a BPF file system" },
		{ { "create", "--pin", "/sys/fs/bpf/a/b" }, 1, "no such folder" },
		{ { "create", "--pin", BENCH_CARD, "--interface", "nope" }, 1, "interface 'nope'" },
		{ { "show", "--pin", BENCH_CARD }, 1, "make a card" },
		{ { "destroy", "--pin", BENCH_CARD }, 1, "no such folder" },
	};

	ENTER();
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *argv[10] = { EMU_CARD_TOOL };
		char output[8192];

		memcpy(argv + 1, cases[i].arguments, sizeof(cases[i].arguments));
		cr_expect_eq(bench_tool(output, sizeof(output), argv), cases[i].code, "case %zu",
			     i);
		cr_expect_not_null(strstr(output, cases[i].words), "case %zu: %s", i, output);
		cr_expect_eq(access(BENCH_CARD, F_OK), -1, "case %zu left a card", i);
	}
	create("4");
	cr_expect_eq(BENCH_TOOL(NULL, 0, "create", "--pin", BENCH_CARD), 1, "no second one");
	/* What others put there is not the card's to remove. */
	cr_assert_eq(mkdir(BENCH_CARD "/other", 0700), 0);
	cr_expect_eq(BENCH_TOOL(NULL, 0, "destroy", "--pin", BENCH_CARD), 1);
	cr_expect_eq(access(BENCH_CARD "/other", F_OK), 0);
}
