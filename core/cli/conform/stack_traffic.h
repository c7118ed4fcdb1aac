/* SPDX-License-Identifier: BSD-2-Clause */
/* Cases for stacks in which the peer does more than ask whether anybody is there. */
#ifndef SLUICE_CLI_CONFORM_STACK_TRAFFIC_H
#define SLUICE_CLI_CONFORM_STACK_TRAFFIC_H

#include <stdbool.h>

struct conform;
struct session;

int traffic_tcp(struct conform *conform);
int traffic_sums(struct conform *conform);
int traffic_malformed(struct conform *conform);
int traffic_fuzz(struct conform *conform);
/* Whom it tells its host of, by `met`. */
int traffic_met(struct conform *conform);

/*
 * Opens a connection to a port that the stack may serve, sends a line, and resets it.  1: it answered
 * the SYN; 0: no port did; negative after conform_fail().
 */
int traffic_connect(struct session *session, bool v6);

#endif /* SLUICE_CLI_CONFORM_STACK_TRAFFIC_H */
