/* SPDX-License-Identifier: BSD-2-Clause */
/* A veth pair, frames put on it, and what arrives. */
#ifndef SLUICE_TESTS_BPF_WIRE_H
#define SLUICE_TESTS_BPF_WIRE_H

#include <stdbool.h>

#include "frame.h"

/* Makes the pair `near`, `far` in this network namespace, up and without IPv6 of its own. */
void wire_add(const char *near, const char *far);
void wire_del(const char *name);

/* A packet socket on an interface; it hears all that the interface hands to Linux. */
int wire_open(const char *name);
void wire_send(int fd, const struct frame *frame);
/* How many such frames are there; waits for no more than `timeout_ms` after the last one. */
unsigned int wire_count(int fd, const struct frame *frame, unsigned int wanted, int timeout_ms);

#endif /* SLUICE_TESTS_BPF_WIRE_H */
