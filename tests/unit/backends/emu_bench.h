/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the tests of the emulated NIC stand on: namespaces of their own, the card tool as a process,
 * the plugin through dlopen() with a host of the test's, and frames to send through the card.
 */
#ifndef SLUICE_TESTS_UNIT_BACKENDS_EMU_BENCH_H
#define SLUICE_TESTS_UNIT_BACKENDS_EMU_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/backend.h>

#define BENCH_CARD "/sys/fs/bpf/card0"

/* The options that the plugin reads; its `struct sluice_config` in these tests. */
struct sluice_config {
	const char *card;
	bool counters;
	uint64_t update_cost_ns;
};

struct bench_backend {
	const struct sluice_backend_ops *ops;
	void *self;
	struct sluice_backend_caps caps;
	struct sluice_err err;
};

/*
 * NULL, or the reason why these tests cannot run here.  Else the process has mount and network
 * namespaces of its own and an empty BPF file system, which go when it ends.
 */
const char *bench_enter(void);

/* Runs sluice-emu-card; its exit code, with what it printed in `output` (may be NULL). */
int bench_tool(char *output, size_t size, const char *const *argv);
#define BENCH_TOOL(output, size, ...) \
	bench_tool(output, size, (const char *const[]){ EMU_CARD_TOOL, __VA_ARGS__, NULL })

/* Runs any program; its exit code. */
int bench_run(const char *const *argv);

/* Loads emu.so and opens it on `config`. */
int bench_open(struct bench_backend *backend, const struct sluice_config *config);
void bench_close(struct bench_backend *backend);

struct sluice_key bench_key(const char *text, uint8_t prefix_len);
/* One rule in or out; its result. */
int bench_add(struct bench_backend *backend, const char *text, uint8_t prefix_len);
int bench_del(struct bench_backend *backend, const char *text, uint8_t prefix_len);
/* Packets and bytes of one rule; false if read() does not have it. */
bool bench_hits(struct bench_backend *backend, const char *text, uint8_t prefix_len,
		uint64_t *packets, uint64_t *bytes);

struct bench_frame {
	uint8_t bytes[256];
	uint32_t size;
};

/* A UDP frame from `source` under `tags` VLAN tags (two: 802.1ad over 802.1Q). */
struct bench_frame bench_frame(const char *source, unsigned int tags);

/* Sends the frame `repeat` times through a pinned program; its last verdict, or negative. */
int bench_send(const char *program, const struct bench_frame *frame, int repeat);

#endif /* SLUICE_TESTS_UNIT_BACKENDS_EMU_BENCH_H */
