/* SPDX-License-Identifier: BSD-2-Clause */
/* How `sluice replay` ends. */
#ifndef SLUICE_EVALUATE_EXIT_H
#define SLUICE_EVALUATE_EXIT_H

/* Exit codes that sluice-replay(1) promises. */
enum evaluate_exit {
	EVALUATE_EXIT_OK = 0,
	EVALUATE_EXIT_MISSED = 1,
	EVALUATE_EXIT_REFUSED = 2, /* Input or usage. */
	EVALUATE_EXIT_FAILED = 4,  /* Privileges, memory, a full disk. */
};

/* For a negative errno of case_run(). */
int evaluate_exit_code(int error);

#endif /* SLUICE_EVALUATE_EXIT_H */
