/* SPDX-License-Identifier: BSD-2-Clause */
/* See stack_met.h. */
#include "stack_met.h"

#include <errno.h>

#include "engine/told_clients.h"
#include "xsk/handover.h"

#define SECOND_NS 1000000000ull

/* How many of `wanted` hosts this queue may name now. */
static uint32_t allow(struct stack_met *met, uint32_t interface, uint32_t queue, uint32_t wanted,
		      uint64_t now_ns)
{
	uint64_t *second_ns = &met->allowances[interface][queue].second_ns;
	uint32_t *used = &met->allowances[interface][queue].used;

	if (now_ns - *second_ns >= SECOND_NS) {
		*second_ns = now_ns;
		*used = 0;
	}
	if (wanted > STACK_MET_PER_S - *used)
		wanted = STACK_MET_PER_S - *used;
	*used += wanted;
	return wanted;
}

int stack_met_take(struct stack_met *met, uint32_t interface,
		   const struct handover_request *request, uint64_t now_ns, uint64_t *left_out)
{
	struct told_client told[HANDOVER_HOSTS];
	int n = handover_hosts_count(request);
	uint32_t allowed, kept = 0;

	for (int i = 0; i < n; i++) {
		told[i].spoken_first = request->hosts[i].how == SLUICE_IO_MET_SPOKEN_TO;
		if (handover_host_read(&request->hosts[i], &told[i].key))
			return -EINVAL;
	}
	if (n < 0)
		return n;
	allowed = met->told ? allow(met, interface, request->queue, (uint32_t)n, now_ns) : 0;
	while (kept < allowed && told_clients_put(met->told, &told[kept]))
		kept++;
	*left_out += (uint32_t)n - kept;
	return n;
}
