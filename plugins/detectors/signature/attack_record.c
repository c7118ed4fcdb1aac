/* SPDX-License-Identifier: BSD-2-Clause */
/* See attack_record.h. */
#include "attack_record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attack_record_private.h"
#include "set.h"

int attack_record_new(struct attack_record **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

void attack_record_free(struct attack_record *record)
{
	if (!record)
		return;
	attack_record_clear(record);
	free(record);
}

void attack_record_clear(struct attack_record *record)
{
	for (size_t i = 0; i < ATTACK_RECORD_VECTORS; i++) {
		free(record->vectors[i]);
		record->vectors[i] = NULL;
	}
	free(record->sources);
	memset(record, 0, sizeof(*record));
}

bool attack_record_is_empty(const struct attack_record *record)
{
	return record->n_vectors == 0;
}

void attack_record_time(struct attack_record *record, int64_t seconds)
{
	if (!record->start)
		record->start = seconds;
	record->end = seconds;
}

static struct attack_vector *vector_of(struct attack_record *record, size_t place)
{
	if (place >= ATTACK_RECORD_VECTORS)
		return NULL;
	if (!record->vectors[place]) {
		record->vectors[place] = calloc(1, sizeof(*record->vectors[place]));
		record->n_vectors += record->vectors[place] != NULL;
	}
	return record->vectors[place];
}

/* Values beyond the first so many are only part of the sum. */
static void tally_add(struct tally *tally, uint32_t value)
{
	uint32_t i = 0;

	tally->sum++;
	while (i < tally->n && tally->values[i].value != value)
		i++;
	if (i == TALLY_VALUES)
		return;
	if (i == tally->n)
		tally->values[tally->n++] = (struct tally_value){ value, 0 };
	tally->values[i].n++;
}

static uint64_t source_hash(const struct sluice_key *key)
{
	uint64_t hash = 0xcbf29ce484222325ull;

	for (size_t i = 0; i < sizeof(key->addr); i++)
		hash = (hash ^ key->addr[i]) * 0x100000001b3ull;
	return hash ^ hash >> 29;
}

/* Open addressing, at most half full; sources beyond the limit are not kept. */
static void source_add(struct attack_record *record, const struct sluice_key *key, size_t place)
{
	if (!record->sources)
		record->sources = calloc(RECORD_SLOTS, sizeof(*record->sources));
	if (!record->sources || record->n_sources == ATTACK_RECORD_SOURCES)
		return;
	for (uint64_t at = source_hash(key) + place;; at++) {
		struct recorded_source *slot = &record->sources[at % RECORD_SLOTS];

		if (!slot->is_used) {
			*slot = (struct recorded_source){ *key, (uint16_t)place, true };
			record->n_sources++;
			return;
		}
		if (slot->place == place && memcmp(&slot->key, key, sizeof(*key)) == 0)
			return;
	}
}

void attack_record_add(struct attack_record *record, size_t place, const struct packet *packet,
		       uint32_t frame_size, double packets)
{
	struct attack_vector *vector = vector_of(record, place);

	if (!vector)
		return;
	vector->packets += packets;
	vector->bytes += packets * frame_size;
	vector->protocol = packet->protocol;
	tally_add(&vector->ether_type, packet->ether_type);
	tally_add(&vector->frame_size, frame_size);
	tally_add(&vector->ttl, packet->ttl);
	tally_add(&vector->fragment_offset, packet->fragment_offset);
	if (packet->source_port >= 0)
		tally_add(&vector->source_port, (uint32_t)packet->source_port);
	if (packet->destination_port >= 0)
		tally_add(&vector->destination_port, (uint32_t)packet->destination_port);
	if (packet->tcp_flags >= 0)
		tally_add(&vector->tcp_flags, (uint32_t)packet->tcp_flags);
	if (!record->has_target) {
		record->target = packet->destination;
		record->has_target = true;
	}
	source_add(record, &packet->source, place);
}

void attack_record_dropped(struct attack_record *record, size_t place, uint64_t packets,
			   uint64_t bytes)
{
	struct attack_vector *vector = packets ? vector_of(record, place) : NULL;

	if (!vector)
		return;
	vector->packets += (double)packets;
	vector->bytes += (double)bytes;
}
