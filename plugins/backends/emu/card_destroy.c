/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-emu-card destroy: takes the filter off the interface and removes the pins.
 */
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "card.h"
#include "card_tool.h"

/* The id of the card's tc program, or 0. */
static __u32 tc_program_id(const char *folder)
{
	struct bpf_prog_info info = { 0 };
	__u32 size = sizeof(info);
	char path[PATH_MAX];
	int fd;

	if (snprintf(path, sizeof(path), "%s/" CARD_PIN_TC, folder) >= (int)sizeof(path))
		return 0;
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) || info.type != BPF_PROG_TYPE_SCHED_CLS)
		info.id = 0;
	close(fd);
	return info.id;
}

/* Only the card's own filter: an interface number may have passed to another device since. */
static bool detach(const char *folder, unsigned int ifindex)
{
	DECLARE_LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = (int)ifindex,
			    .attach_point = BPF_TC_EGRESS);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, found, .handle = CARD_TC_HANDLE,
			    .priority = CARD_TC_PRIORITY);
	DECLARE_LIBBPF_OPTS(bpf_tc_opts, own, .handle = CARD_TC_HANDLE,
			    .priority = CARD_TC_PRIORITY);
	__u32 id = tc_program_id(folder);

	if (id == 0 || bpf_tc_query(&hook, &found) || found.prog_id != id)
		return false;
	return bpf_tc_detach(&hook, &own) == 0;
}

int card_destroy(const char *folder, char *note, size_t note_size, struct sluice_err *err)
{
	struct card card;
	int rc;

	note[0] = '\0';
	rc = card_pins_check(folder, err);
	if (rc)
		return rc;
	if (card_open(folder, CARD_READ, &card, err)) {
		snprintf(note, note_size,
			 "the card was damaged; if it filtered an interface, look there: tc filter "
			 "show dev IF egress");
	} else {
		if (card.info.ifindex && !detach(folder, card.info.ifindex))
			snprintf(note, note_size,
				 "interface %u does not carry the card's filter in this network "
				 "namespace",
				 card.info.ifindex);
		card_close(&card);
	}
	return card_pins_remove(folder, err);
}
