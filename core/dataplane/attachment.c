/* SPDX-License-Identifier: BSD-2-Clause */
/* See attachment.h. */
#include "attachment.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/if_link.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"

static __u32 mode_flags(enum dataplane_mode mode)
{
	switch (mode) {
	case DATAPLANE_MODE_GENERIC:
		return XDP_FLAGS_SKB_MODE;
	case DATAPLANE_MODE_HARDWARE:
		return XDP_FLAGS_HW_MODE;
	default:
		return XDP_FLAGS_DRV_MODE;
	}
}

static const char *mode_name(enum dataplane_mode mode)
{
	static const char *const names[] = { "native", "generic", "hardware" };

	return names[mode];
}

/* bpffs refuses dots in names (VLAN interfaces have them). */
static int pin_path(struct attachment *attachment, const char *folder)
{
	int length = snprintf(attachment->pin, sizeof(attachment->pin),
			      "%s/" ATTACHMENT_LINK_PREFIX "%s", folder, attachment->name);

	if (length < 0 || (size_t)length >= sizeof(attachment->pin))
		return -ENAMETOOLONG;
	for (char *at = strrchr(attachment->pin, '/'); *at; at++)
		if (*at == '.')
			*at = '@';
	return 0;
}

static int link_info(int fd, struct bpf_link_info *info)
{
	__u32 size = sizeof(*info);

	memset(info, 0, sizeof(*info));
	return bpf_obj_get_info_by_fd(fd, info, &size) ? -errno : 0;
}

static bool mode_matches(unsigned int ifindex, enum dataplane_mode mode)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query((int)ifindex, 0, &query))
		return true;
	switch (mode) {
	case DATAPLANE_MODE_GENERIC:
		return query.attach_mode == XDP_ATTACHED_SKB;
	case DATAPLANE_MODE_HARDWARE:
		return query.attach_mode == XDP_ATTACHED_HW;
	default:
		return query.attach_mode == XDP_ATTACHED_DRV;
	}
}

/*
 * The program behind the link, to be named in the exchange.  The pinned one saves the look-up by
 * number, which takes CAP_SYS_ADMIN.
 */
static int open_program(__u32 id, int pinned_fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (pinned_fd >= 0 && bpf_obj_get_info_by_fd(pinned_fd, &info, &size) == 0 && info.id == id)
		return fcntl(pinned_fd, F_DUPFD_CLOEXEC, 3);
	return bpf_prog_get_fd_by_id(id);
}

/* Replaces the program, provided that nobody else has meanwhile. */
static int replace_program(struct attachment *attachment, __u32 old_id, int prog_fd,
			   int old_prog_fd, struct sluice_err *err)
{
	LIBBPF_OPTS(bpf_link_update_opts, update, .flags = BPF_F_REPLACE);
	int old_fd = open_program(old_id, old_prog_fd);
	int code = 0;

	if (old_fd < 0) {
		code = -errno;
		err_set(err, "interfaces", "interface '%s': cannot open program %u: %s",
			attachment->name, old_id, err_name(code));
		return code;
	}
	update.old_prog_fd = (__u32)old_fd;
	if (bpf_link_update(attachment->link_fd, prog_fd, &update)) {
		code = -errno;
		err_set(err, "interfaces",
			"interface '%s': cannot replace the filter: %s; another sluiced may be "
			"starting, or the pinned link is damaged: 'sluice detach' removes it",
			attachment->name, err_name(code));
	}
	close(old_fd);
	return code;
}

/* 1: adopted; 0: there is no link to adopt; negative: there is, and it must not be used. */
static int adopt(struct attachment *attachment, enum dataplane_mode mode, int prog_fd,
		 int old_prog_fd, struct sluice_err *err)
{
	struct bpf_link_info info;
	int fd = bpf_obj_get(attachment->pin);

	if (fd < 0)
		return 0;
	int code = link_info(fd, &info);

	if (code || info.type != BPF_LINK_TYPE_XDP) {
		close(fd);
		err_set(err, "interfaces",
			"'%s' is not an XDP link of ours; 'sluice detach' removes it",
			attachment->pin);
		return -EPROTO;
	}
	/* Its interface was deleted, and this one is another by the same name. */
	if (info.xdp.ifindex != attachment->ifindex) {
		close(fd);
		unlink(attachment->pin);
		return 0;
	}
	if (!mode_matches(attachment->ifindex, mode)) {
		close(fd);
		err_set(err, "interfaces",
			"interface '%s': the running filter is attached in another mode than %s; "
			"'sluice detach' first",
			attachment->name, mode_name(mode));
		return -EPROTO;
	}
	attachment->link_fd = fd;
	code = replace_program(attachment, info.prog_id, prog_fd, old_prog_fd, err);
	if (code) {
		attachment_close(attachment);
		return code;
	}
	return 1;
}

static void explain_refusal(const struct attachment *attachment, enum dataplane_mode mode, int code,
			    struct sluice_err *err)
{
	__u32 id = 0;

	switch (code) {
	case -EBUSY:
	case -EEXIST:
		bpf_xdp_query_id((int)attachment->ifindex, 0, &id);
		err_set(err, "interfaces",
			"interface '%s': another XDP program (id %u) is attached (%s); is another "
			"sluiced running? 'bpftool net' shows who holds it",
			attachment->name, id, err_name(code));
		break;
	case -EOPNOTSUPP:
		err_set(err, "interfaces",
			"interface '%s': its driver has no %s XDP (%s); try mode: generic (slower)",
			attachment->name, mode_name(mode), err_name(code));
		break;
	case -EPERM:
		err_set(err, "interfaces",
			"interface '%s': not allowed to attach (%s); needs CAP_NET_ADMIN and CAP_BPF",
			attachment->name, err_name(code));
		break;
	default:
		err_set(err, "interfaces",
			"interface '%s': cannot attach in %s mode: %s; the driver may need a smaller "
			"MTU, LRO off or fewer queues for XDP",
			attachment->name, mode_name(mode), err_name(code));
	}
}

int attachment_open(struct attachment *attachment, const struct dataplane_interface *interface,
		    const char *folder, int prog_fd, int old_prog_fd, struct sluice_err *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, create, .flags = mode_flags(interface->mode));

	*attachment = (struct attachment){ .link_fd = -1 };
	snprintf(attachment->name, sizeof(attachment->name), "%s", interface->name);
	attachment->ifindex = if_nametoindex(interface->name);
	if (!attachment->ifindex) {
		err_set(err, "interfaces",
			"interface '%s': no such interface; 'ip link' lists them", interface->name);
		return -ENODEV;
	}
	int code = pin_path(attachment, folder);

	if (code) {
		err_set(err, "pin_path", "'%s' is too long", folder);
		return code;
	}
	code = adopt(attachment, interface->mode, prog_fd, old_prog_fd, err);
	if (code)
		return code < 0 ? code : 0;
	attachment->link_fd = bpf_link_create(prog_fd, (int)attachment->ifindex, BPF_XDP, &create);
	if (attachment->link_fd < 0) {
		code = -errno;
		attachment->link_fd = -1;
		explain_refusal(attachment, interface->mode, code, err);
		return code == -EEXIST ? -EBUSY : code;
	}
	attachment->fresh = true;
	if (bpf_obj_pin(attachment->link_fd, attachment->pin)) {
		code = -errno;
		err_set(err, "pin_path", "cannot pin '%s': %s", attachment->pin, err_name(code));
		attachment_close(attachment);
		return code;
	}
	return 0;
}

void attachment_close(struct attachment *attachment)
{
	if (attachment->link_fd >= 0)
		close(attachment->link_fd);
	attachment->link_fd = -1;
}

void attachment_undo(struct attachment *attachment)
{
	if (attachment->fresh && attachment->link_fd >= 0)
		unlink(attachment->pin);
	attachment_close(attachment);
}

static bool is_kept(const struct attachment *kept, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(strrchr(kept[i].pin, '/') + 1, name) == 0)
			return true;
	return false;
}

void attachment_prune(const char *folder, const struct attachment *kept, size_t n)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (strncmp(entry->d_name, ATTACHMENT_LINK_PREFIX,
			    strlen(ATTACHMENT_LINK_PREFIX)) == 0 &&
		    !is_kept(kept, n, entry->d_name))
			unlinkat(dirfd(directory), entry->d_name, 0);
	closedir(directory);
}

bool attachment_check(struct attachment *attachment, enum dataplane_event_kind *kind)
{
	struct bpf_link_info info;

	if (attachment->lost || attachment->link_fd < 0)
		return false;
	if (link_info(attachment->link_fd, &info) == 0 && info.xdp.ifindex == attachment->ifindex)
		return false;
	char name[IFNAMSIZ];

	*kind = if_indextoname(attachment->ifindex, name) ? DATAPLANE_EVENT_DETACHED
							  : DATAPLANE_EVENT_INTERFACE_GONE;
	attachment->lost = true;
	return true;
}
