/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule_text.h. */
#include "rule_text.h"

#include <netinet/in.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/address.h"

struct writer {
	char *text;
	size_t used;
};

static void add(struct writer *writer, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct writer *writer, const char *fmt, ...)
{
	size_t left = RULE_TEXT_SIZE - writer->used;
	va_list args;
	int len;

	va_start(args, fmt);
	len = vsnprintf(writer->text + writer->used, left, fmt, args);
	va_end(args);
	if (len > 0)
		writer->used += (size_t)len < left ? (size_t)len : left - 1;
}

static void add_key(struct writer *writer, const char *key)
{
	add(writer, "%s%s: ", writer->used ? ", " : "", key);
}

static const char *protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_IGMP:
		return "igmp";
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_DCCP:
		return "dccp";
	case IPPROTO_GRE:
		return "gre";
	case IPPROTO_ESP:
		return "esp";
	case IPPROTO_AH:
		return "ah";
	case IPPROTO_ICMPV6:
		return "icmpv6";
	case IPPROTO_SCTP:
		return "sctp";
	case IPPROTO_UDPLITE:
		return "udplite";
	default:
		return NULL;
	}
}

static void add_protocol(struct writer *writer, uint8_t protocol)
{
	const char *name = protocol_name(protocol);

	add_key(writer, "protocol");
	if (name)
		add(writer, "%s", name);
	else
		add(writer, "%u", protocol);
}

static void add_range(struct writer *writer, const char *key,
		      const struct dataplane_rule_range *range)
{
	add_key(writer, key);
	add(writer, "%u", range->from);
	if (range->to != range->from)
		add(writer, "-%u", range->to);
}

static void add_tcp_flags(struct writer *writer, const struct dataplane_rule *rule)
{
	static const char *const names[] = {
		"fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr"
	};
	const char *separator = "";

	add_key(writer, "tcp_flags");
	add(writer, "\"");
	for (int i = 0; i < 8; i++) {
		if (!(rule->tcp_mask >> i & 1))
			continue;
		add(writer, "%s%s%s", separator, rule->tcp_value >> i & 1 ? "" : "!", names[i]);
		separator = ",";
	}
	add(writer, "\"");
}

static void add_bytes(struct writer *writer, const char *key, const uint8_t *bytes, uint8_t size)
{
	add(writer, ", %s: \"", key);
	for (uint8_t i = 0; i < size; i++)
		add(writer, "%s%02x", i ? " " : "", bytes[i]);
	add(writer, "\"");
}

static bool is_whole(const uint8_t *mask, uint8_t size)
{
	for (uint8_t i = 0; i < size; i++)
		if (mask[i] != 0xff)
			return false;
	return true;
}

static void add_payload(struct writer *writer, const struct dataplane_rule *rule)
{
	uint8_t size = rule->payload_size <= DATAPLANE_RULE_PAYLOAD_MAX
			       ? rule->payload_size
			       : DATAPLANE_RULE_PAYLOAD_MAX;

	add_key(writer, "payload");
	add(writer, "{ offset: %u", rule->payload_offset);
	add_bytes(writer, "bytes", rule->payload, size);
	if (!is_whole(rule->payload_mask, size))
		add_bytes(writer, "mask", rule->payload_mask, size);
	add(writer, " }");
}

static void add_words(struct writer *writer, const struct dataplane_rule *rule)
{
	static const char *const fragments[] = { "none", "first", "later", "any" };
	char address[ADDRESS_TEXT_SIZE];

	if (rule->family) {
		add_key(writer, "family");
		add(writer, "%s", rule->family == SLUICE_FAMILY_IPV6 ? "ipv6" : "ipv4");
	}
	if (rule->matches & DATAPLANE_RULE_DESTINATION) {
		add_key(writer, "destination");
		/* Quoted, because a colon at its end would begin a mapping. */
		add(writer, "\"%s\"", address_format(&rule->destination, address));
	}
	if (rule->matches & DATAPLANE_RULE_FRAGMENT) {
		add_key(writer, "fragment");
		add(writer, "%s", fragments[rule->fragment & 3]);
	}
}

const char *rule_text_match(const struct dataplane_rule *rule, char text[RULE_TEXT_SIZE])
{
	struct writer writer = { .text = text };

	text[0] = '\0';
	if (rule->matches & DATAPLANE_RULE_PROTOCOL)
		add_protocol(&writer, rule->protocol);
	add_words(&writer, rule);
	if (rule->matches & DATAPLANE_RULE_SOURCE_PORT)
		add_range(&writer, "source_port", &rule->source_port);
	if (rule->matches & DATAPLANE_RULE_DESTINATION_PORT)
		add_range(&writer, "destination_port", &rule->destination_port);
	if (rule->matches & DATAPLANE_RULE_TCP_FLAGS)
		add_tcp_flags(&writer, rule);
	if (rule->matches & DATAPLANE_RULE_LENGTH)
		add_range(&writer, "length", &rule->length);
	if (rule->matches & DATAPLANE_RULE_TTL)
		add_range(&writer, "ttl", &rule->ttl);
	if (rule->payload_size)
		add_payload(&writer, rule);
	return text;
}

const char *rule_text_action(enum dataplane_rule_action action)
{
	switch (action) {
	case DATAPLANE_RULE_PASS:
		return "pass";
	case DATAPLANE_RULE_LIMIT:
	case DATAPLANE_RULE_LIMIT_SOURCE:
		return "limit";
	case DATAPLANE_RULE_DROP:
		break;
	}
	return "drop";
}
