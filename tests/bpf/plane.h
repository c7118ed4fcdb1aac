/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A data plane to test: namespaces of its own, a private bpffs, the filter's pinned program to run
 * frames through, and what they changed in the counters.
 */
#ifndef SLUICE_TESTS_BPF_PLANE_H
#define SLUICE_TESTS_BPF_PLANE_H

#include <stdint.h>

#include "dataplane/dataplane.h"
#include "frame.h"
#include "shared.h"

#define PLANE_PIN_PATH "/sys/fs/bpf/sluice"
#define PLANE_STRING(x) #x
#define PLANE_SUBFOLDER(layout) "/v" PLANE_STRING(layout)
#define PLANE_FOLDER PLANE_PIN_PATH PLANE_SUBFOLDER(SLUICE_LAYOUT)

/*
 * For .init: namespaces and bpffs.  Skips the test, and says why, where that is not possible; with
 * CI=true a test that root could run fails instead.
 */
void plane_isolate(void);

struct plane {
	struct dataplane *dp;
	int filter_fd;
	struct sluice_header *header; /* The pinned page. */
};

/* No interface, small tables, enforcing; for a test to change. */
struct dataplane_live_options plane_options(void);
struct dataplane_live_options plane_options_for(enum dataplane_swap_design design);
/* In small tables. */
struct dataplane_features plane_every_feature(void);

/* A test of `suite` for each way to swap: its body knows which by `design`. */
#define PLANE_TEST_BOTH(suite, name)                         \
	static void name(enum dataplane_swap_design design); \
	Test(suite, name##_dual_program)                     \
	{                                                    \
		name(DATAPLANE_SWAP_DUAL_PROGRAM);           \
	}                                                    \
	Test(suite, name##_dual_map)                         \
	{                                                    \
		name(DATAPLANE_SWAP_DUAL_MAP);               \
	}                                                    \
	static void name(enum dataplane_swap_design design)

/* The test fails if it cannot be opened. */
struct plane plane_open(const struct dataplane_live_options *options);
void plane_close(struct plane *plane);

/* One XDP verdict; `repeat` packets of the same frame. */
uint32_t plane_run(const struct plane *plane, const struct frame *frame, uint32_t repeat);

struct dataplane_counters plane_counters(const struct plane *plane);
/* `after` - `before`, reason by reason. */
struct dataplane_counters plane_delta(const struct dataplane_counters *before,
				      const struct dataplane_counters *after);

/* Overwrites all of a pinned array with one byte, as damage would. */
void plane_fill_map(const char *name, uint8_t byte);

/* From text; the test fails if it is none. */
struct sluice_key plane_key(const char *text);
/* Blocks a source by text, with the record's other members fit for a test. */
dataplane_slot plane_block(const struct plane *plane, const char *text, uint32_t flags);
struct dataplane_block_record plane_record(const struct sluice_key *key, uint32_t flags);

#endif /* SLUICE_TESTS_BPF_PLANE_H */
