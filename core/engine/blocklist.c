/* SPDX-License-Identifier: BSD-2-Clause */
/* Entries, their handles, and the ways in and out: see blocklist.h. */
#include "blocklist.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "base/hash_table.h"
#include "blocklist_private.h"
#include "name_table.h"

int blocklist_new(struct dataplane *dp, struct name_table *names,
		  const struct address_secret *secret, struct blocklist **out)
{
	struct blocklist *list = calloc(1, sizeof(*list));

	if (!list)
		return -ENOMEM;
	list->dp = dp;
	list->names = names;
	if (hash_table_new(0, secret, &list->index) ||
	    history_new(BLOCKLIST_REMEMBERED, secret, &list->released)) {
		blocklist_free(list);
		return -ENOMEM;
	}
	*out = list;
	return 0;
}

void blocklist_free(struct blocklist *list)
{
	if (!list)
		return;
	hash_table_free(list->index);
	history_free(list->released);
	free(list->entries);
	free(list->details);
	free(list->places);
	free(list->free_handles);
	free(list->carded);
	free(list->due);
	free(list);
}

size_t blocklist_size(const struct blocklist *list)
{
	return list->n;
}

size_t blocklist_family_size(const struct blocklist *list, uint8_t family)
{
	return family == SLUICE_FAMILY_IPV4 ? list->n_v4 : list->n - list->n_v4;
}

size_t blocklist_manual(const struct blocklist *list)
{
	return list->n_manual;
}

size_t blocklist_in_card(const struct blocklist *list)
{
	return list->n_in_card;
}

struct blocklist_entry *blocklist_entries(const struct blocklist *list)
{
	return list->entries;
}

const struct blocklist_detail *blocklist_detail(const struct blocklist *list,
						const struct blocklist_entry *entry)
{
	return &list->details[entry - list->entries];
}

struct blocklist_entry *blocklist_find(const struct blocklist *list, const struct sluice_key *key)
{
	uint32_t i;

	return hash_table_get(list->index, key, &i) ? &list->entries[i] : NULL;
}

struct blocklist_entry *blocklist_by_handle(const struct blocklist *list, uint32_t handle)
{
	if (handle >= list->n_handles || list->places[handle] == BLOCKLIST_NO_PLACE)
		return NULL;
	return &list->entries[list->places[handle]];
}

const struct history_entry *blocklist_released(const struct blocklist *list,
					       const struct sluice_key *key, uint64_t now_ns)
{
	return history_find(list->released, key, now_ns, BLOCKLIST_REMEMBER_NS);
}

uint64_t blocklist_term(const struct blocklist_terms *terms, uint32_t repeats)
{
	double term = (double)terms->ttl_ns;

	/* Settings may ask for a longer first term than the bound on back-off. */
	if (terms->ttl_ns >= BLOCKLIST_TERM_MAX_NS)
		return terms->ttl_ns;
	for (uint32_t i = 0; i < repeats && term < (double)BLOCKLIST_TERM_MAX_NS; i++) {
		if (terms->backoff <= 1.0)
			break;
		term *= terms->backoff;
	}
	return term < (double)BLOCKLIST_TERM_MAX_NS ? (uint64_t)term : BLOCKLIST_TERM_MAX_NS;
}

int blocklist_grow(void *array, size_t item_size, size_t capacity)
{
	void *grown, *old;

	/* `array` points to a pointer of some type; memcpy() reads it whatever that is. */
	memcpy(&old, array, sizeof(old));
	grown = realloc(old, item_size * capacity);
	if (!grown)
		return -ENOMEM;
	memcpy(array, &grown, sizeof(grown));
	return 0;
}

/* Room for one more entry in every array, so that nothing can fail once the data plane agreed. */
static int make_room(struct blocklist *list)
{
	size_t capacity = list->capacity ? list->capacity * 2 : 1024;

	if (list->n < list->capacity)
		return 0;
	if (blocklist_grow(&list->entries, sizeof(*list->entries), capacity) ||
	    blocklist_grow(&list->details, sizeof(*list->details), capacity) ||
	    blocklist_grow(&list->places, sizeof(*list->places), capacity) ||
	    blocklist_grow(&list->free_handles, sizeof(*list->free_handles), capacity))
		return -ENOMEM;
	list->capacity = capacity;
	return 0;
}

static uint32_t take_handle(struct blocklist *list, uint32_t place)
{
	uint32_t handle;

	handle = list->n_free ? list->free_handles[--list->n_free] : (uint32_t)list->n_handles++;
	list->places[handle] = place;
	return handle;
}

/* Puts a source into the arrays; its key must not be there.  -ENOMEM leaves all as it was. */
static int insert(struct blocklist *list, const struct blocklist_entry *entry,
		  const struct blocklist_detail *detail)
{
	uint32_t place = (uint32_t)list->n;
	int added;

	if (make_room(list))
		return -ENOMEM;
	added = hash_table_add(list->index, &entry->view.key, place, NULL);
	if (added <= 0)
		return added ? added : -EEXIST;
	list->entries[place] = *entry;
	list->entries[place].handle = take_handle(list, place);
	list->details[place] = *detail;
	list->n++;
	list->n_v4 += entry->view.key.family == SLUICE_FAMILY_IPV4;
	list->n_manual += entry->state == ENGINE_STATE_PINNED;
	return 0;
}

/* The last entry moves into the gap. */
static void take_out(struct blocklist *list, struct blocklist_entry *entry)
{
	uint32_t place = (uint32_t)(entry - list->entries), last = (uint32_t)list->n - 1;

	list->n_v4 -= entry->view.key.family == SLUICE_FAMILY_IPV4;
	list->n_manual -= entry->state == ENGINE_STATE_PINNED;
	list->n_in_card -= entry->in_card;
	hash_table_del(list->index, &entry->view.key, NULL);
	list->places[entry->handle] = BLOCKLIST_NO_PLACE;
	list->free_handles[list->n_free++] = entry->handle;
	if (place != last) {
		int replaced;

		list->entries[place] = list->entries[last];
		list->details[place] = list->details[last];
		list->places[entry->handle] = place;
		replaced = hash_table_set(list->index, &entry->view.key, place);
		assert(replaced == 0); /* The key is there, so that nothing has to grow. */
		(void)replaced;
	}
	list->n--;
}

static struct dataplane_block_record record_of(const struct blocklist *list,
					       const struct blocklist_entry *entry,
					       const struct blocklist_detail *detail)
{
	struct dataplane_block_record record = {
		.key = entry->view.key,
		.first_seen_ns = detail->first_seen_ns,
		.expires_ns = entry->expires_ns,
		.flags = entry->state == ENGINE_STATE_PINNED ? DATAPLANE_BLOCK_MANUAL : 0,
		.repeats = detail->repeats,
		.pps = entry->blocked_pps,
	};

	snprintf(record.detector, sizeof(record.detector), "%s",
		 name_table_get(list->names, detail->detector));
	snprintf(record.reason, sizeof(record.reason), "%s",
		 name_table_get(list->names, detail->reason));
	return record;
}

void blocklist_rewrite(struct blocklist *list, const struct blocklist_entry *entry)
{
	struct dataplane_block_record record =
		record_of(list, entry, blocklist_detail(list, entry));

	list->dp->ops->block_update(list->dp, entry->slot, &record);
}

uint32_t blocklist_pps(uint64_t pps)
{
	return pps < UINT32_MAX ? (uint32_t)pps : UINT32_MAX;
}

/* From candidate to blocked, or straight to the operator's own block. */
static enum engine_state state_when_blocked(bool remembered, bool manual)
{
	enum engine_state state = remembered ? ENGINE_STATE_RELEASED : ENGINE_STATE_NONE;
	struct lifecycle_step step;

	if (!manual)
		state = lifecycle_next(state, LIFECYCLE_EVENT_PROPOSED).state;
	step = lifecycle_next(state, manual ? LIFECYCLE_EVENT_MANUAL : LIFECYCLE_EVENT_ADMITTED);
	assert(step.action == LIFECYCLE_ACTION_BLOCK);
	return step.state;
}

static uint64_t expiry(const struct blocklist_request *request, const struct blocklist_terms *terms,
		       uint32_t repeats)
{
	if (request->manual)
		return request->ttl_ns ? request->now_ns + request->ttl_ns : 0;
	return request->now_ns + blocklist_term(terms, repeats);
}

int blocklist_block(struct blocklist *list, const struct blocklist_request *request,
		    const struct blocklist_terms *terms, struct sluice_err *err)
{
	const struct history_entry *past = blocklist_released(list, &request->key, request->now_ns);
	struct blocklist_detail detail = {
		.first_seen_ns = past ? past->first_seen_ns : request->now_ns,
		.repeats = past ? past->repeats : 0,
		.detector = request->detector,
		.reason = request->reason,
	};
	struct blocklist_entry entry = {
		.view.key = request->key,
		.view.packets = request->packets,
		.expires_ns = expiry(request, terms, detail.repeats),
		.blocked_pps = blocklist_pps(request->pps),
		.born = request->sequence,
		.seen_s = request->manual ? 0 : (uint32_t)(request->now_ns / 1000000000ull),
		.state = (uint8_t)state_when_blocked(past, request->manual),
	};
	struct dataplane_block_record record;
	int rc;

	if (blocklist_find(list, &request->key))
		return -EEXIST;
	snprintf(detail.evidence, sizeof(detail.evidence), "%s",
		 request->evidence ? request->evidence : "");
	record = record_of(list, &entry, &detail);
	rc = insert(list, &entry, &detail);
	if (rc) {
		err_set(err, NULL, "no memory for the blocklist");
		return rc;
	}
	rc = list->dp->ops->block(list->dp, &record, &entry.slot, err);
	if (rc) {
		take_out(list, &list->entries[list->n - 1]);
		return rc;
	}
	list->entries[list->n - 1].slot = entry.slot;
	list->entries[list->n - 1].counter = list->dp->ops->block_packets(list->dp, entry.slot);
	return 0;
}

void blocklist_pin(struct blocklist *list, struct blocklist_entry *entry, uint64_t expires_ns,
		   uint16_t detector, uint16_t reason)
{
	struct blocklist_detail *detail = &list->details[entry - list->entries];
	struct lifecycle_step step = lifecycle_next(entry->state, LIFECYCLE_EVENT_MANUAL);

	assert(step.action == LIFECYCLE_ACTION_UPDATE);
	list->n_manual += entry->state != ENGINE_STATE_PINNED;
	entry->state = (uint8_t)step.state;
	entry->expires_ns = expires_ns;
	entry->quiet_windows = 0;
	entry->lifted = false;
	detail->detector = detector;
	detail->reason = reason;
	blocklist_rewrite(list, entry);
}

int blocklist_adopt(struct blocklist *list, dataplane_slot slot,
		    const struct dataplane_block_record *record)
{
	bool manual = record->flags & DATAPLANE_BLOCK_MANUAL;
	struct blocklist_entry entry = {
		.view.key = record->key,
		.expires_ns = record->expires_ns,
		.slot = slot,
		.counter = list->dp->ops->block_packets(list->dp, slot),
		.blocked_pps = blocklist_pps(record->pps),
		.state = manual ? ENGINE_STATE_PINNED : ENGINE_STATE_BLOCKED,
	};
	struct blocklist_detail detail = {
		.first_seen_ns = record->first_seen_ns,
		.repeats = record->repeats,
		.detector = name_table_intern(list->names, record->detector),
		.reason = name_table_intern(list->names, record->reason),
	};

	if (manual)
		snprintf(detail.evidence, sizeof(detail.evidence), "blocked by hand");
	else
		snprintf(detail.evidence, sizeof(detail.evidence),
			 "%u packets/s when blocked; adopted from an earlier run",
			 entry.blocked_pps);
	return insert(list, &entry, &detail);
}

static void remember(struct blocklist *list, const struct blocklist_entry *entry,
		     enum lifecycle_event event, uint64_t now_ns, uint64_t held_until_ns)
{
	const struct blocklist_detail *detail = blocklist_detail(list, entry);
	struct history_entry past = {
		.key = entry->view.key,
		.at_ns = now_ns,
		.first_seen_ns = detail->first_seen_ns,
		.held_until_ns = held_until_ns,
		.pps = entry->blocked_pps,
		.repeats = detail->repeats,
		.detector = detail->detector,
		.reason = detail->reason,
	};

	/* Only one that went by itself, or by its term, can come back as a repeater. */
	if (event != LIFECYCLE_EVENT_UNBLOCK && event != LIFECYCLE_EVENT_WITHDRAW &&
	    past.repeats < UINT32_MAX)
		past.repeats++;
	memcpy(past.evidence, detail->evidence, sizeof(past.evidence));
	history_note(list->released, &past);
}

bool blocklist_release(struct blocklist *list, struct blocklist_entry *entry,
		       enum lifecycle_event event, uint64_t now_ns, uint64_t held_until_ns)
{
	struct lifecycle_step step = lifecycle_next(entry->state, event);

	if (step.action != LIFECYCLE_ACTION_UNBLOCK)
		return false;
	list->dp->ops->unblock(list->dp, entry->slot);
	remember(list, entry, event, now_ns, held_until_ns);
	take_out(list, entry);
	return true;
}
