/* SPDX-License-Identifier: BSD-2-Clause */
/* See blocklist_table.h. */
#include "blocklist_table.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "block_family.h"
#include "hash.h"

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

#define LAST_DETECTOR sizeof(((struct sluice_header *)0)->detector[0])
#define LAST_REASON sizeof(((struct sluice_header *)0)->reason[0])

/* Who wrote the last record and why: mostly who writes the next one, too. */
struct last_names {
	char detector[LAST_DETECTOR], reason[LAST_REASON];
	uint8_t detector_number, reason_number; /* 0: none yet. */
};

_Static_assert(LAST_DETECTOR == sizeof(((struct dataplane_block_record *)0)->detector) &&
		       LAST_REASON == sizeof(((struct dataplane_block_record *)0)->reason),
	       "names in the header are as long as those in a record");

/* What one source of the blocklist's unit looks like: what `mask` has of a key is as in `want`. */
struct key_shape {
	struct sluice_key want, mask;
};

_Static_assert(sizeof(struct sluice_key) == 24, "has_shape() compares three words");

struct side {
	struct block_family ways;
	struct key_shape shape;
	uint32_t flag; /* In the header: there is something to look for. */
	uint32_t n;
};

struct blocklist_table {
	struct sluice_header *header;
	struct sluice_block_record *records;
	uint32_t n_records;
	uint32_t *free_records; /* A stack; the next to use on top. */
	uint32_t n_free;
	struct side v4, v6;
	struct last_names last;
};

static struct side *side_of(struct blocklist_table *table, uint8_t family)
{
	return family == SLUICE_FAMILY_IPV4 ? &table->v4 : &table->v6;
}

static const struct side *side_of_const(const struct blocklist_table *table, uint8_t family)
{
	return family == SLUICE_FAMILY_IPV4 ? &table->v4 : &table->v6;
}

static uint64_t hash_of_v6(const struct blocklist_table *table, const uint8_t addr[16])
{
	uint64_t words[2];

	memcpy(words, addr, sizeof(words));
	return hash_v6(table->header->hash_key, words[0], words[1]);
}

/* What block_family.h calls the hash of a source. */
static inline uint64_t hash_of(const struct blocklist_table *table, uint8_t family,
			       const uint8_t addr[16])
{
	uint32_t word;

	if (family != SLUICE_FAMILY_IPV4)
		return hash_of_v6(table, addr);
	memcpy(&word, addr, sizeof(word));
	return (uint64_t)hash_permute_v4(table->header->hash_key, word) << 32;
}

static struct key_shape shape_of(uint8_t family, unsigned int unit)
{
	struct key_shape shape = { .want = { .family = family, .prefix_len = (uint8_t)unit } };

	memset(&shape.mask, 0xff, sizeof(shape.mask));
	memset(shape.mask.addr, 0, unit / 8);
	if (unit % 8)
		shape.mask.addr[unit / 8] = (uint8_t)(0xffu >> unit % 8);
	return shape;
}

/* How the eight bytes at `at` of a key differ from what they must be. */
static uint64_t difference(const struct sluice_key *key, const struct key_shape *shape, size_t at)
{
	uint64_t is, want, mask;

	memcpy(&is, (const char *)key + at, sizeof(is));
	memcpy(&want, (const char *)&shape->want + at, sizeof(want));
	memcpy(&mask, (const char *)&shape->mask + at, sizeof(mask));
	return (is ^ want) & mask;
}

/* Once a block: a few operations on words, where address_is_valid() has to be general. */
static bool has_shape(const struct sluice_key *key, const struct key_shape *shape)
{
	return !(difference(key, shape, 0) | difference(key, shape, 8) |
		 difference(key, shape, 16));
}

/* The packet path looks at a family's table only if it holds something. */
static void count_up(struct blocklist_table *table, struct side *side)
{
	if (side->n++ == 0)
		__atomic_fetch_or(&table->header->flags, side->flag, __ATOMIC_SEQ_CST);
}

static void tell_if_empty(struct blocklist_table *table, const struct side *side)
{
	if (side->n == 0)
		__atomic_fetch_and(&table->header->flags, ~side->flag, __ATOMIC_SEQ_CST);
}

static void count_down(struct blocklist_table *table, struct side *side)
{
	side->n--;
	tell_if_empty(table, side);
}

/* The number of a name in one of the header's lists, added if new; 0, "unknown", if full. */
static uint8_t intern(void *names, size_t n, size_t width, const char *name)
{
	for (size_t i = 1; name[0] && i < n; i++) {
		char *at = (char *)names + i * width;

		if (!at[0]) {
			memcpy(at, name, strnlen(name, width - 1));
			return (uint8_t)i;
		}
		if (strncmp(at, name, width - 1) == 0)
			return (uint8_t)i;
	}
	return 0;
}

/* Copies a name out of pinned memory, where anything may stand. */
static void name_copy(char *to, const void *names, size_t n, size_t width, uint8_t index)
{
	const char *name = (const char *)names + index * width;
	size_t length = 0;

	if (index < n)
		while (length < width - 1 && name[length] > ' ' && name[length] < 0x7f)
			length++;
	if (index == 0 || length == 0) {
		strcpy(to, "unknown");
		return;
	}
	memcpy(to, name, length);
	to[length] = '\0';
}

/* Out of line, so that the usual block saves no registers for it. */
static __attribute__((noinline)) void names_look_up(struct blocklist_table *table,
						    const struct dataplane_block_record *record)
{
	struct last_names *last = &table->last;
	struct sluice_header *header = table->header;

	memcpy(last->detector, record->detector, LAST_DETECTOR);
	memcpy(last->reason, record->reason, LAST_REASON);
	last->detector_number = intern(header->detector, ARRAY_LENGTH(header->detector),
				       LAST_DETECTOR, record->detector);
	last->reason_number =
		intern(header->reason, ARRAY_LENGTH(header->reason), LAST_REASON, record->reason);
}

/*
 * The numbers of a record's names, without a search if they are what the record before had: whole
 * fields are compared, so that what differs behind the NUL is only searched for once more.
 */
static inline const struct last_names *names_of(struct blocklist_table *table,
						const struct dataplane_block_record *record)
{
	struct last_names *last = &table->last;

	if (!last->detector_number || !last->reason_number ||
	    memcmp(last->detector, record->detector, LAST_DETECTOR) != 0 ||
	    memcmp(last->reason, record->reason, LAST_REASON) != 0)
		names_look_up(table, record);
	return last;
}

static inline void record_write(struct blocklist_table *table, struct sluice_block_record *to,
				const struct dataplane_block_record *from)
{
	const struct last_names *names = names_of(table, from);

	to->family = from->key.family;
	memcpy(to->addr, from->key.addr, sizeof(to->addr));
	to->detector = names->detector_number;
	to->reason = names->reason_number;
	to->flags = (uint16_t)from->flags;
	to->repeats = from->repeats < UINT16_MAX ? (uint16_t)from->repeats : UINT16_MAX;
	to->first_seen_ns = from->first_seen_ns;
	to->expires_ns = from->expires_ns;
	to->pps = from->pps < UINT32_MAX ? (uint32_t)from->pps : UINT32_MAX;
}

static void record_read(const struct blocklist_table *table, const struct sluice_block_record *from,
			struct dataplane_block_record *to)
{
	const struct sluice_header *header = table->header;

	memset(to, 0, sizeof(*to));
	to->key.family = from->family;
	to->key.prefix_len = side_of_const(table, from->family)->shape.want.prefix_len;
	memcpy(to->key.addr, from->addr, sizeof(to->key.addr));
	name_copy(to->detector, header->detector, ARRAY_LENGTH(header->detector),
		  sizeof(header->detector[0]), from->detector);
	name_copy(to->reason, header->reason, ARRAY_LENGTH(header->reason),
		  sizeof(header->reason[0]), from->reason);
	to->flags = from->flags & DATAPLANE_BLOCK_MANUAL;
	to->repeats = from->repeats;
	to->first_seen_ns = from->first_seen_ns;
	to->expires_ns = from->expires_ns;
	to->pps = from->pps;
}

static void record_state(struct sluice_block_record *record, enum sluice_record_state state)
{
	__atomic_store_n(&record->state, (uint8_t)state, __ATOMIC_RELEASE);
}

/* True if the record can be what it says: family, address in the unit, a place for its key alone. */
static bool record_is_sound(struct blocklist_table *table, const struct sluice_block_record *record)
{
	struct dataplane_block_record plain;

	if (record->family != SLUICE_FAMILY_IPV4 && record->family != SLUICE_FAMILY_IPV6)
		return false;
	record_read(table, record, &plain);
	if (!address_is_valid(&plain.key))
		return false;

	struct block_family *family = &side_of(table, record->family)->ways;
	uint64_t hash = hash_of(table, record->family, record->addr);
	uint32_t twin;

	return block_family_fits(family, hash, record->position) &&
	       !block_family_is_busy(family, record->position) &&
	       !block_family_find(family, hash, &twin) &&
	       block_family_may_hold(family, hash, record->position);
}

static int adopt_used(struct blocklist_table *table, struct sluice_block_record *record,
		      struct blocklist_adoption *adoption)
{
	struct side *side = side_of(table, record->family);
	int code = -E2BIG;

	if (record_is_sound(table, record))
		code = block_family_adopt(&side->ways, hash_of(table, record->family, record->addr),
					  record->position, record->flags & DATAPLANE_BLOCK_MANUAL);
	if (code == 0) {
		count_up(table, side);
		adoption->adopted++;
		return 0;
	}
	/* A stash map that is full of what seemed right is damage too, not a reason to give up. */
	if (code != -E2BIG)
		return code;
	adoption->damaged++;
	record_state(record, SLUICE_RECORD_FREE);
	return 0;
}

static int adopt_records(struct blocklist_table *table, struct blocklist_adoption *adoption)
{
	block_family_sweep_stash(&table->v4.ways);
	block_family_sweep_stash(&table->v6.ways);
	for (uint32_t i = 0; i < table->n_records; i++) {
		struct sluice_block_record *record = &table->records[i];
		int code = 0;

		switch (record->state) {
		case SLUICE_RECORD_FREE:
			break;
		case SLUICE_RECORD_USED:
			code = adopt_used(table, record, adoption);
			if (code)
				return code;
			break;
		case SLUICE_RECORD_LEAVING:
			/* The key, if it is still there, has no owner now: the sweep takes it out. */
			record_state(record, SLUICE_RECORD_FREE);
			break;
		default:
			adoption->damaged++;
			record_state(record, SLUICE_RECORD_FREE);
			break;
		}
	}
	adoption->orphans =
		block_family_sweep(&table->v4.ways) + block_family_sweep(&table->v6.ways);
	return 0;
}

static int side_init(struct side *side, const struct block_memory *memory, uint8_t family,
		     unsigned int unit)
{
	side->shape = shape_of(family, unit);
	side->flag = family == SLUICE_FAMILY_IPV4 ? SLUICE_HEADER_HAS_BLOCKED4
						  : SLUICE_HEADER_HAS_BLOCKED6;
	return block_family_init(&side->ways, memory);
}

int blocklist_table_new(const struct blocklist_memory *memory, struct blocklist_table **out,
			struct blocklist_adoption *adoption, struct sluice_err *err)
{
	struct blocklist_table *table = calloc(1, sizeof(*table));
	struct sluice_header *header = memory->header;
	int code = -ENOMEM;

	memset(adoption, 0, sizeof(*adoption));
	if (!table)
		goto fail;
	table->header = header;
	table->records = memory->records;
	table->n_records = header->max_blocked;
	table->free_records = malloc(table->n_records * sizeof(*table->free_records));
	if (!table->free_records)
		goto fail;
	code = side_init(&table->v4, &memory->v4, SLUICE_FAMILY_IPV4, 32);
	if (!code)
		code = side_init(&table->v6, &memory->v6, SLUICE_FAMILY_IPV6,
				 header->v6_prefix_len);
	if (code)
		goto fail;
	code = adopt_records(table, adoption);
	if (code)
		goto fail;
	/* Flags that nothing in the table explains cost look-ups. */
	tell_if_empty(table, &table->v4);
	tell_if_empty(table, &table->v6);
	for (uint32_t i = table->n_records; i > 0; i--)
		if (table->records[i - 1].state == SLUICE_RECORD_FREE)
			table->free_records[table->n_free++] = i - 1;
	*out = table;
	return 0;
fail:
	err_set(err, "blocklist", "cannot take over the pinned blocklist: %s", err_name(code));
	blocklist_table_free(table);
	return code;
}

void blocklist_table_free(struct blocklist_table *table)
{
	if (!table)
		return;
	block_family_fini(&table->v4.ways);
	block_family_fini(&table->v6.ways);
	free(table->free_records);
	free(table);
}

static __attribute__((cold)) int refuse(const struct blocklist_table *table,
					const struct sluice_key *key, int code,
					struct sluice_err *err)
{
	char text[ADDRESS_TEXT_SIZE];

	address_format(key, text);
	if (code == -EINVAL)
		err_set(err, NULL,
			"block '%s': not one source of the blocklist's unit (/32 or /%u)", text,
			table->header->v6_prefix_len);
	else if (code == -EEXIST)
		err_set(err, NULL, "block '%s': it is blocked already", text);
	else
		err_set(err, NULL,
			"block '%s': the blocklist is full (%u entries; policy.max_blocked)", text,
			table->n_records);
	return code;
}

void blocklist_table_prefetch(const struct blocklist_table *table, const struct sluice_key *key)
{
	if (table->n_free > DATAPLANE_BLOCK_AHEAD)
		__builtin_prefetch(&table->records[table->free_records[table->n_free - 1 -
								       DATAPLANE_BLOCK_AHEAD]],
				   1);
	if (key->family == SLUICE_FAMILY_IPV4 || key->family == SLUICE_FAMILY_IPV6)
		block_family_prefetch(&side_of_const(table, key->family)->ways,
				      hash_of(table, key->family, key->addr));
}

int blocklist_table_add(struct blocklist_table *table, const struct dataplane_block_record *from,
			dataplane_slot *slot, struct sluice_err *err)
{
	struct side *side = side_of(table, from->key.family);
	uint32_t position;
	uint64_t hash;
	int code;

	if (!has_shape(&from->key, &side->shape))
		return refuse(table, &from->key, -EINVAL, err);
	hash = hash_of(table, from->key.family, from->key.addr);
	code = block_family_place(&side->ways, hash, &position);
	if (!code && !table->n_free)
		code = -ENOSPC;
	if (code)
		return refuse(table, &from->key, code, err);
	uint32_t index = table->free_records[table->n_free - 1];
	struct sluice_block_record *record = &table->records[index];

	record_write(table, record, from);
	record->position = position;
	record_state(record, SLUICE_RECORD_USED);
	/* Before the key: who finds it must have been told to look. */
	count_up(table, side);
	code = block_family_publish(&side->ways, hash, position,
				    from->flags & DATAPLANE_BLOCK_MANUAL);
	if (code) {
		count_down(table, side);
		record_state(record, SLUICE_RECORD_FREE);
		return refuse(table, &from->key, -ENOSPC, err);
	}
	table->n_free--;
	*slot = index;
	return 0;
}

static bool slot_is_used(const struct blocklist_table *table, dataplane_slot slot)
{
	return slot < table->n_records && table->records[slot].state == SLUICE_RECORD_USED;
}

void blocklist_table_update(struct blocklist_table *table, dataplane_slot slot,
			    const struct dataplane_block_record *from)
{
	if (!slot_is_used(table, slot))
		return;
	struct sluice_block_record *record = &table->records[slot];

	if (record->family != from->key.family ||
	    memcmp(record->addr, from->key.addr, sizeof(record->addr)) != 0)
		return;
	record_write(table, record, from);
	block_family_set_manual(&side_of(table, record->family)->ways, record->position,
				from->flags & DATAPLANE_BLOCK_MANUAL);
}

void blocklist_table_del(struct blocklist_table *table, dataplane_slot slot)
{
	if (!slot_is_used(table, slot))
		return;
	struct sluice_block_record *record = &table->records[slot];

	struct side *side = side_of(table, record->family);

	record_state(record, SLUICE_RECORD_LEAVING);
	block_family_remove(&side->ways, hash_of(table, record->family, record->addr),
			    record->position);
	count_down(table, side);
	record_state(record, SLUICE_RECORD_FREE);
	table->free_records[table->n_free++] = slot;
}

uint32_t blocklist_table_packets(const struct blocklist_table *table, dataplane_slot slot)
{
	if (!slot_is_used(table, slot))
		return 0;
	const struct sluice_block_record *record = &table->records[slot];

	return block_family_packets(&side_of_const(table, record->family)->ways, record->position);
}

void blocklist_table_foreach(const struct blocklist_table *table, dataplane_block_fn fn, void *ctx)
{
	for (uint32_t i = 0; i < table->n_records; i++) {
		struct dataplane_block_record record;

		if (table->records[i].state != SLUICE_RECORD_USED)
			continue;
		record_read(table, &table->records[i], &record);
		fn(ctx, i, &record);
	}
}

void blocklist_table_release(struct blocklist_table *table)
{
	block_family_release(&table->v4.ways);
	block_family_release(&table->v6.ways);
}

uint32_t blocklist_table_count(const struct blocklist_table *table, uint8_t family)
{
	return side_of_const(table, family)->n;
}
