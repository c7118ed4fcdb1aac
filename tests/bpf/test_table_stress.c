// SPDX-License-Identifier: BSD-2-Clause
/*
 * The blocklist under all CPUs and a writer at once: the filter's own look-up, in a program that runs
 * on each CPU without pause, against the daemon's own writer, which inserts and deletes without pause.
 * The sources share buckets, second buckets and stash.  What is blocked all the time is dropped by
 * every verdict and its hits are exactly those; what never was is dropped by none; what comes and
 * goes is never charged with more than it sent, and nothing with what another sent.
 *
 * The same with ways reused at once, without quarantine, must go wrong: else the test would prove
 * nothing.
 */
#include <criterion/criterion.h>

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "dataplane/blocklist_table.h"
#include "dataplane/grace.h"
#include "plane.h"
#include "support/crowd.h"
#include "support/random.h"
#include "table_stress_shared.h"

#include "table_stress.skel.h"

#define BITS SLUICE_BLOCK_MIN_BITS
#define BUCKETS (1u << BITS)
#define ALL_BUCKETS (BUCKETS + SLUICE_STASH_BUCKETS(BUCKETS))
#define MAX_SILENT 1024u
#define MAX_SOURCES (STRESS_KEYS + MAX_SILENT)

struct shape {
	bool v6;
	uint32_t width;	   /* Buckets that all sources crowd in. */
	uint32_t n_looked; /* Sources that are looked up; a power of two. */
	uint32_t n_silent; /* Blocked and unblocked like others, but they send nothing. */
	uint32_t batch;	   /* Insertions and deletions between two grace waits. */
	uint32_t delay;	   /* Of a reader between finding an entry and counting. */
	bool pursue;	   /* What was freed is taken at once by a source that sends nothing. */
	bool quarantine;
	uint64_t verdicts;		/* To be reached, */
	uint64_t enough;		/* or so many wrong charges, if not 0. */
	uint32_t operations_per_second; /* That the writer must manage at least. */
};

/* A source as the writer sees it. */
struct source {
	struct sluice_key key;
	uint32_t home;
	dataplane_slot slot;
	bool is_blocked;
	uint64_t hits; /* Over all the times that it was blocked. */
};

struct stress {
	const struct shape *shape;
	struct table_stress *skel;
	struct sluice_header *header;
	struct blocklist_memory memory;
	struct blocklist_table *table;
	struct grace *grace;
	struct source sources[MAX_SOURCES];
	uint64_t operations, refused;
	uint64_t silent_charged; /* Times that a source which sent nothing had hits. */
};

struct reader {
	pthread_t thread;
	const struct stress *stress;
	const bool *stop;
	int cpu, code;
};

/* What went wrong, each of which must be 0. */
struct errors {
	uint64_t passed_wrongly, dropped_wrongly;
	uint64_t present_differ; /* Sources whose hits are not the verdicts on them. */
	uint64_t overcharged;	 /* Sources with more hits than drops. */
	uint64_t silent_charged;
};

static void *map_memory(const struct bpf_map *map)
{
	size_t size = (size_t)bpf_map__max_entries(map) * bpf_map__value_size(map);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *memory = mmap(NULL, (size + page - 1) / page * page, PROT_READ | PROT_WRITE,
			    MAP_SHARED, bpf_map__fd(map), 0);

	cr_assert_neq(memory, MAP_FAILED, "%s", bpf_map__name(map));
	return memory;
}

static void load(struct stress *stress)
{
	struct table_stress *skel = table_stress__open();

	cr_assert_not_null(skel);
	skel->rodata->v6 = stress->shape->v6;
	skel->rodata->key_mask = stress->shape->n_looked - 1;
	skel->rodata->delay_calls = stress->shape->delay;
	skel->rodata->block4_bits = skel->rodata->block6_bits = BITS;
	struct {
		struct bpf_map *map;
		uint32_t max_entries;
	} const maps[] = {
		{ skel->maps.sluice_block4, ALL_BUCKETS },
		{ skel->maps.sluice_block6, ALL_BUCKETS },
		{ skel->maps.sluice_carry4, ALL_BUCKETS },
		{ skel->maps.sluice_carry6, ALL_BUCKETS },
		{ skel->maps.sluice_stash4, (ALL_BUCKETS - BUCKETS) * SLUICE_BLOCK_WAYS },
		{ skel->maps.sluice_stash6, (ALL_BUCKETS - BUCKETS) * SLUICE_BLOCK_WAYS },
	};

	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		cr_assert_eq(bpf_map__set_max_entries(maps[i].map, maps[i].max_entries), 0);
	cr_assert_eq(table_stress__load(skel), 0);
	stress->skel = skel;
}

/* The tables as the daemon has them, in the maps of the stress program. */
static void open_table(struct stress *stress, struct random *random)
{
	const struct table_stress *skel = stress->skel;
	struct blocklist_adoption adoption;
	struct sluice_err err = { 0 };

	stress->header = map_memory(skel->maps.data_header);
	stress->header->hash_key[0] = random_next(random);
	stress->header->hash_key[1] = random_next(random);
	stress->header->max_blocked = MAX_SOURCES;
	stress->header->v6_prefix_len = 64;
	stress->memory = (struct blocklist_memory){
		.header = stress->header,
		.v4 = { 4, BUCKETS, map_memory(skel->maps.sluice_block4),
			map_memory(skel->maps.sluice_carry4),
			bpf_map__fd(skel->maps.sluice_stash4) },
		.v6 = { 8, BUCKETS, map_memory(skel->maps.sluice_block6),
			map_memory(skel->maps.sluice_carry6),
			bpf_map__fd(skel->maps.sluice_stash6) },
		.records = calloc(MAX_SOURCES, sizeof(struct sluice_block_record)),
	};
	cr_assert_not_null(stress->memory.records);
	cr_assert_eq(blocklist_table_new(&stress->memory, &stress->table, &adoption, &err), 0, "%s",
		     err.text);
	cr_assert_eq(grace_new(&stress->grace, &err), 0, "%s", err.text);
}

static void block(struct stress *stress, struct source *source)
{
	struct dataplane_block_record record = { .key = source->key,
						 .detector = "stress",
						 .reason = "stress" };

	if (blocklist_table_add(stress->table, &record, &source->slot, NULL))
		stress->refused++;
	else
		source->is_blocked = true;
}

static bool is_silent(const struct stress *stress, const struct source *source)
{
	return source >= &stress->sources[stress->shape->n_looked];
}

static void unblock(struct stress *stress, struct source *source)
{
	uint32_t hits = blocklist_table_packets(stress->table, source->slot);

	source->hits += hits;
	stress->silent_charged += is_silent(stress, source) && hits;
	blocklist_table_del(stress->table, source->slot);
	source->is_blocked = false;
}

static enum stress_kind kind_of(const struct stress *stress, uint32_t n)
{
	return n < stress->shape->n_looked ? (enum stress_kind)(n % STRESS_N_KINDS)
					   : STRESS_CHURNED;
}

static void choose_sources(struct stress *stress)
{
	struct crowd crowd = {
		.family = stress->shape->v6 ? SLUICE_FAMILY_IPV6 : SLUICE_FAMILY_IPV4,
		.bits = BITS,
		.width = stress->shape->width,
		.hash_key = { stress->header->hash_key[0], stress->header->hash_key[1] },
	};
	uint32_t n_all = stress->shape->n_looked + stress->shape->n_silent;

	for (uint32_t n = 0; n < n_all; n++) {
		struct source *source = &stress->sources[n];

		source->key = crowd_next(&crowd);
		source->home = crowd_home(crowd.hash_key, &source->key, BITS);
		if (n < stress->shape->n_looked)
			memcpy(&stress->skel->bss->sources[n], source->key.addr,
			       sizeof(source->key.addr));
		if (kind_of(stress, n) == STRESS_PRESENT)
			block(stress, source);
	}
	cr_assert_eq(stress->refused, 0);
}

static void *judge_without_pause(void *ctx)
{
	struct reader *reader = ctx;
	int program = bpf_program__fd(reader->stress->skel->progs.table_stress);
	uint8_t frame[64] = { 0 };
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(reader->cpu, &set);
	reader->code = sched_setaffinity(0, sizeof(set), &set);
	if (!reader->code)
		reader->code = setpriority(PRIO_PROCESS, (id_t)gettid(), 0);
	while (!reader->code && !__atomic_load_n(reader->stop, __ATOMIC_RELAXED)) {
		LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame,
			    .data_size_in = sizeof(frame), .repeat = 1);

		reader->code = bpf_prog_test_run_opts(program, &opts);
	}
	return NULL;
}

static int start_readers(struct stress *stress, struct reader readers[STRESS_CPUS],
			 const bool *stop)
{
	cpu_set_t set;
	int n = 0;

	cr_assert_eq(sched_getaffinity(0, sizeof(set), &set), 0);
	for (int cpu = 0; cpu < (int)STRESS_CPUS; cpu++) {
		if (!CPU_ISSET(cpu, &set))
			continue;
		readers[n] = (struct reader){ .stress = stress, .stop = stop, .cpu = cpu };
		cr_assert_eq(pthread_create(&readers[n].thread, NULL, judge_without_pause,
					    &readers[n]),
			     0);
		n++;
	}
	return n;
}

static uint64_t verdicts_so_far(const struct stress *stress)
{
	uint64_t sum = 0;

	for (uint32_t cpu = 0; cpu < STRESS_CPUS; cpu++)
		sum += __atomic_load_n(&stress->skel->bss->counts[cpu].verdicts, __ATOMIC_RELAXED);
	return sum;
}

/* Blocks one that sends nothing and belongs into the same bucket. */
static void pursue(struct stress *stress, const struct source *gone)
{
	struct source *silent = &stress->sources[stress->shape->n_looked];
	const struct source *end = silent + stress->shape->n_silent;

	while (silent < end && (silent->is_blocked || silent->home != gone->home))
		silent++;
	if (silent == end)
		return;
	block(stress, silent);
	stress->operations++;
}

static void release_early(struct stress *stress)
{
	if (!stress->shape->quarantine)
		blocklist_table_release(stress->table);
}

/* Any source that comes and goes: in if it is out, out if it is in. */
static void toggle(struct stress *stress, struct random *random)
{
	uint32_t n_all = stress->shape->n_looked + stress->shape->n_silent, n;

	do
		n = (uint32_t)random_below(random, n_all);
	while (kind_of(stress, n) < STRESS_CHURNED);
	struct source *source = &stress->sources[n];

	stress->operations++;
	if (!source->is_blocked) {
		block(stress, source);
		return;
	}
	unblock(stress, source);
	release_early(stress);
	if (stress->shape->pursue && !is_silent(stress, source))
		pursue(stress, source);
}

static void churn(struct stress *stress, struct random *random)
{
	struct sluice_err err = { 0 };

	while (verdicts_so_far(stress) < stress->shape->verdicts &&
	       (!stress->shape->enough || stress->silent_charged < stress->shape->enough)) {
		for (uint32_t i = 0; i < stress->shape->batch; i++)
			toggle(stress, random);
		if (!stress->shape->quarantine)
			continue;
		cr_assert_eq(grace_wait(stress->grace, &err), 0, "%s", err.text);
		blocklist_table_release(stress->table);
	}
}

static double seconds(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct errors compare(struct stress *stress)
{
	const struct table_stress__bss *bss = stress->skel->bss;
	struct errors errors = { .silent_charged = stress->silent_charged };

	for (uint32_t cpu = 0; cpu < STRESS_CPUS; cpu++) {
		errors.passed_wrongly += bss->counts[cpu].passed_wrongly;
		errors.dropped_wrongly += bss->counts[cpu].dropped_wrongly;
	}
	for (uint32_t n = 0; n < stress->shape->n_looked; n++) {
		const struct source *source = &stress->sources[n];
		uint64_t drops = 0;

		for (uint32_t cpu = 0; cpu < STRESS_CPUS; cpu++)
			drops += bss->drops[cpu][n];
		errors.overcharged += source->hits > drops;
		if (kind_of(stress, n) == STRESS_PRESENT)
			errors.present_differ += source->hits != drops;
		if (kind_of(stress, n) != STRESS_ABSENT && !stress->shape->enough)
			cr_assert_gt(drops, 0, "source %u was never dropped", n);
	}
	return errors;
}

static uint32_t in_stash(const struct stress *stress)
{
	const struct sluice_block_record *records = stress->memory.records;
	uint32_t n = 0;

	for (uint32_t i = 0; i < MAX_SOURCES; i++)
		n += records[i].state == SLUICE_RECORD_USED &&
		     records[i].position >= BUCKETS * SLUICE_POSITION_WAYS;
	return n;
}

static void close_all(struct stress *stress)
{
	grace_free(stress->grace);
	blocklist_table_free(stress->table);
	free(stress->memory.records);
	/* The mappings end with the test's process. */
	table_stress__destroy(stress->skel);
}

static void report(const struct stress *stress, double wall, double writer, uint32_t stashed)
{
	double verdicts = (double)verdicts_so_far(stress);

	cr_log_info(
		"%s: %.0f verdicts (%.1f M/s), %lu insertions and deletions: %.2f M/s of wall time, "
		"%.2f M/s of the writer's; %u in the stash at the end; grace by %s",
		stress->shape->v6 ? "IPv6" : "IPv4", verdicts, verdicts / wall / 1e6,
		stress->operations, (double)stress->operations / wall / 1e6,
		(double)stress->operations / writer / 1e6, stashed, grace_mechanism(stress->grace));
}

static struct errors run(const struct shape *shape, uint64_t seed)
{
	static struct stress stress;
	static struct reader readers[STRESS_CPUS];
	struct random random = { seed };
	bool stop = false;

	memset(&stress, 0, sizeof(stress));
	stress.shape = shape;
	load(&stress);
	open_table(&stress, &random);
	choose_sources(&stress);
	/* Else its batches wait for readers, which never sleep. */
	cr_assert_eq(setpriority(PRIO_PROCESS, (id_t)gettid(), -10), 0);
	double wall = seconds(CLOCK_MONOTONIC), writer = seconds(CLOCK_THREAD_CPUTIME_ID);
	int n_readers = start_readers(&stress, readers, &stop);

	churn(&stress, &random);
	wall = seconds(CLOCK_MONOTONIC) - wall;
	writer = seconds(CLOCK_THREAD_CPUTIME_ID) - writer;
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (int i = 0; i < n_readers; i++) {
		cr_assert_eq(pthread_join(readers[i].thread, NULL), 0);
		cr_assert_eq(readers[i].code, 0);
	}
	uint32_t stashed = in_stash(&stress);

	report(&stress, wall, writer, stashed);
	/* Of its own time, which others on the machine do not shorten; with a pause for each batch. */
	cr_assert_geq((double)stress.operations / writer, shape->operations_per_second,
		      "the writer is slow");
	/* Without quarantine there is more room. */
	cr_assert(stashed || !shape->quarantine, "too roomy to reach the stash");
	cr_assert_eq(stress.refused, 0);
	cr_assert_geq(stress.operations, verdicts_so_far(&stress) / 1000,
		      "the writer hardly wrote");
	for (uint32_t n = 0; n < shape->n_looked + shape->n_silent; n++)
		if (stress.sources[n].is_blocked)
			unblock(&stress, &stress.sources[n]);
	struct errors errors = compare(&stress);

	close_all(&stress);
	return errors;
}

static void no_errors(const struct shape *shape, uint64_t seed)
{
	struct errors errors = run(shape, seed);

	cr_expect_eq(errors.passed_wrongly, 0, "%lu", errors.passed_wrongly);
	cr_expect_eq(errors.dropped_wrongly, 0, "%lu", errors.dropped_wrongly);
	cr_expect_eq(errors.present_differ, 0, "%lu", errors.present_differ);
	cr_expect_eq(errors.overcharged, 0, "%lu", errors.overcharged);
	cr_expect_eq(errors.silent_charged, 0, "%lu", errors.silent_charged);
}

/* 640 buckets of 8 ways; 2,600 of 5,120 sources are blocked at a time, and up to 1,500 ways wait. */
static const struct shape crowded = {
	.width = 640,
	.n_looked = STRESS_KEYS,
	.n_silent = MAX_SILENT,
	.batch = 3000,
	.operations_per_second = 1000000,
	.quarantine = true,
	.verdicts = 1000000000,
};

Test(table_stress, no_wrong_verdict_v4, .init = plane_isolate)
{
	no_errors(&crowded, 61);
}

Test(table_stress, no_wrong_verdict_v6, .init = plane_isolate)
{
	struct shape shape = crowded;

	shape.v6 = true;
	no_errors(&shape, 62);
}

/*
 * Few sources in few buckets, and readers that dwell on what they found: a way that is used again too
 * early is nearly always under somebody's eyes.
 */
static const struct shape hot = {
	.width = 16,
	.n_looked = 64,
	.n_silent = 32,
	.batch = 500,
	.delay = 60,
	.pursue = true,
	.quarantine = true,
	.verdicts = 2000000,
};

static void fails_without_quarantine(bool v6, uint64_t seed)
{
	struct shape shape = hot;
	struct errors errors;

	if (sysconf(_SC_NPROCESSORS_ONLN) < 2)
		cr_skip_test("on one CPU nobody writes while somebody reads");
	shape.v6 = v6;
	no_errors(&shape, seed);
	shape.quarantine = false;
	shape.verdicts *= 10;
	shape.enough = 100;
	errors = run(&shape, seed);
	cr_log_info("without quarantine: %lu times charged with what another sent, %lu sources "
		    "overcharged",
		    errors.silent_charged, errors.overcharged);
	cr_assert_gt(errors.silent_charged + errors.overcharged + errors.present_differ, 0,
		     "reuse without quarantine went unnoticed");
}

Test(table_stress, goes_wrong_without_quarantine_v4, .init = plane_isolate)
{
	fails_without_quarantine(false, 63);
}

Test(table_stress, goes_wrong_without_quarantine_v6, .init = plane_isolate)
{
	fails_without_quarantine(true, 64);
}
