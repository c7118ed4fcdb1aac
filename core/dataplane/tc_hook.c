/* SPDX-License-Identifier: BSD-2-Clause */
/* See tc_hook.h. */
#include "tc_hook.h"

#include <dirent.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"
#include "pin_name.h"
#include "pinned_link.h"

/* Newer than the headers that this is compiled with. */
#define LINK_TYPE_TCX 11
#define ATTACH_TCX_INGRESS 46
#define ATTACH_TCX_EGRESS 47
#define LINK_BEFORE (1u << 3) /* Before those that may end the walk: BPF_F_BEFORE. */

/* Ours among the filters of one priority; a program of others has another handle. */
#define FILTER_HANDLE 0x51c1u
/* The first that is free of other kinds of filters. */
#define FILTER_PRIORITIES 8

/* Pins: tcx-out_eth0, cls-in-1_eth0; of the latter the number is the priority. */
#define PIN_TCX "tcx-"
#define PIN_CLSACT "cls-"
#define PIN_SIZE 256

static const char *direction(bool is_out)
{
	return is_out ? "out" : "in";
}

static int pin_path(char pin[PIN_SIZE], const struct tc_hook *hook, const char *kind, int priority)
{
	char number[16] = "", name[PIN_NAME_SIZE];
	int length;

	if (priority)
		snprintf(number, sizeof(number), "-%d", priority);
	pin_name_from(name, hook->ifname);
	length = snprintf(pin, PIN_SIZE, "%s/%s%s%s_%s", hook->folder, kind,
			  direction(hook->is_out), number, name);
	return length < 0 || length >= PIN_SIZE ? -ENAMETOOLONG : 0;
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

/* The pinned link if it is a tcx link on that interface, else -1. */
static int open_link(const char *pin, unsigned int ifindex)
{
	struct bpf_link_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_obj_get(pin);

	if (fd < 0)
		return -1;
	/* The first member of each kind of link on an interface is its number. */
	if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0 && info.type == LINK_TYPE_TCX &&
	    info.xdp.ifindex == ifindex)
		return fd;
	close(fd);
	return -1;
}

static int open_tcx(struct tc_hook *hook, int prog_fd)
{
	LIBBPF_OPTS(bpf_link_create_opts, first, .flags = LINK_BEFORE);
	enum bpf_attach_type type =
		(enum bpf_attach_type)(hook->is_out ? ATTACH_TCX_EGRESS : ATTACH_TCX_INGRESS);
	char pin[PIN_SIZE];
	int code = pin_path(pin, hook, PIN_TCX, 0), fd;

	if (code)
		return code;
	fd = open_link(pin, hook->ifindex);
	if (fd >= 0) {
		code = bpf_link_update(fd, prog_fd, NULL) ? -errno : 0;
		close(fd);
		return code;
	}
	/* Its interface was deleted, and this is another by that name; or it is no link of ours. */
	unlink(pin);
	fd = bpf_link_create(prog_fd, (int)hook->ifindex, type, &first);
	if (fd < 0)
		return -errno;
	code = bpf_obj_pin(fd, pin) ? -errno : 0;
	close(fd);
	hook->fresh = !code;
	return code;
}

/* Not a function: libbpf refuses a copy, in which what pads the structure need not be 0. */
#define FILTER_HOOK(name, interface, out)                           \
	LIBBPF_OPTS(bpf_tc_hook, name, .ifindex = (int)(interface), \
		    .attach_point = (out) ? BPF_TC_EGRESS : BPF_TC_INGRESS)

/* The number of the program in that place, 0 if there is none. */
static uint32_t filter_program(unsigned int ifindex, bool is_out, int priority)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = (__u32)priority);
	FILTER_HOOK(hook, ifindex, is_out);

	return bpf_tc_query(&hook, &opts) == 0 ? opts.prog_id : 0;
}

static uint32_t pinned_program(const char *folder, const char *name)
{
	char path[PIN_SIZE * 2];
	uint32_t id;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = bpf_obj_get(path);
	if (fd < 0)
		return 0;
	id = program_id(fd);
	close(fd);
	return id;
}

/*
 * Whether the filter of that priority runs a program that is pinned, by whatever name: the interface
 * may have had another when it was.
 */
static bool filter_is_ours(const struct tc_hook *hook, int priority)
{
	uint32_t id = filter_program(hook->ifindex, hook->is_out, priority);
	DIR *directory = id ? opendir(hook->folder) : NULL;
	struct dirent *entry;
	bool ours = false;

	while (directory && !ours && (entry = readdir(directory)))
		ours = strncmp(entry->d_name, PIN_CLSACT, strlen(PIN_CLSACT)) == 0 &&
		       pinned_program(hook->folder, entry->d_name) == id;
	if (directory)
		closedir(directory);
	return ours;
}

static int attach_filter(struct tc_hook *hook, int prog_fd, int priority)
{
	FILTER_HOOK(at, hook->ifindex, hook->is_out);
	char pin[PIN_SIZE];
	int code = pin_path(pin, hook, PIN_CLSACT, priority);
	bool ours = !code && filter_is_ours(hook, priority);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog_fd, .handle = FILTER_HANDLE,
		    .priority = (__u32)priority, .flags = ours ? BPF_TC_F_REPLACE : 0);

	if (!code)
		code = bpf_tc_attach(&at, &opts);
	if (code)
		return code;
	unlink(pin);
	hook->fresh = !ours;
	if (bpf_obj_pin(prog_fd, pin) == 0)
		return 0;
	code = -errno;
	opts.prog_fd = 0;
	opts.prog_id = 0;
	opts.flags = 0;
	(void)bpf_tc_detach(&at, &opts);
	return code;
}

static int open_clsact(struct tc_hook *hook, int prog_fd)
{
	LIBBPF_OPTS(bpf_tc_hook, qdisc, .ifindex = (int)hook->ifindex,
		    .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	int code = bpf_tc_hook_create(&qdisc);

	if (code && code != -EEXIST)
		return code;
	for (int priority = 1; priority <= FILTER_PRIORITIES; priority++)
		if (filter_is_ours(hook, priority))
			return attach_filter(hook, prog_fd, priority);
	for (int priority = 1; priority <= FILTER_PRIORITIES; priority++) {
		code = attach_filter(hook, prog_fd, priority);
		if (!code)
			break;
	}
	return code;
}

static void remove_tcx(const struct tc_hook *hook)
{
	char pin[PIN_SIZE];

	if (pin_path(pin, hook, PIN_TCX, 0) == 0)
		(void)pinned_link_remove(pin);
}

static void remove_clsact(const struct tc_hook *hook)
{
	for (int priority = 1; priority <= FILTER_PRIORITIES; priority++) {
		char pin[PIN_SIZE];

		if (pin_path(pin, hook, PIN_CLSACT, priority) == 0 && access(pin, F_OK) == 0)
			(void)tc_hook_remove(hook->folder, strrchr(pin, '/') + 1);
	}
}

void tc_hook_remove_other(const struct tc_hook *hook)
{
	if (hook->used == DATAPLANE_EGRESS_TCX)
		remove_clsact(hook);
	else
		remove_tcx(hook);
}

void tc_hook_undo(const struct tc_hook *hook)
{
	if (!hook->fresh)
		return;
	if (hook->used == DATAPLANE_EGRESS_TCX)
		remove_tcx(hook);
	else
		remove_clsact(hook);
}

int tc_hook_open(struct tc_hook *hook, int prog_fd, struct sluice_err *err)
{
	int code = -EOPNOTSUPP;

	hook->fresh = false;
	if (hook->mode != DATAPLANE_EGRESS_CLSACT) {
		code = open_tcx(hook, prog_fd);
		hook->used = DATAPLANE_EGRESS_TCX;
	}
	/* A kernel before 6.6 knows no such attachment. */
	if (code && hook->mode != DATAPLANE_EGRESS_TCX) {
		code = open_clsact(hook, prog_fd);
		hook->used = DATAPLANE_EGRESS_CLSACT;
	}
	if (!code)
		return 0;
	err_set(err, "known_clients.egress", "interface '%s': cannot attach at tc (%s): %s",
		hook->ifname, hook->mode == DATAPLANE_EGRESS_TCX ? "tcx" : "clsact",
		err_name(code));
	return code;
}

bool tc_hook_is(const char *name)
{
	return strncmp(name, PIN_TCX, strlen(PIN_TCX)) == 0 ||
	       strncmp(name, PIN_CLSACT, strlen(PIN_CLSACT)) == 0;
}

/* Reads a pin's name back; false if it is none that we would have given. */
static bool parse_clsact(const char *name, char ifname[IFNAMSIZ], bool *is_out, int *priority)
{
	const char *at = name + strlen(PIN_CLSACT);
	char *end;

	*is_out = strncmp(at, "out-", 4) == 0;
	if (!*is_out && strncmp(at, "in-", 3) != 0)
		return false;
	*priority = (int)strtol(at + (*is_out ? 4 : 3), &end, 10);
	return *end == '_' && *priority >= 1 && *priority <= FILTER_PRIORITIES &&
	       pin_name_to(ifname, end + 1);
}

/* Somebody else may have that place by now, whose filter stays. */
static void detach_filter(uint32_t id, unsigned int ifindex, bool is_out, int priority)
{
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = FILTER_HANDLE, .priority = (__u32)priority);
	FILTER_HOOK(at, ifindex, is_out);

	if (id && ifindex && filter_program(ifindex, is_out, priority) == id)
		(void)bpf_tc_detach(&at, &opts);
}

int tc_hook_remove(const char *folder, const char *name)
{
	char path[PIN_SIZE * 2], ifname[IFNAMSIZ];
	int priority;
	bool is_out;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (strncmp(name, PIN_TCX, strlen(PIN_TCX)) == 0)
		return pinned_link_remove(path);
	if (parse_clsact(name, ifname, &is_out, &priority))
		detach_filter(pinned_program(folder, name), if_nametoindex(ifname), is_out,
			      priority);
	return unlink(path) ? -errno : 0;
}

static bool is_kept(const char *name, const struct dataplane_interface *kept, size_t n)
{
	const char *interface = strchr(name, '_');

	for (size_t i = 0; interface && i < n; i++) {
		char pinned[PIN_NAME_SIZE];

		pin_name_from(pinned, kept[i].name);
		if (strcmp(pinned, interface + 1) == 0)
			return true;
	}
	return false;
}

void tc_hook_prune(const char *folder, const struct dataplane_interface *kept, size_t n)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (tc_hook_is(entry->d_name) && !is_kept(entry->d_name, kept, n))
			(void)tc_hook_remove(folder, entry->d_name);
	closedir(directory);
}
