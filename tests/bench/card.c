/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Nanoseconds per packet of the emulated NIC's drop program, for sources that it lets through and
 * for sources that it drops, beside a bare XDP_PASS.  All take turns for several rounds; the best
 * of each is printed, less the best of a bare XDP_DROP.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "emu_bench.h"
#include "references_linear.skel.h"

#define ROUNDS 25
#define PACKETS 200000
#define FIRST_SOURCE 0xc6120000u /* 198.18.0.0 */
#define N_SOURCES 10000u
#define CAPACITY "4096"

/* Which sources a measurement draws from. */
struct range {
	const char *name;
	uint32_t first, n;
};

struct program {
	int fd;
	double best;
};

static void build_frame(unsigned char frame[60])
{
	static const unsigned char head[] = { 2, 0, 0,	  0, 0, 1,  2, 0, 0, 0, 0,  2,
					      8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17 };

	memset(frame, 0, 60);
	memcpy(frame, head, sizeof(head));
}

static int run_once(struct references_linear *skel, struct program *program)
{
	unsigned char frame[60];
	__u32 slot = 0;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = PACKETS);
	int code = bpf_map_update_elem(bpf_map__fd(skel->maps.bench_target), &slot, &program->fd,
				       BPF_ANY);

	build_frame(frame);
	if (code == 0)
		code = bpf_prog_test_run_opts(bpf_program__fd(skel->progs.bench_random), &opts);
	if (code == 0 && opts.duration < program->best)
		program->best = opts.duration;
	return code;
}

static struct references_linear *load_references(const struct range *range)
{
	struct references_linear *skel = references_linear__open();

	if (!skel)
		return NULL;
	skel->rodata->n_sources = range->n;
	skel->bss->first_source = FIRST_SOURCE + range->first;
	if (references_linear__load(skel) == 0)
		return skel;
	references_linear__destroy(skel);
	return NULL;
}

static int measure(uint32_t rules, const struct range *range)
{
	struct references_linear *skel = load_references(range);
	int card_fd = bpf_obj_get(BENCH_CARD "/xdp");
	int code = skel && card_fd >= 0 ? 0 : -EINVAL;

	if (code)
		goto out;
	struct program programs[] = {
		{ bpf_program__fd(skel->progs.bench_drop), 1e9 },
		{ bpf_program__fd(skel->progs.bench_pass), 1e9 },
		{ card_fd, 1e9 },
	};

	for (int round = 0; round < ROUNDS && code == 0; round++)
		for (size_t i = 0; i < 3 && code == 0; i++)
			code = run_once(skel, &programs[i]);
	if (code == 0)
		printf("%-5s %5u rules  drop %.0f  net: pass %.0f  card %.0f\n", range->name, rules,
		       programs[0].best, programs[1].best - programs[0].best,
		       programs[2].best - programs[0].best);
	fflush(stdout);
out:
	if (card_fd >= 0)
		close(card_fd);
	references_linear__destroy(skel);
	return code;
}

static int add_rules(struct bench_backend *backend, uint32_t first, uint32_t end)
{
	for (uint32_t i = first; i < end; i++) {
		struct in_addr addr = { htonl(FIRST_SOURCE + i) };
		char text[INET_ADDRSTRLEN];
		int code = bench_add(backend, inet_ntop(AF_INET, &addr, text, sizeof(text)), 32);

		if (code)
			return code;
	}
	return 0;
}

static int bench(struct bench_backend *backend)
{
	static const uint32_t sizes[] = { 0, 2048, 4096 };
	int code = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && code == 0; i++) {
		uint32_t n = sizes[i];
		struct range hit = { "hit", 0, n }, miss = { "miss", n, N_SOURCES - n };
		struct range all = { "mixed", 0, N_SOURCES };

		code = add_rules(backend, i ? sizes[i - 1] : 0, n);
		if (code == 0)
			code = measure(n, &miss);
		if (code == 0 && n)
			code = measure(n, &hit);
		if (code == 0 && n)
			code = measure(n, &all);
	}
	return code;
}

int main(void)
{
	static const struct sluice_config config = { .card = BENCH_CARD, .counters = true };
	const char *reason = bench_enter();
	struct bench_backend backend = { .self = NULL };
	int code;

	if (reason) {
		fprintf(stderr, "card bench: %s\n", reason);
		return 3;
	}
	if (BENCH_TOOL(NULL, 0, "create", "--pin", BENCH_CARD, "--capacity", CAPACITY))
		return 1;
	code = bench_open(&backend, &config);
	if (code == 0) {
		printf("ns per packet, best of %d interleaved rounds; net: less the bare drop\n",
		       ROUNDS);
		code = bench(&backend);
		bench_close(&backend);
	}
	if (code)
		fprintf(stderr, "card bench: %s (%d)\n",
			backend.err.text[0] ? backend.err.text : strerror(-code), code);
	return code ? 1 : 0;
}
