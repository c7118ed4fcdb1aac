/* SPDX-License-Identifier: BSD-2-Clause */
/* What XDP programs are loaded as, which decides who may tail-call them. */
#ifndef SLUICE_DATAPLANE_XDP_FRAGS_H
#define SLUICE_DATAPLANE_XDP_FRAGS_H

#include <stdbool.h>

struct bpf_object;

/*
 * Before the object is loaded.  Alone on an interface a program has the flag that says it knows packets
 * in several buffers.  A program array holds only programs that agree with whoever tail-calls them in
 * this flag and in the type of attachment, and a component of libxdp's dispatcher has neither: what it
 * calls (`shared`) must not either.  The programs are the same, and see such packets because the
 * dispatcher has the flag.
 */
int xdp_frags_prepare(struct bpf_object *object, bool shared);

#endif /* SLUICE_DATAPLANE_XDP_FRAGS_H */
