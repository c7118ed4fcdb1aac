/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The readers of lists that the host lends to plugins.
 */
#include <errno.h>

#include "manifest.h"
#include "manifest_tree.h"
#include "value.h"

static int list_find(const struct sluice_config *config, const char *name,
		     const struct config_value **list)
{
	int result = config_find(config, name, list);

	if (result)
		return result;
	return config_value_type(*list) == CONFIG_VALUE_LIST ? 0 : -EINVAL;
}

static int item_find(const struct sluice_config *config, const char *name, size_t i,
		     const struct config_value **item)
{
	const struct config_value *list;
	int result = list_find(config, name, &list);

	if (result)
		return result;
	if (i >= config_value_count(list))
		return -ERANGE;
	*item = config_value_first(list);
	while (i--)
		*item = config_value_next(*item);
	return 0;
}

int config_list_count(const struct sluice_config *config, const char *name, size_t *n)
{
	const struct config_value *list;
	int result = list_find(config, name, &list);

	if (!result)
		*n = config_value_count(list);
	return result;
}

int config_list_u64(const struct sluice_config *config, const char *name, size_t i, uint64_t *value)
{
	const struct config_value *item;
	int result = item_find(config, name, i, &item);

	if (result)
		return result;
	if (config_value_type(item) != CONFIG_VALUE_U64)
		return -EINVAL;
	*value = config_value_u64(item);
	return 0;
}

int config_list_double(const struct sluice_config *config, const char *name, size_t i,
		       double *value)
{
	const struct config_value *item;
	int result = item_find(config, name, i, &item);

	if (result)
		return result;
	if (config_value_type(item) != CONFIG_VALUE_DOUBLE)
		return -EINVAL;
	*value = config_value_double(item);
	return 0;
}

int config_list_string(const struct sluice_config *config, const char *name, size_t i,
		       const char **value)
{
	const struct config_value *item;
	int result = item_find(config, name, i, &item);

	if (result)
		return result;
	if (config_value_type(item) != CONFIG_VALUE_STRING &&
	    config_value_type(item) != CONFIG_VALUE_KEY)
		return -EINVAL;
	*value = config_value_string(item);
	return 0;
}

int config_list_key(const struct sluice_config *config, const char *name, size_t i,
		    struct sluice_key *key)
{
	const struct config_value *item;
	int result = item_find(config, name, i, &item);

	if (result)
		return result;
	if (config_value_type(item) != CONFIG_VALUE_KEY)
		return -EINVAL;
	*key = *config_value_address(item);
	return 0;
}
