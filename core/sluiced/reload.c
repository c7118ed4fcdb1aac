/* SPDX-License-Identifier: BSD-2-Clause */
/* See reload.h. */
#include "reload.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "config/manifest.h"
#include "config/settings.h"
#include "control/fail.h"

#include "generation.h"

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static bool same_interfaces(const struct settings *a, const struct settings *b)
{
	if (a->n_interfaces != b->n_interfaces)
		return false;
	for (size_t i = 0; i < a->n_interfaces; i++) {
		if (strcmp(a->interfaces[i].name, b->interfaces[i].name) != 0 ||
		    a->interfaces[i].mode != b->interfaces[i].mode)
			return false;
	}
	return true;
}

static bool same_control(const struct settings_control *a, const struct settings_control *b)
{
	return same_text(a->socket, b->socket) && same_text(a->group, b->group) &&
	       a->metrics == b->metrics &&
	       (!a->metrics || (strcmp(a->metrics_address, b->metrics_address) == 0 &&
				a->metrics_port == b->metrics_port));
}

static bool same_known(const struct settings_known *a, const struct settings_known *b)
{
	return a->egress == b->egress && a->max == b->max && a->keep_ns == b->keep_ns;
}

static bool same_offload(const struct generation *old, const struct generation *next)
{
	const struct settings_offload *a = &generation_settings(old)->offload;
	const struct settings_offload *b = &generation_settings(next)->offload;

	if (a->enabled != b->enabled || !a->enabled)
		return a->enabled == b->enabled;
	return same_text(a->backend.name, b->backend.name) &&
	       same_text(a->interface, b->interface) && a->capacity == b->capacity &&
	       a->updates_per_second == b->updates_per_second &&
	       a->max_rate_pps == b->max_rate_pps && a->threshold_min == b->threshold_min &&
	       a->threshold_max == b->threshold_max && a->churn == b->churn &&
	       a->residency_windows == b->residency_windows &&
	       a->flush_on_exit == b->flush_on_exit &&
	       config_equal(generation_backend_config(old), generation_backend_config(next));
}

static bool same_deliver(const struct settings *a, const struct settings *b)
{
	if (a->n_deliver != b->n_deliver)
		return false;
	for (size_t i = 0; i < a->n_deliver; i++) {
		const struct settings_deliver *x = &a->deliver[i], *y = &b->deliver[i];

		if (x->protocol != y->protocol || x->n_ports != y->n_ports ||
		    x->n_destinations != y->n_destinations ||
		    memcmp(x->ports, y->ports, x->n_ports * sizeof(*x->ports)) != 0 ||
		    memcmp(x->destinations, y->destinations,
			   x->n_destinations * sizeof(*x->destinations)) != 0)
			return false;
	}
	return true;
}

/* The plugin and its options are read by sluice-stack alone. */
static bool same_stack(const struct settings_stack *a, const struct settings_stack *b)
{
	return a->enabled == b->enabled && same_text(a->socket, b->socket) &&
	       same_text(a->group, b->group) && a->frames == b->frames && a->copy == b->copy &&
	       a->software_sums == b->software_sums && a->poll == b->poll;
}

/* The worker that drives a card paces itself by the window. */
static bool same_pace(const struct settings *a, const struct settings *b)
{
	return a->window_ns == b->window_ns || !a->offload.enabled || !b->offload.enabled;
}

size_t reload_fixed_changes(const struct generation *old, const struct generation *next,
			    const char *keys[RELOAD_FIXED_MAX])
{
	const struct settings *a = generation_settings(old), *b = generation_settings(next);
	const struct {
		const char *key;
		bool same;
	} fixed[] = {
		{ "interfaces", same_interfaces(a, b) },
		{ "attach", a->shared == b->shared && a->priority == b->priority },
		{ "pin_path", same_text(a->pin_path, b->pin_path) },
		{ "max_sources", a->max_sources == b->max_sources },
		{ "max_sources_v6", a->max_sources_v6 == b->max_sources_v6 },
		{ "swap", a->dual_map == b->dual_map },
		{ "malformed", a->pass_malformed == b->pass_malformed },
		{ "on_death", a->on_death_expire_ns == b->on_death_expire_ns },
		{ "policy.max_blocked", a->policy.max_blocked == b->policy.max_blocked },
		{ "policy.v6_prefix", a->policy.v6_prefix_len == b->policy.v6_prefix_len },
		{ "known_clients", same_known(&a->known, &b->known) },
		{ "offload", same_offload(old, next) },
		{ "window", same_pace(a, b) },
		{ "deliver", same_deliver(a, b) },
		{ "stack", same_stack(&a->stack, &b->stack) },
		{ "control", same_control(&a->control, &b->control) },
	};
	size_t n = 0;

	_Static_assert(sizeof(fixed) / sizeof(fixed[0]) <= RELOAD_FIXED_MAX, "room for all");
	for (size_t i = 0; i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (!fixed[i].same)
			keys[n++] = fixed[i].key;
	return n;
}

int reload_check(const struct generation *old, const struct generation *next,
		 struct sluice_err *err)
{
	const char *keys[RELOAD_FIXED_MAX];
	size_t n = reload_fixed_changes(old, next, keys), used = 0;
	char text[160] = "";

	for (size_t i = 0; i < n && used < sizeof(text); i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", i ? ", " : "",
					 keys[i]);
	if (n == 0)
		return 0;
	return fail_with(
		err, -EBUSY,
		"a change of %s needs a restart, through which the filter goes on; the old "
		"settings stay in force",
		text);
}
