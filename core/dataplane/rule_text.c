/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule_text.h. */
#include "rule_text.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/address.h"
#include "base/rule_words.h"

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

static void add_protocol(struct writer *writer, uint8_t protocol)
{
	const char *name = rule_words_protocol_name(protocol);

	add_key(writer, "protocol");
	if (name)
		add(writer, "%s", name);
	else
		add(writer, "%u", protocol);
}

static void add_range(struct writer *writer, const char *key, const struct sluice_rule_range *range)
{
	add_key(writer, key);
	add(writer, "%u", range->from);
	if (range->to != range->from)
		add(writer, "-%u", range->to);
}

static void add_tcp_flags(struct writer *writer, const struct sluice_rule_match *match)
{
	const char *separator = "";

	add_key(writer, "tcp_flags");
	add(writer, "\"");
	for (unsigned int i = 0; i < 8; i++) {
		if (!(match->tcp_mask >> i & 1))
			continue;
		add(writer, "%s%s%s", separator, match->tcp_value >> i & 1 ? "" : "!",
		    rule_words_tcp_flag_name(i));
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

static void add_payload(struct writer *writer, const struct sluice_rule_match *match)
{
	uint8_t size = match->payload_size <= SLUICE_RULE_PAYLOAD_MAX ? match->payload_size
								      : SLUICE_RULE_PAYLOAD_MAX;

	add_key(writer, "payload");
	add(writer, "{ offset: %u", match->payload_offset);
	add_bytes(writer, "bytes", match->payload, size);
	if (!is_whole(match->payload_mask, size))
		add_bytes(writer, "mask", match->payload_mask, size);
	add(writer, " }");
}

static void add_words(struct writer *writer, const struct sluice_rule_match *match)
{
	char address[ADDRESS_TEXT_SIZE];

	if (match->family) {
		add_key(writer, "family");
		add(writer, "%s", match->family == SLUICE_FAMILY_IPV6 ? "ipv6" : "ipv4");
	}
	if (match->fields & SLUICE_RULE_DESTINATION) {
		add_key(writer, "destination");
		/* Quoted, because a colon at its end would begin a mapping. */
		add(writer, "\"%s\"", address_format(&match->destination, address));
	}
	if (match->fields & SLUICE_RULE_FRAGMENT) {
		add_key(writer, "fragment");
		add(writer, "%s", rule_words_fragment_name(match->fragment));
	}
}

const char *rule_text_match(const struct dataplane_rule *rule, char text[RULE_TEXT_SIZE])
{
	const struct sluice_rule_match *match = &rule->match;
	struct writer writer = { .text = text };

	text[0] = '\0';
	if (match->fields & SLUICE_RULE_PROTOCOL)
		add_protocol(&writer, match->protocol);
	add_words(&writer, match);
	if (match->fields & SLUICE_RULE_SOURCE_PORT)
		add_range(&writer, "source_port", &match->source_port);
	if (match->fields & SLUICE_RULE_DESTINATION_PORT)
		add_range(&writer, "destination_port", &match->destination_port);
	if (match->fields & SLUICE_RULE_TCP_FLAGS)
		add_tcp_flags(&writer, match);
	if (match->fields & SLUICE_RULE_LENGTH)
		add_range(&writer, "length", &match->length);
	if (match->fields & SLUICE_RULE_TTL)
		add_range(&writer, "ttl", &match->ttl);
	if (match->payload_size)
		add_payload(&writer, match);
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
