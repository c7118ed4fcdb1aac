/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules as the file states them into rules as the data plane takes them.  See rule_settings.h. */
#include "rule_settings.h"

#include <string.h>

#include "config/settings.h"
#include "dataplane/rule.h"

/* config knows nothing of dataplane: what both number alike is copied, and checked here to be so. */
_Static_assert((int)SETTINGS_RULE_PROTOCOL == (int)DATAPLANE_RULE_PROTOCOL, "alike");
_Static_assert((int)SETTINGS_RULE_SOURCE_PORT == (int)DATAPLANE_RULE_SOURCE_PORT, "alike");
_Static_assert((int)SETTINGS_RULE_DESTINATION_PORT == (int)DATAPLANE_RULE_DESTINATION_PORT,
	       "alike");
_Static_assert((int)SETTINGS_RULE_TCP_FLAGS == (int)DATAPLANE_RULE_TCP_FLAGS, "alike");
_Static_assert((int)SETTINGS_RULE_LENGTH == (int)DATAPLANE_RULE_LENGTH, "alike");
_Static_assert((int)SETTINGS_RULE_TTL == (int)DATAPLANE_RULE_TTL, "alike");
_Static_assert((int)SETTINGS_RULE_DESTINATION == (int)DATAPLANE_RULE_DESTINATION, "alike");
_Static_assert((int)SETTINGS_RULE_FRAGMENT == (int)DATAPLANE_RULE_FRAGMENT, "alike");
_Static_assert(SETTINGS_RULE_NAME_SIZE <= DATAPLANE_RULE_NAME_SIZE, "every name fits");
_Static_assert(SETTINGS_RULE_PAYLOAD_MAX <= DATAPLANE_RULE_PAYLOAD_MAX, "every payload fits");

static enum dataplane_rule_action to_action(enum settings_rule_action action)
{
	switch (action) {
	case SETTINGS_RULE_PASS:
		return DATAPLANE_RULE_PASS;
	case SETTINGS_RULE_LIMIT:
		return DATAPLANE_RULE_LIMIT;
	case SETTINGS_RULE_LIMIT_SOURCE:
		return DATAPLANE_RULE_LIMIT_SOURCE;
	case SETTINGS_RULE_DROP:
		break;
	}
	return DATAPLANE_RULE_DROP;
}

static enum dataplane_rule_fragment to_fragment(enum settings_rule_fragment fragment)
{
	switch (fragment) {
	case SETTINGS_RULE_FRAGMENT_FIRST:
		return DATAPLANE_RULE_FRAGMENT_FIRST;
	case SETTINGS_RULE_FRAGMENT_LATER:
		return DATAPLANE_RULE_FRAGMENT_LATER;
	case SETTINGS_RULE_FRAGMENT_ANY:
		return DATAPLANE_RULE_FRAGMENT_ANY;
	case SETTINGS_RULE_FRAGMENT_NONE:
		break;
	}
	return DATAPLANE_RULE_FRAGMENT_NONE;
}

static struct dataplane_rule_range to_range(struct settings_rule_range range)
{
	return (struct dataplane_rule_range){ .from = range.from, .to = range.to };
}

void rule_settings_convert(const struct settings_rule *from, struct dataplane_rule *to)
{
	*to = (struct dataplane_rule){
		.matches = from->matches,
		.family = from->family,
		.protocol = from->protocol,
		.tcp_value = from->tcp_value,
		.tcp_mask = from->tcp_mask,
		.source_port = to_range(from->source_port),
		.destination_port = to_range(from->destination_port),
		.length = to_range(from->length),
		.ttl = to_range(from->ttl),
		.fragment = to_fragment(from->fragment),
		.destination = from->destination,
		.payload_offset = from->payload_offset,
		.payload_size = from->payload_size,
		.action = to_action(from->action),
		.is_by_byte = from->is_by_byte,
		.rate = from->rate,
		.burst = from->burst,
		.exempts_known = from->exempts_known,
		.origin = RULE_SETTINGS_ORIGIN,
	};
	memcpy(to->name, from->name, sizeof(from->name));
	memcpy(to->payload, from->payload, sizeof(from->payload));
	memcpy(to->payload_mask, from->payload_mask, sizeof(from->payload_mask));
}
