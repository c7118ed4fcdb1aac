// SPDX-License-Identifier: GPL-2.0-only
/*
 * What can be wrong with a card, in /sys/kernel/debug/simnic/cardN (`ethtool -i` names cardN as
 * bus-info):
 *
 *   capacity   how many rules fit, of both kinds together
 *   delay_us   how long each change of a rule takes; like many a driver, it holds RTNL meanwhile
 *   fail       so many changes from now on fail
 *   lie        changes succeed, and nothing gets into the table
 *   refresh_ms how old flower's counters may be: many a driver asks its card once a second, and tells
 *              the last answer meanwhile
 *   reset      written to: the table is empty, as after a reset of the card, and nobody is told
 *
 * and for BPF offload, whose maps have memory of their own (delay_us, fail and lie are for their
 * entries, too; RTNL is not held then):
 *
 *   bpf_max_entries     of all maps together; a map that does not fit is refused
 *   bpf_max_entry_size  bytes of a key and a value, each rounded up to 8
 *   bpf_room            how many entries a map really takes, whatever was promised
 *   bpf_off             the firmware runs no BPF
 *   bpf_uncounted       programs with atomic additions are refused
 *   bpf_maps, bpf_programs, bpf_entries, bpf_dropped   what is there now, and dropped; to be read
 *
 * A driver can say yes and do nothing; it cannot make flower take a skip_sw rule without `in_hw`,
 * since it is the kernel that derives this flag from the driver's yes.
 */
#include <linux/debugfs.h>
#include <linux/delay.h>
#include <linux/rtnetlink.h>

#include "simnic.h"

#define DEFAULT_CAPACITY 4096

static struct dentry *root;

int simnic_knobs_begin(struct simnic_card *card)
{
	if (card->knobs.delay_us)
		fsleep(card->knobs.delay_us);
	return atomic_dec_if_positive(&card->knobs.fail) >= 0 ? -EIO : 0;
}

static int reset_set(void *data, u64 value)
{
	struct simnic_card *card = data;

	rtnl_lock();
	simnic_flower_clear(card);
	simnic_ntuple_clear(card);
	simnic_bpf_clear(card);
	rtnl_unlock();
	return 0;
}
DEFINE_DEBUGFS_ATTRIBUTE(reset_fops, NULL, reset_set, "%llu\n");

void simnic_knobs_add(struct simnic_card *card)
{
	struct simnic_knobs *knobs = &card->knobs;
	char name[16];

	knobs->capacity = DEFAULT_CAPACITY;
	snprintf(name, sizeof(name), "card%d", card->id);
	knobs->folder = debugfs_create_dir(name, root);
	debugfs_create_u32("capacity", 0600, knobs->folder, &knobs->capacity);
	debugfs_create_u32("delay_us", 0600, knobs->folder, &knobs->delay_us);
	debugfs_create_atomic_t("fail", 0600, knobs->folder, &knobs->fail);
	debugfs_create_bool("lie", 0600, knobs->folder, &knobs->lie);
	debugfs_create_u32("refresh_ms", 0600, knobs->folder, &knobs->refresh_ms);
	debugfs_create_file("reset", 0200, knobs->folder, card, &reset_fops);
	simnic_bpf_knobs(card);
}

void simnic_knobs_del(struct simnic_card *card)
{
	debugfs_remove_recursive(card->knobs.folder);
}

void simnic_knobs_init(void)
{
	root = debugfs_create_dir("simnic", NULL);
}

void simnic_knobs_fini(void)
{
	debugfs_remove_recursive(root);
}
