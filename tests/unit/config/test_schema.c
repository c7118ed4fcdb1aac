/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Schemas themselves: what is refused when one is loaded, and how it turns nodes into values.
 */
#include <errno.h>

#include "config/schema.h"
#include "config/value.h"

#include "support.h"

static const struct {
	const char *schema, *error;
} bad[] = {
	{ "[]", "1:1: is not a schema" },
	{ "{}", "1:1: has no type: it would allow anything" },
	{ "type: text", "1:7: type: unknown type" },
	{ "type: [string, [x]]", "1:16: unknown type" },
	{ "type: string\npattern: x", "2:10: pattern: unknown keyword: it would not be checked" },
	{ "type: string\nformat: date", "2:9: format: unknown format" },
	{ "type: object", "1:1: has no additionalProperties: it would allow any key" },
	{ "type: object\nadditionalProperties: true",
	  "2:23: additionalProperties: is neither false nor a schema" },
	{ "type: object\nadditionalProperties: false\nrequired: [a]",
	  "3:12: is required but not among the properties" },
	{ "type: object\nadditionalProperties: false\nproperties: [a]",
	  "3:13: properties: is not a mapping" },
	{ "type: array", "1:1: has no items: it would allow any element" },
	{ "type: string\nenum: []", "2:7: enum: is not a list of values" },
	{ "type: string\nenum: [[a]]", "2:8: is not a scalar" },
	{ "anyOf: x", "1:8: anyOf: is not a list of schemas" },
	{ "type: integer\nminimum: a", "2:10: minimum: is not an integer of at least 0" },
	{ "type: integer\nminimum: -1", "2:10: minimum: is not an integer of at least 0" },
	{ "type: number\nmaximum: a", "2:10: maximum: is not a number" },
	{ "type: string\nmaximum: 1", "2:10: maximum: only numbers have bounds" },
	{ "type: string\nformat: duration\nx-minimum: 5",
	  "3:12: x-minimum: '5' has no unit; write 5s or 5ms" },
	{ "type: array\nminItems: x\nitems: { type: string }",
	  "2:11: minItems: is not an integer of at least 0" },
	{ "type: integer\ndefault: x", "2:10: default: expected an integer, got the string 'x'" },
	{ "type: integer\nmaximum: 3\ndefault: 4",
	  "3:10: default: 4 is out of range; allowed: at most 3" },
	{ "$ref: '#/$defs/a'", "1:7: $ref: refers to nothing in $defs" },
	{ "$ref: other.yaml\n$defs: { a: { type: string } }",
	  "1:7: $ref: refers to nothing in $defs" },
	{ "$ref: '#/$defs/a'\n$defs: { a: { $ref: '#/$defs/a' } }",
	  "2:13: a: is nested too deeply, or refers to itself" },
	{ "type: string\nx-absent: [a]", "2:11: x-absent: is not a mapping" },
	{ "type: object\nadditionalProperties: false\nx-shorthand: a",
	  "3:14: x-shorthand: is not among the properties" },
	{ "type: string\ndescription: [a]", "2:14: description: is not a string" },
};

Test(schema, refuses_what_it_would_not_check)
{
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct config_node *node = node_of(bad[i].schema);
		struct config_errors errors;
		struct schema *schema = NULL;

		config_errors_init(&errors);
		cr_assert_eq(schema_new(node, &errors, &schema), -EINVAL, "accepted: %s",
			     bad[i].schema);
		cr_assert_null(schema);
		cr_assert_str_eq(first_error(&errors), bad[i].error);
		config_node_free(node);
	}
}

/* One schema, one document, and what becomes of it; "" for a document that is valid. */
static const struct {
	const char *schema, *document, *error;
} checks[] = {
	{ "type: integer", "0x1f", "" },
	{ "type: integer", "0o17", "" },
	{ "type: integer", "18446744073709551615", "" },
	{ "type: integer", "18446744073709551616",
	  "1:1: 18446744073709551616 is out of range; allowed: 0 to 2^64-1" },
	{ "type: integer", "-0", "" },
	{ "type: integer", "010",
	  "1:1: '010' begins with a zero, which some read as octal; write 10" },
	{ "type: number", "00.5",
	  "1:1: '00.5' begins with a zero, which some read as octal; write 0.5" },
	{ "type: [integer, string]\nformat: rate", "010k",
	  "1:1: '010k' begins with a zero, which some read as octal; write 10k" },
	{ "type: [integer, string]", "00",
	  "1:1: '00' begins with a zero, which some read as octal; write 0" },
	{ "type: integer", "-1", "1:1: -1 is out of range; allowed: 0 to 2^64-1" },
	{ "type: integer\nminimum: 2", "1", "1:1: 1 is out of range; allowed: at least 2" },
	{ "type: integer", "1.0", "1:1: expected an integer, got 1.0" },
	{ "type: number", "1", "" },
	{ "type: number", "1e400", "1:1: expected a number, got 1e400" },
	{ "type: number", ".nan", "1:1: expected a number, got .nan" },
	{ "type: [string, integer]", "x", "" },
	{ "type: [string, integer]", "1", "" },
	{ "type: [string, integer]", "1.5", "1:1: expected an integer or a string, got 1.5" },
	{ "type: [string, integer]", "-1", "" },
	{ "type: string\nmaxLength: 3", "abc", "" },
	{ "type: string\nmaxLength: 3", "abcd",
	  "1:1: 'abcd...' is too long: 4 bytes; allowed are 3" },
	{ "type: string\nformat: version", "1.4.2", "" },
	{ "type: string\nformat: version", "1.4.2.1",
	  "1:1: '1.4.2.1' is not a version such as 1.4 or 1.4.2" },
	{ "type: string\nformat: version", "1..2",
	  "1:1: '1..2' is not a version such as 1.4 or 1.4.2" },
	{ "type: string\nformat: endpoint", "1.2.3.4:80", "" },
	{ "type: string\nformat: endpoint", "'[::]:80'", "" },
	{ "type: string\nformat: endpoint", "'[]:80'",
	  "1:1: '[]:80' is not an address and port such as 127.0.0.1:9815 or [::1]:9815" },
	{ "type: string\nformat: endpoint", "1.2.3.4:0x50",
	  "1:1: '1.2.3.4:0x50' is not an address and port such as 127.0.0.1:9815 or [::1]:9815" },
	{ "type: string\nformat: address", "192.0.2.0/24",
	  "1:1: '192.0.2.0/24' is a prefix; expected one address" },
	{ "anyOf: [{ type: string, enum: [a] }, { type: array, items: { type: integer } }]", "[1]",
	  "" },
	{ "anyOf: [{ type: string, enum: [a] }, { type: array, items: { type: integer } }]", "[b]",
	  "1:2: [0]: expected an integer, got the string 'b'" },
	{ "anyOf: [{ type: string, enum: [a] }, { type: array, items: { type: integer } }]", "b",
	  "1:1: expected 'a' or a list, got the string 'b'" },
	{ "$ref: '#/$defs/n'\n$defs: { n: { type: integer } }", "x",
	  "1:1: expected an integer, got the string 'x'" },
	{ "type: object\nadditionalProperties: { type: integer }", "{ a: 1, b: x }",
	  "1:12: b: expected an integer, got the string 'x'" },
	{ "type: object\nadditionalProperties: false\nproperties: { a: { type: object, "
	  "additionalProperties: false, required: [b], properties: { b: { type: integer } } } }",
	  "a: {}", "1:4: a.b: missing; required is an integer" },
};

Test(schema, checks)
{
	for (size_t i = 0; i < sizeof(checks) / sizeof(checks[0]); i++) {
		struct config_node *schema_node = node_of(checks[i].schema);
		struct config_node *node = node_of(checks[i].document);
		struct config_value *value = NULL;
		struct config_errors errors;
		struct schema *schema;
		int result;

		config_errors_init(&errors);
		cr_assert_eq(schema_new(schema_node, &errors, &schema), 0, "%s: %s",
			     checks[i].schema, first_error(&errors));
		result = schema_check(schema, node, "", &errors, &value);
		cr_assert_str_eq(first_error(&errors), checks[i].error);
		cr_assert_eq(result, *checks[i].error ? -EINVAL : 0);
		cr_assert_eq(value != NULL, !result);
		config_value_free(value);
		schema_free(schema);
		config_node_free(node);
		config_node_free(schema_node);
	}
}

Test(schema, values_know_whether_they_are_defaults)
{
	struct config_node *schema_node =
		node_of("type: object\nadditionalProperties: false\nproperties:\n"
			"  a: { type: integer, default: 7 }\n"
			"  b: { type: boolean }\n"
			"  c: { type: string, format: duration, default: 2s }\n");
	struct config_node *node = node_of("{ a: 8 }");
	struct config_value *value;
	struct schema *schema;

	cr_assert_eq(schema_new(schema_node, NULL, &schema), 0);
	cr_assert_eq(schema_check(schema, node, "", NULL, &value), 0);
	cr_assert_eq(config_value_count(value), 2);
	cr_assert_eq(config_value_u64(config_value_get(value, "a")), 8);
	cr_assert_not_null(config_value_node(config_value_get(value, "a")));
	cr_assert_null(config_value_get(value, "b"));
	cr_assert_eq(config_value_u64(config_value_get(value, "c")), 2000000000);
	cr_assert_null(config_value_node(config_value_get(value, "c")));
	config_value_free(value);
	cr_assert_eq(schema_check(schema, NULL, "", NULL, &value), 0, "no node: all defaults");
	cr_assert_eq(config_value_u64(config_value_get(value, "a")), 7);
	config_value_free(value);
	schema_free(schema);
	config_node_free(node);
	config_node_free(schema_node);
	schema_free(NULL);
	config_value_free(NULL);
}
