/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures out of YAML; see set.h. */
#include "set.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <yaml.h>

#include "base/rule_words.h"

#define RATE_MAX 1000000000u

/* The first fault ends the reading; the rest of the functions then do nothing. */
struct reader {
	yaml_document_t *document;
	const char *file;
	struct sluice_err *err;
	int code;
};

static void refuse(struct reader *reader, const yaml_node_t *node, const char *what,
		   const char *allowed)
{
	if (reader->code)
		return;
	reader->code = -EINVAL;
	snprintf(reader->err->text, sizeof(reader->err->text), "%s:%zu:%zu: %s%s%s", reader->file,
		 node ? node->start_mark.line + 1 : 1, node ? node->start_mark.column + 1 : 1, what,
		 allowed ? "; allowed: " : "", allowed ? allowed : "");
}

static const char *text_of(struct reader *reader, const yaml_node_t *node, const char *key)
{
	char what[64];

	if (node->type == YAML_SCALAR_NODE &&
	    strlen((const char *)node->data.scalar.value) == node->data.scalar.length)
		return (const char *)node->data.scalar.value;
	snprintf(what, sizeof(what), "'%s' is not a word or number", key);
	refuse(reader, node, what, NULL);
	return "";
}

/* A signature that is being read. */
struct draft {
	struct signature signature;
	uint8_t n_mask; /* Bytes of the payload's mask. */
};

/* What a key of a mapping means; `set` gets the scalar, `enter` the node. */
struct field {
	const char *key;
	const char *allowed;
	bool (*set)(const char *text, struct draft *draft);
	void (*enter)(struct reader *reader, const yaml_node_t *node, struct draft *draft);
};

static void read_mapping(struct reader *reader, const yaml_node_t *node, const struct field *fields,
			 size_t n_fields, struct draft *draft);

#define ARRAY_LENGTH(array) (sizeof(array) / sizeof((array)[0]))

/* "500", "20k", "1M" */
static bool read_number(const char *text, uint64_t most, uint64_t *number)
{
	size_t length = strspn(text, "0123456789");
	const char *at = text + length;

	/* More digits could overflow. */
	if (length == 0 || length > 9)
		return false;
	*number = strtoull(text, NULL, 10);
	if (*at == 'k' || *at == 'M')
		*number *= *at++ == 'k' ? 1000u : 1000000u;
	return *at == '\0' && *number <= most;
}

static bool mark(bool ok, struct draft *draft, enum sluice_rule_field field)
{
	if (ok)
		draft->signature.match.fields |= field;
	return ok;
}

static bool set_protocol(const char *text, struct draft *draft)
{
	return mark(rule_words_protocol(text, &draft->signature.match.protocol), draft,
		    SLUICE_RULE_PROTOCOL);
}

static bool set_source_port(const char *text, struct draft *draft)
{
	return mark(rule_words_range(text, UINT16_MAX, &draft->signature.match.source_port), draft,
		    SLUICE_RULE_SOURCE_PORT);
}

static bool set_destination_port(const char *text, struct draft *draft)
{
	return mark(rule_words_range(text, UINT16_MAX, &draft->signature.match.destination_port),
		    draft, SLUICE_RULE_DESTINATION_PORT);
}

static bool set_tcp_flags(const char *text, struct draft *draft)
{
	return mark(!rule_words_tcp_flags(text, &draft->signature.match.tcp_value,
					  &draft->signature.match.tcp_mask),
		    draft, SLUICE_RULE_TCP_FLAGS);
}

static bool set_length(const char *text, struct draft *draft)
{
	return mark(rule_words_range(text, UINT16_MAX, &draft->signature.match.length), draft,
		    SLUICE_RULE_LENGTH);
}

static bool set_ttl(const char *text, struct draft *draft)
{
	return mark(rule_words_range(text, 255, &draft->signature.match.ttl), draft,
		    SLUICE_RULE_TTL);
}

static bool set_fragment(const char *text, struct draft *draft)
{
	return mark(rule_words_fragment(text, &draft->signature.match.fragment), draft,
		    SLUICE_RULE_FRAGMENT);
}

static bool set_family(const char *text, struct draft *draft)
{
	bool v6 = strcmp(text, "ipv6") == 0;

	draft->signature.match.family = v6 ? SLUICE_FAMILY_IPV6 : SLUICE_FAMILY_IPV4;
	return v6 || strcmp(text, "ipv4") == 0;
}

static bool set_payload_offset(const char *text, struct draft *draft)
{
	uint64_t offset = 0;
	bool ok = read_number(text, 1400, &offset);

	draft->signature.match.payload_offset = (uint16_t)offset;
	return ok;
}

static bool set_payload_bytes(const char *text, struct draft *draft)
{
	draft->signature.match.payload_size =
		rule_words_bytes(text, draft->signature.match.payload);
	return draft->signature.match.payload_size != 0;
}

/* Its length is compared with that of the bytes at the end: the order of keys is free. */
static bool set_payload_mask(const char *text, struct draft *draft)
{
	uint8_t n = rule_words_bytes(text, draft->signature.match.payload_mask);

	draft->n_mask = n;
	return n != 0;
}

static void enter_payload(struct reader *reader, const yaml_node_t *node, struct draft *draft)
{
	static const struct field fields[] = {
		{ "offset", "0 to 1400", set_payload_offset, NULL },
		{ "bytes", "1 to 16 bytes in hexadecimal", set_payload_bytes, NULL },
		{ "mask", "as many bytes as 'bytes' has", set_payload_mask, NULL },
	};
	struct sluice_rule_match *match = &draft->signature.match;

	read_mapping(reader, node, fields, ARRAY_LENGTH(fields), draft);
	uint8_t n_mask = draft->n_mask;

	if (!match->payload_size)
		refuse(reader, node, "'bytes' is missing", NULL);
	if (n_mask && n_mask != match->payload_size)
		refuse(reader, node, "'mask' is not as long as 'bytes'", NULL);
	if (!n_mask)
		memset(match->payload_mask, 0xff, match->payload_size);
	for (uint8_t i = 0; i < match->payload_size; i++)
		if (match->payload[i] & ~match->payload_mask[i])
			refuse(reader, node, "'bytes' has bits set that 'mask' leaves out", NULL);
}

static void enter_match(struct reader *reader, const yaml_node_t *node, struct draft *draft)
{
	static const struct field fields[] = {
		{ "protocol", "tcp, udp, icmp, icmpv6, gre and the like, or 0 to 255", set_protocol,
		  NULL },
		{ "source_port", "0 to 65535, or a range such as 1-19", set_source_port, NULL },
		{ "destination_port", "0 to 65535, or a range such as 1-19", set_destination_port,
		  NULL },
		{ "tcp_flags", "such as syn,!ack of fin, syn, rst, psh, ack, urg, ece, cwr",
		  set_tcp_flags, NULL },
		{ "length", "0 to 65535, or a range such as 40-43", set_length, NULL },
		{ "ttl", "0 to 255, or a range", set_ttl, NULL },
		{ "fragment", "none, first, later, any", set_fragment, NULL },
		{ "family", "ipv4, ipv6", set_family, NULL },
		{ "payload", NULL, NULL, enter_payload },
	};
	const struct sluice_rule_match *match = &draft->signature.match;

	read_mapping(reader, node, fields, ARRAY_LENGTH(fields), draft);
	bool has_protocol = match->fields & SLUICE_RULE_PROTOCOL;

	if (match->fields & (SLUICE_RULE_SOURCE_PORT | SLUICE_RULE_DESTINATION_PORT) &&
	    !(has_protocol && rule_words_has_ports(match->protocol)))
		refuse(reader, node, "ports need a 'protocol' that has them", "tcp, udp, sctp");
	if (match->fields & SLUICE_RULE_TCP_FLAGS && !(has_protocol && match->protocol == 6))
		refuse(reader, node, "'tcp_flags' need 'protocol: tcp'", NULL);
	if (!match->fields && !match->payload_size)
		refuse(reader, node, "this matches every packet", NULL);
}

static bool set_name(const char *text, struct draft *draft)
{
	size_t length = strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_");

	snprintf(draft->signature.name, sizeof(draft->signature.name), "%s", text);
	return length && !text[length] && length < sizeof(draft->signature.name);
}

static bool set_pps(const char *text, struct draft *draft)
{
	return read_number(text, RATE_MAX, &draft->signature.pps) && draft->signature.pps;
}

static bool set_action(const char *text, struct draft *draft)
{
	bool limit = strcmp(text, "limit") == 0;

	draft->signature.action = limit ? SLUICE_RULE_LIMIT : SLUICE_RULE_DROP;
	return limit || strcmp(text, "drop") == 0;
}

static bool set_rate(const char *text, struct draft *draft)
{
	return read_number(text, RATE_MAX, &draft->signature.rate) && draft->signature.rate;
}

static bool set_per(const char *text, struct draft *draft)
{
	draft->signature.is_per_source = strcmp(text, "source") == 0;
	return draft->signature.is_per_source || strcmp(text, "rule") == 0;
}

static void enter_limit(struct reader *reader, const yaml_node_t *node, struct draft *draft)
{
	static const struct field fields[] = {
		{ "rate", "packets per second such as 500 or 2k", set_rate, NULL },
		{ "per", "rule, source", set_per, NULL },
	};

	read_mapping(reader, node, fields, ARRAY_LENGTH(fields), draft);
}

/* For people only. */
static bool set_nothing(const char *text, struct draft *draft)
{
	(void)draft;
	return text[0] != '\0';
}

static const struct field signature_fields[] = {
	{ "name", "up to 23 of a-z, 0-9 and _", set_name, NULL },
	{ "help", "a line for people", set_nothing, NULL },
	{ "reference", "where it is described", set_nothing, NULL },
	{ "pps", "packets per second such as 500 or 2k", set_pps, NULL },
	{ "match", NULL, NULL, enter_match },
	{ "action", "drop, limit", set_action, NULL },
	{ "limit", NULL, NULL, enter_limit },
};

static const struct field *field_find(const struct field *fields, size_t n, const char *key)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(fields[i].key, key) == 0)
			return &fields[i];
	return NULL;
}

static void unknown_key(struct reader *reader, const yaml_node_t *node, const struct field *fields,
			size_t n_fields, const char *key)
{
	char what[96], allowed[160] = "";
	size_t length = 0;

	for (size_t i = 0; i < n_fields && length < sizeof(allowed); i++)
		length += (size_t)snprintf(allowed + length, sizeof(allowed) - length, "%s%s",
					   i ? ", " : "", fields[i].key);
	snprintf(what, sizeof(what), "no key '%.32s' here", key);
	refuse(reader, node, what, allowed);
}

static void read_mapping(struct reader *reader, const yaml_node_t *node, const struct field *fields,
			 size_t n_fields, struct draft *draft)
{
	uint32_t seen = 0;
	char what[96];

	if (node->type != YAML_MAPPING_NODE) {
		refuse(reader, node, "this is not a mapping", NULL);
		return;
	}
	for (const yaml_node_pair_t *pair = node->data.mapping.pairs.start;
	     pair < node->data.mapping.pairs.top && !reader->code; pair++) {
		yaml_node_t *key_node = yaml_document_get_node(reader->document, pair->key);
		yaml_node_t *value = yaml_document_get_node(reader->document, pair->value);
		const char *key = text_of(reader, key_node, "key");
		const struct field *field = field_find(fields, n_fields, key);

		if (!field) {
			unknown_key(reader, key_node, fields, n_fields, key);
			return;
		}
		if (seen & 1u << (field - fields)) {
			snprintf(what, sizeof(what), "'%s' is there twice", key);
			refuse(reader, key_node, what, NULL);
		}
		seen |= 1u << (field - fields);
		if (field->enter) {
			field->enter(reader, value, draft);
		} else if (!field->set(text_of(reader, value, key), draft)) {
			snprintf(what, sizeof(what), "%s '%.48s'", key,
				 value->type == YAML_SCALAR_NODE
					 ? (const char *)value->data.scalar.value
					 : "");
			refuse(reader, value, what, field->allowed);
		}
	}
}

static void read_signature(struct reader *reader, const yaml_node_t *node,
			   struct signature_set *set)
{
	struct draft draft = { .signature.match.size = sizeof(draft.signature.match) };
	const struct signature *signature = &draft.signature;
	char where[128];

	read_mapping(reader, node, signature_fields, ARRAY_LENGTH(signature_fields), &draft);
	if (!signature->name[0])
		refuse(reader, node, "'name' is missing", NULL);
	if (!signature->match.fields && !signature->match.payload_size)
		refuse(reader, node, "'match' is missing", NULL);
	if ((signature->action == SLUICE_RULE_LIMIT) != (signature->rate != 0))
		refuse(reader, node, "'action: limit' and 'limit: { rate: ... }' go together",
		       NULL);
	if (reader->code)
		return;
	snprintf(where, sizeof(where), "%.80s:%zu:%zu", reader->file, node->start_mark.line + 1,
		 node->start_mark.column + 1);
	reader->code = signature_set_add(set, signature, where, reader->err);
}

static void read_root(struct reader *reader, struct signature_set *set)
{
	yaml_node_t *root = yaml_document_get_root_node(reader->document), *list;
	const yaml_node_pair_t *pair;

	if (!root || root->type != YAML_MAPPING_NODE ||
	    root->data.mapping.pairs.top - root->data.mapping.pairs.start != 1) {
		refuse(reader, root, "this is not a mapping with the one key 'signatures'", NULL);
		return;
	}
	pair = root->data.mapping.pairs.start;
	list = yaml_document_get_node(reader->document, pair->key);
	if (strcmp(text_of(reader, list, "key"), "signatures") != 0)
		refuse(reader, list, "the one key here is 'signatures'", NULL);
	list = yaml_document_get_node(reader->document, pair->value);
	if (list->type != YAML_SEQUENCE_NODE)
		refuse(reader, list, "'signatures' is not a list", NULL);
	if (reader->code)
		return;
	for (const yaml_node_item_t *item = list->data.sequence.items.start;
	     item < list->data.sequence.items.top && !reader->code; item++)
		read_signature(reader, yaml_document_get_node(reader->document, *item), set);
}

int signature_set_parse(struct signature_set *set, const char *text, size_t size, const char *file,
			struct sluice_err *err)
{
	yaml_parser_t parser;
	yaml_document_t document;
	struct reader reader = { .document = &document, .file = file, .err = err };

	if (!yaml_parser_initialize(&parser)) {
		snprintf(err->text, sizeof(err->text), "out of memory");
		return -ENOMEM;
	}
	yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
	if (!yaml_parser_load(&parser, &document)) {
		snprintf(err->text, sizeof(err->text), "%s:%zu:%zu: %s", file,
			 parser.problem_mark.line + 1, parser.problem_mark.column + 1,
			 parser.problem ? parser.problem : "not YAML");
		reader.code = -EINVAL;
	} else {
		read_root(&reader, set);
		yaml_document_delete(&document);
	}
	yaml_parser_delete(&parser);
	return reader.code;
}
