/* SPDX-License-Identifier: BSD-2-Clause */
/* The real kernel, by libbpf; see kernel.h. */
#include "kernel.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include "nic_drop.skel.h"
#include "words.h"

#define LOG_SIZE (64u * 1024u)

static int find_ifindex(void *self, const char *ifname)
{
	unsigned int ifindex = if_nametoindex(ifname);

	(void)self;
	return ifindex ? (int)ifindex : -ENODEV;
}

static int find_attached(void *self, int ifindex, uint32_t *id)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);
	int rc = bpf_xdp_query(ifindex, XDP_FLAGS_HW_MODE, &query);

	(void)self;
	*id = rc ? 0 : query.hw_prog_id;
	return rc;
}

static int open_program(void *self, uint32_t id, struct kernel_program *program)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info), map_id = 0;
	int fd = bpf_prog_get_fd_by_id(id), rc;

	(void)self;
	if (fd < 0)
		return fd;
	info.nr_map_ids = 1;
	info.map_ids = (__u64)(unsigned long)&map_id;
	rc = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (rc) {
		close(fd);
		return rc;
	}
	*program = (struct kernel_program){ .n_maps = info.nr_map_ids, .map_id = map_id };
	memcpy(program->name, info.name, sizeof(program->name));
	return fd;
}

static int open_map(void *self, uint32_t id, struct kernel_map *map)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	int fd = bpf_map_get_fd_by_id(id), rc;

	(void)self;
	if (fd < 0)
		return fd;
	rc = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (rc) {
		close(fd);
		return rc;
	}
	*map = (struct kernel_map){
		.type = info.type,
		.key_size = info.key_size,
		.value_size = info.value_size,
		.max_entries = info.max_entries,
		.flags = info.map_flags,
		.ifindex = info.ifindex,
	};
	return fd;
}

static int create_map(int ifindex, uint32_t max_entries, struct bpf_map_create_opts *options)
{
	options->map_ifindex = (__u32)ifindex;
	return bpf_map_create(BPF_MAP_TYPE_HASH, "sluice_nic", sizeof(struct nic_drop_key),
			      sizeof(struct nic_drop_hits), max_entries, options);
}

/* The types of key and value, by their numbers in the order of the calls; NULL without memory. */
static struct btf *describe_entries(int *key_type, int *value_type)
{
	struct btf *types = btf__new_empty();
	int u32, u64, words, rc;

	if (!types)
		return NULL;
	u32 = btf__add_int(types, "unsigned int", 4, 0);
	u64 = btf__add_int(types, "unsigned long long", 8, 0);
	words = btf__add_array(types, u32, u32, 4);
	*key_type = btf__add_struct(types, "nic_drop_key", sizeof(struct nic_drop_key));
	rc = btf__add_field(types, "addr", words, 0, 0);
	rc = rc ? rc : btf__add_field(types, "family", u32, 128, 0);
	*value_type = btf__add_struct(types, "nic_drop_hits", sizeof(struct nic_drop_hits));
	rc = rc ? rc : btf__add_field(types, "packets", u64, 0, 0);
	rc = rc ? rc : btf__add_field(types, "bytes", u64, 64, 0);
	if (rc == 0 && *key_type > 0 && *value_type > 0)
		return types;
	btf__free(types);
	return NULL;
}

static int create_typed_map(int ifindex, uint32_t max_entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);
	int key_type, value_type, rc;
	struct btf *types = describe_entries(&key_type, &value_type);

	if (!types)
		return -ENOMEM;
	rc = btf__load_into_kernel(types);
	if (rc == 0) {
		options.btf_fd = (__u32)btf__fd(types);
		options.btf_key_type_id = (__u32)key_type;
		options.btf_value_type_id = (__u32)value_type;
		rc = create_map(ifindex, max_entries, &options);
	}
	btf__free(types);
	return rc;
}

static int new_map(void *self, int ifindex, uint32_t max_entries, bool typed)
{
	LIBBPF_OPTS(bpf_map_create_opts, options);

	(void)self;
	return typed ? create_typed_map(ifindex, max_entries)
		     : create_map(ifindex, max_entries, &options);
}

/* Only the one program that is wanted, on the card, with the map that is there. */
static struct bpf_program *prepare(struct nic_drop *skel, int ifindex,
				   const struct key_variant *variant, char log[LOG_SIZE])
{
	struct bpf_program *program, *wanted = NULL;
	char name[KEY_NAME_SIZE];

	key_program_name(variant, name);
	bpf_object__for_each_program(program, skel->obj) {
		bool is_wanted = strcmp(bpf_program__name(program), name) == 0;

		bpf_program__set_autoload(program, is_wanted);
		if (is_wanted)
			wanted = program;
	}
	if (wanted) {
		bpf_program__set_ifindex(wanted, (__u32)ifindex);
		bpf_program__set_log_buf(wanted, log, LOG_SIZE);
	}
	return wanted;
}

static int new_program(void *self, int ifindex, const struct key_variant *variant, int map_fd,
		       char why[KERNEL_WHY_SIZE])
{
	char *log = calloc(1, LOG_SIZE);
	struct nic_drop *skel = log ? nic_drop__open() : NULL;
	struct bpf_program *program;
	int rc;

	(void)self;
	if (!skel) {
		free(log);
		return -ENOMEM;
	}
	program = prepare(skel, ifindex, variant, log);
	rc = program ? bpf_map__reuse_fd(skel->maps.sluice_nic, map_fd) : -EINVAL;
	rc = rc ? rc : nic_drop__load(skel);
	if (rc == 0) {
		rc = fcntl(bpf_program__fd(program), F_DUPFD_CLOEXEC, 3);
		rc = rc < 0 ? -errno : rc;
	} else {
		words_last(log, why, KERNEL_WHY_SIZE);
	}
	nic_drop__destroy(skel);
	free(log);
	return rc;
}

static int attach(void *self, int ifindex, int program_fd)
{
	(void)self;
	return bpf_xdp_attach(ifindex, program_fd, XDP_FLAGS_HW_MODE | XDP_FLAGS_UPDATE_IF_NOEXIST,
			      NULL);
}

static int detach(void *self, int ifindex, int program_fd)
{
	LIBBPF_OPTS(bpf_xdp_attach_opts, options, .old_prog_fd = program_fd);

	(void)self;
	return bpf_xdp_detach(ifindex, XDP_FLAGS_HW_MODE, &options);
}

static int update(void *self, int map_fd, const struct nic_drop_key *key)
{
	/* Not only to start at 0: the card keeps counters in another byte order. */
	static const struct nic_drop_hits none;

	(void)self;
	return bpf_map_update_elem(map_fd, key, &none, BPF_NOEXIST);
}

static int del(void *self, int map_fd, const struct nic_drop_key *key)
{
	(void)self;
	return bpf_map_delete_elem(map_fd, key);
}

static int lookup(void *self, int map_fd, const struct nic_drop_key *key,
		  struct nic_drop_hits *hits)
{
	(void)self;
	return bpf_map_lookup_elem(map_fd, key, hits);
}

static int next_key(void *self, int map_fd, const struct nic_drop_key *key,
		    struct nic_drop_key *next)
{
	(void)self;
	return bpf_map_get_next_key(map_fd, key, next);
}

static void close_fd(void *self, int fd)
{
	(void)self;
	close(fd);
}

static void wait_a_little(void *self)
{
	const struct timespec pause = { .tv_nsec = KERNEL_PAUSE_MS * 1000000 };

	(void)self;
	clock_nanosleep(CLOCK_MONOTONIC, 0, &pause, NULL);
}

const struct kernel_calls kernel_calls = {
	.ifindex = find_ifindex,
	.attached = find_attached,
	.open_program = open_program,
	.open_map = open_map,
	.new_map = new_map,
	.new_program = new_program,
	.attach = attach,
	.detach = detach,
	.update = update,
	.del = del,
	.lookup = lookup,
	.next = next_key,
	.close = close_fd,
	.pause = wait_a_little,
};
