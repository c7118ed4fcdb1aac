// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * A dispatcher for libxdp, for kernels that refuse Sluice's component in libxdp 1.3's own: since 6.12
 * a program may stand in for a function only if it changes packets no more than that function does,
 * and a tail call counts as a change.  Here each place is a function that says it may change them.
 *
 * What libxdp asks of the file is in <xdp/prog_dispatcher.h> and its protocol: these names, one
 * configuration as the only read-only data, and the version among the types of xdp_metadata.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>
#include <xdp/prog_dispatcher.h>

char _license[] SEC("license") = "Dual BSD/GPL";

volatile const struct xdp_dispatcher_config conf = {};

__uint(dispatcher_version, XDP_DISPATCHER_VERSION) SEC(XDP_METADATA_SECTION);

/* Moves the packet's head by nothing: for the verifier that is a change.  Replaced by a component. */
#define PLACE(name)                                                         \
	__attribute__((noinline)) int name(struct xdp_md *ctx)              \
	{                                                                   \
		volatile int verdict = XDP_DISPATCHER_RETVAL;               \
                                                                            \
		return bpf_xdp_adjust_head(ctx, 0) ? XDP_ABORTED : verdict; \
	}

PLACE(prog0)
PLACE(prog1)
PLACE(prog2)
PLACE(prog3)
PLACE(prog4)
PLACE(prog5)
PLACE(prog6)
PLACE(prog7)
PLACE(prog8)
PLACE(prog9)
/* Where libxdp tries whether the kernel replaces functions at all. */
PLACE(compat_test)

#define RUN(number)                                                       \
	do {                                                              \
		int verdict;                                              \
                                                                          \
		if (conf.num_progs_enabled <= (number))                   \
			return XDP_PASS;                                  \
		verdict = prog##number(ctx);                              \
		if (!(1u << verdict & conf.chain_call_actions[(number)])) \
			return verdict;                                   \
	} while (0)

SEC("xdp")
int xdp_dispatcher(struct xdp_md *ctx)
{
	RUN(0);
	RUN(1);
	RUN(2);
	RUN(3);
	RUN(4);
	RUN(5);
	RUN(6);
	RUN(7);
	RUN(8);
	RUN(9);
	/* Never so, but a function that nobody calls is left out of the program. */
	if (conf.num_progs_enabled > MAX_DISPATCHER_ACTIONS)
		return compat_test(ctx);
	return XDP_PASS;
}

/* What libxdp puts into compat_test. */
SEC("xdp")
int xdp_pass(struct xdp_md *ctx)
{
	(void)ctx;
	return XDP_PASS;
}
