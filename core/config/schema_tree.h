/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A schema as it is interpreted; for schema*.c, manifest_options.c and the generator of
 * docs/CONFIG.md.
 */
#ifndef SLUICE_CONFIG_SCHEMA_TREE_H
#define SLUICE_CONFIG_SCHEMA_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/quantity.h"

#include "errors.h"
#include "node.h"
#include "value.h"

enum schema_type {
	SCHEMA_TYPE_OBJECT = 1u << 0,
	SCHEMA_TYPE_ARRAY = 1u << 1,
	SCHEMA_TYPE_STRING = 1u << 2,
	SCHEMA_TYPE_INTEGER = 1u << 3,
	SCHEMA_TYPE_NUMBER = 1u << 4,
	SCHEMA_TYPE_BOOLEAN = 1u << 5,
};

/* The quantities come first and in the order of enum quantity_kind. */
enum schema_format {
	SCHEMA_FORMAT_COUNT = QUANTITY_COUNT,
	SCHEMA_FORMAT_DURATION = QUANTITY_DURATION,
	SCHEMA_FORMAT_RATE = QUANTITY_RATE,
	SCHEMA_FORMAT_BITS = QUANTITY_BITS,
	SCHEMA_FORMAT_BYTES = QUANTITY_BYTES,
	SCHEMA_FORMAT_ADDRESS,
	SCHEMA_FORMAT_PREFIX,
	SCHEMA_FORMAT_INTERFACE,
	SCHEMA_FORMAT_PATH,
	SCHEMA_FORMAT_NAME,
	SCHEMA_FORMAT_ENDPOINT,
	SCHEMA_FORMAT_VERSION,
	SCHEMA_FORMAT_ABI,
	SCHEMA_FORMAT_NONE,
};

/* `number` for integers and quantities, `real` for numbers. */
struct schema_bound {
	bool set;
	uint64_t number;
	double real;
};

struct schema_node;

struct schema_property {
	const char *name;
	struct schema_node *schema;
	bool required;
};

struct schema_node {
	unsigned int types; /* enum schema_type; 0 when any_of decides. */
	enum schema_format format;
	const struct config_node *values; /* `enum`, a sequence; or NULL. */
	struct schema_bound minimum, maximum;
	size_t min_items, max_items, max_len;
	struct schema_property *properties;
	size_t n_properties;
	struct schema_node *extra;	    /* additionalProperties; NULL: none allowed. */
	struct schema_node *property_names; /* May be NULL. */
	struct schema_node *items;
	struct schema_node **any_of;
	size_t n_any_of;
	const struct config_node *fallback; /* `default`, or NULL. */
	const struct config_node *absent;   /* `x-absent`, or NULL. */
	const char *shorthand;
	const char *description; /* May be NULL. */
	bool opaque;
};

struct schema {
	struct arena arena;
	struct schema_node *root;
};

/* Why a text is not of a string format, or 0.  Not for quantities and addresses. */
int schema_format_check(enum schema_format format, const char *text, struct sluice_err *err)
	__attribute__((warn_unused_result));
int schema_format_parse(const char *name, enum schema_format *format)
	__attribute__((warn_unused_result));
static inline bool schema_format_is_quantity(enum schema_format format)
{
	return format <= SCHEMA_FORMAT_BYTES;
}

/* An integer as YAML writes it.  0, -EINVAL, or -ERANGE below 0 or beyond 64 bits. */
int schema_integer_parse(const char *text, uint64_t *value) __attribute__((warn_unused_result));
/* A finite number.  0 or -EINVAL. */
int schema_real_parse(const char *text, double *value) __attribute__((warn_unused_result));
/* Reads a bound in the notation of `schema`.  Its reasons go to `errors`, under `key`. */
int schema_bound_parse(const struct schema_node *schema, const struct config_node *node,
		       const char *key, struct schema_bound *bound, struct config_errors *errors)
	__attribute__((warn_unused_result));

/* What is allowed, as part of a sentence: "a duration such as 10s (100ms to 1m)". */
void schema_describe(const struct schema_node *schema, char *text, size_t size);
/* "100ms to 1m", "at least 1", or "" without bounds. */
void schema_describe_range(const struct schema_node *schema, char *text, size_t size);
/* "a, b, c": the values of an enum. */
void schema_describe_values(const struct schema_node *schema, char *text, size_t size);
/* One number in the notation of `schema`. */
void schema_describe_bound(const struct schema_node *schema, const struct schema_bound *bound,
			   char *text, size_t size);

/* As schema_check(), for any node of a schema. */
int schema_node_check(const struct schema_node *schema, const struct config_node *node,
		      const char *key, struct config_errors *errors, struct config_value **out)
	__attribute__((warn_unused_result));
/* Checks that the default of `schema` is allowed by it. */
int schema_fallback_check(const struct schema_node *schema, const char *key,
			  struct config_errors *errors) __attribute__((warn_unused_result));

#endif /* SLUICE_CONFIG_SCHEMA_TREE_H */
