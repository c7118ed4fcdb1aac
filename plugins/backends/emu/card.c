/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Opens, checks and reads a pinned card.
 */
#include "card.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "logic.h"

/* What a pinned map must be; 0 entries = any number. */
struct map_shape {
	const char *name;
	__u32 type, key_size, value_size, max_entries;
};

void card_err(struct sluice_err *err, const char *fmt, ...)
{
	va_list args;

	if (!err)
		return;
	err->path[0] = '\0';
	va_start(args, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, args);
	va_end(args);
}

static int pin_path(char *out, const char *folder, const char *name, struct sluice_err *err)
{
	if (snprintf(out, PATH_MAX, "%s/%s", folder, name) < PATH_MAX)
		return 0;
	card_err(err, "the path of the card's folder is too long");
	return -ENAMETOOLONG;
}

static int cannot_open(const char *folder, const char *name, int rc, struct sluice_err *err)
{
	if (rc == -ENOENT || rc == -ENOTDIR)
		card_err(err,
			 "card '%.80s': there is no '%s' in it; make a card: "
			 "sluice-emu-card create --pin FOLDER",
			 folder, name);
	else if (rc == -EPERM || rc == -EACCES)
		card_err(err, "card '%.80s': cannot open '%s': %s; run as root, or with CAP_BPF",
			 folder, name, strerror(-rc));
	else
		card_err(err,
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
	if (rc == 0 && (info.type != shape->type || info.key_size != shape->key_size ||
			info.value_size != shape->value_size ||
			(shape->max_entries && info.max_entries != shape->max_entries)))
		rc = -EPROTO;
	if (rc) {
		close(fd);
		card_err(err,
			 "card '%.80s': '%s' is not what sluice-emu-card pins there (%s); make the "
			 "card anew: sluice-emu-card destroy, then create",
			 folder, shape->name, strerror(-rc));
		return rc;
	}
	return fd;
}

static int read_info(const char *path, struct nic_card *info, struct sluice_err *err)
{
	static const struct map_shape shape = {
		CARD_PIN_CARD, BPF_MAP_TYPE_ARRAY, sizeof(__u32), sizeof(struct nic_card), 1,
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
		card_err(err, "card '%.80s': cannot read its description: %s", path, strerror(-rc));
		return rc;
	}
	fault = logic_card_fault(info);
	if (fault) {
		card_err(err,
			 "card '%.80s': %s; make the card anew: sluice-emu-card destroy, "
			 "then create",
			 path, fault);
		return -EPROTO;
	}
	return 0;
}

static int rules_inode(const char *folder, ino_t *inode, struct sluice_err *err)
{
	char path[PATH_MAX];
	struct stat st;
	int rc = pin_path(path, folder, CARD_PIN_RULES, err);

	if (rc)
		return rc;
	if (stat(path, &st))
		return cannot_open(folder, CARD_PIN_RULES, -errno, err);
	*inode = st.st_ino;
	return 0;
}

int card_open(const char *path, struct card *card, struct sluice_err *err)
{
	struct map_shape rules = {
		CARD_PIN_RULES,
		BPF_MAP_TYPE_HASH,
		sizeof(struct nic_key),
		sizeof(struct nic_hits),
		0,
	};
	static const struct map_shape totals = {
		CARD_PIN_TOTALS,
		BPF_MAP_TYPE_PERCPU_ARRAY,
		sizeof(__u32),
		sizeof(struct nic_hits),
		1,
	};
	int rc;

	if (snprintf(card->path, sizeof(card->path), "%s", path) >= (int)sizeof(card->path)) {
		card_err(err, "the path of the card's folder is too long");
		return -ENAMETOOLONG;
	}
	rc = read_info(path, &card->info, err);
	if (rc)
		return rc;
	rules.max_entries = card->info.capacity;
	/* The inode first: should the card be replaced in between, card_check() will notice. */
	rc = rules_inode(path, &card->rules_inode, err);
	if (rc)
		return rc;
	card->rules_fd = open_map(path, &rules, err);
	if (card->rules_fd < 0)
		return card->rules_fd;
	card->totals_fd = open_map(path, &totals, err);
	if (card->totals_fd < 0) {
		close(card->rules_fd);
		return card->totals_fd;
	}
	return 0;
}

void card_close(struct card *card)
{
	close(card->rules_fd);
	close(card->totals_fd);
}

int card_check(const struct card *card, struct sluice_err *err)
{
	ino_t inode;

	if (rules_inode(card->path, &inode, NULL) == 0 && inode == card->rules_inode)
		return 0;
	card_err(err, "card '%.80s': it was destroyed or made anew", card->path);
	return -ENODEV;
}

/* One batch after the other; -ENOSPC when a hash bucket does not fit into what room is left. */
static int read_batches(const struct card *card, struct nic_key *keys, struct nic_hits *hits,
			size_t room, size_t *n)
{
	__u32 cursor, *in = NULL, count;
	int rc = 0;

	*n = 0;
	while (rc == 0) {
		count = (__u32)(room - *n);
		if (count == 0)
			return -ENOSPC;
		rc = bpf_map_lookup_batch(card->rules_fd, in, &cursor, keys + *n, hits + *n, &count,
					  NULL);
		if (rc == 0 || rc == -ENOENT)
			*n += count;
		in = &cursor;
	}
	return rc == -ENOENT ? 0 : rc;
}

int card_rules(const struct card *card, struct card_rule **rules, size_t *n, struct sluice_err *err)
{
	/* Room to spare, since a batch takes whole hash buckets. */
	size_t room = (size_t)card->info.capacity + 256;
	struct nic_key *keys = calloc(room, sizeof(*keys));
	struct nic_hits *hits = calloc(room, sizeof(*hits));
	struct card_rule *out = calloc(room, sizeof(*out));
	int rc = -ENOMEM;

	if (keys && hits && out)
		rc = read_batches(card, keys, hits, room, n);
	if (rc) {
		card_err(err, "card '%.80s': cannot read its table: %s", card->path, strerror(-rc));
		free(out);
	} else {
		for (size_t i = 0; i < *n; i++)
			out[i] = (struct card_rule){ keys[i], hits[i] };
		*rules = out;
	}
	free(keys);
	free(hits);
	return rc;
}

int card_totals(const struct card *card, struct nic_hits *totals, struct sluice_err *err)
{
	int n_cpus = libbpf_num_possible_cpus();
	struct nic_hits *per_cpu;
	__u32 zero = 0;
	int rc = n_cpus;

	memset(totals, 0, sizeof(*totals));
	per_cpu = n_cpus > 0 ? calloc((size_t)n_cpus, sizeof(*per_cpu)) : NULL;
	if (n_cpus > 0)
		rc = per_cpu ? bpf_map_lookup_elem(card->totals_fd, &zero, per_cpu) : -ENOMEM;
	for (int i = 0; i < n_cpus && rc == 0; i++) {
		totals->packets += per_cpu[i].packets;
		totals->bytes += per_cpu[i].bytes;
	}
	free(per_cpu);
	if (rc)
		card_err(err, "card '%.80s': cannot read its counters: %s", card->path,
			 strerror(-rc));
	return rc;
}
