/* SPDX-License-Identifier: BSD-2-Clause */
/* See pinned_link.h. */
#include "pinned_link.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "pin_name.h"

#define LINK_TYPE_TCX 11 /* Newer than the headers that this is compiled with. */

/* More than interfaces ever change names in a circle. */
#define MOST_EXCHANGES 64

/* Without its pin the kernel would detach the link, too, but some time later. */
static void detach(const char *pin)
{
	int fd = bpf_obj_get(pin);

	if (fd < 0)
		return;
	(void)bpf_link_detach(fd);
	close(fd);
}

int pinned_link_remove(const char *pin)
{
	detach(pin);
	return unlink(pin) ? -errno : 0;
}

/* 0 if that is no link on an interface that is there. */
static unsigned int link_interface(const char *pin)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_obj_get(pin);

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &size))
		info.type = 0;
	close(fd);
	/* The first member of each kind of link on an interface is its number. */
	return info.type == BPF_LINK_TYPE_XDP || info.type == LINK_TYPE_TCX ? info.xdp.ifindex : 0;
}

/* The name that its interface has by now; false if that is its own. */
static bool wanted_pin(const char *pin, char wanted[PATH_MAX])
{
	const char *interface = strchr(strrchr(pin, '/'), '_');
	char ifname[IFNAMSIZ], spelt[PIN_NAME_SIZE];
	unsigned int ifindex = interface ? link_interface(pin) : 0;

	if (!ifindex || !if_indextoname(ifindex, ifname))
		return false;
	pin_name_from(spelt, ifname);
	snprintf(wanted, PATH_MAX, "%.*s_%s", (int)(interface - pin), pin, spelt);
	return strcmp(pin, wanted) != 0;
}

/* Where two interfaces have changed names, so do their pins: none is lost. */
static void follow(const char *pin)
{
	char wanted[PATH_MAX];

	for (int i = 0; i < MOST_EXCHANGES && wanted_pin(pin, wanted); i++) {
		if (renameat2(AT_FDCWD, pin, AT_FDCWD, wanted, RENAME_EXCHANGE) == 0)
			continue;
		(void)!renameat2(AT_FDCWD, pin, AT_FDCWD, wanted, RENAME_NOREPLACE);
		return;
	}
}

void pinned_link_follow(const char *folder)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;
	char pin[PATH_MAX];

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		snprintf(pin, sizeof(pin), "%s/%s", folder, entry->d_name);
		follow(pin);
	}
	closedir(directory);
}
