/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What blocked sources still send, in software and in the card, and what follows from it: quiet or
 * loud, extended or due for release, lifted out of a card that cannot count.
 */
#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "blocklist_private.h"
#include "offload/offload.h"

static void enter_state(struct blocklist_entry *entry, enum lifecycle_event event)
{
	entry->state = (uint8_t)lifecycle_next(entry->state, event).state;
}

static bool carded_add(struct blocklist *list, uint32_t handle)
{
	if (list->n_carded == list->carded_capacity) {
		size_t capacity = list->carded_capacity ? list->carded_capacity * 2 : 256;

		if (blocklist_grow(&list->carded, sizeof(*list->carded), capacity))
			return false;
		list->carded_capacity = capacity;
	}
	list->carded[list->n_carded++] = handle;
	return true;
}

/* Takes back what the card said last time. */
static void card_reset(struct blocklist *list)
{
	for (size_t i = 0; i < list->n_carded; i++) {
		struct blocklist_entry *entry = blocklist_by_handle(list, list->carded[i]);

		if (!entry)
			continue;
		entry->view.hw_packets = 0;
		entry->view.hw_age_ns = 0;
		if (!entry->in_card)
			continue;
		entry->in_card = false;
		list->n_in_card--;
		enter_state(entry, LIFECYCLE_EVENT_OUT_OF_CARD);
	}
	list->n_carded = 0;
}

void blocklist_card(struct blocklist *list, const struct offload_state *states, size_t n)
{
	card_reset(list);
	for (size_t i = 0; i < n; i++) {
		struct blocklist_entry *entry = blocklist_by_handle(list, states[i].handle);

		/* A handle may have been given to another since; the key decides. */
		if (!entry || !address_equal(&entry->view.key, &states[i].key))
			continue;
		if (!carded_add(list, states[i].handle))
			break;
		entry->view.hw_packets += states[i].packets;
		if (states[i].removed || entry->in_card)
			continue;
		entry->view.hw_age_ns = states[i].age_ns;
		entry->in_card = true;
		list->n_in_card++;
		enter_state(entry, LIFECYCLE_EVENT_IN_CARD);
	}
}

void blocklist_card_silent(struct blocklist *list)
{
	for (size_t i = 0; i < list->n_carded; i++) {
		struct blocklist_entry *entry = blocklist_by_handle(list, list->carded[i]);

		if (!entry)
			continue;
		entry->view.hw_packets = 0;
		entry->view.hw_age_ns = OFFLOAD_AGE_UNKNOWN;
	}
}

void blocklist_lift(struct blocklist *list, size_t share)
{
	size_t quota = list->n_in_card / share + 1, n = list->n_carded;

	for (size_t i = 0; i < n && quota; i++) {
		uint32_t handle = list->carded[(list->lift_next + i) % n];
		struct blocklist_entry *entry = blocklist_by_handle(list, handle);

		if (!entry || entry->lifted || !entry->in_card ||
		    entry->unknown_windows < BLOCKLIST_UNKNOWN_WINDOWS ||
		    entry->state == ENGINE_STATE_PINNED)
			continue;
		entry->lifted = true;
		entry->unknown_windows = 0;
		enter_state(entry, LIFECYCLE_EVENT_LIFT);
		if (--quota == 0)
			list->lift_next = (list->lift_next + i + 1) % n;
	}
}

/* Notes that an entry is due; without memory it comes up again in the next window. */
static void due_add(struct blocklist *list, struct blocklist_measured *measured, uint32_t handle,
		    enum lifecycle_event event)
{
	if (measured->n_due == list->due_capacity) {
		size_t capacity = list->due_capacity ? list->due_capacity * 2 : 256;

		if (blocklist_grow(&list->due, sizeof(*list->due), capacity))
			return;
		list->due_capacity = capacity;
	}
	list->due[measured->n_due++] = (struct blocklist_due){ handle, event };
}

static void judge_term(struct blocklist *list, struct blocklist_entry *entry,
		       enum rate_verdict verdict, const struct blocklist_measure_input *input,
		       struct blocklist_measured *measured)
{
	enum lifecycle_event event = verdict == RATE_VERDICT_QUIET ? LIFECYCLE_EVENT_TTL_QUIET
								   : LIFECYCLE_EVENT_TTL_LOUD;
	struct lifecycle_step step = lifecycle_next(entry->state, event);

	if (step.action == LIFECYCLE_ACTION_UNBLOCK) {
		due_add(list, measured, entry->handle, event);
		return;
	}
	assert(step.action == LIFECYCLE_ACTION_EXTEND);
	entry->state = (uint8_t)step.state;
	entry->expires_ns = input->now_ns +
			    blocklist_term(&input->terms, blocklist_detail(list, entry)->repeats);
	blocklist_rewrite(list, entry);
}

static void judge(struct blocklist *list, struct blocklist_entry *entry, enum rate_verdict verdict,
		  const struct blocklist_measure_input *input, struct blocklist_measured *measured)
{
	if (verdict == RATE_VERDICT_QUIET) {
		if (entry->quiet_windows < UINT16_MAX)
			entry->quiet_windows++;
		if (entry->quiet_windows >= input->quiet_windows &&
		    entry->state != ENGINE_STATE_PINNED) {
			due_add(list, measured, entry->handle, LIFECYCLE_EVENT_QUIET_LONG);
			return;
		}
		enter_state(entry, LIFECYCLE_EVENT_QUIET);
	} else if (verdict == RATE_VERDICT_LOUD) {
		entry->quiet_windows = 0;
		entry->lifted = false;
		if (entry->state == ENGINE_STATE_PROBATION) {
			enter_state(entry, LIFECYCLE_EVENT_LOUD);
			if (entry->in_card)
				enter_state(entry, LIFECYCLE_EVENT_IN_CARD);
		}
	}
	if (entry->expires_ns && input->now_ns >= entry->expires_ns)
		judge_term(list, entry, verdict, input, measured);
}

static uint32_t pps_of(uint64_t packets, uint64_t length_ns)
{
	return blocklist_pps(
		(uint64_t)((double)packets * 1e9 / (double)(length_ns ? length_ns : 1)));
}

/* What the entry sent since the last reading. */
static uint64_t read_packets(const struct blocklist *list, struct blocklist_entry *entry)
{
	uint32_t counter = list->dp->ops->block_packets(list->dp, entry->slot);

	/* A reading may lag a little behind the last one; it is no packet less, and none more. */
	if ((uint32_t)(entry->counter - counter) <= DATAPLANE_BLOCK_PACKETS_LAG)
		counter = entry->counter;
	entry->view.packets = (uint32_t)(counter - entry->counter);
	entry->counter = counter;
	return entry->view.packets + entry->view.hw_packets;
}

/* What the card drops unseen is taken to be what the source sent when it was last seen. */
static void assume(struct blocklist_entry *entry, uint64_t length_ns,
		   struct blocklist_measured *measured)
{
	if (entry->unknown_windows < UINT8_MAX)
		entry->unknown_windows++;
	if (entry->state != ENGINE_STATE_PINNED)
		measured->assumed_packets +=
			(uint64_t)((double)entry->blocked_pps * (double)length_ns / 1e9);
}

static enum rate_verdict verdict_of(struct blocklist_entry *entry, uint64_t packets,
				    const struct blocklist_measure_input *input)
{
	enum rate_verdict verdict = rate_verdict_of(&input->limits, packets, entry->blocked_pps,
						    entry->in_card, entry->view.hw_age_ns);
	bool blind = input->offered && !entry->lifted && !entry->in_card &&
		     entry->loud_ago < BLOCKLIST_BLIND_WINDOWS;

	if (verdict == RATE_VERDICT_LOUD)
		entry->loud_ago = 0;
	else if (entry->loud_ago < UINT8_MAX)
		entry->loud_ago++;
	return verdict == RATE_VERDICT_QUIET && blind ? RATE_VERDICT_UNKNOWN : verdict;
}

void blocklist_measure(struct blocklist *list, const struct blocklist_measure_input *input,
		       struct blocklist_measured *measured)
{
	uint32_t now_s = (uint32_t)(input->now_ns / 1000000000ull);
	uint64_t length_ns = input->limits.length_ns;

	memset(measured, 0, sizeof(*measured));
	for (size_t i = 0; i < list->n; i++) {
		struct blocklist_entry *entry = &list->entries[i];
		uint64_t packets = read_packets(list, entry);
		enum rate_verdict verdict;

		if (packets) {
			entry->dropped += packets;
			entry->seen_s = now_s;
			/* If nobody said at which rate it was blocked, the first one seen must do. */
			if (!entry->blocked_pps)
				entry->blocked_pps = pps_of(packets, length_ns);
		}
		if (entry->state != ENGINE_STATE_PINNED)
			measured->automatic_packets += packets;
		verdict = verdict_of(entry, packets, input);
		if (verdict == RATE_VERDICT_UNKNOWN && entry->in_card)
			assume(entry, length_ns, measured);
		else
			entry->unknown_windows = 0;
		judge(list, entry, verdict, input, measured);
	}
	measured->due = list->due;
}
