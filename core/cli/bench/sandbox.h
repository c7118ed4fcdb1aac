/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A corner of the machine for a benchmark alone: mount and network namespaces of this process, with
 * a private bpffs.  All of it, pins and interfaces too, goes when the process ends, however it ends.
 */
#ifndef SLUICE_CLI_BENCH_SANDBOX_H
#define SLUICE_CLI_BENCH_SANDBOX_H

#include <sched.h>

#include <sluice/plugin.h>

/* Where the data plane under test pins itself. */
#define SANDBOX_PIN_PATH "/sys/fs/bpf/sluice"

struct sandbox {
	cpu_set_t cpus; /* Those that the process may run on. */
	unsigned int n_cpus;
};

/* The process cannot leave again.  -EPERM and the like, with what is missing. */
int sandbox_enter(struct sandbox *sandbox, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Binds the calling thread to the `nth` of these CPUs, which must be below n_cpus. */
int sandbox_pin_cpu(const struct sandbox *sandbox, unsigned int nth)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CLI_BENCH_SANDBOX_H */
