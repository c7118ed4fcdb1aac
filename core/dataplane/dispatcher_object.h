/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sluice's own dispatcher (bpf/dispatcher.bpf.c) in the place of libxdp's.  libxdp loads it from a
 * file; which, it is told by an environment variable.
 */
#ifndef SLUICE_DATAPLANE_DISPATCHER_OBJECT_H
#define SLUICE_DATAPLANE_DISPATCHER_OBJECT_H

#include <sluice/plugin.h>

/*
 * From now on, until it is withdrawn, libxdp takes ours.  The first offer of a process changes its
 * environment, so it is made before there are threads.
 */
int dispatcher_object_offer(struct sluice_err *err) __attribute__((warn_unused_result));
/* Removes the file; a later offer makes it again. */
void dispatcher_object_withdraw(void);

#endif /* SLUICE_DATAPLANE_DISPATCHER_OBJECT_H */
