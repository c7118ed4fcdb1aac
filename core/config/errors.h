/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is wrong with a file, all of it at once.  The list belongs to the caller, holds its own
 * copies, and counts what no longer fits.
 */
#ifndef SLUICE_CONFIG_ERRORS_H
#define SLUICE_CONFIG_ERRORS_H

#include <stddef.h>

struct config_node;
struct sluice_err;

#define CONFIG_ERRORS_MAX 20
#define CONFIG_ERROR_TEXT_SIZE 960 /* Every error fits. */

struct config_error {
	char file[256];
	unsigned int line, column; /* From 1; 0: the file as a whole. */
	char key[128];		   /* "policy.max_blocked"; may be empty. */
	char text[512];		   /* What is wrong, what is allowed, what was probably meant. */
};

struct config_errors {
	size_t count; /* All, also those that did not fit. */
	struct config_error list[CONFIG_ERRORS_MAX];
};

void config_errors_init(struct config_errors *errors);

/* A NULL list is a no-op.  `key` may be NULL. */
void config_errors_add(struct config_errors *errors, const char *file, unsigned int line,
		       unsigned int column, const char *key, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* At the place of `node`. */
void config_errors_add_at(struct config_errors *errors, const struct config_node *node,
			  const char *key, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* How many of `count` are in `list`. */
size_t config_errors_kept(const struct config_errors *errors);

/*
 * "FILE:LINE:COLUMN: key: text" into `text` of CONFIG_ERROR_TEXT_SIZE bytes; returned for use in a
 * call.
 */
const char *config_error_format(const struct config_error *error, char *text);

/* The first error and how many more, for callers that have room for one.  Both may be NULL. */
void config_errors_to_err(const struct config_errors *errors, struct sluice_err *err);

#endif /* SLUICE_CONFIG_ERRORS_H */
