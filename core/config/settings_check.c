/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a schema cannot say: keys that must fit to one another.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "errors.h"
#include "node.h"
#include "settings_owned.h"
#include "value.h"

/* The node of a member that is known to be in the file. */
static const struct config_node *place(const struct config_value *map, const char *key)
{
	const struct config_value *value = config_value_get(map, key);

	return value ? config_value_node(value) : NULL;
}

/* Refuses two items of the list `key` with one and the same `name_key`. */
static int names_check(const struct settings_owned *owned, const char *key, const char *name_key,
		       struct config_errors *errors)
{
	const struct config_value *list = config_value_get(owned->value, key), *item, *other;
	size_t i = 0;
	int failed = 0;

	for (item = config_value_first(list); item; item = config_value_next(item), i++) {
		const struct config_value *name = config_value_get(item, name_key);
		char path[64];

		for (other = config_value_first(list); other != item;
		     other = config_value_next(other))
			if (!strcmp(config_value_string(config_value_get(other, name_key)),
				    config_value_string(name)))
				break;
		if (other == item)
			continue;
		snprintf(path, sizeof(path), "%s[%zu]", key, i);
		config_errors_add_at(errors, config_value_node(name), path,
				     "'%s' is listed twice; remove one of them",
				     config_value_string(name));
		failed = -EINVAL;
	}
	return failed;
}

static int budgets_check(const struct settings_owned *owned, struct config_errors *errors)
{
	const struct config_value *list = config_value_get(owned->value, "detectors");
	const struct config_value *item = config_value_first(list);
	const struct settings *s = &owned->settings;
	int failed = 0;

	for (size_t i = 0; i < s->n_detectors; i++, item = config_value_next(item)) {
		char path[64];

		if (s->detectors[i].budget_ns <= s->window_ns)
			continue;
		snprintf(path, sizeof(path), "detectors[%zu].budget", i);
		config_errors_add_at(errors, place(item, "budget"), path,
				     "a call may take no longer than the window, %g ms; lower it, "
				     "or raise 'window'",
				     (double)s->window_ns / 1e6);
		failed = -EINVAL;
	}
	return failed;
}

static int placement_check(const struct settings_owned *owned, struct config_errors *errors)
{
	const struct config_value *placement = config_value_get(owned->value, "placement");
	enum settings_placement wanted = owned->settings.placement;

	if (!placement || (wanted != SETTINGS_PLACEMENT_HOST) == owned->settings.offload.enabled)
		return 0;
	if (wanted == SETTINGS_PLACEMENT_HOST)
		config_errors_add_at(errors, config_value_node(placement), "placement",
				     "host has no use for 'offload'; write hybrid, or remove it");
	else
		config_errors_add_at(errors, config_value_node(placement), "placement",
				     "%s needs the key 'offload' with a back end",
				     config_value_string(placement));
	return -EINVAL;
}

static int offload_check(const struct settings_owned *owned, struct config_errors *errors)
{
	const struct config_value *map = config_value_get(owned->value, "offload");
	const struct settings *s = &owned->settings;
	size_t i;
	int failed = 0;

	if (!map)
		return 0;
	if (s->offload.threshold_min > s->offload.threshold_max) {
		config_errors_add_at(errors, place(map, "threshold"), "offload.threshold",
				     "min (%g) is above max (%g)", s->offload.threshold_min,
				     s->offload.threshold_max);
		failed = -EINVAL;
	}
	if (!s->offload.interface)
		return failed;
	for (i = 0; i < s->n_interfaces; i++)
		if (!strcmp(s->interfaces[i].name, s->offload.interface))
			return failed;
	config_errors_add_at(errors, place(map, "interface"), "offload.interface",
			     "'%s' is not among 'interfaces'; add it there, or leave out the key",
			     s->offload.interface);
	return -EINVAL;
}

static int attach_check(const struct settings_owned *owned, struct config_errors *errors)
{
	const struct settings *s = &owned->settings;
	int failed = 0;

	for (size_t i = 0; s->shared && i < s->n_interfaces; i++) {
		char path[64];

		if (s->interfaces[i].mode != SETTINGS_MODE_HARDWARE)
			continue;
		snprintf(path, sizeof(path), "interfaces[%zu].mode", i);
		config_errors_add_at(errors, place(owned->value, "attach"), path,
				     "a card takes no dispatcher; use attach: exclusive, or mode: "
				     "native for '%s'",
				     s->interfaces[i].name);
		failed = -EINVAL;
	}
	return failed;
}

static int deliver_check(const struct settings_owned *owned, struct config_errors *errors)
{
	const struct settings *s = &owned->settings;
	const struct config_value *list = config_value_get(owned->value, "deliver");
	const struct config_value *stack = config_value_get(owned->value, "stack");
	int failed = 0;

	for (size_t i = 0; s->n_deliver && i < s->n_interfaces; i++) {
		if (s->interfaces[i].mode != SETTINGS_MODE_HARDWARE)
			continue;
		config_errors_add_at(errors, config_value_node(list), "deliver",
				     "a card has no AF_XDP sockets; use mode: native for '%s'",
				     s->interfaces[i].name);
		failed = -EINVAL;
	}
	if (s->stack.enabled && !s->n_deliver) {
		config_errors_add_at(
			errors, config_value_node(stack), "stack",
			"gets nothing without the key 'deliver'; name its ports there");
		failed = -EINVAL;
	}
	if (s->stack.enabled && s->stack.frames & (s->stack.frames - 1)) {
		config_errors_add_at(errors, place(stack, "frames"), "stack.frames",
				     "%u is no power of two", s->stack.frames);
		failed = -EINVAL;
	}
	if (s->stack.enabled && !strcmp(s->stack.socket, s->control.socket)) {
		config_errors_add_at(errors, place(stack, "socket"), "stack.socket",
				     "is the control socket's path, too; choose another");
		failed = -EINVAL;
	}
	return failed;
}

int settings_check(const struct settings_owned *owned, struct config_errors *errors)
{
	int failed = 0;

	failed |= names_check(owned, "interfaces", "name", errors);
	failed |= names_check(owned, "detectors", "plugin", errors);
	failed |= names_check(owned, "rules", "name", errors);
	failed |= budgets_check(owned, errors);
	failed |= attach_check(owned, errors);
	failed |= placement_check(owned, errors);
	failed |= offload_check(owned, errors);
	failed |= deliver_check(owned, errors);
	return failed ? -EINVAL : 0;
}
