/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list `stack.interfaces`: whom the stack serves, and by which options.  An address, and the way out to its
 * network, are an interface's own, so nobody guesses which interfaces share them: with several, each is named.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "errors.h"
#include "node.h"
#include "settings_owned.h"
#include "value.h"

static bool is_interface(const struct settings *s, const char *name)
{
	for (size_t i = 0; i < s->n_interfaces; i++)
		if (!strcmp(s->interfaces[i].name, name))
			return true;
	return false;
}

static bool is_listed(const struct settings_stack *stack, const char *name)
{
	for (size_t i = 0; i < stack->n_interfaces; i++)
		if (!strcmp(stack->interfaces[i].name, name))
			return true;
	return false;
}

static void write_name(struct settings_stack_interface *interface, const char *name)
{
	snprintf(interface->name, sizeof(interface->name), "%s", name);
}

/* Those of the interface over those of all. */
static int merge_options(struct settings_owned *owned, struct settings_stack_interface *interface,
			 const struct config_value *own)
{
	const struct config_node *common = owned->settings.stack.plugin.options;
	struct config_node **merged = &owned->stack_options[owned->settings.stack.n_interfaces];
	int code;

	interface->options = common;
	if (!own)
		return 0;
	code = config_node_merge(common, config_value_node(own), merged);
	interface->options = *merged;
	return code;
}

static int refuse(const struct config_value *item, size_t index, const char *name, const char *why,
		  struct config_errors *errors)
{
	char path[64];

	snprintf(path, sizeof(path), "stack.interfaces[%zu]", index);
	config_errors_add_at(errors, config_value_node(config_value_get(item, "name")), path,
			     "'%s' is %s", name, why);
	return -EINVAL;
}

static int item_read(struct settings_owned *owned, const struct config_value *item, size_t index,
		     struct config_errors *errors)
{
	const char *name = config_value_string(config_value_get(item, "name"));
	struct settings_stack *stack = &owned->settings.stack;
	struct settings_stack_interface *interface = &stack->interfaces[stack->n_interfaces];
	int code;

	if (!is_interface(&owned->settings, name))
		return refuse(item, index, name, "not among 'interfaces'; add it there", errors);
	if (is_listed(stack, name))
		return refuse(item, index, name, "listed twice; remove one of them", errors);
	write_name(interface, name);
	code = merge_options(owned, interface, config_value_get(item, "options"));
	if (!code)
		stack->n_interfaces++;
	return code;
}

/* Without the list: the only one there is. */
static int only_interface(struct settings_owned *owned, const struct config_value *map,
			  struct config_errors *errors)
{
	struct settings *s = &owned->settings;

	if (s->n_interfaces > 1) {
		config_errors_add_at(
			errors, config_value_node(map), "stack",
			"does not say which of the %zu interfaces it serves, and by which address; name "
			"each under 'interfaces' here, with 'options' of its own",
			s->n_interfaces);
		return -EINVAL;
	}
	write_name(&s->stack.interfaces[0], s->interfaces[0].name);
	s->stack.interfaces[0].options = s->stack.plugin.options;
	s->stack.n_interfaces = 1;
	return 0;
}

int settings_stack_fill(struct settings_owned *owned, struct config_errors *errors)
{
	const struct config_value *map = config_value_get(owned->value, "stack");
	const struct config_value *list = config_value_get(map, "interfaces"), *item;
	size_t index = 0;
	int result = 0;

	if (!map)
		return 0;
	if (!list)
		return only_interface(owned, map, errors);
	for (item = config_value_first(list); item; item = config_value_next(item)) {
		int one = item_read(owned, item, index++, errors);

		if (one == -ENOMEM)
			return one;
		result = result ? result : one;
	}
	return result;
}
