/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Shared by the tests of core/config: parse a string, and complain with the file's own errors.
 */
#ifndef SLUICE_TESTS_UNIT_CONFIG_SUPPORT_H
#define SLUICE_TESTS_UNIT_CONFIG_SUPPORT_H

#include <criterion/criterion.h>
#include <string.h>

#include "config/errors.h"
#include "config/manifest.h"
#include "config/node.h"
#include "config/settings.h"

/* The first error as "LINE:COL: key: text" without the file; "" if there is none. */
static inline const char *first_error(const struct config_errors *errors)
{
	static char text[CONFIG_ERROR_TEXT_SIZE];

	if (!errors->count)
		return "";
	config_error_format(&errors->list[0], text);
	return strncmp(text, "f:", 2) ? text : text + 2;
}

static inline struct config_node *node_of(const char *yaml)
{
	struct config_errors errors;
	struct config_node *node;

	config_errors_init(&errors);
	cr_assert_eq(config_node_parse("f", yaml, strlen(yaml), &errors, &node), 0, "%s",
		     first_error(&errors));
	return node;
}

static inline struct settings *settings_of(const char *yaml)
{
	struct config_errors errors;
	struct settings *settings;

	config_errors_init(&errors);
	cr_assert_eq(settings_parse("f", yaml, strlen(yaml), &errors, &settings), 0, "%s",
		     first_error(&errors));
	return settings;
}

static inline struct manifest *manifest_of(const char *yaml)
{
	struct config_errors errors;
	struct manifest *manifest;

	config_errors_init(&errors);
	cr_assert_eq(manifest_parse("f", yaml, strlen(yaml), &errors, &manifest), 0, "%s",
		     first_error(&errors));
	return manifest;
}

#endif /* SLUICE_TESTS_UNIT_CONFIG_SUPPORT_H */
