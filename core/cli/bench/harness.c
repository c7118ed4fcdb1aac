/* SPDX-License-Identifier: BSD-2-Clause */
/* See harness.h. */
#include "harness.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <arpa/inet.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"
#include "references_shared.h"
#include "veth.h"

/* Uses types of references_shared.h. */
#include "references.skel.h"

#define FRAME_SIZE 60
#define FLOOD_BATCH 64
#define FILL_BATCH 4096
/* Keys in a line of the limit: half of the eight that fit, so that hardly a bucket overflows. */
#define KEYS_PER_LINE 4

struct harness {
	struct references *skel;
	uint32_t n_sources;
};

static uint64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/* Ethernet, IPv4 and UDP, as short as Ethernet has it. */
static void build_frame(unsigned char frame[FRAME_SIZE])
{
	static const unsigned char head[] = { 2, 0, 0,	  0, 0, 1,  2, 0, 0, 0, 0,  2,
					      8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17 };

	memset(frame, 0, FRAME_SIZE);
	memcpy(frame, head, sizeof(head));
}

static int put_fd(const struct bpf_map *map, uint32_t index, int fd)
{
	return bpf_map_update_elem(bpf_map__fd(map), &index, &fd, BPF_ANY) ? -errno : 0;
}

static int load(struct harness *harness, uint32_t table_lines)
{
	struct references *skel = harness->skel;
	uint32_t lines = harness->n_sources / KEYS_PER_LINE + 1;
	int code;

	skel->rodata->n_sources = harness->n_sources;
	skel->rodata->limit_lines = lines;
	skel->rodata->floor_lines = table_lines;
	code = bpf_map__set_max_entries(skel->maps.bench_limit_lines, lines);
	if (!code)
		code = bpf_map__set_max_entries(skel->maps.bench_floor_lines, table_lines);
	if (!code)
		code = bpf_map__set_max_entries(skel->maps.bench_exact_lines,
						(uint32_t)libbpf_num_possible_cpus());
	if (!code)
		code = bpf_map__set_max_entries(skel->maps.bench_hash, harness->n_sources);
	if (!code)
		code = bpf_map__set_max_entries(skel->maps.bench_features, harness->n_sources);
	if (!code)
		code = references__load(skel);
	if (!code)
		code = put_fd(skel->maps.bench_next, 0,
			      bpf_program__fd(skel->progs.bench_hash_features));
	return code;
}

int harness_open(uint32_t n_sources, uint32_t table_lines, struct harness **out,
		 struct sluice_err *err)
{
	struct harness *harness = calloc(1, sizeof(*harness));
	int code = -ENOMEM;

	if (!harness)
		return code;
	harness->n_sources = n_sources;
	harness->skel = references__open();
	code = harness->skel ? load(harness, table_lines) : -errno;
	if (code) {
		err_set(err, NULL, "cannot load the reference programs: %s", err_name(code));
		harness_close(harness);
		return code;
	}
	harness_set_first(harness, HARNESS_FIRST_BLOCKED);
	*out = harness;
	return 0;
}

void harness_close(struct harness *harness)
{
	if (!harness)
		return;
	references__destroy(harness->skel);
	free(harness);
}

int harness_reference_fd(const struct harness *harness, enum harness_reference reference)
{
	const struct references *skel = harness->skel;
	const struct bpf_program *const programs[HARNESS_N_REFERENCES] = {
		[HARNESS_DROP] = skel->progs.bench_drop,
		[HARNESS_PASS] = skel->progs.bench_pass,
		[HARNESS_PARSE] = skel->progs.bench_parse,
		[HARNESS_LIMIT] = skel->progs.bench_limit,
		[HARNESS_FLOOR] = skel->progs.bench_floor,
		[HARNESS_EXACT] = skel->progs.bench_exact,
		[HARNESS_HASH] = skel->progs.bench_hash_filter,
		[HARNESS_HASH_FEATURES] = skel->progs.bench_hash_features,
	};

	return bpf_program__fd(programs[reference]);
}

int harness_features_fd(const struct harness *harness)
{
	return bpf_map__fd(harness->skel->maps.bench_features);
}

int harness_fill_blocklist(struct harness *harness, struct sluice_err *err)
{
	int fd = bpf_map__fd(harness->skel->maps.bench_hash), code = 0;
	uint64_t *zeros = calloc(FILL_BATCH, sizeof(*zeros));
	uint32_t *keys = malloc(FILL_BATCH * sizeof(*keys));

	if (!zeros || !keys)
		code = -ENOMEM;
	for (uint32_t done = 0; !code && done < harness->n_sources;) {
		uint32_t n = harness->n_sources - done;

		n = n < FILL_BATCH ? n : FILL_BATCH;
		for (uint32_t i = 0; i < n; i++)
			keys[i] = htonl(HARNESS_FIRST_BLOCKED + done + i);
		done += n;
		if (bpf_map_update_batch(fd, keys, zeros, &n, NULL))
			code = -errno;
	}
	free(zeros);
	free(keys);
	if (code)
		err_set(err, NULL, "cannot fill the reference's hash map: %s", err_name(code));
	return code;
}

void harness_set_first(struct harness *harness, uint32_t first_source)
{
	harness->skel->bss->first_source = first_source;
	harness->skel->bss->next_source = 0;
}

int harness_set_target(struct harness *harness, int prog_fd, uint64_t *ns)
{
	uint64_t start = clock_ns(CLOCK_MONOTONIC);
	int code = put_fd(harness->skel->maps.bench_target, 0, prog_fd);

	if (ns)
		*ns = clock_ns(CLOCK_MONOTONIC) - start;
	return code;
}

static int test_run(const struct bpf_program *program, uint32_t packets)
{
	unsigned char frame[FRAME_SIZE];
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = (int)packets);

	build_frame(frame);
	return bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
}

static int timed_run(const struct bpf_program *program, uint32_t packets, double *ns)
{
	/* The kernel's own figure is a whole number of ns, too coarse for programs of ten. */
	uint64_t start = clock_ns(CLOCK_THREAD_CPUTIME_ID);
	int code = test_run(program, packets);

	*ns = (double)(clock_ns(CLOCK_THREAD_CPUTIME_ID) - start) / packets;
	return code;
}

int harness_run(struct harness *harness, uint32_t packets, double *ns)
{
	return timed_run(harness->skel->progs.bench_random, packets, ns);
}

int harness_run_ports(struct harness *harness, uint32_t packets, double *ns)
{
	return timed_run(harness->skel->progs.bench_random_ports, packets, ns);
}

int harness_run_each(struct harness *harness)
{
	harness->skel->bss->next_source = 0;
	return test_run(harness->skel->progs.bench_sequential, harness->n_sources);
}

int harness_add_device(struct harness *harness, uint32_t device, const struct veth *veth)
{
	return put_fd(harness->skel->maps.bench_devices, device, (int)veth->out_index);
}

int harness_flood(struct harness *harness, uint32_t device, uint32_t frames, double *ns)
{
	unsigned char frame[FRAME_SIZE];
	struct xdp_md ctx = { .data_end = sizeof(frame) };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .ctx_in = &ctx, .ctx_size_in = sizeof(ctx), .repeat = (int)frames,
		    .batch_size = FLOOD_BATCH, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int code;

	harness->skel->bss->flood_device = device;
	build_frame(frame);
	code = bpf_prog_test_run_opts(bpf_program__fd(harness->skel->progs.bench_flood), &opts);
	/*
	 * The kernel's figure: the receiver runs within, on this CPU; setting up the frames does not,
	 * nor does the time that other processes took.  It is cut to whole ns.
	 */
	*ns = opts.duration + 0.5;
	return code;
}
