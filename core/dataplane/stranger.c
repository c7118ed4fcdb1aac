/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether somebody else's XDP program is on an interface, asked without attaching one. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "attachment.h"
#include "dataplane.h"
#include "dispatcher.h"

/* Of the program behind a pinned link on that interface; 0: it is none, or it may not be asked. */
static uint32_t linked_program(const char *path, unsigned int ifindex)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_obj_get(path);
	uint32_t id = 0;

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == BPF_LINK_TYPE_XDP &&
	    info.xdp.ifindex == ifindex)
		id = info.prog_id;
	close(fd);
	return id;
}

/* By whatever name it is pinned: the interface may have had another then. */
static bool holds(const char *folder, unsigned int ifindex, uint32_t id)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	bool found = false;

	while (directory && !found && (entry = readdir(directory))) {
		char path[PATH_MAX + NAME_MAX + 2];

		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		found = strncmp(entry->d_name, ATTACHMENT_LINK_PREFIX,
				strlen(ATTACHMENT_LINK_PREFIX)) == 0 &&
			linked_program(path, ifindex) == id;
	}
	if (directory)
		closedir(directory);
	return found;
}

uint32_t dataplane_stranger(const char *pin_path, const char *ifname)
{
	unsigned int ifindex = if_nametoindex(ifname);
	uint32_t id = ifindex ? dispatcher_host_program(ifindex) : 0;
	DIR *directory = id ? opendir(pin_path) : NULL;
	struct dirent *entry;
	bool ours = false;

	/* Where we may not look, it may be ours. */
	if (!id || (!directory && errno != ENOENT))
		return 0;
	while (directory && !ours && (entry = readdir(directory))) {
		char folder[PATH_MAX];

		snprintf(folder, sizeof(folder), "%s/%s", pin_path, entry->d_name);
		ours = entry->d_name[0] == 'v' && holds(folder, ifindex, id);
	}
	if (directory)
		closedir(directory);
	return ours ? 0 : id;
}
