/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule_record.h. */
#include "rule_record.h"

#include <string.h>

#include "rule_compile.h"

_Static_assert(sizeof(struct sluice_key) == RULES_KEY_SIZE, "a key is kept as it is");
_Static_assert(sizeof(((struct rules_record *)0)->origin) == DATAPLANE_RULE_ORIGIN_SIZE, "alike");
_Static_assert(sizeof(((struct rules_record *)0)->reason) == DATAPLANE_RULE_REASON_SIZE, "alike");

static void range_write(struct sluice_rule_range range, __u16 record[2])
{
	record[0] = range.from;
	record[1] = range.to;
}

static struct sluice_rule_range range_read(const __u16 record[2])
{
	return (struct sluice_rule_range){ record[0], record[1] };
}

static void match_write(const struct sluice_rule_match *match, struct rules_record *record)
{
	record->matches = match->fields;
	record->family = match->family;
	record->protocol = match->protocol;
	record->tcp_value = match->tcp_value;
	record->tcp_mask = match->tcp_mask;
	record->fragment = match->fragment;
	range_write(match->source_port, record->source_port);
	range_write(match->destination_port, record->destination_port);
	range_write(match->length, record->length);
	range_write(match->ttl, record->ttl);
	record->payload_offset = match->payload_offset;
	record->payload_size = match->payload_size;
	memcpy(record->destination, &match->destination, sizeof(record->destination));
	memcpy(record->payload, match->payload, sizeof(record->payload));
	memcpy(record->payload_mask, match->payload_mask, sizeof(record->payload_mask));
}

void rule_record_write(const struct dataplane_rule *rule, struct rules_record *record)
{
	memset(record, 0, sizeof(*record));
	if (!rule->is_automatic)
		return;
	record->is_used = 1;
	match_write(&rule->match, record);
	record->action = (__u8)rule->action;
	record->is_by_byte = rule->is_by_byte;
	record->exempts_known = rule->exempts_known;
	record->repeats = rule->repeats;
	record->rate = rule->rate;
	record->burst = rule->burst;
	record->first_seen_ns = rule->first_seen_ns;
	record->expires_ns = rule->expires_ns;
	record->pps = rule->pps;
	memcpy(record->origin, rule->origin, sizeof(record->origin));
	memcpy(record->reason, rule->reason, sizeof(record->reason));
}

static bool text_is_sound(const char *text, size_t size)
{
	const char *end = memchr(text, '\0', size);

	for (; end && text < end; text++)
		if (*text <= ' ' || *text > '~')
			return false;
	return end != NULL;
}

static struct sluice_rule_match match_read(const struct rules_record *record)
{
	struct sluice_rule_match match = {
		.size = sizeof(match),
		.fields = record->matches,
		.family = record->family,
		.protocol = record->protocol,
		.tcp_value = record->tcp_value,
		.tcp_mask = record->tcp_mask,
		.source_port = range_read(record->source_port),
		.destination_port = range_read(record->destination_port),
		.length = range_read(record->length),
		.ttl = range_read(record->ttl),
		.fragment = record->fragment,
		.payload_offset = record->payload_offset,
		.payload_size = record->payload_size,
	};

	memcpy(&match.destination, record->destination, sizeof(match.destination));
	memcpy(match.payload, record->payload, sizeof(match.payload));
	memcpy(match.payload_mask, record->payload_mask, sizeof(match.payload_mask));
	return match;
}

static void fill(const struct rules_record *record, struct dataplane_rule *rule)
{
	*rule = (struct dataplane_rule){
		.match = match_read(record),
		.action = (enum dataplane_rule_action)record->action,
		.is_by_byte = record->is_by_byte,
		.rate = record->rate,
		.burst = record->burst,
		.exempts_known = record->exempts_known,
		.is_automatic = true,
		.first_seen_ns = record->first_seen_ns,
		.expires_ns = record->expires_ns,
		.pps = record->pps,
		.repeats = record->repeats,
	};
	memcpy(rule->origin, record->origin, sizeof(rule->origin));
	memcpy(rule->reason, record->reason, sizeof(rule->reason));
}

bool rule_record_read(const struct rules_name *name, struct dataplane_rule *rule)
{
	const struct rules_record *record = &name->record;
	const uint32_t known = SLUICE_RULE_FRAGMENT * 2 - 1;

	if (record->is_used != 1 || record->matches & ~known || record->is_by_byte > 1 ||
	    record->exempts_known > 1 || record->action == DATAPLANE_RULE_PASS ||
	    (!record->matches && !record->payload_size) ||
	    !text_is_sound(name->text, sizeof(name->text)) ||
	    !text_is_sound(record->origin, sizeof(record->origin)) ||
	    !text_is_sound(record->reason, sizeof(record->reason)))
		return false;
	fill(record, rule);
	memcpy(rule->name, name->text, sizeof(rule->name));
	return rule_compile_check(rule, 1, NULL) == 0;
}
