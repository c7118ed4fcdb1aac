/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosts that a stack met, until the daemon is told of them: in batches, and each again only when
 * MET_AGAIN_NS have passed.  One thread's, the port's.
 */
#ifndef SLUICE_XSK_MET_H
#define SLUICE_XSK_MET_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>
#include <sluice/stack.h>

struct clock_source;
struct handover_host;
struct met;

/* A third of the time for which the daemon takes a host for one that is connected now. */
#define MET_AGAIN_NS 20000000000ull
#define MET_BATCH 64u

/* NULL without memory.  met_free() accepts NULL. */
struct met *met_new(const struct clock_source *clock);
void met_free(struct met *met);

/*
 * 0; or -EINVAL: nobody can be met there.  One that finds no room in the batch is left out; the stack tells of
 * it again.
 */
int met_add(struct met *met, const struct sluice_key *host, enum sluice_io_met how)
	__attribute__((warn_unused_result));
/* Those that the daemon is to be told of: how many, MET_BATCH at most. */
size_t met_batch(const struct met *met, const struct handover_host **hosts);
/* It was told of the first `n` of them. */
void met_told(struct met *met, size_t n);
/* There is a daemon that was told of nobody. */
void met_forget(struct met *met);

#endif /* SLUICE_XSK_MET_H */
