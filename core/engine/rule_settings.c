/* SPDX-License-Identifier: BSD-2-Clause */
/* Rules as the file states them into rules as the data plane takes them.  See rule_settings.h. */
#include "rule_settings.h"

#include <string.h>

#include "config/settings.h"
#include "dataplane/rule.h"

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

void rule_settings_convert(const struct settings_rule *from, struct dataplane_rule *to)
{
	*to = (struct dataplane_rule){
		.match = from->match,
		.action = to_action(from->action),
		.is_by_byte = from->is_by_byte,
		.rate = from->rate,
		.burst = from->burst,
		.exempts_known = from->exempts_known,
		.origin = RULE_SETTINGS_ORIGIN,
	};
	memcpy(to->name, from->name, sizeof(from->name));
}
