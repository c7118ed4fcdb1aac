/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list `rules`: texts such as "1024-65535" or "syn,!ack" into numbers, and what no packet could
 * ever match refused where it is written.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/quantity.h"

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

struct word {
	const char *text;
	unsigned int number;
};

static const struct word protocols[] = {
	{ "icmp", IPPROTO_ICMP }, { "igmp", IPPROTO_IGMP },	  { "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },	  { "dccp", IPPROTO_DCCP },	  { "gre", IPPROTO_GRE },
	{ "esp", IPPROTO_ESP },	  { "ah", IPPROTO_AH },		  { "icmpv6", IPPROTO_ICMPV6 },
	{ "sctp", IPPROTO_SCTP }, { "udplite", IPPROTO_UDPLITE },
};

static const struct word tcp_flags[] = {
	{ "fin", 0x01 }, { "syn", 0x02 }, { "rst", 0x04 }, { "psh", 0x08 },
	{ "ack", 0x10 }, { "urg", 0x20 }, { "ece", 0x40 }, { "cwr", 0x80 },
};

#define WORDS(list) list, sizeof(list) / sizeof((list)[0])

static const struct word *word_find(const struct word *list, size_t n, const char *text, size_t len)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i].text) == len && !memcmp(list[i].text, text, len))
			return &list[i];
	return NULL;
}

/* A decimal number of at most five digits; NULL if there is none. */
static const char *number_read(const char *text, unsigned int *number)
{
	size_t len = strspn(text, "0123456789");

	if (!len || len > 5)
		return NULL;
	*number = (unsigned int)strtoul(text, NULL, 10);
	return text + len;
}

/* "53" or "1024-65535". */
static void range_read(struct reader *reader, const struct config_value *map, const char *key,
		       unsigned int limit, struct settings_rule *rule, enum settings_rule_match bit,
		       struct settings_rule_range *range)
{
	const struct config_value *value = config_value_get(map, key);
	unsigned int from, to;
	const char *at;
	char path[32];

	if (!value)
		return;
	snprintf(path, sizeof(path), "match.%s", key);
	at = number_read(text_of(value), &from);
	to = from;
	if (at && *at == '-')
		at = number_read(at + 1, &to);
	if (!at || *at || from > to || to > limit) {
		refuse(reader, value, path,
		       "'%.64s' is not a number or a range such as 10-20, from 0 to %u",
		       text_of(value), limit);
		return;
	}
	rule->matches |= bit;
	range->from = (uint16_t)from;
	range->to = (uint16_t)to;
}

static void protocol_read(struct reader *reader, const struct config_value *value,
			  struct settings_rule *rule)
{
	const char *text = value ? text_of(value) : NULL, *end;
	const struct word *word;
	unsigned int number = 256;

	if (!value)
		return;
	word = word_find(WORDS(protocols), text, strlen(text));
	end = word ? NULL : number_read(text, &number);
	if (word)
		number = word->number;
	if (number > 255 || (end && *end)) {
		refuse(reader, value, "match.protocol",
		       "'%.64s' is no protocol; write 0 to 255, or tcp, udp, icmp, icmpv6, igmp, gre, "
		       "esp, ah, sctp, dccp, udplite",
		       text);
		return;
	}
	rule->matches |= SETTINGS_RULE_PROTOCOL;
	rule->protocol = (uint8_t)number;
}

/* "syn,!ack": those named must be set, those with a ! must not. */
static void tcp_flags_read(struct reader *reader, const struct config_value *value,
			   struct settings_rule *rule)
{
	const char *at = value ? text_of(value) : NULL;

	if (!value)
		return;
	for (;; at++) {
		bool clear = *at == '!';
		size_t len;
		const struct word *word;

		at += clear;
		len = strcspn(at, ",");
		word = word_find(WORDS(tcp_flags), at, len);
		if (!word || rule->tcp_mask & word->number) {
			refuse(reader, value, "match.tcp_flags",
			       word ? "'%.*s' is named twice"
				    : "'%.*s' is no flag; write them like syn,!ack, of fin, syn, rst, "
				      "psh, ack, urg, ece, cwr",
			       (int)(len < 64 ? len : 64), at);
			return;
		}
		rule->tcp_mask |= (uint8_t)word->number;
		rule->tcp_value |= clear ? 0 : (uint8_t)word->number;
		at += len;
		if (!*at)
			break;
	}
	rule->matches |= SETTINGS_RULE_TCP_FLAGS;
}

static int hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at = c ? strchr(digits, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

	return at ? (int)(at - digits) : -1;
}

/* "ff 00 1a" or "ff001a"; how many bytes, or 0 if it is not that. */
static uint8_t hex_read(const char *text, uint8_t bytes[SETTINGS_RULE_PAYLOAD_MAX])
{
	uint8_t n = 0;

	while (*text) {
		int high, low;

		if (*text == ' ') {
			text++;
			continue;
		}
		high = hex_digit(text[0]);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0 || n == SETTINGS_RULE_PAYLOAD_MAX)
			return 0;
		bytes[n++] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return n;
}

static void payload_read(struct reader *reader, const struct config_value *map,
			 struct settings_rule *rule)
{
	const struct config_value *bytes, *mask;

	if (!map)
		return;
	bytes = config_value_get(map, "bytes");
	mask = config_value_get(map, "mask");
	rule->payload_offset = (uint16_t)config_value_u64(config_value_get(map, "offset"));
	rule->payload_size = hex_read(text_of(bytes), rule->payload);
	memset(rule->payload_mask, 0xff, rule->payload_size);
	if (!rule->payload_size) {
		refuse(reader, bytes, "match.payload.bytes",
		       "'%.64s' is not 1 to %d bytes in hexadecimal such as \"17 00 03 2a\"",
		       text_of(bytes), SETTINGS_RULE_PAYLOAD_MAX);
		return;
	}
	if (!mask)
		return;
	if (hex_read(text_of(mask), rule->payload_mask) != rule->payload_size) {
		refuse(reader, mask, "match.payload.mask",
		       "'%.64s' is not as many bytes in hexadecimal as 'bytes' has, which is %d",
		       text_of(mask), rule->payload_size);
		return;
	}
	for (int i = 0; i < rule->payload_size; i++) {
		if (!(rule->payload[i] & ~rule->payload_mask[i]))
			continue;
		refuse(reader, mask, "match.payload.mask",
		       "byte %d of 'bytes' has bits set that the mask leaves out", i);
		return;
	}
}

static void words_read(const struct config_value *match, struct settings_rule *rule)
{
	static const char *const fragments[] = { "none", "first", "later", "any" };
	const struct config_value *family = config_value_get(match, "family");
	const struct config_value *fragment = config_value_get(match, "fragment");
	const struct config_value *destination = config_value_get(match, "destination");

	if (family)
		rule->family = strcmp(config_value_string(family), "ipv6") ? SLUICE_FAMILY_IPV4
									   : SLUICE_FAMILY_IPV6;
	if (fragment) {
		rule->matches |= SETTINGS_RULE_FRAGMENT;
		while (strcmp(fragments[rule->fragment], config_value_string(fragment)))
			rule->fragment++;
	}
	if (destination) {
		rule->matches |= SETTINGS_RULE_DESTINATION;
		rule->destination = *config_value_address(destination);
	}
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}

/* What is well written and yet matches nothing. */
static void contradictions_check(struct reader *reader, const struct config_value *match,
				 const struct settings_rule *rule)
{
	bool ports = rule->matches & (SETTINGS_RULE_SOURCE_PORT | SETTINGS_RULE_DESTINATION_PORT);
	bool flags = rule->matches & SETTINGS_RULE_TCP_FLAGS;
	bool protocol = rule->matches & SETTINGS_RULE_PROTOCOL;

	if (ports && protocol && !has_ports(rule->protocol))
		refuse(reader, config_value_get(match, "protocol"), "match.protocol",
		       "'%.64s' has no ports; leave out the ports, or write tcp, udp, sctp, dccp or "
		       "udplite",
		       text_of(config_value_get(match, "protocol")));
	if (flags && protocol && rule->protocol != IPPROTO_TCP)
		refuse(reader, config_value_get(match, "tcp_flags"), "match.tcp_flags",
		       "only tcp has them, and 'protocol' says otherwise");
	if (rule->matches & SETTINGS_RULE_FRAGMENT &&
	    rule->fragment == SETTINGS_RULE_FRAGMENT_LATER &&
	    (ports || flags || rule->payload_size))
		refuse(reader, config_value_get(match, "fragment"), "match.fragment",
		       "later fragments carry no transport header; leave out ports, tcp_flags and "
		       "payload");
	if (rule->matches & SETTINGS_RULE_DESTINATION && rule->family &&
	    rule->family != rule->destination.family)
		refuse(reader, config_value_get(match, "destination"), "match.destination",
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
	const struct config_value *match = config_value_get(item, "match");
	const struct config_node *node = config_value_node(item);

	rule->line = config_node_line(node);
	rule->column = config_node_column(node);
	snprintf(rule->name, sizeof(rule->name), "%s",
		 config_value_string(config_value_get(item, "name")));
	words_read(match, rule);
	protocol_read(reader, config_value_get(match, "protocol"), rule);
	range_read(reader, match, "source_port", 65535, rule, SETTINGS_RULE_SOURCE_PORT,
		   &rule->source_port);
	range_read(reader, match, "destination_port", 65535, rule, SETTINGS_RULE_DESTINATION_PORT,
		   &rule->destination_port);
	tcp_flags_read(reader, config_value_get(match, "tcp_flags"), rule);
	range_read(reader, match, "length", 65535, rule, SETTINGS_RULE_LENGTH, &rule->length);
	range_read(reader, match, "ttl", 255, rule, SETTINGS_RULE_TTL, &rule->ttl);
	payload_read(reader, config_value_get(match, "payload"), rule);
	contradictions_check(reader, match, rule);
	action_read(reader, item, rule);
	if (rule->action == SETTINGS_RULE_DROP && !config_value_count(match))
		refuse(reader, match, "match", "is empty: this would drop every packet");
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
