/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether this kernel has what `attach: dispatcher` needs, without an interface: our component stands in
 * for a function of our dispatcher, and both are forgotten.
 */
#include <errno.h>

#include <linux/bpf.h>

#include <bpf/libbpf.h>
#include <xdp/prog_dispatcher.h>

#include "base/err.h"
#include "dataplane.h"
#include "join.skel.h"
#include "libbpf_messages.h"

/* Uses types of prog_dispatcher.h. */
#include "dispatcher.skel.h"

/* As libxdp loads a component. */
static int load_component(struct join *join, int dispatcher_fd)
{
	struct bpf_program *program = join->progs.sluice_join;
	int code = bpf_program__set_type(program, BPF_PROG_TYPE_EXT);

	if (!code)
		code = bpf_program__set_expected_attach_type(program, 0);
	if (!code)
		code = bpf_program__set_flags(program, 0);
	if (!code)
		code = bpf_program__set_attach_target(program, dispatcher_fd, "prog0");
	return code ? code : join__load(join);
}

int dataplane_try_dispatcher(struct sluice_err *err)
{
	struct dispatcher *dispatcher;
	struct join *join = NULL;
	int code;

	libbpf_messages_init();
	dispatcher = dispatcher__open();
	/* A function that nobody calls is not in the program. */
	if (dispatcher)
		dispatcher->rodata->conf.num_progs_enabled = 1;
	code = dispatcher ? dispatcher__load(dispatcher) : -errno;
	if (code) {
		libbpf_messages_explain(err, "a dispatcher", code);
		goto out;
	}
	join = join__open();
	code = join ? load_component(join, bpf_program__fd(dispatcher->progs.xdp_dispatcher))
		    : -errno;
	if (code == -ENOMEM) {
		err_set(err, NULL, "out of memory");
	} else if (code) {
		err_set(err, "attach", DATAPLANE_NO_DISPATCHER);
		code = -EOPNOTSUPP;
	}
out:
	join__destroy(join);
	dispatcher__destroy(dispatcher);
	return code;
}
