/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens, checks and reads a pinned card.
 */
#include "card.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "explain.h"
#include "logic.h"

/* What a pinned map must be. */
struct map_shape {
	const char *name;
	__u32 type, key_size, value_size, max_entries;
	__u32 flags; /* At least these. */
};

static int pin_path(char *out, const char *folder, const char *name, struct sluice_err *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX)
		return 0;
	explain(err, "the path of the card's folder is too long");
	return -ENAMETOOLONG;
}

static int cannot_open(const char *folder, const char *name, int rc, struct sluice_err *err)
{
	if (rc == -ENOENT || rc == -ENOTDIR)
		explain(err,
			"card '%.80s': there is no '%s' in it; make a card: "
			"sluice-emu-card create --pin FOLDER",
			folder, name);
	else if (rc == -EPERM || rc == -EACCES)
		explain(err, "card '%.80s': cannot open '%s': %s; run as root, or with CAP_BPF",
			folder, name, strerror(-rc));
	else
		explain(err,
			"card '%.80s': cannot open '%s': %s; a card lives in a BPF file system",
			folder, name, strerror(-rc));
	return rc;
}

/* The fd of a pinned map that is just as expected, or a negative errno. */
static int open_map(const char *folder, const struct map_shape *shape, struct sluice_err *err)
{
	struct bpf_map_info info = { 0 };
	__u32 size = sizeof(info);
	char path[PATH_MAX];
	int fd, rc;

	rc = pin_path(path, folder, shape->name, err);
	if (rc)
		return rc;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return cannot_open(folder, shape->name, fd, err);
	rc = bpf_obj_get_info_by_fd(fd, &info, &size);
	if (rc == 0 &&
	    (info.type != shape->type || info.key_size != shape->key_size ||
	     info.value_size != shape->value_size || info.max_entries != shape->max_entries ||
	     (info.map_flags & shape->flags) != shape->flags))
		rc = -EPROTO;
	if (rc) {
		close(fd);
		explain(err,
			"card '%.80s': '%s' is not what sluice-emu-card pins there (%s); make the "
			"card anew: sluice-emu-card destroy, then create",
			folder, shape->name, strerror(-rc));
		return rc;
	}
	return fd;
}

static int read_info(const char *path, struct emu_card_info *info, struct sluice_err *err)
{
	static const struct map_shape shape = {
		CARD_PIN_CARD,
		BPF_MAP_TYPE_ARRAY,
		sizeof(__u32),
		sizeof(struct emu_card_info),
		1,
		0,
	};
	int fd = open_map(path, &shape, err);
	const char *fault;
	__u32 zero = 0;
	int rc;

	if (fd < 0)
		return fd;
	rc = bpf_map_lookup_elem(fd, &zero, info);
	close(fd);
	if (rc) {
		explain(err, "card '%.80s': cannot read its description: %s", path, strerror(-rc));
		return rc;
	}
	fault = logic_card_fault(info);
	if (fault) {
		explain(err,
			"card '%.80s': %s; make the card anew: sluice-emu-card destroy, "
			"then create",
			path, fault);
		return -EPROTO;
	}
	return 0;
}

static int buckets_inode(const char *folder, ino_t *inode, struct sluice_err *err)
{
	char path[PATH_MAX];
	struct stat st;
	int rc = pin_path(path, folder, CARD_PIN_BUCKETS, err);

	if (rc)
		return rc;
	if (stat(path, &st))
		return cannot_open(folder, CARD_PIN_BUCKETS, -errno, err);
	*inode = st.st_ino;
	return 0;
}

static size_t mapped_size(size_t n, size_t value_size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (n * value_size + page - 1) / page * page;
}

/* Opens a pinned array and maps it whole. */
static int map_array(const char *folder, const struct map_shape *shape, int protection,
		     void **memory, struct sluice_err *err)
{
	int fd = open_map(folder, shape, err);
	int rc = 0;

	if (fd < 0)
		return fd;
	*memory = mmap(NULL, mapped_size(shape->max_entries, shape->value_size), protection,
		       MAP_SHARED, fd, 0);
	if (*memory == MAP_FAILED) {
		rc = -errno;
		explain(err, "card '%.80s': cannot map '%s': %s", folder, shape->name,
			strerror(-rc));
	}
	close(fd);
	return rc;
}

static int open_buckets(struct card *card, enum card_access access, struct sluice_err *err)
{
	const struct map_shape shape = {
		CARD_PIN_BUCKETS,     BPF_MAP_TYPE_ARRAY,
		sizeof(__u32),	      sizeof(struct emu_card_bucket),
		card->info.n_buckets, BPF_F_MMAPABLE,
	};
	void *memory;
	int rc = map_array(card->path, &shape,
			   access == CARD_WRITE ? PROT_READ | PROT_WRITE : PROT_READ, &memory, err);

	if (rc)
		return rc;
	card->buckets = (struct buckets){
		.at = memory,
		.n = card->info.n_buckets,
		.hash_key = { card->info.hash_key[0], card->info.hash_key[1] },
	};
	return 0;
}

static void close_buckets(struct card *card)
{
	munmap(card->buckets.at, mapped_size(card->buckets.n, sizeof(*card->buckets.at)));
}

static int open_totals(struct card *card, struct sluice_err *err)
{
	struct map_shape shape = {
		CARD_PIN_TOTALS, BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct emu_card_cpu), 0,
		BPF_F_MMAPABLE,
	};
	int n_cpus = libbpf_num_possible_cpus();
	void *memory;
	int rc;

	if (n_cpus < 0) {
		explain(err, "cannot tell how many CPUs there are: %s", strerror(-n_cpus));
		return n_cpus;
	}
	shape.max_entries = (__u32)n_cpus;
	rc = map_array(card->path, &shape, PROT_READ, &memory, err);
	if (rc)
		return rc;
	card->totals = memory;
	card->n_cpus = (uint32_t)n_cpus;
	return 0;
}

static int open_hash(struct card *card, struct sluice_err *err)
{
	const struct map_shape shape = {
		CARD_PIN_HASH,
		BPF_MAP_TYPE_HASH,
		sizeof(struct emu_card_key),
		sizeof(struct emu_card_hits),
		card->info.capacity,
		0,
	};

	card->hash_fd = open_map(card->path, &shape, err);
	return card->hash_fd < 0 ? card->hash_fd : 0;
}

int card_open(const char *path, enum card_access access, struct card *card, struct sluice_err *err)
{
	int rc;

	if (snprintf(card->path, sizeof(card->path), "%s", path) >= (int)sizeof(card->path)) {
		explain(err, "the path of the card's folder is too long");
		return -ENAMETOOLONG;
	}
	card->n_rules = 0;
	rc = read_info(path, &card->info, err);
	if (rc)
		return rc;
	/* The inode first: should the card be replaced in between, card_check() will notice. */
	rc = buckets_inode(path, &card->inode, err);
	if (rc)
		return rc;
	rc = open_buckets(card, access, err);
	if (rc)
		return rc;
	rc = open_totals(card, err);
	if (rc)
		goto out_buckets;
	rc = open_hash(card, err);
	if (rc)
		goto out_totals;
	return 0;

out_totals:
	munmap((void *)card->totals, mapped_size(card->n_cpus, sizeof(*card->totals)));
out_buckets:
	close_buckets(card);
	return rc;
}

void card_close(struct card *card)
{
	close(card->hash_fd);
	munmap((void *)card->totals, mapped_size(card->n_cpus, sizeof(*card->totals)));
	close_buckets(card);
}

int card_check(const struct card *card, struct sluice_err *err)
{
	ino_t inode;

	if (buckets_inode(card->path, &inode, NULL) == 0 && inode == card->inode)
		return 0;
	explain(err, "card '%.80s': it was destroyed or made anew", card->path);
	return -ENODEV;
}

/* One batch after the other; -ENOSPC when a hash bucket does not fit into what room is left. */
static int read_batches(const struct card *card, struct emu_card_key *keys,
			struct emu_card_hits *hits, size_t room, size_t *n)
{
	__u32 cursor, *in = NULL, count;
	int rc = 0;

	*n = 0;
	while (rc == 0) {
		count = (__u32)(room - *n);
		if (count == 0)
			return -ENOSPC;
		rc = bpf_map_lookup_batch(card->hash_fd, in, &cursor, keys + *n, hits + *n, &count,
					  NULL);
		if (rc == 0 || rc == -ENOENT)
			*n += count;
		in = &cursor;
	}
	return rc == -ENOENT ? 0 : rc;
}

int card_hash_rules(const struct card *card, struct card_rule **rules, size_t *n)
{
	/* Room to spare, since a batch takes whole hash buckets. */
	size_t room = (size_t)card->info.capacity + 256;
	struct emu_card_key *keys = calloc(room, sizeof(*keys));
	struct emu_card_hits *hits = calloc(room, sizeof(*hits));
	struct card_rule *out = NULL;
	int rc = -ENOMEM;

	if (keys && hits)
		rc = read_batches(card, keys, hits, room, n);
	if (rc == 0) {
		out = calloc(*n + 1, sizeof(*out));
		rc = out ? 0 : -ENOMEM;
	}
	for (size_t i = 0; rc == 0 && i < *n; i++)
		out[i] = (struct card_rule){ keys[i], hits[i] };
	*rules = out;
	free(keys);
	free(hits);
	return rc;
}

/* Behind the rules of the hash, which `*rules` has already. */
static int append_buckets(const struct card *card, struct card_rule **rules, size_t *n)
{
	const struct buckets *buckets = &card->buckets;
	size_t room = *n + (size_t)buckets->n * EMU_CARD_WAYS;
	struct card_rule *out = reallocarray(*rules, room, sizeof(*out));

	if (!out)
		return -ENOMEM;
	*rules = out;
	for (uint32_t i = 0; i < buckets->n; i++) {
		for (int way = 0; way < EMU_CARD_WAYS; way++) {
			struct card_rule rule = { .key.family = 4 };

			if (buckets_rule(buckets, i, way, &rule.key.addr[0], &rule.hits))
				out[(*n)++] = rule;
		}
	}
	return 0;
}

int card_rules(const struct card *card, struct card_rule **rules, size_t *n, struct sluice_err *err)
{
	int rc = card_hash_rules(card, rules, n);

	if (rc == 0)
		rc = append_buckets(card, rules, n);
	if (rc) {
		explain(err, "card '%.80s': cannot read its table: %s", card->path, strerror(-rc));
		free(*rules);
		*rules = NULL;
	}
	return rc;
}

void card_totals(const struct card *card, struct emu_card_hits *totals)
{
	*totals = (struct emu_card_hits){ 0 };
	for (uint32_t i = 0; i < card->n_cpus; i++) {
		const struct emu_card_hits *dropped = &card->totals[i].dropped;

		totals->packets += __atomic_load_n(&dropped->packets, __ATOMIC_RELAXED);
		totals->bytes += __atomic_load_n(&dropped->bytes, __ATOMIC_RELAXED);
	}
}
