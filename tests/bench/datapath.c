/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds per packet of the filter beside references, through one harness, interleaved: the
 * programs take turns for several rounds, and the median of each is printed, less the median of
 * a bare XDP_DROP.  Ratios hold across machines, absolute figures do not.
 */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/address.h"
#include "dataplane/dataplane.h"
#include "references.skel.h"

#define ROUNDS 11
#define PACKETS 1000000
#define FIRST_SOURCE 0x0b000000u /* 11.0.0.0 */
#define PIN_PATH "/sys/fs/bpf/sluice_bench"

struct design {
	const char *name;
	int prog_fd;
	double ns[ROUNDS];
	double median, best;
};

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void summarise(struct design *design)
{
	double sorted[ROUNDS];

	memcpy(sorted, design->ns, sizeof(sorted));
	qsort(sorted, ROUNDS, sizeof(sorted[0]), compare);
	design->median = sorted[ROUNDS / 2];
	design->best = sorted[0];
}

static void build_frame(unsigned char frame[64])
{
	static const unsigned char head[] = { 2, 0, 0,	  0, 0, 1,  2, 0, 0, 0, 0,  2,
					      8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17 };

	memset(frame, 0, 64);
	memcpy(frame, head, sizeof(head));
}

static int run(struct references *skel, int prog_fd, double *ns)
{
	unsigned char frame[64];
	__u32 slot = 0;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = 60,
		    .repeat = PACKETS);

	build_frame(frame);
	if (bpf_map_update_elem(bpf_map__fd(skel->maps.bench_target), &slot, &prog_fd, BPF_ANY))
		return -errno;
	int code = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.bench_random), &opts);

	*ns = opts.duration;
	return code;
}

static int block_all(struct dataplane *dp, uint32_t n)
{
	struct dataplane_block_record record = { .detector = "bench", .reason = "bench" };

	for (uint32_t i = 0; i < n; i++) {
		uint32_t addr = htonl(FIRST_SOURCE + i);
		dataplane_slot slot;

		record.key = address_from_ipv4(&addr, 32);
		int code = dp->ops->block(dp, &record, &slot, NULL);

		if (code)
			return code;
	}
	return 0;
}

static int fill_hash(struct references *skel, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++) {
		uint32_t addr = htonl(FIRST_SOURCE + i);
		uint64_t zero = 0;

		if (bpf_map_update_elem(bpf_map__fd(skel->maps.bench_hash), &addr, &zero, BPF_ANY))
			return -errno;
	}
	return 0;
}

static struct references *load_references(uint32_t n)
{
	struct references *skel = references__open();

	if (!skel)
		return NULL;
	skel->rodata->first_source = FIRST_SOURCE;
	skel->rodata->n_sources = n;
	skel->rodata->limit_lines = n / 3 + 1; /* As many lines as the blocklist takes. */
	bpf_map__set_max_entries(skel->maps.bench_lines, n / 3 + 1);
	bpf_map__set_max_entries(skel->maps.bench_hash, n);
	if (references__load(skel) == 0)
		return skel;
	references__destroy(skel);
	return NULL;
}

static int measure(struct references *skel, struct design *designs, size_t n_designs)
{
	for (int round = 0; round < ROUNDS; round++) {
		for (size_t i = 0; i < n_designs; i++) {
			int code = run(skel, designs[i].prog_fd, &designs[i].ns[round]);

			if (code)
				return code;
		}
	}
	for (size_t i = 0; i < n_designs; i++)
		summarise(&designs[i]);
	return 0;
}

static void print(uint32_t n, const char *name, const struct design *designs, size_t n_designs)
{
	printf("%-5s %8u", name, n);
	for (size_t i = 0; i < n_designs; i++)
		printf("  %s %.0f net %.0f best %.0f", designs[i].name, designs[i].median,
		       designs[i].median - designs[0].median, designs[i].best - designs[0].best);
	printf("\n");
	fflush(stdout);
}

static int bench(uint32_t n)
{
	const struct dataplane_live_options options = {
		.pin_path = PIN_PATH,
		.max_blocked = n,
		.max_sources = n < 1024 ? 1024 : n,
		.v6_prefix_len = 64,
		.enforce = true,
		.on_death_expire_ns = 3600000000000u,
	};
	struct sluice_err err = { { 0 }, { 0 } };
	struct references *skel = load_references(n);
	struct dataplane *dp = NULL;
	int filter_fd = -1;
	int code = skel ? dataplane_live_open(&options, &dp, &err) : -EINVAL;

	if (code)
		goto out;
	filter_fd = bpf_obj_get(PIN_PATH "/v1/sluice_filter");
	struct design miss[] = {
		{ "drop", bpf_program__fd(skel->progs.bench_drop), { 0 }, 0, 0 },
		{ "pass", bpf_program__fd(skel->progs.bench_pass), { 0 }, 0, 0 },
		{ "sluice", filter_fd, { 0 }, 0, 0 },
	};
	struct design hit[] = {
		{ "drop", bpf_program__fd(skel->progs.bench_drop), { 0 }, 0, 0 },
		{ "limit", bpf_program__fd(skel->progs.bench_limit), { 0 }, 0, 0 },
		{ "hash", bpf_program__fd(skel->progs.bench_hash_drop), { 0 }, 0, 0 },
		{ "sluice", filter_fd, { 0 }, 0, 0 },
	};

	code = measure(skel, miss, 3);
	if (code)
		goto out;
	print(n, "miss", miss, 3);
	code = block_all(dp, n);
	if (!code)
		code = fill_hash(skel, n);
	if (!code)
		code = measure(skel, hit, 4);
	if (!code)
		print(n, "hit", hit, 4);
out:
	if (code)
		fprintf(stderr, "datapath bench: %u sources: %s (%d)\n", n, err.text, code);
	if (filter_fd >= 0)
		close(filter_fd);
	dataplane_close(dp);
	references__destroy(skel);
	(void)!dataplane_live_detach(PIN_PATH, &err);
	return code;
}

int main(void)
{
	static const uint32_t sizes[] = { 1, 1024, 10240, 131072, 1048576 };

	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL)) {
		fprintf(stderr, "datapath bench: needs root for a private bpffs: %s\n",
			strerror(errno));
		return 3;
	}
	printf("ns per packet, median of %d interleaved rounds; net: less the bare drop\n", ROUNDS);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		if (bench(sizes[i]))
			return 1;
	return 0;
}
