/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A veth pair to send a flood through: frames redirected into one end meet the XDP program of the
 * other.  Made in the network namespace of this process, and gone with it.
 */
#ifndef SLUICE_CLI_BENCH_VETH_H
#define SLUICE_CLI_BENCH_VETH_H

#include <net/if.h>
#include <stdint.h>

#include <sluice/plugin.h>

struct veth {
	char out[IFNAMSIZ], in[IFNAMSIZ]; /* The generator's end, and the receiver's. */
	unsigned int out_index, in_index;
};

/* Makes "<name>out" and "<name>in" and sets both up. */
int veth_open(struct veth *veth, const char *name, struct sluice_err *err)
	__attribute__((warn_unused_result));
void veth_close(struct veth *veth);

/* Puts a program at the receiver's end, for as long as the pair lives. */
int veth_attach(const struct veth *veth, int prog_fd, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Frames that XDP dropped at the receiver's end since it was made. */
int veth_drops(const struct veth *veth, uint64_t *drops, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_VETH_H */
