// SPDX-License-Identifier: BSD-2-Clause
/* See rule_model.h. */
#include "rule_model.h"

#include <stdio.h>
#include <string.h>

#include "base/address.h"

static bool in_range(const struct sluice_rule_range *range, int value)
{
	return value >= range->from && value <= range->to;
}

static bool prefix_has(const struct sluice_key *prefix, const struct rule_model_packet *packet)
{
	if (prefix->family != packet->family)
		return false;
	for (unsigned int bit = 0; bit < prefix->prefix_len; bit++) {
		unsigned int differ = prefix->addr[bit / 8] ^ packet->destination[bit / 8];

		if (differ >> (7 - bit % 8) & 1)
			return false;
	}
	return true;
}

static bool fragment_fits(enum sluice_rule_fragment asked, enum sluice_rule_fragment is)
{
	if (asked == SLUICE_RULE_FRAGMENT_ANY)
		return is != SLUICE_RULE_FRAGMENT_NONE;
	return asked == is;
}

static bool payload_fits(const struct dataplane_rule *rule, const struct rule_model_packet *packet)
{
	if (!rule->match.payload_size)
		return true;
	if (!packet->payload ||
	    (size_t)rule->match.payload_offset + rule->match.payload_size > packet->payload_size)
		return false;
	for (unsigned int i = 0; i < rule->match.payload_size; i++)
		if ((packet->payload[rule->match.payload_offset + i] ^ rule->match.payload[i]) &
		    rule->match.payload_mask[i])
			return false;
	return true;
}

static bool matches(const struct dataplane_rule *rule, const struct rule_model_packet *packet)
{
	uint32_t asks = rule->match.fields;

	if (rule->match.family && rule->match.family != packet->family)
		return false;
	if (asks & SLUICE_RULE_PROTOCOL && rule->match.protocol != packet->protocol)
		return false;
	if (asks & SLUICE_RULE_SOURCE_PORT &&
	    !in_range(&rule->match.source_port, packet->source_port))
		return false;
	if (asks & SLUICE_RULE_DESTINATION_PORT &&
	    !in_range(&rule->match.destination_port, packet->destination_port))
		return false;
	if (asks & SLUICE_RULE_TCP_FLAGS &&
	    (packet->tcp_flags < 0 ||
	     (packet->tcp_flags & rule->match.tcp_mask) != rule->match.tcp_value))
		return false;
	if (asks & SLUICE_RULE_LENGTH && !in_range(&rule->match.length, (int)packet->length))
		return false;
	if (asks & SLUICE_RULE_TTL && !in_range(&rule->match.ttl, packet->ttl))
		return false;
	if (asks & SLUICE_RULE_DESTINATION && !prefix_has(&rule->match.destination, packet))
		return false;
	if (asks & SLUICE_RULE_FRAGMENT && !fragment_fits(rule->match.fragment, packet->fragment))
		return false;
	return payload_fits(rule, packet);
}

int rule_model_first(const struct dataplane_rule *rules, size_t n,
		     const struct rule_model_packet *packet)
{
	for (size_t i = 0; i < n; i++)
		if (matches(&rules[i], packet))
			return (int)i;
	return -1;
}

uint16_t rule_model_random_port(struct random *random)
{
	static const uint16_t ports[] = {
		0, 19, 53, 80, 123, 443, 1023, 1024, 11211, 65534, 65535
	};

	if (random_below(random, 3) == 0)
		return (uint16_t)random_next(random);
	return ports[random_below(random, sizeof(ports) / sizeof(ports[0]))];
}

/* Most lie close together, so that prefixes of any length have something on both sides. */
void rule_model_random_destination(struct random *random, uint8_t family, uint8_t *address)
{
	memset(address, 0, 16);
	switch (random_below(random, 8)) {
	case 0:
		memset(address, 0xff, 16);
		break;
	case 1:
		for (int i = 0; i < 16; i++)
			address[i] = (uint8_t)random_next(random);
		break;
	default:
		memcpy(address, (const uint8_t[]){ 192, 168, 0 }, 3);
		address[3] = (uint8_t)random_below(random, 8);
		address[7] = (uint8_t)random_below(random, 4);
		address[8] = (uint8_t)(random_below(random, 2) * 0x80);
		address[15] = (uint8_t)random_below(random, 4);
	}
	if (family == SLUICE_FAMILY_IPV4)
		memset(address + 4, 0, 12);
}

void rule_model_random_payload(struct random *random, uint8_t *payload, size_t size)
{
	for (size_t i = 0; i < size; i++)
		payload[i] = (uint8_t)random_below(random, 2);
}

static struct sluice_rule_range random_range(struct random *random, uint16_t a, uint16_t b)
{
	if (random_below(random, 2))
		b = a;
	return a < b ? (struct sluice_rule_range){ a, b } : (struct sluice_rule_range){ b, a };
}

static void random_destination(struct random *random, struct dataplane_rule *rule)
{
	uint8_t address[16];

	if (!rule->match.family)
		rule->match.family = random_below(random, 2) ? SLUICE_FAMILY_IPV4
							     : SLUICE_FAMILY_IPV6;
	rule_model_random_destination(random, rule->match.family, address);
	rule->match.destination =
		rule->match.family == SLUICE_FAMILY_IPV4
			? address_from_ipv4(address, (unsigned int)random_below(random, 33))
			: address_from_ipv6(address, (unsigned int)random_below(random, 129));
}

static void random_payload(struct random *random, struct dataplane_rule *rule)
{
	rule->match.payload_size = (uint8_t)(1 + random_below(random, 4) * 5);
	rule->match.payload_offset = (uint16_t)random_below(random, 20);
	rule_model_random_payload(random, rule->match.payload, rule->match.payload_size);
	for (unsigned int i = 0; i < rule->match.payload_size; i++)
		rule->match.payload_mask[i] =
			random_below(random, 3) ? 0 : (uint8_t)random_next(random);
}

static void random_action(struct random *random, struct dataplane_rule *rule)
{
	rule->action = (enum dataplane_rule_action)random_below(random, 3);
	if (rule->action != DATAPLANE_RULE_LIMIT)
		return;
	rule->rate = 1 + random_below(random, 100000);
	rule->burst = 1 + random_below(random, 30);
}

static void random_rule(struct random *random, struct dataplane_rule *rule)
{
	static const uint8_t protocols[] = { 1, 6, 6, 17, 17, 33, 47, 58, 132, 136 };
	static const uint8_t families[] = { 0, SLUICE_FAMILY_IPV4, SLUICE_FAMILY_IPV6 };

	/* Few fields each, or hardly any would ever match; all of them now and then. */
	rule->match.fields = (uint32_t)(random_next(random) & random_next(random) & 0xff);
	rule->match.fields |= random_below(random, 8) ? SLUICE_RULE_TTL : 0;
	rule->match.family = families[random_below(random, 3)];
	rule->match.protocol = protocols[random_below(random, sizeof(protocols))];
	rule->match.tcp_mask = (uint8_t)(random_next(random) & random_next(random));
	rule->match.tcp_value = (uint8_t)(random_next(random) & rule->match.tcp_mask);
	rule->match.source_port = random_range(random, rule_model_random_port(random),
					       rule_model_random_port(random));
	rule->match.destination_port = random_range(random, rule_model_random_port(random),
						    rule_model_random_port(random));
	rule->match.length = random_range(random, (uint16_t)random_below(random, 300),
					  (uint16_t)random_below(random, 300));
	rule->match.ttl = random_range(random, (uint16_t)random_below(random, 256),
				       (uint16_t)random_below(random, 256));
	rule->match.fragment = (enum sluice_rule_fragment)random_below(random, 4);
	if (rule->match.fields & SLUICE_RULE_DESTINATION)
		random_destination(random, rule);
	if (random_below(random, 3) == 0)
		random_payload(random, rule);
	random_action(random, rule);
}

void rule_model_random_rules(struct random *random, struct dataplane_rule *rules, size_t n)
{
	memset(rules, 0, n * sizeof(*rules));
	for (size_t i = 0; i < n; i++) {
		snprintf(rules[i].name, sizeof(rules[i].name), "rule-%zu", i);
		random_rule(random, &rules[i]);
	}
}
