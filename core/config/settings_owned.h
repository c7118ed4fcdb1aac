/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What stands behind a struct settings; for settings*.c only.
 */
#ifndef SLUICE_CONFIG_SETTINGS_OWNED_H
#define SLUICE_CONFIG_SETTINGS_OWNED_H

#include "base/arena.h"

#include "settings.h"

struct config_value;
struct schema;

/* Strings and nodes that the settings point to live in these trees. */
struct settings_owned {
	struct settings settings;
	struct arena arena;
	struct config_node *schema_node;
	struct schema *schema;
	struct config_node *node;
	struct config_value *value;
	struct config_node
		*stack_options[SETTINGS_STACK_INTERFACES]; /* Merged; NULL: as in `node`. */
};

/* Fills in the settings from the checked value.  0 or -ENOMEM. */
int settings_fill(struct settings_owned *owned) __attribute__((warn_unused_result));

/* The list `rules`.  0, -ENOMEM, or -EINVAL with the reasons in `errors`. */
int settings_rules_fill(struct settings_owned *owned, struct config_errors *errors)
	__attribute__((warn_unused_result));

/* The list `deliver`.  As settings_rules_fill(). */
int settings_deliver_fill(struct settings_owned *owned, struct config_errors *errors)
	__attribute__((warn_unused_result));

/* The list `stack.interfaces`.  As settings_rules_fill(). */
int settings_stack_fill(struct settings_owned *owned, struct config_errors *errors)
	__attribute__((warn_unused_result));

/* What concerns more than one key.  0 or -EINVAL with the reasons in `errors`. */
int settings_check(const struct settings_owned *owned, struct config_errors *errors)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CONFIG_SETTINGS_OWNED_H */
