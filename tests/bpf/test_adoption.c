// SPDX-License-Identifier: BSD-2-Clause
/* A new daemon on what an old one pinned: the same state, or a refusal that changes nothing. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>

#include "plane.h"
#include "support/random.h"

enum {
	N_V4 = 10000,
	N_V6 = 5000,
	N_ALL = N_V4 + N_V6,
};

static struct sluice_key key_of(uint32_t n)
{
	if (n < N_V4)
		return (struct sluice_key){
			SLUICE_FAMILY_IPV4, 32, { 0 }, { 10, 2, (uint8_t)(n >> 8), (uint8_t)n }
		};
	n -= N_V4;
	return (struct sluice_key){ SLUICE_FAMILY_IPV6,
				    64,
				    { 0 },
				    { 0x20, 1, 0xd, 0xb8, 0, 1, (uint8_t)(n >> 8), (uint8_t)n } };
}

struct state {
	struct dataplane_block_record *records; /* By slot. */
	uint32_t n_records, n_prefixes;
};

static void note_block(void *ctx, dataplane_slot slot, const struct dataplane_block_record *record)
{
	struct state *state = ctx;

	cr_assert_lt(slot, 20000);
	state->records[slot] = *record;
	state->n_records++;
}

static void note_prefix(void *ctx, const struct sluice_key *prefix, uint64_t expires_ns)
{
	struct state *state = ctx;
	struct sluice_key known[] = { plane_key("192.0.2.0/24"), plane_key("172.16.0.0/12"),
				      plane_key("2001:db8:bad::/48") };
	bool found = false;

	for (int i = 0; i < 3; i++)
		found |= memcmp(prefix, &known[i], sizeof(*prefix)) == 0 &&
			 expires_ns == 1000 + (uint64_t)i;
	cr_assert(found);
	state->n_prefixes++;
}

static struct state state_of(const struct plane *plane)
{
	struct state state = { .records = calloc(20000, sizeof(*state.records)) };

	cr_assert_not_null(state.records);
	plane->dp->ops->block_foreach(plane->dp, note_block, &state);
	cr_assert_eq(plane->dp->ops->prefix_foreach(plane->dp, note_prefix, &state, NULL), 0);
	return state;
}

static void block_all(const struct plane *plane)
{
	struct sluice_key prefixes[] = { plane_key("192.0.2.0/24"), plane_key("172.16.0.0/12"),
					 plane_key("2001:db8:bad::/48") };

	for (uint32_t n = 0; n < N_ALL; n++) {
		struct sluice_key key = key_of(n);
		struct dataplane_block_record record =
			plane_record(&key, n % 5 ? 0 : DATAPLANE_BLOCK_MANUAL);
		dataplane_slot slot;

		record.pps = n;
		cr_assert_eq(plane->dp->ops->block(plane->dp, &record, &slot, NULL), 0, "%u", n);
	}
	for (int i = 0; i < 3; i++)
		cr_assert_eq(plane->dp->ops->prefix_set(plane->dp, &prefixes[i], 1000 + (uint64_t)i,
							NULL),
			     0);
}

static uint32_t verdict_on(const struct plane *plane, const struct sluice_key *key)
{
	struct frame_recipe recipe = { .family = key->family, .protocol = 17 };
	static struct frame frame;

	frame_build(&frame, &recipe, key->addr);
	return plane_run(plane, &frame, 1);
}

static uint32_t verdict_on_text(const struct plane *plane, const char *text)
{
	struct sluice_key key = plane_key(text);

	return verdict_on(plane, &key);
}

static void check_all_blocked(const struct plane *plane)
{
	for (uint32_t n = 0; n < N_ALL; n++) {
		struct sluice_key key = key_of(n);

		cr_assert_eq(verdict_on(plane, &key), XDP_DROP, "source %u", n);
	}
	cr_assert_eq(verdict_on_text(plane, "192.0.2.9"), XDP_DROP);
	cr_assert_eq(verdict_on_text(plane, "172.31.255.255"), XDP_DROP);
	cr_assert_eq(verdict_on_text(plane, "2001:db8:bad::9"), XDP_DROP);
	cr_assert_eq(verdict_on_text(plane, "198.51.100.1"), XDP_PASS);
	cr_assert_eq(verdict_on_text(plane, "2001:db8:2::1"), XDP_PASS);
}

static struct dataplane_live_options large_options(void)
{
	struct dataplane_live_options options = plane_options();

	options.max_blocked = 20000;
	return options;
}

TestSuite(adoption, .init = plane_isolate);

Test(adoption, takes_over_the_same_state)
{
	struct dataplane_live_options options = large_options();
	struct plane plane = plane_open(&options);

	cr_assert_not(plane.dp->adopted);
	cr_assert_eq(plane.dp->occupancy.blocked_capacity, 20000);
	block_all(&plane);
	cr_assert_eq(plane.dp->occupancy.blocked_v4, N_V4);
	cr_assert_eq(plane.dp->occupancy.blocked_v6, N_V6);
	check_all_blocked(&plane);

	struct state before = state_of(&plane);
	struct dataplane_counters counted = plane_counters(&plane);

	plane_close(&plane);
	options.max_blocked = 50; /* The pinned tables are what they are. */
	plane = plane_open(&options);
	cr_assert(plane.dp->adopted);
	cr_assert_eq(plane.header->generation, 2);
	cr_assert_eq(plane.dp->occupancy.blocked_capacity, 20000);
	cr_assert_eq(plane.dp->occupancy.blocked_v4, N_V4);
	cr_assert_eq(plane.dp->occupancy.blocked_v6, N_V6);

	struct state after = state_of(&plane);
	struct dataplane_counters still = plane_counters(&plane);

	cr_assert_eq(before.n_records, N_ALL);
	cr_assert_eq(after.n_records, N_ALL);
	cr_assert_eq(before.n_prefixes, 3);
	cr_assert_eq(after.n_prefixes, 3);
	cr_assert_eq(memcmp(before.records, after.records, 20000 * sizeof(*before.records)), 0);
	cr_assert_eq(memcmp(&counted, &still, sizeof(counted)), 0, "counters begin anew");
	for (dataplane_slot slot = 0; slot < N_ALL; slot += 97)
		cr_assert_eq(plane.dp->ops->block_packets(plane.dp, slot), 1);
	check_all_blocked(&plane);
	for (dataplane_slot slot = 0; slot < N_ALL; slot++)
		plane.dp->ops->unblock(plane.dp, slot);
	for (uint32_t n = 0; n < N_ALL; n++) {
		struct sluice_key key = key_of(n);

		cr_assert_eq(verdict_on(&plane, &key), XDP_PASS, "source %u", n);
	}
	plane_close(&plane);
}

/* Between two daemons, and while the second loads, the filter goes on. */
Test(adoption, filter_outlives_the_daemon)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct plane orphan = plane;

	(void)plane_block(&plane, "203.0.113.1", 0);
	orphan.filter_fd = dup(plane.filter_fd);
	plane_close(&plane);
	cr_assert_eq(verdict_on_text(&orphan, "203.0.113.1"), XDP_DROP);
	cr_assert_eq(verdict_on_text(&orphan, "203.0.113.2"), XDP_PASS);
	plane = plane_open(&options);
	/* The old program shares the tables of the new. */
	(void)plane_block(&plane, "203.0.113.2", 0);
	cr_assert_eq(verdict_on_text(&orphan, "203.0.113.2"), XDP_DROP);
	struct dataplane_counters counters = plane_counters(&plane);

	cr_assert_eq(counters.reason[DATAPLANE_REASON_NO_FEATURES].packets, 0);
	close(orphan.filter_fd);
	plane_close(&plane);
}

static void *map_pinned(const char *name, size_t *size)
{
	char path[256];
	struct bpf_map_info info = { 0 };
	uint32_t info_size = sizeof(info);

	snprintf(path, sizeof(path), PLANE_FOLDER "/%s", name);
	int fd = bpf_obj_get(path);

	cr_assert_geq(fd, 0, "%s: %s", name, strerror(errno));
	cr_assert_eq(bpf_obj_get_info_by_fd(fd, &info, &info_size), 0);
	*size = (size_t)info.max_entries * info.value_size;
	void *memory = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	close(fd);
	cr_assert_neq(memory, MAP_FAILED, "%s", name);
	return memory;
}

static void flip(struct random *random, const char *name, uint32_t n)
{
	size_t size;
	uint8_t *memory = map_pinned(name, &size);

	for (; n > 0; n--) {
		uint64_t bit = random_below(random, size * 8);

		memory[bit / 8] ^= (uint8_t)(1u << bit % 8);
	}
	munmap(memory, size);
}

/* The pure table has thousands of such rounds (tests/unit/dataplane); here it is the real maps. */
Test(adoption, survives_flipped_bits)
{
	const uint64_t seed = 71;
	struct random random = { seed };
	struct dataplane_live_options options = plane_options();

	for (int round = 0; round < 12; round++) {
		struct plane plane = plane_open(&options);

		for (uint32_t n = 0; n < 300; n++) {
			struct sluice_key key = key_of(n % 2 ? n : N_V4 + n);
			struct dataplane_block_record record = plane_record(&key, 0);
			dataplane_slot slot;
			int code = plane.dp->ops->block(plane.dp, &record, &slot, NULL);

			cr_assert(code == 0 || code == -EEXIST, "seed %lu: %d", seed, code);
		}
		plane_close(&plane);
		flip(&random, "sluice_records", 1u << round);
		flip(&random, "sluice_block4", 1u << round);
		flip(&random, "sluice_block6", 1u << round);
		plane = plane_open(&options);
		cr_assert(plane.dp->adopted);
		struct state state = state_of(&plane);

		cr_assert_eq(state.n_records,
			     plane.dp->occupancy.blocked_v4 + plane.dp->occupancy.blocked_v6);
		for (dataplane_slot slot = 0; slot < options.max_blocked; slot++)
			if (state.records[slot].key.family)
				cr_assert_eq(verdict_on(&plane, &state.records[slot].key), XDP_DROP,
					     "seed %lu, round %d, slot %u", seed, round, slot);
		/* No key without a record: all unblocked, nothing is dropped any more. */
		for (dataplane_slot slot = 0; slot < options.max_blocked; slot++)
			plane.dp->ops->unblock(plane.dp, slot);
		for (uint32_t n = 0; n < 600; n++) {
			struct sluice_key key = key_of(n % 2 ? n : N_V4 + n);

			cr_assert_eq(verdict_on(&plane, &key), XDP_PASS);
		}
		free(state.records);
		plane_close(&plane);
	}
}

/* A word of the header, and what stands there instead. */
struct damage {
	const char *what;
	size_t offset;
	uint32_t value;
};

#define AT(member) offsetof(struct sluice_header, member)

static const struct damage damages[] = {
	{ "magic", AT(magic), 0x12345678 },
	{ "magic, one bit", AT(magic), SLUICE_HEADER_MAGIC ^ 1 },
	{ "layout of the future", AT(layout), SLUICE_LAYOUT + 1 },
	{ "layout 0", AT(layout), 0 },
	{ "another number of CPUs", AT(n_cpus), 4097 },
	{ "no CPUs", AT(n_cpus), 0 },
	{ "unit 0", AT(v6_prefix_len), 0 },
	{ "unit 129", AT(v6_prefix_len), 129 },
	{ "another unit", AT(v6_prefix_len), 56 },
	{ "no room", AT(max_blocked), 0 },
	{ "one more record", AT(max_blocked), 1001 },
	{ "far too many records", AT(max_blocked), 0xffffffff },
	{ "no buckets", AT(block4_buckets), 0 },
	{ "more buckets than the map has", AT(block4_buckets), 1u << 13 },
	{ "buckets not a power of two", AT(block4_buckets), 5000 },
	{ "fewer buckets than a table may have", AT(block4_buckets), 1u << 11 },
	{ "far too many buckets", AT(block4_buckets), 0xffffffff },
	{ "more v6 buckets than the map has", AT(block6_buckets), 1u << 13 },
	{ "far too many v6 buckets", AT(block6_buckets), 0xffffffff },
};

Test(adoption, refuses_a_header_that_is_not_ours)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct plane orphan = plane;
	size_t size;
	uint8_t *page = map_pinned("sluice_header", &size);
	static uint8_t sound[SLUICE_HEADER_SIZE];

	(void)plane_block(&plane, "203.0.113.1", 0);
	orphan.filter_fd = dup(plane.filter_fd);
	plane_close(&plane);
	memcpy(sound, page, sizeof(sound));
	for (size_t i = 0; i < sizeof(damages) / sizeof(damages[0]); i++) {
		const struct damage *damage = &damages[i];
		struct dataplane *dp = NULL;
		struct sluice_err err = { 0 };

		memcpy(page + damage->offset, &damage->value, sizeof(damage->value));
		int code = dataplane_live_open(&options, &dp, &err);

		cr_expect_eq(code, -EPROTO, "%s: %d: %s", damage->what, code, err.text);
		cr_expect_neq(err.text[0], '\0', "%s: no reason given", damage->what);
		cr_expect_null(dp);
		/* The refused daemon has left the running filter alone. */
		cr_expect_eq(access(PLANE_FOLDER "/sluice_filter", F_OK), 0, "%s", damage->what);
		memcpy(page, sound, sizeof(sound));
		cr_expect_eq(verdict_on_text(&orphan, "203.0.113.1"), XDP_DROP, "%s", damage->what);
		cr_expect_eq(verdict_on_text(&orphan, "203.0.113.2"), XDP_PASS, "%s", damage->what);
	}
	plane = plane_open(&options);
	cr_assert(plane.dp->adopted);
	cr_assert_eq(plane.dp->occupancy.blocked_v4, 1);
	close(orphan.filter_fd);
	plane_close(&plane);
}

/* Words of the header that must not lead anywhere they should not. */
Test(adoption, survives_a_header_with_wild_numbers)
{
	const uint64_t seed = 72;
	struct random random = { seed };
	struct dataplane_live_options options = plane_options();

	for (int round = 0; round < 10; round++) {
		struct plane plane = plane_open(&options);

		(void)plane_block(&plane, "203.0.113.1", 0);
		plane.header->side = (uint32_t)random_next(&random);
		plane.header->epoch[0] = (uint32_t)random_next(&random);
		plane.header->epoch[1] = UINT32_MAX;
		plane.header->generation = random_next(&random);
		plane.header->flags |= (uint32_t)random_next(&random) << 8;
		for (size_t i = 0; i < sizeof(plane.header->detector); i++)
			((uint8_t *)plane.header->detector)[i] = (uint8_t)random_next(&random);
		plane_close(&plane);
		plane = plane_open(&options);
		cr_assert(plane.dp->adopted);
		struct state state = state_of(&plane);
		struct dataplane_swap swap;

		cr_assert_eq(state.n_records, 1);
		for (int i = 0; i < 4; i++)
			cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
		cr_assert_eq(verdict_on_text(&plane, "203.0.113.1"), XDP_DROP);
		plane_close(&plane);
		cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
		free(state.records);
	}
}

/* A daemon that died while it started: nothing of it holds a verdict. */
Test(adoption, begins_anew_on_torn_beginnings)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);

	(void)plane_block(&plane, "203.0.113.1", 0);
	plane.header->magic = 0;
	plane_close(&plane);
	plane = plane_open(&options);
	cr_assert_not(plane.dp->adopted);
	cr_assert_eq(plane.dp->occupancy.blocked_v4, 0);
	cr_assert_eq(verdict_on_text(&plane, "203.0.113.1"), XDP_PASS);
	plane_close(&plane);

	/* Some maps, no header. */
	cr_assert_eq(unlink(PLANE_FOLDER "/sluice_header"), 0);
	plane = plane_open(&options);
	cr_assert_not(plane.dp->adopted);
	plane_close(&plane);
}

Test(adoption, refuses_foreign_maps_under_our_names)
{
	static const char *const names[] = { "sluice_header", "sluice_records", "sluice_block4",
					     "sluice_stash6", "sluice_allow4",	"sluice_progs" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct dataplane_live_options options = plane_options();
		struct plane plane = plane_open(&options);
		struct dataplane *dp = NULL;
		struct sluice_err err = { 0 };
		char path[256];
		int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "foreign", 4, 8, 16, NULL);

		plane_close(&plane);
		snprintf(path, sizeof(path), PLANE_FOLDER "/%s", names[i]);
		cr_assert_eq(unlink(path), 0);
		cr_assert_eq(bpf_obj_pin(fd, path), 0);
		close(fd);
		int code = dataplane_live_open(&options, &dp, &err);

		cr_expect_eq(code, -EPROTO, "%s: %d: %s", names[i], code, err.text);
		cr_expect_neq(err.text[0], '\0');
		cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	}
}

Test(adoption, modes_follow_the_options)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);

	(void)plane_block(&plane, "203.0.113.1", 0);
	cr_assert_eq(verdict_on_text(&plane, "203.0.113.1"), XDP_DROP);
	plane_close(&plane);
	options.enforce = false;
	plane = plane_open(&options);
	cr_assert_eq(verdict_on_text(&plane, "203.0.113.1"), XDP_PASS);
	plane.dp->ops->enforce_set(plane.dp, true);
	cr_assert_eq(verdict_on_text(&plane, "203.0.113.1"), XDP_DROP);
	plane.dp->ops->enforce_set(plane.dp, false);
	cr_assert_eq(verdict_on_text(&plane, "203.0.113.1"), XDP_PASS);
	plane_close(&plane);
	options.enforce = true;
	plane = plane_open(&options);
	cr_assert_eq(verdict_on_text(&plane, "203.0.113.1"), XDP_DROP);
	plane_close(&plane);
}

Test(adoption, prefixes_and_allowed_can_change)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct sluice_key prefix = plane_key("192.0.2.0/24"), zero = plane_key("0.0.0.0/0");
	struct dataplane_allow allow = { plane_key("192.0.2.8/29"), false };
	struct sluice_key own = plane_key("192.0.2.8");
	struct sluice_err err = { 0 };

	cr_assert_eq(plane.dp->ops->prefix_set(plane.dp, &prefix, 0, NULL), 0);
	cr_assert_eq(plane.dp->ops->prefix_set(plane.dp, &prefix, 0, &err), 0, "a new expiry");
	cr_assert_eq(plane.dp->ops->prefix_set(plane.dp, &zero, 0, &err), -EINVAL);
	cr_assert_eq(plane.dp->ops->allow_set(plane.dp, &allow, 1, NULL), 0);
	cr_assert_eq(plane.dp->ops->own_set(plane.dp, &own, 1, NULL), 0);
	plane_close(&plane);
	plane = plane_open(&options);
	cr_assert_eq(verdict_on_text(&plane, "192.0.2.1"), XDP_DROP);
	cr_assert_eq(verdict_on_text(&plane, "192.0.2.9"), XDP_PASS);
	cr_assert_eq(verdict_on_text(&plane, "192.0.2.8"), XDP_DROP, "our own");
	cr_assert_eq(plane.dp->ops->own_set(plane.dp, NULL, 0, NULL), 0);
	cr_assert_eq(verdict_on_text(&plane, "192.0.2.8"), XDP_PASS);
	cr_assert_eq(plane.dp->ops->allow_set(plane.dp, NULL, 0, NULL), 0);
	cr_assert_eq(verdict_on_text(&plane, "192.0.2.9"), XDP_DROP);
	cr_assert_eq(plane.dp->ops->prefix_del(plane.dp, &prefix, NULL), 0);
	cr_assert_eq(plane.dp->ops->prefix_del(plane.dp, &prefix, &err), -ENOENT);
	cr_assert_not_null(strstr(err.text, "192.0.2.0/24"), "%s", err.text);
	cr_assert_eq(verdict_on_text(&plane, "192.0.2.1"), XDP_PASS);
	cr_assert_not(plane.header->flags & SLUICE_HEADER_HAS_PREFIXES);
	plane_close(&plane);
}

/* Nobody can learn which sources share a bucket: the key is drawn with the tables and kept with them. */
Test(adoption, each_state_has_a_hash_key_of_its_own)
{
	enum { N_STATES = 4 };
	struct dataplane_live_options options = plane_options();
	__u64 keys[N_STATES][2];

	for (int n = 0; n < N_STATES; n++) {
		struct plane plane = plane_open(&options);

		cr_assert_not(plane.dp->adopted);
		memcpy(keys[n], plane.header->hash_key, sizeof(keys[n]));
		cr_assert(keys[n][0] && keys[n][1], "half of the key is 0");
		for (int other = 0; other < n; other++)
			cr_assert(keys[n][0] != keys[other][0] && keys[n][1] != keys[other][1],
				  "states %d and %d", other, n);
		plane_close(&plane);
		plane = plane_open(&options);
		cr_assert(plane.dp->adopted);
		cr_assert_eq(memcmp(keys[n], plane.header->hash_key, sizeof(keys[n])), 0,
			     "the next daemon finds nothing where it looks");
		plane_close(&plane);
		cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	}
}
