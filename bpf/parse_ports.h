/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Transport headers as far as the histograms look into them: ports and TCP flags.
 *
 * Read by a helper from an offset rather than through a pointer: behind the walk over extension
 * headers the verifier knows a hundred different pointers and would follow each on its own, while
 * all offsets are one number to it.  So a header in a later buffer of the frame is read, too.
 */
#ifndef SLUICE_BPF_PARSE_PORTS_H
#define SLUICE_BPF_PARSE_PORTS_H

#include "parse.h"

#define PARSE_TCP_FLAGS_OFFSET 13

struct parse_ports {
	__s64 ports; /* Source << 16 | destination, host byte order; -1 if there are none. */
	__s32 flags; /* The lower six of TCP's; -1 if there are none. */
};

static __always_inline bool parse_has_ports(__u8 protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP;
}

/* `offset` of the transport header in the frame; 0: none follows, as in later fragments. */
static __always_inline struct parse_ports parse_ports(struct xdp_md *ctx, __u8 protocol,
						      __u32 offset)
{
	struct parse_ports found = { -1, -1 };
	__u8 bytes[4], flags;

	if (!offset || !parse_has_ports(protocol) ||
	    bpf_xdp_load_bytes(ctx, offset, bytes, sizeof(bytes)))
		return found;
	found.ports = (__u32)bytes[0] << 24 | bytes[1] << 16 | bytes[2] << 8 | bytes[3];
	if (protocol == IPPROTO_TCP &&
	    !bpf_xdp_load_bytes(ctx, offset + PARSE_TCP_FLAGS_OFFSET, &flags, 1))
		found.flags = flags & 0x3f;
	return found;
}

#endif /* SLUICE_BPF_PARSE_PORTS_H */
