/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The references of the snapshot benchmark: the same sources in P1's PERCPU_HASH, filled by its own
 * programs on every CPU, read and cleared through system calls, by batch or key by key.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/err.h"

#include "harness.h"
#include "references_shared.h"
#include "sandbox.h"
#include "snapshot_parts.h"
#include "snapshot_report.h"

#define BATCH 65536u

struct rig {
	const struct sandbox *sandbox;
	struct harness *harness;
	int fd;
	size_t n_cpus; /* Values of one key. */
	uint32_t n, capacity;
	uint32_t *keys;
	struct references_features *values; /* n_cpus a key. */
	struct references_features *merged;
};

static double elapsed_ms(uint64_t *since_ns)
{
	uint64_t now = clock_monotonic_ns(&clock_system);
	double ms = (double)(now - *since_ns) / 1e6;

	*since_ns = now;
	return ms;
}

static int read_batch(struct rig *rig)
{
	uint32_t position;

	rig->n = 0;
	for (;;) {
		uint32_t count = rig->capacity - rig->n < BATCH ? rig->capacity - rig->n : BATCH;
		int code = bpf_map_lookup_batch(rig->fd, rig->n ? &position : NULL, &position,
						rig->keys + rig->n,
						rig->values + rig->n * rig->n_cpus, &count, NULL);

		rig->n += count;
		if (code)
			return errno == ENOENT ? 0 : -errno;
		if (!count || rig->n == rig->capacity)
			return -ENOSPC;
	}
}

static int clear_batch(struct rig *rig)
{
	uint32_t count = rig->n;

	return bpf_map_delete_batch(rig->fd, rig->keys, &count, NULL) ? -errno : 0;
}

static int read_one_by_one(struct rig *rig)
{
	const uint32_t *previous = NULL;

	for (rig->n = 0; rig->n < rig->capacity; rig->n++) {
		uint32_t *key = &rig->keys[rig->n];

		if (bpf_map_get_next_key(rig->fd, previous, key))
			return errno == ENOENT ? 0 : -errno;
		if (bpf_map_lookup_elem(rig->fd, key, rig->values + rig->n * rig->n_cpus))
			return -errno;
		previous = key;
	}
	return -ENOSPC;
}

static int clear_one_by_one(struct rig *rig)
{
	for (uint32_t i = 0; i < rig->n; i++)
		if (bpf_map_delete_elem(rig->fd, &rig->keys[i]))
			return -errno;
	return 0;
}

static void merge(struct rig *rig)
{
	for (uint32_t i = 0; i < rig->n; i++) {
		struct references_features sum = { 0 };

		for (size_t cpu = 0; cpu < rig->n_cpus; cpu++) {
			const struct references_features *value =
				&rig->values[i * rig->n_cpus + cpu];

			sum.packets += value->packets;
			sum.bytes += value->bytes;
			sum.tcp_syn += value->tcp_syn;
			sum.udp += value->udp;
			sum.icmp += value->icmp;
		}
		rig->merged[i] = sum;
	}
}

static int fill(struct rig *rig, double *flip_ms)
{
	uint64_t flip_ns;
	int code = harness_set_target(rig->harness,
				      harness_reference_fd(rig->harness, HARNESS_HASH), &flip_ns);

	*flip_ms = (double)flip_ns / 1e6;
	for (unsigned int cpu = 0; !code && cpu < rig->sandbox->n_cpus; cpu++) {
		code = sandbox_pin_cpu(rig->sandbox, cpu);
		if (!code)
			code = harness_run_each(rig->harness);
	}
	return code;
}

static int measure_round(struct rig *rig, struct snapshot_series *series)
{
	bool batch = series->method == SNAPSHOT_BATCH;
	double flip_ms;
	int code = fill(rig, &flip_ms);
	uint64_t since = clock_monotonic_ns(&clock_system);

	if (!code)
		code = batch ? read_batch(rig) : read_one_by_one(rig);
	if (code)
		return code;
	snapshot_note(series, SNAPSHOT_FLIP, flip_ms);
	snapshot_note(series, SNAPSHOT_READ, elapsed_ms(&since));
	merge(rig);
	snapshot_note(series, SNAPSHOT_MERGE, elapsed_ms(&since));
	code = batch ? clear_batch(rig) : clear_one_by_one(rig);
	if (code)
		return code;
	snapshot_note(series, SNAPSHOT_CLEAR, elapsed_ms(&since));
	snapshot_note_total(series);
	series->tracked = rig->n;
	return 0;
}

static int make_room(struct rig *rig, uint32_t n)
{
	int n_cpus = libbpf_num_possible_cpus();

	if (n_cpus < 1)
		return n_cpus;
	rig->n_cpus = (size_t)n_cpus;
	rig->capacity = n + 1; /* To see the end. */
	rig->keys = calloc(rig->capacity, sizeof(*rig->keys));
	rig->values = calloc(rig->capacity * rig->n_cpus, sizeof(*rig->values));
	rig->merged = calloc(rig->capacity, sizeof(*rig->merged));
	return rig->keys && rig->values && rig->merged ? 0 : -ENOMEM;
}

int snapshot_measure_hash(const struct sandbox *sandbox, size_t n_rounds,
			  struct snapshot_series *series, struct sluice_err *err)
{
	struct snapshot_series warm_up = { .method = series->method, .sources = series->sources };
	struct rig rig = { .sandbox = sandbox };
	int code = harness_open(series->sources, 1, &rig.harness, err);

	if (code)
		return code;
	rig.fd = harness_features_fd(rig.harness);
	code = make_room(&rig, series->sources);
	if (!code)
		code = measure_round(&rig, &warm_up);
	for (size_t round = 0; round < n_rounds && !code; round++)
		code = measure_round(&rig, series);
	if (code)
		err_set(err, NULL, "cannot read the reference's hash map: %s", err_name(code));
	free(rig.keys);
	free(rig.values);
	free(rig.merged);
	harness_close(rig.harness);
	return code;
}
