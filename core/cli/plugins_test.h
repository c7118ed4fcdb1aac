/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice plugins test: runs the cases of core/cli/conform and reports them. */
#ifndef SLUICE_CLI_PLUGINS_TEST_H
#define SLUICE_CLI_PLUGINS_TEST_H

struct cli_args;

/* The second operand is the plugin's object or manifest.  An exit code. */
int plugins_test(const struct cli_args *args);

#endif /* SLUICE_CLI_PLUGINS_TEST_H */
