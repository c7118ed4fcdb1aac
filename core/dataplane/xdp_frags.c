/* SPDX-License-Identifier: BSD-2-Clause */
/* See xdp_frags.h. */
#include "xdp_frags.h"

#include <linux/bpf.h>

#include <bpf/libbpf.h>

int xdp_frags_prepare(struct bpf_object *object, bool shared)
{
	struct bpf_program *program;
	int code = 0;

	bpf_object__for_each_program(program, object) {
		if (code)
			break;
		if (shared)
			code = bpf_program__set_expected_attach_type(program, 0);
		else
			code = bpf_program__set_flags(program, bpf_program__flags(program) |
								       BPF_F_XDP_HAS_FRAGS);
	}
	return code;
}
