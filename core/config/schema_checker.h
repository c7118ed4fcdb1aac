/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One run of a check, shared by schema_check.c (structure) and schema_scalar.c (leaves).
 */
#ifndef SLUICE_CONFIG_SCHEMA_CHECKER_H
#define SLUICE_CONFIG_SCHEMA_CHECKER_H

#include "schema_tree.h"
#include "value_tree.h"

/*
 * How near a refused node came to being right.  Among the branches of anyOf, the reason of one that
 * came nearer than "another word" is the one to tell.
 */
enum checker_rank {
	CHECKER_RANK_TYPE,  /* A list where a number is wanted. */
	CHECKER_RANK_WORD,  /* A word, but not one of those. */
	CHECKER_RANK_VALUE, /* Clearly meant so: a number out of range, a prefix with stray bits. */
	CHECKER_RANK_INSIDE, /* A mapping or list with an error inside. */
};

struct checker {
	struct value_tree *tree;
	struct config_errors *errors; /* NULL: a trial. */
	enum checker_rank rank;	      /* Of the last refusal. */
	bool in_default;
};

#define CHECKER_KEY_SIZE 128
#define CHECKER_WORDS_SIZE 400

/* NULL when memory is out. */
struct config_value *checker_value_new(struct checker *checker, enum config_value_type type,
				       const struct config_node *node);

/* Adds an error at `node`, which may be NULL; notes the rank; always -EINVAL. */
int checker_refuse(struct checker *checker, enum checker_rank rank, const struct config_node *node,
		   const char *key, const char *fmt, ...) __attribute__((format(printf, 5, 6)));
/* "expected ..., got ..." */
int checker_refuse_type(struct checker *checker, const struct schema_node *schema,
			const struct config_node *node, const char *key);
/* Puts a description of what the node is into `text`. */
void checker_got(const struct config_node *node, char *text, size_t size);
/* The reason that x-absent gives for `name`, or NULL. */
const char *checker_absent(const struct schema_node *schema, const char *name);
/* " did you mean 'NAME'? Allowed", or " allowed". */
void checker_suggest(const char *name, const char *const *candidates, size_t n, char *text,
		     size_t size);

/* schema_scalar.c: 0, -EINVAL (reported) or -ENOMEM. */
int checker_scalar(struct checker *checker, const struct schema_node *schema,
		   const struct config_node *node, const char *key, struct config_value **out)
	__attribute__((warn_unused_result));

#endif /* SLUICE_CONFIG_SCHEMA_CHECKER_H */
