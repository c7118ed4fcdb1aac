/* SPDX-License-Identifier: BSD-2-Clause */
/* See state.h. */
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "attachment.h"
#include "base/err.h"
#include "known_maps.h"
#include "known_shared.h"
#include "source_table.h"
#include "tc_hook.h"

/* Keys per bucket on average, at most: a little over half its ways, so that the stash stays nearly empty. */
#define BLOCK_LOAD 4.4

static int make_folders(const char *folder, struct sluice_err *err)
{
	char path[sizeof(((struct state *)0)->folder)];
	struct statfs fs;

	snprintf(path, sizeof(path), "%s", folder);
	for (char *at = path + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(path, 0700) && errno != EEXIST)
			goto fail;
		*at = '/';
	}
	if (mkdir(path, 0700) && errno != EEXIST)
		goto fail;
	if (statfs(path, &fs) || fs.f_type != BPF_FS_MAGIC) {
		rmdir(path);
		err_set(err, "pin_path",
			"'%s' is not in a bpffs; mount one: mount -t bpf bpf /sys/fs/bpf", folder);
		return -EINVAL;
	}
	return 0;
fail:;
	int code = -errno;

	err_set(err, "pin_path", "cannot make folder '%s': %s%s", path, err_name(code),
		code == -EPERM ? "; is it in a bpffs (mount -t bpf bpf /sys/fs/bpf)?" : "");
	return code;
}

/* A power of two: bucket and tag share the bits of a hash. */
static uint32_t block_buckets(uint32_t max_blocked)
{
	uint32_t bits = SLUICE_BLOCK_MIN_BITS;

	while (bits < SLUICE_BLOCK_MAX_BITS && (1u << bits) * BLOCK_LOAD < max_blocked)
		bits++;
	return 1u << bits;
}

static bool is_block_size(uint32_t n_buckets)
{
	return n_buckets >= 1u << SLUICE_BLOCK_MIN_BITS &&
	       n_buckets <= 1u << SLUICE_BLOCK_MAX_BITS && !(n_buckets & (n_buckets - 1));
}

uint32_t state_max_sources_v6(const struct dataplane_live_options *options)
{
	if (options->max_sources_v6)
		return options->max_sources_v6;
	return options->max_sources / STATE_V6_SHARE + 1;
}

uint32_t state_keys_per_cpu(uint32_t n_keys, uint32_t n_cpus)
{
	return n_cpus > 2 ? n_keys / n_cpus * 2 : n_keys;
}

static void source_sizes(struct state *state, const struct dataplane_live_options *options)
{
	uint32_t n_cpus = state->sizes.n_cpus;

	state->source4_buckets = feature_buckets(&source_table_layout4,
						 state_keys_per_cpu(options->max_sources, n_cpus));
	state->source6_buckets = feature_buckets(
		&source_table_layout6, state_keys_per_cpu(state_max_sources_v6(options), n_cpus));
}

static void sizes_from_options(struct sluice_header *sizes,
			       const struct dataplane_live_options *options, uint32_t n_cpus)
{
	memset(sizes, 0, sizeof(*sizes));
	sizes->n_cpus = n_cpus;
	sizes->v6_prefix_len = options->v6_prefix_len;
	sizes->max_blocked = options->max_blocked;
	sizes->known_bits = known_maps_bits(options->max_known);
	sizes->block4_buckets = sizes->block6_buckets = block_buckets(options->max_blocked);
}

static bool sizes_are_sound(const struct sluice_header *header)
{
	const uint32_t limit = 1u << 28;

	return header->n_cpus == (uint32_t)libbpf_num_possible_cpus() &&
	       header->v6_prefix_len >= 1 && header->v6_prefix_len <= 128 &&
	       header->max_blocked >= 1 && header->max_blocked < limit &&
	       header->known_bits >= KNOWN_MIN_BITS && header->known_bits <= KNOWN_MAX_BITS &&
	       is_block_size(header->block4_buckets) && is_block_size(header->block6_buckets);
}

static int check_header(struct state *state, const struct sluice_header *header,
			const struct dataplane_live_options *options, struct sluice_err *err)
{
	if (header->magic != SLUICE_HEADER_MAGIC || header->layout != SLUICE_LAYOUT ||
	    !sizes_are_sound(header)) {
		err_set(err, "pin_path",
			"the state pinned in '%s' is damaged or of another layout (%u, ours is %u); "
			"'sluice detach' removes it",
			state->folder, header->layout, SLUICE_LAYOUT);
		return -EPROTO;
	}
	if (header->v6_prefix_len != options->v6_prefix_len) {
		err_set(err, "policy.v6_prefix",
			"the running filter blocks IPv6 by /%u, not by /%u; 'sluice detach' first",
			header->v6_prefix_len, options->v6_prefix_len);
		return -EPROTO;
	}
	state->sizes = *header;
	state->adopted = true;
	return 0;
}

/* 1: nothing pinned, or only the torn beginnings of a daemon that died while it started. */
static int read_header(struct state *state, const struct dataplane_live_options *options,
		       struct sluice_err *err)
{
	char path[sizeof(state->folder) + 32];
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	struct mapped mapped;

	snprintf(path, sizeof(path), "%s/sluice_header", state->folder);
	int fd = bpf_obj_get(path);

	int code = fd < 0 ? -errno : 0;

	if (code == -ENOENT)
		return 1;
	if (code) {
		err_set(err, "pin_path", "cannot open '%s': %s", path, err_name(code));
		return code;
	}
	code = bpf_obj_get_info_by_fd(fd, &info, &size) ? -errno : 0;

	if (code || info.type != BPF_MAP_TYPE_ARRAY || info.value_size != SLUICE_HEADER_SIZE ||
	    info.max_entries != 1) {
		err_set(err, "pin_path",
			"'%s' is not a header page of ours; 'sluice detach' removes it", path);
		code = -EPROTO;
		goto out;
	}
	code = mapped_open(&mapped, fd, "sluice_header", err);
	if (code)
		goto out;
	const struct sluice_header *header = mapped.memory;

	/* The magic is written last, so 0 is a torn beginning, and anything else is damage. */
	code = header->magic ? check_header(state, header, options, err) : 1;
	mapped_close(&mapped);
out:
	close(fd);
	return code;
}

static int take_lock(struct state *state, struct sluice_err *err)
{
	state->lock_fd = open(state->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (state->lock_fd < 0) {
		int code = -errno;

		err_set(err, "pin_path", "cannot open '%s': %s", state->folder, err_name(code));
		return code;
	}
	if (flock(state->lock_fd, LOCK_EX | LOCK_NB)) {
		err_set(err, "pin_path",
			"another sluiced is running on '%s'; stop it, or give this one a pin_path of its own",
			state->folder);
		return -EBUSY;
	}
	/* A folder that was removed between our opening and locking it locks nothing. */
	struct stat locked, named;

	if (fstat(state->lock_fd, &locked) || stat(state->folder, &named) ||
	    locked.st_ino != named.st_ino) {
		err_set(err, "pin_path", "'%s' is being removed; start again", state->folder);
		return -EBUSY;
	}
	return 0;
}

static int remove_contents(const char *folder, struct sluice_err *err)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	int code = 0;

	if (!directory)
		return -errno;
	/* Links first: while one is pinned, its program runs and wants its maps. */
	for (int links = 1; links >= 0; links--) {
		rewinddir(directory);
		while ((entry = readdir(directory))) {
			bool at_tc = tc_hook_is(entry->d_name);

			if (entry->d_name[0] == '.' ||
			    (at_tc || attachment_is(entry->d_name)) != links)
				continue;
			int removed = at_tc ? tc_hook_remove(folder, entry->d_name)
					    : attachment_remove(folder, entry->d_name, err);

			if (removed) {
				code = removed;
				err_set(err, "pin_path", "cannot remove '%s/%s': %s", folder,
					entry->d_name, err_name(code));
			}
		}
	}
	closedir(directory);
	return code;
}

int state_open(struct state *state, const struct dataplane_live_options *options,
	       struct sluice_err *err)
{
	*state = (struct state){ .lock_fd = -1 };
	int length = snprintf(state->folder, sizeof(state->folder), "%s/v%d", options->pin_path,
			      SLUICE_LAYOUT);

	if (length < 0 || (size_t)length >= sizeof(state->folder)) {
		err_set(err, "pin_path", "'%s' is too long", options->pin_path);
		return -ENAMETOOLONG;
	}
	int code = make_folders(state->folder, err);

	if (!code)
		code = take_lock(state, err);
	if (!code)
		code = read_header(state, options, err);
	if (code == 1) {
		/* Torn beginnings hold no verdicts; the folder itself stays, and with it the lock. */
		code = remove_contents(state->folder, err);
		sizes_from_options(&state->sizes, options, (uint32_t)libbpf_num_possible_cpus());
	}
	source_sizes(state, options);
	if (code)
		state_close(state);
	return code;
}

void state_open_unpinned(struct state *state, const struct dataplane_live_options *options,
			 uint32_t n_cpus)
{
	*state = (struct state){ .lock_fd = -1 };
	sizes_from_options(&state->sizes, options, n_cpus);
	source_sizes(state, options);
}

void state_close(struct state *state)
{
	if (state->lock_fd >= 0)
		close(state->lock_fd);
	state->lock_fd = -1;
}

int state_remove(const char *folder, struct sluice_err *err)
{
	int code = remove_contents(folder, err);

	if (!code && rmdir(folder))
		code = -errno;
	return code;
}

int state_header_write(const struct state *state, struct sluice_header *header,
		       struct sluice_err *err)
{
	*header = state->sizes;
	header->layout = SLUICE_LAYOUT;
	header->epoch[0] = header->epoch[1] = 1;
	if (!(header->hash_key[0] | header->hash_key[1]) &&
	    getrandom(header->hash_key, sizeof(header->hash_key), 0) !=
		    (ssize_t)sizeof(header->hash_key)) {
		err_set(err, NULL, "cannot draw the hash key: %s", err_name(errno));
		return -EIO;
	}
	__atomic_store_n(&header->magic, SLUICE_HEADER_MAGIC, __ATOMIC_RELEASE);
	return 0;
}

void state_v6_mask(unsigned int prefix_len, uint64_t mask[2])
{
	uint8_t bytes[16] = { 0 };

	for (unsigned int bit = 0; bit < prefix_len; bit++)
		bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	memcpy(mask, bytes, sizeof(bytes));
}
