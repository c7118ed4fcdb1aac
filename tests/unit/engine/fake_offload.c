/* SPDX-License-Identifier: BSD-2-Clause */
/* The card's manager as the engine sees it: see fake_offload.h. */
#include "fake_offload.h"

#include "base/address.h"

const struct offload_source *fake_offload_offered(const struct offload *offload,
						  const struct sluice_key *key)
{
	for (size_t i = 0; i < offload->n_offered && i < FAKE_OFFERED; i++)
		if (address_equal(&offload->offered[i].key, key))
			return &offload->offered[i];
	return NULL;
}

int offload_exchange(struct offload *offload, const struct offload_source *sources, size_t n,
		     const struct offload_state **states, size_t *n_states)
{
	offload->n_exchanges++;
	offload->n_offered = n;
	for (size_t i = 0; i < n && i < FAKE_OFFERED; i++)
		offload->offered[i] = sources[i];
	if (offload->code)
		return offload->code;
	for (size_t i = 0; i < offload->n_rules; i++) {
		const struct fake_rule *rule = &offload->rules[i];
		const struct offload_source *source = fake_offload_offered(offload, &rule->key);

		offload->states[i] = (struct offload_state){
			.key = rule->key,
			.handle = source ? source->handle : offload->states[i].handle,
			.removed = rule->removed,
			.packets = rule->packets,
			.age_ns = rule->age_ns,
		};
	}
	*states = offload->states;
	*n_states = offload->n_rules;
	return 0;
}
