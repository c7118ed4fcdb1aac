/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See peace.h.  The reservoir gives each window at most PEACE_WINDOW_PACKETS chances, so that a burst
 * weighs by its time and not by its packets.
 */
#include "peace.h"

#include <math.h>
#include <netinet/in.h>
#include <string.h>

#include "jump.h"

#define SLOWEST 64 /* Windows in the moving mean. */
#define ACCEPT_WINDOWS 60
/* Past that many, new packets take places as if no more had been seen: old ones fade. */
#define MEMORY (4ull * MINE_MAX_PEACE)

void peace_init(struct peace *peace, uint64_t seed)
{
	memset(peace, 0, sizeof(*peace));
	peace->random = seed | 1;
}

static uint64_t draw(struct peace *peace, uint64_t below)
{
	peace->random ^= peace->random << 13;
	peace->random ^= peace->random >> 7;
	peace->random ^= peace->random << 17;
	return (peace->random >> 11) % below;
}

unsigned int peace_kind(const struct packet *packet)
{
	unsigned int length = packet->length / 64u, kind;

	if (packet->fragment != SLUICE_RULE_FRAGMENT_NONE)
		kind = 7;
	else if (packet->protocol == IPPROTO_TCP && packet->tcp_flags >= 0)
		kind = packet->tcp_flags & 4   ? 2
		       : packet->tcp_flags & 2 ? (packet->tcp_flags & 16 ? 1 : 0)
					       : 3;
	else if (packet->protocol == IPPROTO_UDP)
		kind = 4;
	else if (packet->protocol == IPPROTO_ICMP || packet->protocol == IPPROTO_ICMPV6)
		kind = 5;
	else
		kind = 6;
	return kind * 32 + (length < 31 ? length : 31);
}

static void remember(struct peace *peace, const struct mine_packet *packet)
{
	bool is_new = peace->n < MINE_MAX_PEACE;
	uint64_t place;

	if (peace->offered < MEMORY)
		peace->offered++;
	place = is_new ? peace->n++ : draw(peace, peace->offered);
	if (place >= MINE_MAX_PEACE)
		return;
	if (!is_new)
		peace->kinds[peace_kind(&peace->packets[place].packet)]--;
	peace->packets[place] = *packet;
	peace->kinds[peace_kind(&packet->packet)]++;
}

bool peace_is_jump(const struct peace *peace, double pps)
{
	double oldest = NAN;

	if (peace->lag.n)
		oldest = peace->late[sluice_lag_at(&peace->lag, ENTROPY_LAG, 0)].pps;
	return jump_is_one(&peace->pps, oldest, pps);
}

static void take_aside(struct peace *peace)
{
	uint64_t n = peace->n_aside < PEACE_ASIDE_PACKETS ? peace->n_aside : PEACE_ASIDE_PACKETS;

	for (uint64_t i = 0; i < n; i++)
		remember(peace, &peace->aside[i]);
	peace->n_aside = 0;
}

static void put_aside(struct peace *peace, const struct mine_packet *packets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint64_t place = peace->n_aside++;

		if (place >= PEACE_ASIDE_PACKETS)
			place = draw(peace, peace->n_aside);
		if (place < PEACE_ASIDE_PACKETS)
			peace->aside[place] = packets[i];
	}
}

static void push(struct peace *peace, const struct mine_packet *packets, size_t n, double pps,
		 double seconds)
{
	struct peace_window *slot;

	if (peace->lag.n == ENTROPY_LAG) {
		slot = &peace->late[sluice_lag_take(&peace->lag, ENTROPY_LAG)];
		for (size_t i = 0; i < slot->n; i++)
			remember(peace, &slot->packets[i]);
		sluice_usual_learn(&peace->pps, slot->pps, SLOWEST);
		peace->seconds += slot->seconds;
	}
	slot = &peace->late[sluice_lag_add(&peace->lag, ENTROPY_LAG)];
	slot->n = n < PEACE_WINDOW_PACKETS ? n : PEACE_WINDOW_PACKETS;
	/* Evenly out of all of them. */
	for (size_t i = 0; i < slot->n; i++)
		slot->packets[i] = packets[i * n / slot->n];
	slot->pps = pps;
	slot->seconds = seconds;
}

void peace_learn(struct peace *peace, const struct mine_packet *packets, size_t n, double pps,
		 double seconds, bool is_jump)
{
	if (is_jump) {
		put_aside(peace, packets, n);
		peace->calm_windows = 0;
		if (++peace->jump_windows < ACCEPT_WINDOWS)
			return;
		/* It lasts and is no attack: the new normal. */
		take_aside(peace);
		memset(&peace->pps, 0, sizeof(peace->pps));
		peace->jump_windows = 0;
		sluice_lag_discard(&peace->lag);
		return;
	}
	peace->jump_windows = 0;
	push(peace, packets, n, pps, seconds);
	if (peace->n_aside && ++peace->calm_windows > ENTROPY_LAG)
		take_aside(peace);
}

void peace_freeze(struct peace *peace)
{
	sluice_lag_discard(&peace->lag);
	peace->n_aside = 0;
	peace->jump_windows = peace->calm_windows = 0;
}
