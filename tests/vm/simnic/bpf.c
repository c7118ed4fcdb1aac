// SPDX-License-Identifier: GPL-2.0-only
/*
 * BPF offload: programs and hash maps "in the card's memory", by the kernel's own control path.
 *
 * The program does not run.  The kernel hands a driver checked instructions, which a real one
 * translates for its card's processors; there are none here, and no interpreter either.  What is
 * simulated is the effect of one kind of program, Sluice's nic_drop.bpf.c: with it in the hook, a
 * frame whose source has an entry in the program's map is counted there and dropped.  The program's
 * name tells its IPv6 prefix length and whether it counts.  Any other program lets everything pass.
 *
 * Limits and refusals are those of Netronome's driver: no flags, one memory for the entries of all
 * maps, so many bytes an entry (ENOMEM); the card may also be full before the map is (E2BIG).
 */
#include <linux/bpf.h>
#include <linux/bpf_verifier.h>
#include <linux/debugfs.h>
#include <linux/etherdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/jhash.h>
#include <linux/slab.h>
#include <net/ipv6.h>

#include "simnic.h"

#define MAP_BITS 12
#define DEFAULT_ENTRIES 4096
#define DEFAULT_ENTRY_SIZE 64

/* What Sluice's program looks up, and what it counts. */
struct source {
	__be32 addr[4];
	u32 family;
};

struct hits {
	u64 packets, bytes;
};

struct entry {
	struct hlist_node node;
	u8 data[] __aligned(8); /* The key, and at the next multiple of 8 the value. */
};

struct map {
	struct simnic_bpf *bpf;
	struct bpf_offloaded_map *offmap;
	struct list_head list;
	spinlock_t lock;
	u32 n_entries; /* Under the lock, as they are. */
	DECLARE_HASHTABLE(entries, MAP_BITS);
};

struct simnic_bpf {
	struct simnic_card *card;
	struct bpf_offload_dev *dev;
	struct bpf_prog __rcu *prog; /* In the hook. */
	struct list_head maps;	     /* Under RTNL, as the counts of both kinds. */
	u32 n_maps, n_programs, reserved;
	/* Under the map's lock, and there is one map that matters. */
	u32 n_entries;
	u64 dropped;
	/* Knobs. */
	u32 max_entries, max_entry_size, room;
	bool off, uncounted;
};

static void *value_of(const struct map *map, struct entry *entry)
{
	return entry->data + round_up(map->offmap->map.key_size, 8);
}

static u32 bucket_of(const struct map *map, const void *key)
{
	return hash_min(jhash(key, map->offmap->map.key_size, 0), MAP_BITS);
}

/* Under the map's lock, as all that follows up to the calls of the kernel. */
static struct entry *find(struct map *map, const void *key)
{
	struct entry *entry;

	hlist_for_each_entry(entry, &map->entries[bucket_of(map, key)], node)
		if (!memcmp(entry->data, key, map->offmap->map.key_size))
			return entry;
	return NULL;
}

static struct entry *first_from(struct map *map, u32 bucket)
{
	for (; bucket < HASH_SIZE(map->entries); bucket++)
		if (!hlist_empty(&map->entries[bucket]))
			return hlist_entry(map->entries[bucket].first, struct entry, node);
	return NULL;
}

static struct entry *entry_after(struct map *map, const void *key)
{
	struct entry *entry = key ? find(map, key) : NULL;

	if (!entry)
		return first_from(map, 0);
	if (entry->node.next)
		return hlist_entry(entry->node.next, struct entry, node);
	return first_from(map, bucket_of(map, key) + 1);
}

static void clear(struct map *map)
{
	struct hlist_node *next;
	struct entry *entry;
	u32 i;

	spin_lock_bh(&map->lock);
	hash_for_each_safe(map->entries, i, next, entry, node)
	{
		hlist_del(&entry->node);
		kfree(entry);
	}
	map->bpf->n_entries -= map->n_entries;
	map->n_entries = 0;
	spin_unlock_bh(&map->lock);
}

static int map_get_next_key(struct bpf_offloaded_map *offmap, void *key, void *next_key)
{
	struct map *map = offmap->dev_priv;
	struct entry *entry;

	spin_lock_bh(&map->lock);
	entry = entry_after(map, key);
	if (entry)
		memcpy(next_key, entry->data, offmap->map.key_size);
	spin_unlock_bh(&map->lock);
	return entry ? 0 : -ENOENT;
}

static int map_lookup_elem(struct bpf_offloaded_map *offmap, void *key, void *value)
{
	struct map *map = offmap->dev_priv;
	struct entry *entry;

	spin_lock_bh(&map->lock);
	entry = find(map, key);
	if (entry)
		memcpy(value, value_of(map, entry), offmap->map.value_size);
	spin_unlock_bh(&map->lock);
	return entry ? 0 : -ENOENT;
}

/* Takes over `spare`, or leaves it. */
static int store(struct map *map, void *key, void *value, u64 flags, struct entry **spare)
{
	struct entry *entry = find(map, key);

	if (entry && flags == BPF_NOEXIST)
		return -EEXIST;
	if (!entry && flags == BPF_EXIST)
		return -ENOENT;
	if (!entry) {
		if (map->n_entries >= min(map->offmap->map.max_entries, READ_ONCE(map->bpf->room)))
			return -E2BIG;
		entry = *spare;
		*spare = NULL;
		memcpy(entry->data, key, map->offmap->map.key_size);
		hlist_add_head(&entry->node, &map->entries[bucket_of(map, key)]);
		map->n_entries++;
		map->bpf->n_entries++;
	}
	memcpy(value_of(map, entry), value, map->offmap->map.value_size);
	return 0;
}

static int map_update_elem(struct bpf_offloaded_map *offmap, void *key, void *value, u64 flags)
{
	struct map *map = offmap->dev_priv;
	int err = simnic_knobs_begin(map->bpf->card);
	struct entry *spare;

	if (err || map->bpf->card->knobs.lie)
		return err;
	spare = kzalloc(sizeof(*spare) + round_up(offmap->map.key_size, 8) +
				round_up(offmap->map.value_size, 8),
			GFP_KERNEL);
	if (!spare)
		return -ENOMEM;
	spin_lock_bh(&map->lock);
	err = store(map, key, value, flags, &spare);
	spin_unlock_bh(&map->lock);
	kfree(spare);
	return err;
}

static int map_delete_elem(struct bpf_offloaded_map *offmap, void *key)
{
	struct map *map = offmap->dev_priv;
	int err = simnic_knobs_begin(map->bpf->card);
	struct entry *entry;

	if (err || map->bpf->card->knobs.lie)
		return err;
	spin_lock_bh(&map->lock);
	entry = find(map, key);
	if (entry) {
		hlist_del(&entry->node);
		map->n_entries--;
		map->bpf->n_entries--;
	}
	spin_unlock_bh(&map->lock);
	kfree(entry);
	return entry ? 0 : -ENOENT;
}

static const struct bpf_map_dev_ops map_ops = {
	.map_get_next_key = map_get_next_key,
	.map_lookup_elem = map_lookup_elem,
	.map_update_elem = map_update_elem,
	.map_delete_elem = map_delete_elem,
};

static int check_map(const struct simnic_bpf *bpf, const struct bpf_map *map)
{
	if (bpf->off || map->map_type != BPF_MAP_TYPE_HASH)
		return -EOPNOTSUPP;
	if (map->map_flags)
		return -EINVAL;
	if (round_up(map->key_size, 8) + round_up(map->value_size, 8) > bpf->max_entry_size)
		return -ENOMEM;
	return map->max_entries > bpf->max_entries - min(bpf->reserved, bpf->max_entries) ? -ENOMEM
											  : 0;
}

static int map_alloc(struct simnic_bpf *bpf, struct bpf_offloaded_map *offmap)
{
	int err = check_map(bpf, &offmap->map);
	struct map *map;

	if (err)
		return err;
	map = kvzalloc(sizeof(*map), GFP_KERNEL);
	if (!map)
		return -ENOMEM;
	map->bpf = bpf;
	map->offmap = offmap;
	spin_lock_init(&map->lock);
	hash_init(map->entries);
	list_add(&map->list, &bpf->maps);
	bpf->n_maps++;
	bpf->reserved += offmap->map.max_entries;
	offmap->dev_ops = &map_ops;
	offmap->dev_priv = map;
	return 0;
}

static int map_free(struct simnic_bpf *bpf, struct bpf_offloaded_map *offmap)
{
	struct map *map = offmap->dev_priv;

	list_del(&map->list);
	bpf->n_maps--;
	bpf->reserved -= offmap->map.max_entries;
	/* A frame may still be at it, of a program that left the hook just now. */
	synchronize_rcu();
	clear(map);
	kvfree(map);
	return 0;
}

static int prepare(struct bpf_prog *prog)
{
	struct simnic_bpf *bpf = bpf_offload_dev_priv(prog->aux->offload->offdev);

	if (bpf->off)
		return -EOPNOTSUPP;
	bpf->n_programs++;
	return 0;
}

static int check_insn(struct bpf_verifier_env *env, int at, int before)
{
	const struct bpf_prog *prog = env->prog;
	const struct simnic_bpf *bpf = bpf_offload_dev_priv(prog->aux->offload->offdev);

	if (!bpf->uncounted || BPF_CLASS(prog->insnsi[at].code) != BPF_STX ||
	    BPF_MODE(prog->insnsi[at].code) != BPF_ATOMIC)
		return 0;
	bpf_verifier_log_write(env, "[simnic] this card has no atomic additions\n");
	return -EOPNOTSUPP;
}

static int translate(struct bpf_prog *prog)
{
	return 0;
}

static void destroy(struct bpf_prog *prog)
{
	struct simnic_bpf *bpf = bpf_offload_dev_priv(prog->aux->offload->offdev);

	bpf->n_programs--;
}

static const struct bpf_prog_offload_ops dev_ops = {
	.insn_hook = check_insn,
	.prepare = prepare,
	.translate = translate,
	.destroy = destroy,
};

static int set_hook(struct simnic_bpf *bpf, struct netdev_bpf *command)
{
	struct bpf_prog *old = rtnl_dereference(bpf->prog);

	if (command->prog && bpf->off) {
		NL_SET_ERR_MSG_MOD(command->extack, "the card's firmware runs no BPF");
		return -EOPNOTSUPP;
	}
	if (command->prog && !bpf_offload_dev_match(command->prog, bpf->card->dev)) {
		NL_SET_ERR_MSG_MOD(command->extack, "the program is for another card");
		return -EINVAL;
	}
	rcu_assign_pointer(bpf->prog, command->prog);
	if (old)
		bpf_prog_put(old);
	return 0;
}

int simnic_bpf_command(struct simnic_card *card, struct netdev_bpf *command)
{
	switch (command->command) {
	case XDP_SETUP_PROG_HW:
		return set_hook(card->bpf, command);
	case BPF_OFFLOAD_MAP_ALLOC:
		return map_alloc(card->bpf, command->offmap);
	case BPF_OFFLOAD_MAP_FREE:
		return map_free(card->bpf, command->offmap);
	default:
		return -EINVAL;
	}
}

/* Of which map, and how, if it is a program of the kind that is simulated. */
static struct map *map_of(const struct bpf_prog *prog, unsigned int *prefix_len, bool *counts)
{
	struct bpf_map *map;
	char c = 0;

	if (sscanf(prog->aux->name, "sluice_nic%u%c", prefix_len, &c) < 1 || *prefix_len > 128 ||
	    prog->aux->used_map_cnt != 1)
		return NULL;
	/* The kernel lets a program of a card use no hash map but one of that card. */
	map = prog->aux->used_maps[0];
	if (map->map_type != BPF_MAP_TYPE_HASH || map->key_size != sizeof(struct source) ||
	    map->value_size != sizeof(struct hits))
		return NULL;
	*counts = c == 'c';
	return map_to_offmap(map)->dev_priv;
}

static bool read_source(const void *data, unsigned int len, unsigned int prefix_len,
			struct source *source)
{
	const struct ethhdr *eth = data;
	struct in6_addr prefix;

	memset(source, 0, sizeof(*source));
	if (len >= ETH_HLEN + sizeof(struct iphdr) && eth->h_proto == htons(ETH_P_IP)) {
		source->addr[0] = ((const struct iphdr *)(eth + 1))->saddr;
		source->family = 4;
		return true;
	}
	if (len < ETH_HLEN + sizeof(struct ipv6hdr) || eth->h_proto != htons(ETH_P_IPV6))
		return false;
	ipv6_addr_prefix(&prefix, &((const struct ipv6hdr *)(eth + 1))->saddr, prefix_len);
	memcpy(source->addr, &prefix, sizeof(prefix));
	source->family = 6;
	return true;
}

bool simnic_bpf_drops(struct simnic_card *card, const void *data, unsigned int len,
		      unsigned int frame_len)
{
	struct bpf_prog *prog = rcu_dereference(card->bpf->prog);
	unsigned int prefix_len;
	struct source source;
	struct entry *entry;
	struct map *map;
	bool counts;

	map = prog ? map_of(prog, &prefix_len, &counts) : NULL;
	if (!map || !read_source(data, len, prefix_len, &source))
		return false;
	spin_lock_bh(&map->lock);
	entry = find(map, &source);
	if (entry) {
		struct hits *hits = value_of(map, entry);

		hits->packets += counts;
		hits->bytes += counts ? frame_len : 0;
		card->bpf->dropped++;
	}
	spin_unlock_bh(&map->lock);
	return entry;
}

void simnic_bpf_clear(struct simnic_card *card)
{
	struct map *map;

	list_for_each_entry(map, &card->bpf->maps, list)
		clear(map);
}

void simnic_bpf_knobs(struct simnic_card *card)
{
	struct simnic_bpf *bpf = card->bpf;
	struct dentry *folder = card->knobs.folder;

	debugfs_create_u32("bpf_max_entries", 0600, folder, &bpf->max_entries);
	debugfs_create_u32("bpf_max_entry_size", 0600, folder, &bpf->max_entry_size);
	debugfs_create_u32("bpf_room", 0600, folder, &bpf->room);
	debugfs_create_bool("bpf_off", 0600, folder, &bpf->off);
	debugfs_create_bool("bpf_uncounted", 0600, folder, &bpf->uncounted);
	debugfs_create_u32("bpf_maps", 0400, folder, &bpf->n_maps);
	debugfs_create_u32("bpf_programs", 0400, folder, &bpf->n_programs);
	debugfs_create_u32("bpf_entries", 0400, folder, &bpf->n_entries);
	debugfs_create_u64("bpf_dropped", 0400, folder, &bpf->dropped);
}

int simnic_bpf_add(struct simnic_card *card)
{
	struct simnic_bpf *bpf = kzalloc(sizeof(*bpf), GFP_KERNEL);
	int err;

	if (!bpf)
		return -ENOMEM;
	bpf->card = card;
	bpf->max_entries = DEFAULT_ENTRIES;
	bpf->max_entry_size = DEFAULT_ENTRY_SIZE;
	bpf->room = U32_MAX;
	INIT_LIST_HEAD(&bpf->maps);
	bpf->dev = bpf_offload_dev_create(&dev_ops, bpf);
	err = PTR_ERR_OR_ZERO(bpf->dev);
	if (err)
		goto free;
	err = bpf_offload_dev_netdev_register(bpf->dev, card->dev);
	if (err)
		goto destroy;
	card->bpf = bpf;
	return 0;
destroy:
	bpf_offload_dev_destroy(bpf->dev);
free:
	kfree(bpf);
	return err;
}

void simnic_bpf_leave(struct simnic_card *card)
{
	bpf_offload_dev_netdev_unregister(card->bpf->dev, card->dev);
}

void simnic_bpf_free(struct simnic_card *card)
{
	if (!card->bpf)
		return;
	bpf_offload_dev_destroy(card->bpf->dev);
	kfree(card->bpf);
}
