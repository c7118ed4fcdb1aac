/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The options of one instance, and the readers that the host lends to plugins.
 */
#include "manifest.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "manifest_tree.h"
#include "node.h"
#include "schema.h"
#include "value.h"
#include "value_diff.h"

struct sluice_config {
	struct config_node *options; /* A copy, which the value refers to; or NULL. */
	struct config_value *value;
	const struct config_value *declared; /* The manifest's options. */
};

int config_new(const struct manifest *manifest, const struct config_node *options, const char *key,
	       struct config_errors *errors, struct sluice_config **out)
{
	struct sluice_config *config = calloc(1, sizeof(*config));
	int result;

	if (!config)
		return -ENOMEM;
	config->declared = config_value_get(manifest->value, "options");
	result = options ? config_node_copy(options, &config->options) : 0;
	if (!result)
		result = schema_check(manifest->options, config->options, key, errors,
				      &config->value);
	if (result) {
		config_free(config);
		return result;
	}
	*out = config;
	return 0;
}

void config_free(struct sluice_config *config)
{
	if (!config)
		return;
	config_value_free(config->value);
	config_node_free(config->options);
	free(config);
}

int config_find(const struct sluice_config *config, const char *name,
		const struct config_value **value)
{
	*value = config_value_get(config->value, name);
	if (*value)
		return 0;
	return config_value_get(config->declared, name) ? -ENODATA : -ENOENT;
}

/* The value of an option, of the wanted type. */
static int option_find(const struct sluice_config *config, const char *name,
		       enum config_value_type type, const struct config_value **value)
{
	int result = config_find(config, name, value);

	if (result)
		return result;
	return config_value_type(*value) == type ? 0 : -EINVAL;
}

int config_option_u64(const struct sluice_config *config, const char *name, uint64_t *value)
{
	const struct config_value *found;
	int result = option_find(config, name, CONFIG_VALUE_U64, &found);

	if (!result)
		*value = config_value_u64(found);
	return result;
}

int config_option_double(const struct sluice_config *config, const char *name, double *value)
{
	const struct config_value *found;
	int result = option_find(config, name, CONFIG_VALUE_DOUBLE, &found);

	if (!result)
		*value = config_value_double(found);
	return result;
}

int config_option_bool(const struct sluice_config *config, const char *name, bool *value)
{
	const struct config_value *found;
	int result = option_find(config, name, CONFIG_VALUE_BOOL, &found);

	if (!result)
		*value = config_value_bool(found);
	return result;
}

int config_option_string(const struct sluice_config *config, const char *name, const char **value)
{
	const struct config_value *found;
	int result = option_find(config, name, CONFIG_VALUE_STRING, &found);

	/* Addresses and prefixes are read as they are written. */
	if (result == -EINVAL)
		result = option_find(config, name, CONFIG_VALUE_KEY, &found);
	if (!result)
		*value = config_value_string(found);
	return result;
}

int config_option_key(const struct sluice_config *config, const char *name, struct sluice_key *key)
{
	const struct config_value *found;
	int result = option_find(config, name, CONFIG_VALUE_KEY, &found);

	if (!result)
		*key = *config_value_address(found);
	return result;
}

static bool is_in_use(const struct config_value *value)
{
	if (!value)
		return false;
	switch (config_value_type(value)) {
	case CONFIG_VALUE_U64:
		return config_value_u64(value) != 0;
	case CONFIG_VALUE_DOUBLE:
		return config_value_double(value) != 0;
	case CONFIG_VALUE_BOOL:
		return config_value_bool(value);
	case CONFIG_VALUE_LIST:
		return config_value_count(value) > 0;
	default:
		return true;
	}
}

const char *config_feature(const struct sluice_config *config, size_t i)
{
	const struct config_value *option = config_value_first(config->declared);

	for (; option; option = config_value_next(option)) {
		const struct config_value *need =
			config_value_first(config_value_get(option, "needs"));

		if (!is_in_use(config_value_get(config->value, config_value_key(option))))
			continue;
		for (; need; need = config_value_next(need))
			if (i-- == 0)
				return config_value_string(need);
	}
	return NULL;
}

bool config_equal(const struct sluice_config *a, const struct sluice_config *b)
{
	return value_equal(a->value, b->value);
}

int config_diff(const struct sluice_config *before, const struct sluice_config *after,
		const char *path, struct value_diff *diff)
{
	int result;

	/* What a plugin makes of a list is its own affair. */
	diff->is_ordered = true;
	result = value_diff_add(diff, path, before->value, after->value);
	diff->is_ordered = false;
	return result;
}
