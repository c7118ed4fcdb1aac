// SPDX-License-Identifier: BSD-2-Clause
/* See plane.h. */
#include "plane.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/address.h"

static void cannot_run(const char *what)
{
	const char *ci = getenv("CI");

	if (geteuid() == 0 && ci && strcmp(ci, "true") == 0)
		cr_assert_fail("%s: %s; in CI as root this may not be missing", what,
			       strerror(errno));
	cr_skip_test("needs root with BPF and namespaces: %s: %s", what, strerror(errno));
}

void plane_isolate(void)
{
	if (unshare(CLONE_NEWNS | CLONE_NEWNET))
		cannot_run("unshare");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL))
		cannot_run("mount --make-rprivate /");
	if (mount("sluice-test", "/sys/fs/bpf", "bpf", 0, NULL))
		cannot_run("mount -t bpf");
	int fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "sluice_test", 4, 4, 1, NULL);

	if (fd < 0)
		cannot_run("bpf(BPF_MAP_CREATE)");
	close(fd);
}

struct dataplane_live_options plane_options(void)
{
	return (struct dataplane_live_options){
		.pin_path = PLANE_PIN_PATH,
		.max_blocked = 1000,
		.max_sources = 2000,
		.v6_prefix_len = 64,
		.enforce = true,
	};
}

struct dataplane_features plane_every_feature(void)
{
	return (struct dataplane_features){
		.loaded = DATAPLANE_FEATURE_FLOW | DATAPLANE_FEATURE_DESTINATION |
			  DATAPLANE_FEATURE_SAMPLE,
		.max_flows = 1000,
		.max_destinations = 10,
		.samples_per_window = 10,
	};
}

struct dataplane_live_options plane_options_for(enum dataplane_swap_design design)
{
	struct dataplane_live_options options = plane_options();

	options.swap = design;
	return options;
}

struct plane plane_open(const struct dataplane_live_options *options)
{
	struct plane plane = { 0 };
	struct sluice_err err = { 0 };
	int code = dataplane_live_open(options, &plane.dp, &err);

	cr_assert_eq(code, 0, "open: %d: %s %s", code, err.path, err.text);
	plane.filter_fd = bpf_obj_get(PLANE_FOLDER "/sluice_filter");
	cr_assert_geq(plane.filter_fd, 0, "%s", strerror(errno));
	int fd = bpf_obj_get(PLANE_FOLDER "/sluice_header");

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	plane.header = mmap(NULL, SLUICE_HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	cr_assert_neq(plane.header, MAP_FAILED, "%s", strerror(errno));
	return plane;
}

void plane_close(struct plane *plane)
{
	munmap(plane->header, SLUICE_HEADER_SIZE);
	close(plane->filter_fd);
	dataplane_close(plane->dp);
	*plane = (struct plane){ .filter_fd = -1 };
}

static uint32_t run(const struct plane *plane, const struct frame *frame, uint32_t repeat)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame->data, .data_size_in = frame->size,
		    .repeat = (int)repeat);
	int code = bpf_prog_test_run_opts(plane->filter_fd, &opts);

	/* Not asserted each time: an assertion that holds costs more than the packet. */
	if (code)
		cr_assert_fail("test run of %u bytes: %d", frame->size, code);
	return opts.retval;
}

uint32_t plane_run(const struct plane *plane, const struct frame *frame, uint32_t repeat)
{
	uint32_t verdict = 0;

	/* A repeated run makes the kernel wait for RCU twice: cheaper only if it is long. */
	if (repeat > 2000)
		return run(plane, frame, repeat);
	for (; repeat > 0; repeat--)
		verdict = run(plane, frame, 1);
	return verdict;
}

struct dataplane_counters plane_counters(const struct plane *plane)
{
	struct dataplane_counters counters;

	plane->dp->ops->counters_read(plane->dp, &counters);
	return counters;
}

struct dataplane_counters plane_delta(const struct dataplane_counters *before,
				      const struct dataplane_counters *after)
{
	struct dataplane_counters delta;

	for (int i = 0; i < DATAPLANE_N_REASONS; i++) {
		delta.reason[i].packets = after->reason[i].packets - before->reason[i].packets;
		delta.reason[i].bytes = after->reason[i].bytes - before->reason[i].bytes;
	}
	return delta;
}

void plane_fill_map(const char *name, uint8_t byte)
{
	struct bpf_map_info info = {};
	__u32 info_size = sizeof(info);
	char path[128];

	snprintf(path, sizeof(path), PLANE_FOLDER "/%s", name);
	int fd = bpf_obj_get(path);

	cr_assert_geq(fd, 0, "%s: %s", path, strerror(errno));
	cr_assert_eq(bpf_obj_get_info_by_fd(fd, &info, &info_size), 0);
	uint8_t *value = malloc(info.value_size);

	cr_assert_not_null(value);
	memset(value, byte, info.value_size);
	for (__u32 i = 0; i < info.max_entries; i++)
		cr_assert_eq(bpf_map_update_elem(fd, &i, value, BPF_ANY), 0);
	free(value);
	close(fd);
}

struct sluice_key plane_key(const char *text)
{
	struct sluice_key key;

	if (address_parse_prefix(text, ADDRESS_STRICT, &key, NULL))
		cr_assert_fail("%s", text);
	return key;
}

struct dataplane_block_record plane_record(const struct sluice_key *key, uint32_t flags)
{
	return (struct dataplane_block_record){
		.key = *key,
		.first_seen_ns = 1,
		.expires_ns = 2,
		.flags = flags,
		.repeats = 3,
		.detector = "threshold",
		.reason = "source_pps",
		.pps = 4,
	};
}

dataplane_slot plane_block(const struct plane *plane, const char *text, uint32_t flags)
{
	struct sluice_key key = plane_key(text);
	struct dataplane_block_record record = plane_record(&key, flags);
	struct sluice_err err = { 0 };
	dataplane_slot slot;
	int code = plane->dp->ops->block(plane->dp, &record, &slot, &err);

	cr_assert_eq(code, 0, "block %s: %d: %s", text, code, err.text);
	return slot;
}
