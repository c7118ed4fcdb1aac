/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule_match.h. */
#include "rule_match.h"

#include <errno.h>
#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "base/address.h"
#include "base/rule_words.h"
#include "dataplane/rule.h"

#define FIELDS                                                                                    \
	(SLUICE_RULE_PROTOCOL | SLUICE_RULE_SOURCE_PORT | SLUICE_RULE_DESTINATION_PORT |          \
	 SLUICE_RULE_TCP_FLAGS | SLUICE_RULE_LENGTH | SLUICE_RULE_TTL | SLUICE_RULE_DESTINATION | \
	 SLUICE_RULE_FRAGMENT)
/* A packet larger than a bucket of bytes would never pass. */
#define BYTE_BURST_MIN 65536u

static bool asks(const struct sluice_rule_match *match, uint32_t field)
{
	return match->fields & field;
}

static bool is_range(struct sluice_rule_range range)
{
	return range.from <= range.to;
}

static const char *check_values(const struct sluice_rule_match *match)
{
	if (match->family != 0 && match->family != SLUICE_FAMILY_IPV4 &&
	    match->family != SLUICE_FAMILY_IPV6)
		return "there is no such family";
	if ((asks(match, SLUICE_RULE_SOURCE_PORT) && !is_range(match->source_port)) ||
	    (asks(match, SLUICE_RULE_DESTINATION_PORT) && !is_range(match->destination_port)) ||
	    (asks(match, SLUICE_RULE_LENGTH) && !is_range(match->length)) ||
	    (asks(match, SLUICE_RULE_TTL) && !is_range(match->ttl)))
		return "a range ends before it begins";
	if (asks(match, SLUICE_RULE_TTL) && match->ttl.to > 255)
		return "no TTL is above 255";
	if (asks(match, SLUICE_RULE_TCP_FLAGS) && match->tcp_value & ~match->tcp_mask)
		return "TCP flags are asked for that the mask leaves out";
	if (asks(match, SLUICE_RULE_FRAGMENT) && match->fragment > SLUICE_RULE_FRAGMENT_ANY)
		return "there is no such fragment";
	if (match->payload_size > SLUICE_RULE_PAYLOAD_MAX)
		return "more than 16 bytes of payload";
	if (asks(match, SLUICE_RULE_DESTINATION) && !address_is_valid(&match->destination))
		return "the destination is not a prefix";
	return NULL;
}

/* What is well formed and yet matches nothing, or everything. */
static const char *check_sense(const struct sluice_rule_match *match)
{
	bool ports = asks(match, SLUICE_RULE_SOURCE_PORT | SLUICE_RULE_DESTINATION_PORT);
	bool flags = asks(match, SLUICE_RULE_TCP_FLAGS);

	if (!match->fields && !match->payload_size)
		return "it asks for nothing, and would match every packet";
	if (ports && asks(match, SLUICE_RULE_PROTOCOL) && !rule_words_has_ports(match->protocol))
		return "the protocol has no ports";
	if (flags && asks(match, SLUICE_RULE_PROTOCOL) && match->protocol != IPPROTO_TCP)
		return "only TCP has flags";
	if (asks(match, SLUICE_RULE_FRAGMENT) && match->fragment == SLUICE_RULE_FRAGMENT_LATER &&
	    (ports || flags || match->payload_size))
		return "later fragments carry no transport header";
	if (asks(match, SLUICE_RULE_DESTINATION) && match->family &&
	    match->family != match->destination.family)
		return "the destination is of the other family";
	return NULL;
}

static const char *check_limit(const struct sluice_rule_proposal *proposal)
{
	uint64_t most = proposal->is_by_byte ? DATAPLANE_RULE_MAX_BYTE_RATE
					     : DATAPLANE_RULE_MAX_PACKET_RATE;
	uint64_t least = proposal->is_by_byte ? DATAPLANE_RULE_MIN_BYTE_RATE : 1;

	if (proposal->action == SLUICE_RULE_DROP)
		return NULL;
	if (proposal->action != SLUICE_RULE_LIMIT)
		return "there is no such action";
	if (proposal->rate < least || proposal->rate > most)
		return "its rate is out of range";
	if (proposal->burst / proposal->rate >= DATAPLANE_RULE_MAX_BURST_SECONDS)
		return "its burst is more than an hour's worth";
	if (proposal->is_by_byte && proposal->burst && proposal->burst < BYTE_BURST_MIN)
		return "its burst would never let a large packet pass";
	return NULL;
}

static struct sluice_rule_range range_of(const struct sluice_rule_match *match, uint32_t field,
					 struct sluice_rule_range range)
{
	return asks(match, field) ? range : (struct sluice_rule_range){ 0, 0 };
}

/* What is not asked for becomes zero. */
static void read_match(const struct sluice_rule_match *match, struct sluice_rule_match *out)
{
	out->size = sizeof(*out);
	out->fields = match->fields;
	out->family = match->family;
	out->source_port = range_of(match, SLUICE_RULE_SOURCE_PORT, match->source_port);
	out->destination_port =
		range_of(match, SLUICE_RULE_DESTINATION_PORT, match->destination_port);
	out->length = range_of(match, SLUICE_RULE_LENGTH, match->length);
	out->ttl = range_of(match, SLUICE_RULE_TTL, match->ttl);
	if (asks(match, SLUICE_RULE_PROTOCOL))
		out->protocol = match->protocol;
	if (asks(match, SLUICE_RULE_TCP_FLAGS)) {
		out->tcp_mask = match->tcp_mask;
		out->tcp_value = match->tcp_value;
	}
	if (asks(match, SLUICE_RULE_FRAGMENT))
		out->fragment = match->fragment;
	if (asks(match, SLUICE_RULE_DESTINATION)) {
		out->destination = match->destination;
		out->family = match->destination.family;
	}
	out->payload_size = match->payload_size;
	out->payload_offset = match->payload_size ? match->payload_offset : 0;
	for (uint8_t i = 0; i < match->payload_size; i++) {
		out->payload_mask[i] = match->payload_mask[i];
		out->payload[i] = match->payload[i] & match->payload_mask[i];
	}
}

static void read_action(const struct sluice_rule_proposal *proposal, struct dataplane_rule *rule)
{
	uint64_t least = proposal->is_by_byte ? BYTE_BURST_MIN : 1;

	if (proposal->action == SLUICE_RULE_DROP)
		return;
	rule->action = proposal->is_per_source ? DATAPLANE_RULE_LIMIT_SOURCE : DATAPLANE_RULE_LIMIT;
	rule->is_by_byte = proposal->is_by_byte;
	rule->rate = proposal->rate;
	rule->burst = proposal->burst;
	if (!rule->burst)
		rule->burst = rule->rate / 10 > least ? rule->rate / 10 : least;
}

int rule_match_read(const struct sluice_rule_proposal *proposal, struct dataplane_rule *rule,
		    const char **why)
{
	memset(rule, 0, sizeof(*rule));
	if (proposal->match->fields & ~(uint32_t)FIELDS) {
		*why = "the filter cannot ask for that";
		return -EOPNOTSUPP;
	}
	*why = check_values(proposal->match);
	if (!*why)
		*why = check_sense(proposal->match);
	if (!*why)
		*why = check_limit(proposal);
	if (*why)
		return -EINVAL;
	read_match(proposal->match, &rule->match);
	read_action(proposal, rule);
	rule->exempts_known = !proposal->include_known;
	return 0;
}

bool rule_match_equal(const struct sluice_rule_match *a, const struct sluice_rule_match *b)
{
	return a->fields == b->fields && a->family == b->family && rule_match_covers(a, b) &&
	       rule_match_covers(b, a);
}

static bool range_covers(const struct sluice_rule_match *wide,
			 const struct sluice_rule_match *narrow, uint32_t match, size_t offset)
{
	const struct sluice_rule_range *a = (const void *)((const char *)wide + offset);
	const struct sluice_rule_range *b = (const void *)((const char *)narrow + offset);

	return !(wide->fields & match) ||
	       (narrow->fields & match && a->from <= b->from && a->to >= b->to);
}

static bool flags_cover(const struct sluice_rule_match *wide,
			const struct sluice_rule_match *narrow)
{
	if (!(wide->fields & SLUICE_RULE_TCP_FLAGS))
		return true;
	return narrow->fields & SLUICE_RULE_TCP_FLAGS && !(wide->tcp_mask & ~narrow->tcp_mask) &&
	       (narrow->tcp_value & wide->tcp_mask) == wide->tcp_value;
}

static bool fragments_cover(const struct sluice_rule_match *wide,
			    const struct sluice_rule_match *narrow)
{
	if (!(wide->fields & SLUICE_RULE_FRAGMENT))
		return true;
	if (!(narrow->fields & SLUICE_RULE_FRAGMENT))
		return false;
	return wide->fragment == narrow->fragment ||
	       (wide->fragment == SLUICE_RULE_FRAGMENT_ANY &&
		narrow->fragment != SLUICE_RULE_FRAGMENT_NONE);
}

static bool payload_covers(const struct sluice_rule_match *wide,
			   const struct sluice_rule_match *narrow)
{
	if (!wide->payload_size)
		return true;
	if (wide->payload_offset != narrow->payload_offset ||
	    wide->payload_size > narrow->payload_size)
		return false;
	for (uint8_t i = 0; i < wide->payload_size; i++)
		if (wide->payload_mask[i] & ~narrow->payload_mask[i] ||
		    (narrow->payload[i] & wide->payload_mask[i]) !=
			    (wide->payload[i] & wide->payload_mask[i]))
			return false;
	return true;
}

static bool words_cover(const struct sluice_rule_match *wide,
			const struct sluice_rule_match *narrow)
{
	if (wide->family && wide->family != narrow->family)
		return false;
	if (wide->fields & SLUICE_RULE_PROTOCOL &&
	    (!(narrow->fields & SLUICE_RULE_PROTOCOL) || wide->protocol != narrow->protocol))
		return false;
	return !(wide->fields & SLUICE_RULE_DESTINATION) ||
	       (narrow->fields & SLUICE_RULE_DESTINATION &&
		address_covers(&wide->destination, &narrow->destination));
}

bool rule_match_covers(const struct sluice_rule_match *wide, const struct sluice_rule_match *narrow)
{
	static const struct {
		uint32_t match;
		size_t offset;
	} ranges[] = {
		{ SLUICE_RULE_SOURCE_PORT, offsetof(struct sluice_rule_match, source_port) },
		{ SLUICE_RULE_DESTINATION_PORT,
		  offsetof(struct sluice_rule_match, destination_port) },
		{ SLUICE_RULE_LENGTH, offsetof(struct sluice_rule_match, length) },
		{ SLUICE_RULE_TTL, offsetof(struct sluice_rule_match, ttl) },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (!range_covers(wide, narrow, ranges[i].match, ranges[i].offset))
			return false;
	return words_cover(wide, narrow) && flags_cover(wide, narrow) &&
	       fragments_cover(wide, narrow) && payload_covers(wide, narrow);
}
