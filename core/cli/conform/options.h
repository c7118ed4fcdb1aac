/* SPDX-License-Identifier: BSD-2-Clause */
/* Every option of the manifest, one at a time, at each of its bounds and values. */
#ifndef SLUICE_CLI_CONFORM_OPTIONS_H
#define SLUICE_CLI_CONFORM_OPTIONS_H

struct config_node;
struct conform;

/*
 * Calls `use` with a mapping of one option each.  The plugin may refuse it, with a reason, but not fall
 * over it.  0, what `use` gave, or skipped if there is nothing to try.
 */
int options_try(struct conform *conform,
		int (*use)(struct conform *conform, const struct config_node *options));

#endif /* SLUICE_CLI_CONFORM_OPTIONS_H */
