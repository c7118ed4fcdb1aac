/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with the emulated card, as a file says: one can be given and taken away while the
 * daemon runs.
 */
#ifndef SLUICE_BACKENDS_EMU_FAULT_H
#define SLUICE_BACKENDS_EMU_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fault {
	bool slow;     /* 2 ms more for each rule. */
	bool refuse;   /* Each rule to be added fails with -EIO. */
	bool lie;      /* Says that it has added a rule, and has not. */
	bool forget;   /* Its table is empty at the beginning of every call. */
	bool gone;     /* Every call fails with -ENODEV. */
	bool hang;     /* No call comes back, until the file says otherwise. */
	bool full;     /* -ENOSPC beyond `room` rules. */
	uint32_t room; /* Of "full N"; 0 for "full" alone. */
};

/* Words apart by white space: slow refuse lie forget gone hang full [N].  0, or -EINVAL: another word. */
int fault_parse(const char *text, struct fault *fault) __attribute__((warn_unused_result));

#endif /* SLUICE_BACKENDS_EMU_FAULT_H */
