/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-emu-card create: loads the drop programs and pins what makes up a card.
 */
#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "card.h"
#include "card_tool.h"
#include "emu_card.skel.h"
#include "explain.h"
#include "logic.h"

static int make_folder(const char *folder, struct sluice_err *err)
{
	char copy[PATH_MAX];
	int rc;

	if (snprintf(copy, sizeof(copy), "%s", folder) >= (int)sizeof(copy)) {
		explain(err, "the path of the card's folder is too long");
		return -ENAMETOOLONG;
	}
	rc = card_pins_check(dirname(copy), err);
	if (rc)
		return rc;
	if (mkdir(folder, 0700) == 0)
		return 0;
	rc = -errno;
	if (rc == -EEXIST)
		explain(err,
			"card '%.80s': the folder is there already; remove it first: "
			"sluice-emu-card destroy --pin FOLDER",
			folder);
	else
		explain(err, "card '%.80s': cannot make the folder: %s", folder, strerror(-rc));
	return rc;
}

static int configure(struct emu_card *skel, const struct card_tool_create *options,
		     unsigned int ifindex)
{
	struct emu_card_info card = {
		.magic = EMU_CARD_MAGIC,
		.layout = EMU_CARD_LAYOUT,
		.capacity = options->capacity,
		.n_buckets = buckets_needed(options->capacity),
		.v6_prefix_len = options->v6_prefix_len,
		.counters = options->counters,
		.ifindex = ifindex,
	};

	int n_cpus = libbpf_num_possible_cpus();
	int rc = n_cpus < 0 ? n_cpus : 0;

	logic_v6_mask(options->v6_prefix_len, card.v6_mask);
	if (getrandom(card.hash_key, sizeof(card.hash_key), 0) != sizeof(card.hash_key))
		return -EIO;
	memcpy((void *)&skel->rodata_card->emu_card, &card, sizeof(card));
	if (rc == 0)
		rc = bpf_map__set_max_entries(skel->maps.emu_buckets, card.n_buckets);
	if (rc == 0)
		rc = bpf_map__set_max_entries(skel->maps.emu_hash, options->capacity);
	if (rc == 0)
		rc = bpf_map__set_max_entries(skel->maps.emu_totals, (__u32)n_cpus);
	return rc;
}

static int pin_all(const struct emu_card *skel, const char *folder)
{
	const struct {
		const char *name;
		int fd;
	} pins[] = {
		{ CARD_PIN_BUCKETS, bpf_map__fd(skel->maps.emu_buckets) },
		{ CARD_PIN_HASH, bpf_map__fd(skel->maps.emu_hash) },
		{ CARD_PIN_TOTALS, bpf_map__fd(skel->maps.emu_totals) },
		{ CARD_PIN_XDP, bpf_program__fd(skel->progs.emu_card_xdp) },
		{ CARD_PIN_EGRESS, bpf_program__fd(skel->progs.emu_card_egress) },
		{ CARD_PIN_TC, bpf_program__fd(skel->progs.emu_card_tc) },
		/* Last: who finds the description finds all the rest. */
		{ CARD_PIN_CARD, bpf_map__fd(skel->maps.rodata_card) },
	};
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(pins) / sizeof(pins[0]); i++) {
		int rc;

		if (snprintf(path, sizeof(path), "%s/%s", folder, pins[i].name) >=
		    (int)sizeof(path))
			return -ENAMETOOLONG;
		rc = bpf_obj_pin(pins[i].fd, path);
		if (rc)
			return rc;
	}
	return 0;
}

static int attach_tc(const struct emu_card *skel, const struct card_tool_create *options,
		     unsigned int ifindex, struct sluice_err *err)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
			    .attach_point = BPF_TC_EGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, tc, .handle = CARD_TC_HANDLE, .priority = CARD_TC_PRIORITY,
			    .prog_fd = bpf_program__fd(skel->progs.emu_card_tc));
	int rc = bpf_tc_hook_create(&hook);

	/* A clsact that is there already is as good as one of our own. */
	if (rc == 0 || rc == -EEXIST)
		rc = bpf_tc_attach(&hook, &tc);
	if (rc == -EEXIST)
		explain(err,
			"interface '%s': another filter has handle %d at priority %d of its clsact "
			"egress; destroy that card first",
			options->interface, CARD_TC_HANDLE, CARD_TC_PRIORITY);
	else if (rc)
		explain(err,
			"interface '%s': cannot attach the egress filter: %s; the kernel needs "
			"CONFIG_NET_CLS_BPF and CONFIG_NET_SCH_INGRESS",
			options->interface, strerror(-rc));
	return rc;
}

static int load(const struct card_tool_create *options, unsigned int ifindex, struct emu_card **out,
		struct sluice_err *err)
{
	struct emu_card *skel = emu_card__open();
	int rc = skel ? configure(skel, options, ifindex) : -errno;

	if (rc == 0)
		rc = emu_card__load(skel);
	if (rc) {
		explain(err, "cannot load the card's programs: %s%s", strerror(-rc),
			rc == -EPERM ? "; run as root" : "; run with --verbose to see why");
		emu_card__destroy(skel);
		return rc;
	}
	*out = skel;
	return 0;
}

int card_create(const struct card_tool_create *options, struct sluice_err *err)
{
	struct emu_card *skel;
	unsigned int ifindex = 0;
	int rc;

	if (options->interface) {
		ifindex = if_nametoindex(options->interface);
		if (!ifindex) {
			explain(err,
				"interface '%s': not in this network namespace; see: ip "
				"link",
				options->interface);
			return -ENODEV;
		}
	}
	rc = load(options, ifindex, &skel, err);
	if (rc)
		return rc;
	rc = make_folder(options->folder, err);
	if (rc)
		goto out_unload;
	rc = pin_all(skel, options->folder);
	if (rc)
		explain(err, "card '%.80s': cannot pin it: %s", options->folder, strerror(-rc));
	if (rc == 0 && ifindex)
		rc = attach_tc(skel, options, ifindex, err);
	if (rc && card_pins_remove(options->folder, NULL))
		explain(err, "card '%.80s': cannot make it, and cannot remove its remains",
			options->folder);
out_unload:
	emu_card__destroy(skel);
	return rc;
}
