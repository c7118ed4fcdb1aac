/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list `deliver`: ports and ranges into numbers.  Which keys fit to one another is
 * settings_check.c's.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "errors.h"
#include "node.h"
#include "settings_owned.h"
#include "value.h"

/* A decimal number up to 65535; NULL if there is none. */
static const char *port_read(const char *text, uint16_t *port)
{
	size_t len = strspn(text, "0123456789");
	unsigned long number;

	if (!len || len > 5)
		return NULL;
	number = strtoul(text, NULL, 10);
	*port = (uint16_t)number;
	return number <= UINT16_MAX ? text + len : NULL;
}

/* "53" or "1024-65535". */
static int range_read(const struct config_value *value, struct settings_port_range *range)
{
	const char *at = port_read(config_node_text(config_value_node(value)), &range->from);

	range->to = range->from;
	if (at && *at == '-')
		at = port_read(at + 1, &range->to);
	return at && !*at && range->from && range->from <= range->to ? 0 : -EINVAL;
}

static int item_read(struct settings_owned *owned, const struct config_value *item, size_t index,
		     struct settings_deliver *deliver, struct config_errors *errors)
{
	const struct config_value *ports = config_value_get(item, "ports"), *one;
	const struct config_value *destinations = config_value_get(item, "destinations");
	size_t n_destinations = destinations ? config_value_count(destinations) : 0;
	int result = 0;

	deliver->protocol = strcmp(config_value_string(config_value_get(item, "protocol")), "udp")
				    ? IPPROTO_TCP
				    : IPPROTO_UDP;
	deliver->ports =
		arena_calloc(&owned->arena, config_value_count(ports), sizeof(*deliver->ports));
	deliver->destinations =
		arena_calloc(&owned->arena, n_destinations + 1, sizeof(*deliver->destinations));
	if (!deliver->ports || !deliver->destinations)
		return -ENOMEM;
	for (one = config_value_first(ports); one; one = config_value_next(one)) {
		char path[64];

		if (range_read(one, &deliver->ports[deliver->n_ports]) == 0) {
			deliver->n_ports++;
			continue;
		}
		snprintf(path, sizeof(path), "deliver[%zu].ports", index);
		config_errors_add_at(
			errors, config_value_node(one), path,
			"'%.64s' is not a port or a range such as 8000-8099, from 1 to "
			"65535",
			config_node_text(config_value_node(one)));
		result = -EINVAL;
	}
	for (one = destinations ? config_value_first(destinations) : NULL; one;
	     one = config_value_next(one))
		deliver->destinations[deliver->n_destinations++] = *config_value_address(one);
	return result;
}

int settings_deliver_fill(struct settings_owned *owned, struct config_errors *errors)
{
	const struct config_value *list = config_value_get(owned->value, "deliver");
	const struct config_value *item = config_value_first(list);
	struct settings *s = &owned->settings;
	int result = 0;

	s->deliver = arena_calloc(&owned->arena, config_value_count(list) + 1, sizeof(*s->deliver));
	if (!s->deliver)
		return -ENOMEM;
	for (; item; item = config_value_next(item)) {
		size_t i = s->n_deliver++;
		int one = item_read(owned, item, i, &s->deliver[i], errors);

		if (one == -ENOMEM)
			return one;
		result = result ? result : one;
	}
	return result;
}
