/* SPDX-License-Identifier: BSD-2-Clause */
/* See dispatcher.h. */
#include "dispatcher.h"

#include <errno.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>

#include "base/err.h"
#include "dispatcher_object.h"
#include "join.skel.h"
#include "libbpf_messages.h"

/* Where libxdp 1.x pins the components of a dispatcher, and how many there may be. */
#define LIBXDP_PIN "/sys/fs/bpf/xdp/dispatch-%u-%u/prog%d-prog"
#define LIBXDP_COMPONENTS 10

/* What it says by itself is said again by what it returns, and better by us. */
static int say_nothing(enum libxdp_print_level level, const char *format, va_list args)
{
	(void)level;
	(void)format;
	(void)args;
	return 0;
}

static uint32_t program_id(int fd)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	return bpf_obj_get_info_by_fd(fd, &info, &size) ? 0 : info.id;
}

static uint32_t pinned_id(const char *pin)
{
	int fd = bpf_obj_get(pin);

	if (fd < 0)
		return 0;
	uint32_t id = program_id(fd);

	close(fd);
	return id;
}

static struct xdp_multiprog *programs_on(unsigned int ifindex)
{
	struct xdp_multiprog *programs = xdp_multiprog__get_from_ifindex((int)ifindex);

	return libxdp_get_error(programs) ? NULL : programs;
}

static struct xdp_program *find(const struct xdp_multiprog *programs, uint32_t id)
{
	struct xdp_program *program = NULL;

	while (id && (program = xdp_multiprog__next_prog(program, programs)))
		if (xdp_program__id(program) == id)
			return program;
	return NULL;
}

/* True if the dispatcher on the interface holds the component; libxdp's answer. */
static bool is_component(unsigned int ifindex, uint32_t id, enum xdp_attach_mode *mode)
{
	struct xdp_multiprog *programs = id ? programs_on(ifindex) : NULL;
	bool found = programs && !xdp_multiprog__is_legacy(programs) && find(programs, id);

	if (found)
		*mode = xdp_multiprog__attach_mode(programs);
	xdp_multiprog__close(programs);
	return found;
}

static int store_filter(const struct dispatcher_options *options, const char *path,
			struct sluice_err *err)
{
	int fd = bpf_obj_get(path), code = 0;
	__u32 place = 0;

	if (fd < 0 || bpf_map_update_elem(fd, &place, &options->prog_fd, BPF_ANY))
		code = -errno;
	if (fd >= 0)
		close(fd);
	if (code == -EINVAL) {
		err_set(err, "attach",
			"interface '%s': this kernel lets no component of libxdp's dispatcher call "
			"an XDP program; use attach: exclusive",
			options->ifname);
		return -EOPNOTSUPP;
	}
	if (code)
		err_set(err, "attach", "interface '%s': cannot store the filter in '%s': %s",
			options->ifname, path, err_name(code));
	return code;
}

/*
 * What libxdp loads a dispatcher for; where the kernel refuses our component in libxdp's own (it says
 * -EINVAL), once more with ours, and from then on with ours at once.
 */
static int with_dispatcher(int (*fn)(void *ctx), void *ctx, struct sluice_err *err)
{
	static bool wants_own;
	int code;

	if (!wants_own) {
		code = fn(ctx);
		if (code != -EINVAL)
			return code;
	}
	wants_own = true;
	code = dispatcher_object_offer(err);
	if (!code)
		code = fn(ctx);
	dispatcher_object_withdraw();
	return code;
}

static void explain(const struct dispatcher_options *options, int code, struct sluice_err *err)
{
	switch (code) {
	case -EOPNOTSUPP:
		err_set(err, "attach", "interface '%s': " DATAPLANE_NO_DISPATCHER, options->ifname);
		break;
	case -EINVAL:
		err_set(err, "attach",
			"interface '%s': this kernel refuses our component both in libxdp's "
			"dispatcher and in ours (%s); use attach: exclusive",
			options->ifname, err_name(code));
		break;
	case -EBUSY:
	case -EEXIST:
		err_set(err, "attach",
			"interface '%s': an XDP program that does not use libxdp's dispatcher is "
			"attached (%s); 'bpftool net' shows it; if it is Sluice's own, 'sluice "
			"detach' first",
			options->ifname, err_name(code));
		break;
	case -ENOENT:
		err_set(err, "attach",
			"interface '%s': libxdp's xdp-dispatcher.o is not installed; it comes with "
			"the package libxdp1",
			options->ifname);
		break;
	case -EPERM:
		err_set(err, "attach",
			"interface '%s': not allowed to attach by libxdp (%s); needs root with "
			"CAP_SYS_ADMIN, which a service's bounds may leave out",
			options->ifname, err_name(code));
		break;
	default:
		err_set(err, "attach", "interface '%s': libxdp cannot attach: %s", options->ifname,
			err_name(code));
	}
}

/*
 * Where the kernel allows no dispatcher libxdp attaches the program alone and calls it a success;
 * the next program would then be shut out by us, or we by it.
 */
static int attach(const struct dispatcher_options *options, struct xdp_program *program)
{
	enum xdp_attach_mode mode = options->mode == DATAPLANE_MODE_GENERIC ? XDP_MODE_SKB
									    : XDP_MODE_NATIVE;
	enum xdp_attach_mode found;
	int code;

	(void)xdp_program__set_xdp_frags_support(program, true);
	code = xdp_program__set_run_prio(program, options->priority);
	if (!code)
		code = xdp_program__set_chain_call_enabled(program, XDP_PASS, true);
	if (!code)
		code = xdp_program__attach(program, (int)options->ifindex, mode, 0);
	if (code)
		return code;
	if (!is_component(options->ifindex, xdp_program__id(program), &found))
		code = -EOPNOTSUPP;
	else if (xdp_program__pin(program, options->pin))
		code = -errno;
	if (code)
		(void)xdp_program__detach(program, (int)options->ifindex, mode, 0);
	return code;
}

struct addition {
	const struct dispatcher_options *options;
	const char *entry; /* Where the array with the filter is pinned. */
	uint32_t id;	   /* Of the component, then. */
};

static int add(void *ctx)
{
	struct addition *addition = ctx;
	struct join *join = join__open();
	struct xdp_program *program = NULL;
	int code = join ? bpf_map__set_pin_path(join->maps.sluice_entry, addition->entry) : -errno;

	if (!code) {
		program = xdp_program__from_bpf_obj(join->obj, "xdp.frags");
		code = (int)libxdp_get_error(program);
	}
	if (!code) {
		code = attach(addition->options, program);
		addition->id = code ? 0 : xdp_program__id(program);
		xdp_program__close(program);
	}
	join__destroy(join);
	return code;
}

static int add_component(const struct dispatcher_options *options, const char *entry, uint32_t *id,
			 struct sluice_err *err)
{
	struct addition addition = { .options = options, .entry = entry };
	struct sluice_err offer = { .text = "" };
	int code = with_dispatcher(add, &addition, &offer);

	*id = addition.id;
	if (!code)
		return 0;
	if (offer.text[0])
		err_set(err, "attach", "interface '%s': %s", options->ifname, offer.text);
	else
		explain(options, code, err);
	return code == -EINVAL ? -EOPNOTSUPP : code;
}

int dispatcher_open(const struct dispatcher_options *options, uint32_t *id, bool *fresh,
		    struct sluice_err *err)
{
	enum xdp_attach_mode mode;
	char entry[256];
	int code;

	*fresh = false;
	libxdp_set_print(say_nothing);
	snprintf(entry, sizeof(entry), "%s/sluice_entry", options->folder);
	*id = pinned_id(options->pin);
	if (is_component(options->ifindex, *id, &mode)) {
		if ((mode == XDP_MODE_SKB) != (options->mode == DATAPLANE_MODE_GENERIC)) {
			err_set(err, "interfaces",
				"interface '%s': the dispatcher runs in another mode; 'sluice "
				"detach' first",
				options->ifname);
			return -EPROTO;
		}
		return store_filter(options, entry, err);
	}
	unlink(options->pin);
	code = add_component(options, entry, id, err);
	if (code)
		return code;
	*fresh = true;
	code = store_filter(options, entry, err);
	if (code)
		(void)dispatcher_release(options->pin, NULL);
	return code;
}

uint32_t dispatcher_host_program(unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, query);

	if (bpf_xdp_query((int)ifindex, 0, &query))
		return 0;
	return query.drv_prog_id ? query.drv_prog_id : query.skb_prog_id;
}

bool dispatcher_holds(unsigned int ifindex, uint32_t id)
{
	uint32_t dispatcher = dispatcher_host_program(ifindex);
	char path[128];

	if (!dispatcher)
		return false;
	for (int i = 0; i < LIBXDP_COMPONENTS; i++) {
		snprintf(path, sizeof(path), LIBXDP_PIN, ifindex, dispatcher, i);
		if (pinned_id(path) == id)
			return true;
	}
	return false;
}

struct removal {
	unsigned int ifindex;
	uint32_t id;
};

static int take_out(void *ctx)
{
	const struct removal *removal = ctx;
	struct xdp_multiprog *programs = programs_on(removal->ifindex);
	struct xdp_program *program = programs ? find(programs, removal->id) : NULL;
	int code = 0;

	if (program)
		code = xdp_program__detach(program, (int)removal->ifindex,
					   xdp_multiprog__attach_mode(programs), 0);
	xdp_multiprog__close(programs);
	return code;
}

int dispatcher_release(const char *pin, struct sluice_err *err)
{
	struct if_nameindex *interfaces = if_nameindex();
	uint32_t id = pinned_id(pin);
	int code = 0;

	/* Detaching may be all that this process does with libbpf. */
	libbpf_messages_init();
	libxdp_set_print(say_nothing);
	for (size_t i = 0; id && interfaces && interfaces[i].if_index && !code; i++) {
		struct removal removal = { interfaces[i].if_index, id };

		code = with_dispatcher(take_out, &removal, NULL);
		if (code)
			err_set(err, "attach",
				"interface '%s': libxdp cannot take our component out: %s",
				interfaces[i].if_name, err_name(code));
	}
	if_freenameindex(interfaces);
	if (!code && unlink(pin))
		code = -errno;
	return code;
}
