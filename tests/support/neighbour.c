/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-neighbour DEVICE PRIORITY: another program that shares an interface through libxdp, as its
 * authors mean it to be used.  Counts packets and lets them pass.  SIGUSR1: one line of JSON with the
 * count; SIGTERM: takes itself off and ends.
 *
 * Exit status: 0, 1 libxdp refuses something, 3 this kernel has no dispatchers.
 */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <systemd/sd-daemon.h>
#include <xdp/libxdp.h>

#include "neighbour.skel.h"

#define EXIT_NO_DISPATCHER 3

static bool is_component(int ifindex)
{
	struct xdp_multiprog *programs = xdp_multiprog__get_from_ifindex(ifindex);
	bool is = !libxdp_get_error(programs) && !xdp_multiprog__is_legacy(programs);

	if (!libxdp_get_error(programs))
		xdp_multiprog__close(programs);
	return is;
}

static int leave(struct xdp_program *program, int ifindex)
{
	int code = xdp_program__detach(program, ifindex, XDP_MODE_NATIVE, 0);

	if (code)
		fprintf(stderr, "cannot leave: %s\n", strerror(-code));
	return code ? EXIT_FAILURE : EXIT_SUCCESS;
}

static void tell(int map_fd)
{
	uint32_t zero = 0;
	uint64_t seen = 0;

	if (bpf_map_lookup_elem(map_fd, &zero, &seen))
		perror("cannot read the count");
	printf("{\"seen\": %" PRIu64 "}\n", seen);
	fflush(stdout);
}

static int serve(struct xdp_program *program, int ifindex, int map_fd, const sigset_t *signals)
{
	int signal;

	sd_notify(0, "READY=1");
	for (;;) {
		if (sigwait(signals, &signal))
			return EXIT_FAILURE;
		if (signal == SIGTERM)
			return leave(program, ifindex);
		tell(map_fd);
	}
}

static int join(struct neighbour *skel, int ifindex, unsigned int priority, const sigset_t *signals)
{
	struct xdp_program *program = xdp_program__from_bpf_obj(skel->obj, "xdp.frags");
	int code = (int)libxdp_get_error(program);

	if (!code)
		code = xdp_program__set_xdp_frags_support(program, true);
	if (!code)
		code = xdp_program__set_run_prio(program, priority);
	if (!code)
		code = xdp_program__set_chain_call_enabled(program, XDP_PASS, true);
	if (!code)
		code = xdp_program__attach(program, ifindex, XDP_MODE_NATIVE, 0);
	if (code) {
		fprintf(stderr, "cannot join: %s\n", strerror(-code));
		return EXIT_FAILURE;
	}
	if (!is_component(ifindex)) {
		(void)leave(program, ifindex);
		return EXIT_NO_DISPATCHER;
	}
	return serve(program, ifindex, bpf_map__fd(skel->maps.neighbour_seen), signals);
}

int main(int argc, char *argv[])
{
	struct neighbour *skel;
	sigset_t signals;
	int ifindex, code;

	if (argc != 3) {
		fputs("Usage: sluice-neighbour DEVICE PRIORITY\n", stderr);
		return 2;
	}
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	ifindex = (int)if_nametoindex(argv[1]);
	skel = neighbour__open();
	if (!ifindex || !skel) {
		perror(argv[1]);
		return EXIT_FAILURE;
	}
	code = join(skel, ifindex, (unsigned int)strtoul(argv[2], NULL, 10), &signals);
	neighbour__destroy(skel);
	return code;
}
