/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures out of a fingerprint of the DDoS Clearing House, by its "DDoS Fingerprint format".  What
 * varies from site to site (addresses, TTL) is left aside: it is another network that reads it.
 */
#include "set.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include <jansson.h>

#include "base/rule_words.h"

/* A value that so much of a vector has is what the vector is known by. */
#define DOMINANT 0.9
#define ETHERNET_HEADER 14
#define ETHERNET_MIN 60
#define MAX_VECTORS 64

/* The key of a map value -> share that has nearly all; NULL if none has, or it is no map. */
static const char *dominant(const json_t *map)
{
	const char *key;
	json_t *share;

	if (!json_is_object(map))
		return NULL;
	json_object_foreach((json_t *)map, key, share)
		if (json_is_number(share) && json_number_value(share) >= DOMINANT)
			return key;
	return NULL;
}

/* "...A...." or "AP": letters are flags, in any place. */
static bool read_flags(const char *text, struct sluice_rule_match *match)
{
	static const char letters[] = "FSRPAUEC";
	uint8_t value = 0;

	for (const char *at = text; *at; at++) {
		const char *letter = strchr(letters, toupper((unsigned char)*at));

		if (!letter && *at != '.')
			return false;
		if (letter)
			value |= (uint8_t)(1u << (letter - letters));
	}
	match->fields |= SLUICE_RULE_TCP_FLAGS;
	match->tcp_value = value;
	match->tcp_mask = 0xff;
	return true;
}

/* False: a destination port that can be none. */
static bool read_ports(const json_t *vector, struct sluice_rule_match *match)
{
	const json_t *source = json_object_get(vector, "source_port");
	const char *destination = dominant(json_object_get(vector, "destination_ports"));
	struct sluice_rule_range range;

	if (!rule_words_has_ports(match->protocol))
		return true;
	if (json_is_integer(source) && json_integer_value(source) >= 0) {
		match->source_port.from = match->source_port.to =
			(uint16_t)json_integer_value(source);
		match->fields |= SLUICE_RULE_SOURCE_PORT;
	}
	if (!destination)
		return true;
	if (!rule_words_range(destination, UINT16_MAX, &range) || range.from != range.to)
		return false;
	match->destination_port = range;
	match->fields |= SLUICE_RULE_DESTINATION_PORT;
	return true;
}

/* False: a length that no frame has. */
static bool read_length(const json_t *vector, struct sluice_rule_match *match)
{
	const char *length = dominant(json_object_get(vector, "frame_len"));
	struct sluice_rule_range range;
	uint16_t frame;

	if (!length)
		return true;
	if (!rule_words_range(length, UINT16_MAX, &range) || range.from != range.to ||
	    range.from <= ETHERNET_HEADER)
		return false;
	frame = range.from;
	match->length.from = match->length.to = (uint16_t)(frame - ETHERNET_HEADER);
	/* Shorter packets are padded to this. */
	if (frame <= ETHERNET_MIN)
		match->length.from = 0;
	match->fields |= SLUICE_RULE_LENGTH;
	return true;
}

/* null, or a word such as "random": the vector is not known by this. */
static bool is_open(const json_t *value)
{
	return !value || json_is_null(value) || json_is_string(value);
}

/*
 * Without a field that is damaged the rest would fit more packets than whoever shared it meant.  -1
 * is the dissector's word for many source ports.
 */
static bool is_whole(const json_t *vector)
{
	static const char *const maps[] = { "destination_ports", "tcp_flags", "frame_len" };
	const json_t *source = json_object_get(vector, "source_port");

	if (!is_open(source) && !(json_is_integer(source) && json_integer_value(source) >= -1 &&
				  json_integer_value(source) <= UINT16_MAX))
		return false;
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++) {
		const json_t *map = json_object_get(vector, maps[i]);

		if (!is_open(map) && !json_is_object(map))
			return false;
	}
	return true;
}

/* A service's name alone says nothing that a packet could be asked for. */
static bool can_be_told(const struct sluice_rule_match *match)
{
	uint32_t ports = SLUICE_RULE_SOURCE_PORT | SLUICE_RULE_DESTINATION_PORT;

	if (match->fields & SLUICE_RULE_FRAGMENT)
		return true;
	if (match->protocol == IPPROTO_TCP)
		return match->fields & SLUICE_RULE_TCP_FLAGS &&
		       match->fields & (ports | SLUICE_RULE_LENGTH);
	if (match->protocol == IPPROTO_UDP)
		return match->fields & SLUICE_RULE_SOURCE_PORT ||
		       (match->fields & SLUICE_RULE_DESTINATION_PORT &&
			match->fields & SLUICE_RULE_LENGTH);
	return match->fields & SLUICE_RULE_LENGTH;
}

static bool read_match(const json_t *vector, struct sluice_rule_match *match)
{
	const char *protocol = json_string_value(json_object_get(vector, "protocol"));
	const char *service = json_string_value(json_object_get(vector, "service"));
	const char *flags = dominant(json_object_get(vector, "tcp_flags"));
	char lower[16];
	size_t n = 0;

	for (; protocol && protocol[n] && n < sizeof(lower) - 1; n++)
		lower[n] = (char)tolower((unsigned char)protocol[n]);
	lower[n] = '\0';
	if (!is_whole(vector) || !rule_words_protocol(lower, &match->protocol))
		return false;
	match->fields = SLUICE_RULE_PROTOCOL;
	if (service && strstr(service, "ragment")) {
		match->fields |= SLUICE_RULE_FRAGMENT;
		match->fragment = SLUICE_RULE_FRAGMENT_ANY;
		return true;
	}
	if (flags && match->protocol == IPPROTO_TCP && !read_flags(flags, match))
		return false;
	return read_ports(vector, match) && read_length(vector, match) && can_be_told(match);
}

/* Of the service and a number, so that no two in a file are the same. */
static void make_name(const json_t *vector, const char *key, size_t number, char name[])
{
	const char *service = json_string_value(json_object_get(vector, "service"));
	char word[12];
	size_t n = 0;

	for (const char *at = service ? service : "vector"; *at && n < sizeof(word) - 1; at++)
		if (isalnum((unsigned char)*at) && (unsigned char)*at < 0x80)
			word[n++] = (char)tolower((unsigned char)*at);
	word[n] = '\0';
	snprintf(name, SIGNATURE_NAME_SIZE, "%s_%.6s_%zu", n ? word : "vector", key, number % 100);
}

/* The beginning of the fingerprint's key, if that is one. */
static void read_key(const json_t *root, char key[8])
{
	const char *text = json_string_value(json_object_get(root, "key"));
	size_t n = text ? strspn(text, "0123456789abcdef") : 0;

	snprintf(key, 8, "%.6s", n >= 6 ? text : "import");
}

static int import_vectors(struct signature_set *set, const json_t *root, const json_t *vectors,
			  const char *file, size_t *left_out, struct sluice_err *err)
{
	char key[8], where[128];
	int code = 0;

	read_key(root, key);
	for (size_t i = 0; !code && i < json_array_size(vectors); i++) {
		const json_t *vector = json_array_get(vectors, i);
		struct signature signature = { .match.size = sizeof(signature.match) };

		if (!json_is_object(vector) || !read_match(vector, &signature.match)) {
			++*left_out;
			continue;
		}
		make_name(vector, key, i, signature.name);
		snprintf(where, sizeof(where), "%.80s: attack_vectors[%zu]", file, i);
		code = signature_set_add(set, &signature, where, err);
	}
	return code;
}

int signature_set_import(struct signature_set *set, const char *text, size_t size, const char *file,
			 size_t *left_out, struct sluice_err *err)
{
	json_error_t error;
	json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	const json_t *vectors = json_object_get(root, "attack_vectors");
	int code = -EINVAL;

	*left_out = 0;
	if (!root)
		snprintf(err->text, sizeof(err->text), "%.80s:%d:%d: %.120s", file, error.line,
			 error.column, error.text);
	else if (!json_is_array(vectors) || json_array_size(vectors) == 0 ||
		 json_array_size(vectors) > MAX_VECTORS)
		snprintf(err->text, sizeof(err->text),
			 "%.80s: no list 'attack_vectors' of 1 to %d; is this a fingerprint of the "
			 "DDoS Clearing House?",
			 file, MAX_VECTORS);
	else
		code = import_vectors(set, root, vectors, file, left_out, err);
	json_decref(root);
	return code;
}
