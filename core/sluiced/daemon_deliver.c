/* SPDX-License-Identifier: BSD-2-Clause */
/* See daemon_deliver.h. */
#include "daemon_deliver.h"

#include <errno.h>
#include <stdlib.h>

#include "config/settings.h"

static void copy_rule(struct dataplane_deliver_rule *rule, const struct settings_deliver *deliver)
{
	rule->protocol = deliver->protocol;
	rule->destinations = deliver->destinations;
	rule->n_destinations = deliver->n_destinations;
	/* The schema has the same bound. */
	while (rule->n_ports < deliver->n_ports && rule->n_ports < DATAPLANE_DELIVER_PORTS) {
		rule->ports[rule->n_ports] = (struct dataplane_port_range){
			deliver->ports[rule->n_ports].from,
			deliver->ports[rule->n_ports].to,
		};
		rule->n_ports++;
	}
}

int daemon_deliver_new(const struct settings *settings, struct dataplane_deliver *deliver)
{
	struct dataplane_deliver_rule *rules = calloc(settings->n_deliver + 1, sizeof(*rules));

	*deliver = (struct dataplane_deliver){ .rules = rules, .n = settings->n_deliver };
	if (!rules)
		return -ENOMEM;
	for (size_t i = 0; i < settings->n_deliver; i++)
		copy_rule(&rules[i], &settings->deliver[i]);
	return 0;
}

void daemon_deliver_free(struct dataplane_deliver *deliver)
{
	free((void *)deliver->rules);
	deliver->rules = NULL;
}
