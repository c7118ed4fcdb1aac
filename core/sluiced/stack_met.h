/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hosts that stacks say they met, on their way to the known clients.  A stack has no privileges and
 * nothing but its word: whom it names is one that packets can come from, and it names few a second.  That they have no
 * more than a share of the set is known_clients' doing.
 */
#ifndef SLUICE_SLUICED_STACK_MET_H
#define SLUICE_SLUICED_STACK_MET_H

#include <stdint.h>

#include "stack_door.h"

struct handover_request;
struct told_clients;

/* What the stack of one queue may name a second; more are left out, and it names them again. */
#define STACK_MET_PER_S 1024u

/* Zero but for `told`. */
struct stack_met {
	struct told_clients *told; /* NULL: nobody is known. */
	/* By interface and queue, so that a new connection brings no new allowance. */
	struct {
		uint64_t second_ns; /* When it began. */
		uint32_t used;
	} allowances[STACK_DOOR_INTERFACES][STACK_DOOR_QUEUES];
};

/*
 * Takes what a checked request of the kind MET names, for its queue of the nth interface: how many hosts; `*left_out` grows by those that
 * will not be known.  -EINVAL, and none is taken: one cannot be met.
 */
int stack_met_take(struct stack_met *met, uint32_t interface,
		   const struct handover_request *request, uint64_t now_ns, uint64_t *left_out)
	__attribute__((warn_unused_result));

#endif /* SLUICE_SLUICED_STACK_MET_H */
