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

#include "base/clock.h"
#include "base/err.h"
#include "dispatcher.h"
#include "pin_name.h"
#include "pinned_link.h"

#define RETRY_MIN_NS 1000000000ull
#define RETRY_MAX_NS 60000000000ull

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

static int pin_path(struct attachment *attachment, const char *folder)
{
	const char *prefix = attachment->shared ? DISPATCHER_PREFIX : ATTACHMENT_LINK_PREFIX;
	char name[PIN_NAME_SIZE];
	int length;

	pin_name_from(name, attachment->name);
	length =
		snprintf(attachment->pin, sizeof(attachment->pin), "%s/%s%s", folder, prefix, name);
	return length < 0 || (size_t)length >= sizeof(attachment->pin) ? -ENAMETOOLONG : 0;
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
	/* By mode, since a card may run a program of its own before that of the host. */
	switch (mode) {
	case DATAPLANE_MODE_GENERIC:
		return query.skb_prog_id != 0;
	case DATAPLANE_MODE_HARDWARE:
		return query.hw_prog_id != 0;
	default:
		return query.drv_prog_id != 0;
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
	switch (code) {
	case -EBUSY:
	case -EEXIST:
		err_set(err, "interfaces", DATAPLANE_STRANGER, attachment->name,
			dispatcher_host_program(attachment->ifindex), err_name(code));
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

/*
 * The filter does not run on a card: a card holds plain hash and array maps, and the filter's are
 * memory-mapped, longest-prefix and program arrays.  A program that needs no map tells whether it
 * is the driver that cannot, or only this.
 */
static int refuse_hardware(const struct attachment *attachment, struct sluice_err *err)
{
	const struct bpf_insn insns[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = XDP_PASS },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, load, .prog_ifindex = attachment->ifindex);
	int fd = bpf_prog_load(BPF_PROG_TYPE_XDP, "sluice_probe", "GPL", insns, 2, &load);

	if (fd < 0) {
		err_set(err, "interfaces",
			"interface '%s': its driver runs no XDP on the card (%s); mode: hardware "
			"needs a card that takes BPF offload; use mode: native",
			attachment->name, err_name(-errno));
		return -EOPNOTSUPP;
	}
	close(fd);
	err_set(err, "interfaces",
		"interface '%s': the card runs XDP, but not the filter: cards hold hash and array "
		"maps, and the filter needs memory-mapped, longest-prefix and program arrays; use "
		"mode: native, and placement: hybrid to drop the heaviest sources on the card",
		attachment->name);
	return -EOPNOTSUPP;
}

static int share(struct attachment *attachment, const struct dataplane_interface *interface,
		 const struct attachment_options *options, struct sluice_err *err)
{
	const struct dispatcher_options dispatcher = {
		.folder = options->folder,
		.pin = attachment->pin,
		.ifname = attachment->name,
		.ifindex = attachment->ifindex,
		.mode = interface->mode,
		.priority = options->priority,
		.prog_fd = options->prog_fd,
	};

	return dispatcher_open(&dispatcher, &attachment->component, &attachment->fresh, err);
}

/* The interface to ourselves. */
static int attach_alone(struct attachment *attachment, enum dataplane_mode mode, int prog_fd,
			struct sluice_err *err)
{
	LIBBPF_OPTS(bpf_link_create_opts, create, .flags = mode_flags(mode));
	int code;

	attachment->link_fd = bpf_link_create(prog_fd, (int)attachment->ifindex, BPF_XDP, &create);
	if (attachment->link_fd < 0) {
		code = -errno;
		attachment->link_fd = -1;
		explain_refusal(attachment, mode, code, err);
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

int attachment_open(struct attachment *attachment, const struct dataplane_interface *interface,
		    const struct attachment_options *options, struct sluice_err *err)
{
	*attachment = (struct attachment){
		.link_fd = -1,
		.shared = options->shared,
		.mode = interface->mode,
	};
	snprintf(attachment->name, sizeof(attachment->name), "%s", interface->name);
	attachment->ifindex = if_nametoindex(interface->name);
	if (!attachment->ifindex) {
		err_set(err, "interfaces",
			"interface '%s': no such interface; 'ip link' lists them", interface->name);
		return -ENODEV;
	}
	int code = pin_path(attachment, options->folder);

	if (code) {
		err_set(err, "pin_path", "'%s' is too long", options->folder);
		return code;
	}
	if (interface->mode == DATAPLANE_MODE_HARDWARE)
		return refuse_hardware(attachment, err);
	if (options->shared)
		return share(attachment, interface, options, err);
	code = adopt(attachment, interface->mode, options->prog_fd, options->old_prog_fd, err);
	if (code)
		return code < 0 ? code : 0;
	return attach_alone(attachment, interface->mode, options->prog_fd, err);
}

void attachment_close(struct attachment *attachment)
{
	if (attachment->link_fd >= 0)
		close(attachment->link_fd);
	attachment->link_fd = -1;
}

void attachment_undo(struct attachment *attachment)
{
	if (attachment->fresh && attachment->shared)
		(void)dispatcher_release(attachment->pin, NULL);
	else if (attachment->fresh && attachment->link_fd >= 0)
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

int attachment_remove(const char *folder, const char *name, struct sluice_err *err)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	if (strncmp(name, DISPATCHER_PREFIX, strlen(DISPATCHER_PREFIX)) == 0)
		return dispatcher_release(path, err);
	return pinned_link_remove(path);
}

bool attachment_is(const char *name)
{
	return strncmp(name, ATTACHMENT_LINK_PREFIX, strlen(ATTACHMENT_LINK_PREFIX)) == 0 ||
	       strncmp(name, DISPATCHER_PREFIX, strlen(DISPATCHER_PREFIX)) == 0;
}

void attachment_prune(const char *folder, const struct attachment *kept, size_t n)
{
	DIR *directory = opendir(folder);
	struct dirent *entry;

	if (!directory)
		return;
	while ((entry = readdir(directory)))
		if (attachment_is(entry->d_name) && !is_kept(kept, n, entry->d_name))
			(void)attachment_remove(folder, entry->d_name, NULL);
	closedir(directory);
}

bool attachment_any(const char *folder, bool shared)
{
	const char *prefix = shared ? DISPATCHER_PREFIX : ATTACHMENT_LINK_PREFIX;
	DIR *directory = opendir(folder);
	struct dirent *entry;
	bool found = false;

	if (!directory)
		return false;
	while (!found && (entry = readdir(directory)))
		found = strncmp(entry->d_name, prefix, strlen(prefix)) == 0;
	closedir(directory);
	return found;
}

static bool is_in_place(const struct attachment *attachment)
{
	struct bpf_link_info info;

	if (attachment->shared)
		return dispatcher_holds(attachment->ifindex, attachment->component);
	return link_info(attachment->link_fd, &info) == 0 &&
	       info.xdp.ifindex == attachment->ifindex;
}

bool attachment_check(struct attachment *attachment, enum dataplane_event_kind *kind)
{
	if (attachment->lost || (attachment->link_fd < 0 && !attachment->shared))
		return false;
	if (is_in_place(attachment))
		return false;
	char name[IFNAMSIZ];

	*kind = if_indextoname(attachment->ifindex, name) ? DATAPLANE_EVENT_DETACHED
							  : DATAPLANE_EVENT_INTERFACE_GONE;
	attachment->lost = true;
	attachment->gone = *kind == DATAPLANE_EVENT_INTERFACE_GONE;
	return true;
}

/* Tells of it once; not of the first time, as an interface may come up bit by bit. */
static bool put_off(struct attachment *attachment, uint64_t now_ns)
{
	uint64_t delay_ns = attachment->delay_ns ? 2 * attachment->delay_ns : RETRY_MIN_NS;

	attachment->delay_ns = delay_ns < RETRY_MAX_NS ? delay_ns : RETRY_MAX_NS;
	attachment->retry_ns = now_ns + attachment->delay_ns;
	return ++attachment->n_failed == 2;
}

bool attachment_return(struct attachment *attachment, const struct attachment_options *options,
		       enum dataplane_event_kind *kind, struct sluice_err *err)
{
	struct dataplane_interface interface = { attachment->name, attachment->mode };
	uint64_t now_ns = clock_monotonic_ns(&clock_system);
	struct attachment next;

	if (!attachment->gone || now_ns < attachment->retry_ns || !if_nametoindex(attachment->name))
		return false;
	if (attachment_open(&next, &interface, options, err)) {
		*kind = DATAPLANE_EVENT_ATTACH_FAILED;
		return put_off(attachment, now_ns);
	}
	*kind = DATAPLANE_EVENT_INTERFACE_BACK;
	attachment_close(attachment);
	*attachment = next;
	return true;
}
