/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list `rules`: texts such as "1024-65535" or "syn,!ack" into numbers, and what no packet could
 * ever match refused where it is written.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/quantity.h"
#include "base/rule_words.h"

#include "errors.h"
#include "node.h"
#include "settings_owned.h"
#include "value.h"

/* So that a bucket's arithmetic in nanoseconds holds in 64 bits. */
#define MAX_BURST_SECONDS 3600u
#define MIN_BYTE_BURST 65536u /* A packet larger than the bucket would never pass. */

struct reader {
	struct config_errors *errors;
	size_t index; /* Of the rule. */
	int result;
};

#define refuse(reader, value, key, ...)                                                  \
	do {                                                                             \
		char path_[80];                                                          \
		snprintf(path_, sizeof(path_), "rules[%zu].%s", (reader)->index, (key)); \
		config_errors_add_at((reader)->errors, config_value_node(value), path_,  \
				     __VA_ARGS__);                                       \
		(reader)->result = -EINVAL;                                              \
	} while (0)

static const char *text_of(const struct config_value *value)
{
	return config_node_text(config_value_node(value));
}

static void range_read(struct reader *reader, const struct config_value *map, const char *key,
		       uint16_t limit, struct sluice_rule_match *match,
		       enum sluice_rule_field field, struct sluice_rule_range *range)
{
	const struct config_value *value = config_value_get(map, key);
	char path[32];

	if (!value)
		return;
	snprintf(path, sizeof(path), "match.%s", key);
	if (rule_words_range(text_of(value), limit, range))
		match->fields |= field;
	else
		refuse(reader, value, path,
		       "'%.64s' is not a number or a range such as 10-20, from 0 to %u",
		       text_of(value), limit);
}

static void protocol_read(struct reader *reader, const struct config_value *value,
			  struct sluice_rule_match *match)
{
	if (!value)
		return;
	if (rule_words_protocol(text_of(value), &match->protocol))
		match->fields |= SLUICE_RULE_PROTOCOL;
	else
		refuse(reader, value, "match.protocol",
		       "'%.64s' is no protocol; write 0 to 255, or tcp, udp, icmp, icmpv6, igmp, gre, "
		       "esp, ah, sctp, dccp, udplite",
		       text_of(value));
}

static void tcp_flags_read(struct reader *reader, const struct config_value *value,
			   struct sluice_rule_match *match)
{
	const char *wrong;
	size_t len;

	if (!value)
		return;
	wrong = rule_words_tcp_flags(text_of(value), &match->tcp_value, &match->tcp_mask);
	if (!wrong) {
		match->fields |= SLUICE_RULE_TCP_FLAGS;
		return;
	}
	len = strcspn(wrong, ",");
	refuse(reader, value, "match.tcp_flags",
	       rule_words_tcp_flag(wrong, len)
		       ? "'%.*s' is named twice"
		       : "'%.*s' is no flag; write them like syn,!ack, of fin, syn, rst, psh, ack, "
			 "urg, ece, cwr",
	       (int)(len < 64 ? len : 64), wrong);
}

static void payload_read(struct reader *reader, const struct config_value *map,
			 struct sluice_rule_match *match)
{
	const struct config_value *bytes, *mask;

	if (!map)
		return;
	bytes = config_value_get(map, "bytes");
	mask = config_value_get(map, "mask");
	match->payload_offset = (uint16_t)config_value_u64(config_value_get(map, "offset"));
	match->payload_size = rule_words_bytes(text_of(bytes), match->payload);
	memset(match->payload_mask, 0xff, match->payload_size);
	if (!match->payload_size) {
		refuse(reader, bytes, "match.payload.bytes",
		       "'%.64s' is not 1 to %d bytes in hexadecimal such as \"17 00 03 2a\"",
		       text_of(bytes), SLUICE_RULE_PAYLOAD_MAX);
		return;
	}
	if (!mask)
		return;
	if (rule_words_bytes(text_of(mask), match->payload_mask) != match->payload_size) {
		refuse(reader, mask, "match.payload.mask",
		       "'%.64s' is not as many bytes in hexadecimal as 'bytes' has, which is %d",
		       text_of(mask), match->payload_size);
		return;
	}
	for (int i = 0; i < match->payload_size; i++) {
		if (!(match->payload[i] & ~match->payload_mask[i]))
			continue;
		refuse(reader, mask, "match.payload.mask",
		       "byte %d of 'bytes' has bits set that the mask leaves out", i);
		return;
	}
}

static void words_read(const struct config_value *map, struct sluice_rule_match *match)
{
	const struct config_value *family = config_value_get(map, "family");
	const struct config_value *fragment = config_value_get(map, "fragment");
	const struct config_value *destination = config_value_get(map, "destination");

	if (family)
		match->family = strcmp(config_value_string(family), "ipv6") ? SLUICE_FAMILY_IPV4
									    : SLUICE_FAMILY_IPV6;
	/* The schema has let through nothing but what there is. */
	if (fragment && rule_words_fragment(config_value_string(fragment), &match->fragment))
		match->fields |= SLUICE_RULE_FRAGMENT;
	if (destination) {
		match->fields |= SLUICE_RULE_DESTINATION;
		match->destination = *config_value_address(destination);
	}
}

/* What is well written and yet matches nothing. */
static void contradictions_check(struct reader *reader, const struct config_value *map,
				 const struct sluice_rule_match *match)
{
	bool ports = match->fields & (SLUICE_RULE_SOURCE_PORT | SLUICE_RULE_DESTINATION_PORT);
	bool flags = match->fields & SLUICE_RULE_TCP_FLAGS;
	bool protocol = match->fields & SLUICE_RULE_PROTOCOL;

	if (ports && protocol && !rule_words_has_ports(match->protocol))
		refuse(reader, config_value_get(map, "protocol"), "match.protocol",
		       "'%.64s' has no ports; leave out the ports, or write tcp, udp, sctp, dccp or "
		       "udplite",
		       text_of(config_value_get(map, "protocol")));
	if (flags && protocol && match->protocol != IPPROTO_TCP)
		refuse(reader, config_value_get(map, "tcp_flags"), "match.tcp_flags",
		       "only tcp has them, and 'protocol' says otherwise");
	if (match->fields & SLUICE_RULE_FRAGMENT && match->fragment == SLUICE_RULE_FRAGMENT_LATER &&
	    (ports || flags || match->payload_size))
		refuse(reader, config_value_get(map, "fragment"), "match.fragment",
		       "later fragments carry no transport header; leave out ports, tcp_flags and "
		       "payload");
	if (match->fields & SLUICE_RULE_DESTINATION && match->family &&
	    match->family != match->destination.family)
		refuse(reader, config_value_get(map, "destination"), "match.destination",
		       "is of another family than 'family' says");
}

/* A rate with a unit of bits counts bytes, any other packets. */
static void limit_read(struct reader *reader, const struct config_value *limit,
		       struct settings_rule *rule)
{
	const struct config_value *rate = config_value_get(limit, "rate");
	const struct config_value *burst = config_value_get(limit, "burst");
	uint64_t packets, least = 1;

	rule->rate = config_value_u64(rate);
	rule->is_by_byte = quantity_parse(QUANTITY_RATE, text_of(rate), &packets, NULL) != 0;
	if (rule->is_by_byte) {
		rule->rate /= 8;
		least = MIN_BYTE_BURST;
	}
	rule->burst = rule->rate / 10 > least ? rule->rate / 10 : least;
	if (!strcmp(config_value_string(config_value_get(limit, "per")), "source"))
		rule->action = SETTINGS_RULE_LIMIT_SOURCE;
	if (!burst)
		return;
	rule->burst = config_value_u64(burst);
	if (rule->burst < least)
		refuse(reader, burst, "limit.burst",
		       "%.64s bytes would never let a large packet pass; at least %u",
		       text_of(burst), MIN_BYTE_BURST);
	else if (rule->burst / MAX_BURST_SECONDS > rule->rate)
		refuse(reader, burst, "limit.burst",
		       "%.64s is more than the rate allows in an hour", text_of(burst));
}

static void action_read(struct reader *reader, const struct config_value *item,
			struct settings_rule *rule)
{
	const struct config_value *action = config_value_get(item, "action");
	const struct config_value *limit = config_value_get(item, "limit");
	const struct config_value *exempt = config_value_get(item, "exempt_known");
	const char *name = config_value_string(action);

	if (!strcmp(name, "limit"))
		rule->action = SETTINGS_RULE_LIMIT;
	else if (!strcmp(name, "pass"))
		rule->action = SETTINGS_RULE_PASS;
	if (rule->action == SETTINGS_RULE_LIMIT && !limit)
		refuse(reader, action, "action", "limit needs the key 'limit' with a rate");
	else if (rule->action != SETTINGS_RULE_LIMIT && limit)
		refuse(reader, limit, "limit", "has no use with action '%s'", name);
	else if (limit)
		limit_read(reader, limit, rule);
	rule->exempts_known = config_value_bool(exempt);
	if (rule->exempts_known && rule->action == SETTINGS_RULE_PASS)
		refuse(reader, exempt, "exempt_known", "has no use with action 'pass'");
}

static void rule_read(struct reader *reader, const struct config_value *item,
		      struct settings_rule *rule)
{
	const struct config_value *map = config_value_get(item, "match");
	struct sluice_rule_match *match = &rule->match;
	const struct config_node *node = config_value_node(item);

	rule->line = config_node_line(node);
	rule->column = config_node_column(node);
	snprintf(rule->name, sizeof(rule->name), "%s",
		 config_value_string(config_value_get(item, "name")));
	match->size = sizeof(*match);
	words_read(map, match);
	protocol_read(reader, config_value_get(map, "protocol"), match);
	range_read(reader, map, "source_port", 65535, match, SLUICE_RULE_SOURCE_PORT,
		   &match->source_port);
	range_read(reader, map, "destination_port", 65535, match, SLUICE_RULE_DESTINATION_PORT,
		   &match->destination_port);
	tcp_flags_read(reader, config_value_get(map, "tcp_flags"), match);
	range_read(reader, map, "length", 65535, match, SLUICE_RULE_LENGTH, &match->length);
	range_read(reader, map, "ttl", 255, match, SLUICE_RULE_TTL, &match->ttl);
	payload_read(reader, config_value_get(map, "payload"), match);
	contradictions_check(reader, map, match);
	action_read(reader, item, rule);
	if (rule->action == SETTINGS_RULE_DROP && !config_value_count(map))
		refuse(reader, map, "match", "is empty: this would drop every packet");
}

int settings_rules_fill(struct settings_owned *owned, struct config_errors *errors)
{
	const struct config_value *list = config_value_get(owned->value, "rules");
	const struct config_value *item = config_value_first(list);
	struct reader reader = { .errors = errors };
	struct settings *s = &owned->settings;

	s->rules = arena_calloc(&owned->arena, config_value_count(list), sizeof(*s->rules));
	if (!s->rules)
		return -ENOMEM;
	for (; item; item = config_value_next(item), reader.index++)
		rule_read(&reader, item, &s->rules[s->n_rules++]);
	return reader.result;
}
