/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule_compile.h. */
#include "rule_compile.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "rules_shared.h"

_Static_assert(DATAPLANE_MAX_RULES == RULES_MAX, "one limit");
_Static_assert(SLUICE_RULE_NAME_SIZE == RULES_NAME_SIZE, "one limit");
_Static_assert(SLUICE_RULE_PAYLOAD_MAX == RULES_PAYLOAD_MAX, "one limit");
_Static_assert((int)DATAPLANE_RULE_DROP == (int)RULES_DROP &&
		       (int)DATAPLANE_RULE_PASS == (int)RULES_PASS &&
		       (int)DATAPLANE_RULE_LIMIT == (int)RULES_LIMIT &&
		       (int)DATAPLANE_RULE_LIMIT_SOURCE == (int)RULES_LIMIT_SOURCE,
	       "actions are stored as they are");

static bool is_limit(const struct dataplane_rule *rule)
{
	return rule->action == DATAPLANE_RULE_LIMIT || rule->action == DATAPLANE_RULE_LIMIT_SOURCE;
}

static bool asks(const struct dataplane_rule *rule, uint32_t match)
{
	return rule->match.fields & match;
}

static const char *check_limit(const struct dataplane_rule *rule)
{
	if (!is_limit(rule))
		return NULL;
	if (rule->rate == 0 || rule->rate > (rule->is_by_byte ? DATAPLANE_RULE_MAX_BYTE_RATE
							      : DATAPLANE_RULE_MAX_PACKET_RATE))
		return "its rate is out of range";
	if (rule->is_by_byte && rule->rate < DATAPLANE_RULE_MIN_BYTE_RATE)
		return "a rate in bytes is at least 1000";
	if (rule->burst == 0)
		return "its burst is 0, so nothing would ever pass";
	if (rule->burst / rule->rate >= DATAPLANE_RULE_MAX_BURST_SECONDS)
		return "its burst is more than an hour's worth";
	return NULL;
}

static const char *check_match(const struct dataplane_rule *rule)
{
	const struct sluice_key *destination = &rule->match.destination;

	if (rule->match.family != 0 && rule->match.family != SLUICE_FAMILY_IPV4 &&
	    rule->match.family != SLUICE_FAMILY_IPV6)
		return "it has no such family";
	if (rule->match.source_port.from > rule->match.source_port.to ||
	    rule->match.destination_port.from > rule->match.destination_port.to ||
	    rule->match.length.from > rule->match.length.to ||
	    rule->match.ttl.from > rule->match.ttl.to)
		return "a range ends before it begins";
	if (rule->match.ttl.to > 255)
		return "no TTL is above 255";
	if (rule->match.tcp_value & ~rule->match.tcp_mask)
		return "TCP flags are asked for that its mask leaves out";
	if (rule->match.fragment > SLUICE_RULE_FRAGMENT_ANY)
		return "it has no such fragment";
	if (rule->match.payload_size > RULES_PAYLOAD_MAX)
		return "more than 16 bytes of payload";
	if (!asks(rule, SLUICE_RULE_DESTINATION))
		return NULL;
	if (!address_is_valid(destination))
		return "its destination is not a prefix";
	if (rule->match.family && rule->match.family != destination->family)
		return "its destination is of the other family";
	return NULL;
}

static const char *check_name(const struct dataplane_rule *rules, size_t i)
{
	const char *name = rules[i].name;

	if (!name[0] || !memchr(name, 0, sizeof(rules[i].name)))
		return "it has no name, or one that is too long";
	for (size_t other = 0; other < i; other++)
		if (strcmp(rules[other].name, name) == 0)
			return "another rule has the same name";
	return NULL;
}

int rule_compile_check(const struct dataplane_rule *rules, size_t n, struct sluice_err *err)
{
	if (n > RULES_MAX) {
		err_set(err, "rules", "%zu rules; there is room for %d", n, RULES_MAX);
		return -EINVAL;
	}
	for (size_t i = 0; i < n; i++) {
		const char *wrong = check_name(rules, i);

		if (!wrong)
			wrong = check_match(&rules[i]);
		if (!wrong && rules[i].action > DATAPLANE_RULE_LIMIT_SOURCE)
			wrong = "it has no such action";
		if (!wrong)
			wrong = check_limit(&rules[i]);
		if (!wrong && i && rules[i - 1].is_automatic && !rules[i].is_automatic)
			wrong = "it lasts, and comes behind one that may lapse";
		if (wrong) {
			err_set(err, "rules", "rule %zu ('%.*s'): %s", i + 1, RULES_NAME_SIZE - 1,
				rules[i].name, wrong);
			return -EINVAL;
		}
	}
	return 0;
}

static void bit_set(struct rules_bits *bits, size_t i)
{
	bits->word[i / 64] |= (__u64)1 << i % 64;
}

/* Values by number: TTLs, protocols, TCP flags. */
static void compile_ttl(const struct dataplane_rule *rule, size_t i, struct rules_generation *out)
{
	for (unsigned int value = 0; value < 256; value++)
		if (!asks(rule, SLUICE_RULE_TTL) ||
		    (value >= rule->match.ttl.from && value <= rule->match.ttl.to))
			bit_set(&out->ttl[value], i);
}

static void compile_protocol(const struct dataplane_rule *rule, size_t i,
			     struct rules_generation *out)
{
	for (unsigned int value = 0; value < 256; value++)
		if (!asks(rule, SLUICE_RULE_PROTOCOL) || value == rule->match.protocol)
			bit_set(&out->protocol[value], i);
}

static void compile_tcp_flags(const struct dataplane_rule *rule, size_t i,
			      struct rules_generation *out)
{
	bool is_asked = asks(rule, SLUICE_RULE_TCP_FLAGS);

	for (unsigned int value = 0; value < 256; value++)
		if (!is_asked || (value & rule->match.tcp_mask) == rule->match.tcp_value)
			bit_set(&out->tcp_flags[value], i);
	if (!is_asked)
		bit_set(&out->tcp_flags[256], i);
}

static bool fragment_fits(const struct dataplane_rule *rule, unsigned int fragment)
{
	if (!asks(rule, SLUICE_RULE_FRAGMENT))
		return true;
	if (rule->match.fragment == SLUICE_RULE_FRAGMENT_ANY)
		return fragment != RULES_FRAGMENT_NONE;
	return (unsigned int)rule->match.fragment == fragment;
}

/* A destination of one family asks for that family. */
static uint8_t family_of(const struct dataplane_rule *rule)
{
	return asks(rule, SLUICE_RULE_DESTINATION) ? rule->match.destination.family
						   : rule->match.family;
}

static void compile_kind(const struct dataplane_rule *rule, size_t i, struct rules_generation *out)
{
	uint8_t family = family_of(rule);

	for (unsigned int fragment = 0; fragment < RULES_N_FRAGMENTS; fragment++) {
		if (!fragment_fits(rule, fragment))
			continue;
		if (family != SLUICE_FAMILY_IPV6)
			bit_set(&out->kind[fragment], i);
		if (family != SLUICE_FAMILY_IPV4)
			bit_set(&out->kind[RULES_KIND_IPV6 + fragment], i);
	}
}

/* A field of 16 bits: which of a rule's ranges, and what asks for it. */
struct range_field {
	uint32_t match;
	size_t offset; /* In struct sluice_rule_match. */
};

static const struct sluice_rule_range *range_of(const struct dataplane_rule *rule,
						const struct range_field *field)
{
	return (const void *)((const char *)&rule->match + field->offset);
}

static int compare_cuts(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Where intervals begin: in order, each once, 0 first.  Returns how many. */
static size_t range_cuts(const struct dataplane_rule *rules, size_t n,
			 const struct range_field *field, uint32_t cuts[RULES_INTERVALS])
{
	size_t n_cuts = 0, n_kept = 0;

	cuts[n_cuts++] = 0;
	for (size_t i = 0; i < n; i++) {
		const struct sluice_rule_range *range = range_of(&rules[i], field);

		if (!asks(&rules[i], field->match))
			continue;
		cuts[n_cuts++] = range->from;
		cuts[n_cuts++] = range->to + 1u;
	}
	qsort(cuts, n_cuts, sizeof(*cuts), compare_cuts);
	for (size_t i = 0; i < n_cuts; i++)
		if (cuts[i] <= 65535 && (n_kept == 0 || cuts[i] != cuts[n_kept - 1]))
			cuts[n_kept++] = cuts[i];
	return n_kept;
}

static void compile_range(const struct dataplane_rule *rules, size_t n,
			  const struct range_field *field, struct rules_ranges *out)
{
	uint32_t cuts[RULES_INTERVALS];
	size_t n_cuts = range_cuts(rules, n, field, cuts);

	for (size_t k = 0; k < n_cuts; k++) {
		uint32_t end = k + 1 < n_cuts ? cuts[k + 1] : 65536;

		for (uint32_t value = cuts[k]; value < end; value++)
			out->class[value] = (__u16)(k + 1);
	}
	for (size_t i = 0; i < n; i++) {
		const struct sluice_rule_range *range = range_of(&rules[i], field);
		bool is_asked = asks(&rules[i], field->match);

		if (!is_asked)
			bit_set(&out->bits[0], i);
		for (size_t k = 0; k < n_cuts; k++)
			if (!is_asked || (cuts[k] >= range->from && cuts[k] <= range->to))
				bit_set(&out->bits[k + 1], i);
	}
}

/* An address of either family in host byte order, as the filter compares them. */
struct place {
	uint64_t high, low;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	if (x->high != y->high)
		return x->high > y->high ? 1 : -1;
	return (x->low > y->low) - (x->low < y->low);
}

static struct place place_of(const struct sluice_key *key)
{
	struct place place = { 0 };
	uint64_t half;
	uint32_t word;

	if (key->family == SLUICE_FAMILY_IPV4) {
		memcpy(&word, key->addr, sizeof(word));
		place.high = (uint64_t)ntohl(word) << 32;
		return place;
	}
	memcpy(&half, key->addr, sizeof(half));
	place.high = be64toh(half);
	memcpy(&half, key->addr + 8, sizeof(half));
	place.low = be64toh(half);
	return place;
}

/* The first place behind a prefix.  False: it reaches the end of all addresses. */
static bool place_behind(const struct sluice_key *key, struct place *place)
{
	unsigned int len = key->prefix_len;
	bool is_long = len > 64;

	*place = place_of(key);
	if (len == 0)
		return false;
	if (is_long) {
		place->low += (uint64_t)1 << (128 - len);
		place->high += place->low == 0;
		return place->low != 0 || place->high != 0;
	}
	place->high += (uint64_t)1 << (64 - len);
	return place->high != 0;
}

static size_t place_cuts(const struct dataplane_rule *rules, size_t n, uint8_t family,
			 struct place cuts[RULES_INTERVALS])
{
	size_t n_cuts = 0, n_kept = 0;

	cuts[n_cuts++] = (struct place){ 0 };
	for (size_t i = 0; i < n; i++) {
		const struct sluice_key *key = &rules[i].match.destination;

		if (!asks(&rules[i], SLUICE_RULE_DESTINATION) || key->family != family)
			continue;
		cuts[n_cuts++] = place_of(key);
		n_cuts += place_behind(key, &cuts[n_cuts]);
	}
	qsort(cuts, n_cuts, sizeof(*cuts), compare_places);
	for (size_t i = 0; i < n_cuts; i++)
		if (n_kept == 0 || compare_places(&cuts[i], &cuts[n_kept - 1]) != 0)
			cuts[n_kept++] = cuts[i];
	return n_kept;
}

static bool destination_has(const struct dataplane_rule *rule, uint8_t family,
			    const struct place *place)
{
	const struct sluice_key *key = &rule->match.destination;
	struct place from = place_of(key), behind;

	if (!asks(rule, SLUICE_RULE_DESTINATION))
		return true;
	if (key->family != family || compare_places(place, &from) < 0)
		return false;
	return !place_behind(key, &behind) || compare_places(place, &behind) < 0;
}

static void compile_destination(const struct dataplane_rule *rules, size_t n, uint8_t family,
				struct rules_prefixes *out)
{
	/* One more, which place_behind() may write though it does not count. */
	struct place cuts[RULES_INTERVALS + 1];
	size_t n_cuts = place_cuts(rules, n, family, cuts), k = 0;

	for (uint32_t top = 0; top <= 65535; top++) {
		while (k + 1 < n_cuts && cuts[k + 1].high <= (uint64_t)top << 48 &&
		       (cuts[k + 1].high < (uint64_t)top << 48 || cuts[k + 1].low == 0))
			k++;
		out->first[top] = (__u16)k;
	}
	out->first[65536] = (__u16)(n_cuts - 1);
	for (k = 0; k < n_cuts; k++) {
		out->high[k] = cuts[k].high;
		out->low[k] = cuts[k].low;
		for (size_t i = 0; i < n; i++)
			if (destination_has(&rules[i], family, &cuts[k]))
				bit_set(&out->bits[k], i);
	}
}

static void compile_action(const struct dataplane_rule *rule, struct rules_rule *out)
{
	out->action = (__u8)rule->action;
	out->exempts_known = rule->exempts_known;
	out->payload_size = rule->match.payload_size;
	out->payload_offset = rule->match.payload_offset;
	for (unsigned int i = 0; i < rule->match.payload_size; i++) {
		out->mask[i] = rule->match.payload_mask[i];
		out->value[i] = rule->match.payload[i] & rule->match.payload_mask[i];
	}
	if (!is_limit(rule))
		return;
	out->is_by_byte = rule->is_by_byte;
	out->cost = (((__u64)1000000000 << 20) + rule->rate / 2) / rule->rate;
	/* Seconds and the rest apart, so that nothing overflows. */
	out->credit = (rule->burst / rule->rate) * ((__u64)1000000000 << 6) +
		      (__u64)((double)(rule->burst % rule->rate) / (double)rule->rate *
			      (double)((__u64)1000000000 << 6));
	/* What was rounded away must not be what the last packet of a burst is short of. */
	__u64 whole = rule->is_by_byte ? 0 : rule->burst * (out->cost >> 14);

	if (out->credit < whole)
		out->credit = whole;
}

static uint32_t fields_of(const struct dataplane_rule *rule)
{
	static const struct {
		uint32_t match, field;
	} fields[] = {
		{ SLUICE_RULE_PROTOCOL, RULES_PROTOCOL },
		{ SLUICE_RULE_SOURCE_PORT, RULES_SOURCE_PORT },
		{ SLUICE_RULE_DESTINATION_PORT, RULES_DESTINATION_PORT },
		{ SLUICE_RULE_TCP_FLAGS, RULES_TCP_FLAGS },
		{ SLUICE_RULE_LENGTH, RULES_LENGTH },
		{ SLUICE_RULE_TTL, RULES_TTL },
	};
	uint32_t used = 0;

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (asks(rule, fields[i].match))
			used |= fields[i].field;
	if (asks(rule, SLUICE_RULE_DESTINATION))
		used |= rule->match.destination.family == SLUICE_FAMILY_IPV4 ? RULES_DESTINATION4
									     : RULES_DESTINATION6;
	return used;
}

void rule_compile(const struct dataplane_rule *rules, size_t n, struct rules_generation *out)
{
	static const struct range_field source = {
		SLUICE_RULE_SOURCE_PORT, offsetof(struct sluice_rule_match, source_port)
	};
	static const struct range_field destination = {
		SLUICE_RULE_DESTINATION_PORT, offsetof(struct sluice_rule_match, destination_port)
	};
	static const struct range_field length = { SLUICE_RULE_LENGTH,
						   offsetof(struct sluice_rule_match, length) };

	memset(out, 0, sizeof(*out));
	out->n = (__u32)n;
	for (size_t i = 0; i < n; i++) {
		/* The caller puts automatic ones last. */
		out->n_lasting += !rules[i].is_automatic;
		out->used |= fields_of(&rules[i]);
		compile_kind(&rules[i], i, out);
		compile_protocol(&rules[i], i, out);
		compile_ttl(&rules[i], i, out);
		compile_tcp_flags(&rules[i], i, out);
		compile_action(&rules[i], &out->rule[i]);
		if (rules[i].match.payload_size)
			bit_set(&out->has_payload, i);
	}
	compile_range(rules, n, &source, &out->source_port);
	compile_range(rules, n, &destination, &out->destination_port);
	compile_range(rules, n, &length, &out->length);
	compile_destination(rules, n, SLUICE_FAMILY_IPV4, &out->destination4);
	compile_destination(rules, n, SLUICE_FAMILY_IPV6, &out->destination6);
}
