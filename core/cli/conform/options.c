/* SPDX-License-Identifier: BSD-2-Clause */
/* See options.h. */
#include "options.h"

#include <stdio.h>
#include <string.h>

#include "config/errors.h"
#include "config/manifest.h"
#include "config/node.h"
#include "plugin/plugin.h"

#include "conform.h"

typedef int (*use_fn)(struct conform *conform, const struct config_node *options);

/* `name: value` as a mapping that the manifest allows; -EINVAL if it does not. */
static int parse(struct conform *conform, const struct manifest_option *option, const char *value,
		 const char *quote, struct config_node **out)
{
	struct sluice_config *config = NULL;
	struct config_errors errors;
	char text[256];
	int rc;

	snprintf(text, sizeof(text), "%s: %s%s%s%s%s\n", option->name, option->items ? "[" : "",
		 quote, value, quote, option->items ? "]" : "");
	config_errors_init(&errors);
	rc = config_node_parse("options", text, strlen(text), &errors, out);
	if (rc != 0)
		return rc;
	rc = plugin_config_new(conform->plugin, *out, "options", NULL, &config, NULL);
	config_free(config);
	if (rc != 0)
		config_node_free(*out);
	return rc;
}

static int try_value(struct conform *conform, const struct manifest_option *option,
		     const char *value, use_fn use)
{
	struct config_node *options = NULL;
	int rc;

	if (!value)
		return 0;
	/* Numbers and booleans are not written in quotes. */
	if (parse(conform, option, value, "\"", &options) != 0 &&
	    parse(conform, option, value, "", &options) != 0)
		return 0;
	rc = use(conform, options);
	config_node_free(options);
	return rc;
}

static int try_option(struct conform *conform, struct manifest_option *option, use_fn use)
{
	int rc = try_value(conform, option, option->minimum, use);
	char *rest, *word;

	if (rc == 0)
		rc = try_value(conform, option, option->maximum, use);
	for (word = strtok_r(option->values, ", ", &rest); word && rc == 0;
	     word = strtok_r(NULL, ", ", &rest))
		rc = try_value(conform, option, word, use);
	if (rc != 0 || strcmp(option->type, "bool") != 0)
		return rc;
	rc = try_value(conform, option, "true", use);
	return rc ? rc : try_value(conform, option, "false", use);
}

int options_try(struct conform *conform, use_fn use)
{
	const struct manifest *manifest = plugin_manifest(conform->plugin);
	size_t n = manifest_n_options(manifest);
	int rc = 0;

	if (conform->options)
		return conform_skip(conform, "not with --options");
	for (size_t i = 0; i < n && rc == 0; i++) {
		struct manifest_option option;

		manifest_option(manifest, i, &option);
		rc = try_option(conform, &option, use);
	}
	return rc || n ? rc : conform_skip(conform, "the manifest declares no options");
}
