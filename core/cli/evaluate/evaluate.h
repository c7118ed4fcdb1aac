/* SPDX-License-Identifier: BSD-2-Clause */
/* `sluice replay` from its command line on. */
#ifndef SLUICE_EVALUATE_EVALUATE_H
#define SLUICE_EVALUATE_EVALUATE_H

/* `argv[0]` is the subcommand's name; returns an exit code, enum evaluate_exit. */
int evaluate_main(int argc, char *argv[]);

#endif /* SLUICE_EVALUATE_EVALUATE_H */
