/* SPDX-License-Identifier: BSD-2-Clause */
/* What the reference programs of the benchmark and user space both see. */
#ifndef SLUICE_CLI_BENCH_REFERENCES_SHARED_H
#define SLUICE_CLI_BENCH_REFERENCES_SHARED_H

#include <linux/types.h>

/* Devices that the flood may be sent into, one per design. */
#define REFERENCES_DEVICES 6

/* What P1's design keeps per source and CPU: the same figures as Sluice. */
struct references_features {
	__u64 packets;
	__u64 bytes;
	__u32 tcp_syn;
	__u32 udp;
	__u32 icmp;
	__u32 reserved;
};

#endif /* SLUICE_CLI_BENCH_REFERENCES_SHARED_H */
