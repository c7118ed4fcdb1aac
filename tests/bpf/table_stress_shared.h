/* SPDX-License-Identifier: BSD-2-Clause */
/* What the stress program and its test both know. */
#ifndef SLUICE_TESTS_BPF_TABLE_STRESS_SHARED_H
#define SLUICE_TESTS_BPF_TABLE_STRESS_SHARED_H

#include <linux/types.h>

#define STRESS_KEYS 4096u	  /* At most; a power of two. */
#define STRESS_CPUS 64u		  /* That judge at once. */
#define STRESS_RUN_VERDICTS 10240 /* In one run of the program. */

/* What is so of the source numbered n all the time: kinds alternate. */
enum stress_kind {
	STRESS_PRESENT,
	STRESS_ABSENT,
	STRESS_CHURNED,
	STRESS_CHURNED_TOO,
	STRESS_N_KINDS,
};

struct stress_source {
	__u64 high, low; /* As the filter has it. */
};

/* One CPU's. */
struct stress_count {
	__u64 verdicts;
	__u64 passed_wrongly, dropped_wrongly;
	__u64 reserved[5];
};

#endif /* SLUICE_TESTS_BPF_TABLE_STRESS_SHARED_H */
