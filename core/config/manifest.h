/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * `<name>.plugin.yaml`: what a plugin is, what it needs and which options it takes; and an
 * instance's options checked against it.  schemas/manifest.schema.yaml is the authority on the
 * form of a manifest.
 */
#ifndef SLUICE_CONFIG_MANIFEST_H
#define SLUICE_CONFIG_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

struct config_errors;
struct config_node;
struct manifest;
struct sluice_config;
struct value_diff;

/* 0, -ENOENT no such file, another errno of open() and read(), -EINVAL, -ENOMEM. */
int manifest_load(const char *path, struct config_errors *errors, struct manifest **out)
	__attribute__((warn_unused_result));
/* The same from memory; `file` is what messages call it. */
int manifest_parse(const char *file, const char *text, size_t size, struct config_errors *errors,
		   struct manifest **out) __attribute__((warn_unused_result));
void manifest_free(struct manifest *manifest);

/* Strings live as long as the manifest. */
enum sluice_plugin_kind manifest_kind(const struct manifest *manifest);
uint16_t manifest_abi_major(const struct manifest *manifest);
uint16_t manifest_abi_minor(const struct manifest *manifest);
const char *manifest_name(const struct manifest *manifest);
const char *manifest_version(const struct manifest *manifest);
const char *manifest_license(const struct manifest *manifest);
const char *manifest_description(const struct manifest *manifest);
const char *manifest_file(const struct manifest *manifest);

/* What it needs, each with its own list: feature extractors, and capabilities ("CAP_NET_ADMIN"). */
size_t manifest_n_features(const struct manifest *manifest);
const char *manifest_feature(const struct manifest *manifest, size_t i);
size_t manifest_n_capabilities(const struct manifest *manifest);
const char *manifest_capability(const struct manifest *manifest, size_t i);
/* The oldest kernel it runs on, "6.1"; NULL if it does not say. */
const char *manifest_kernel(const struct manifest *manifest);

/* One option as the manifest declares it; strings live as long as the manifest, NULL: not given. */
struct manifest_option {
	const char *name, *type, *help, *unit;
	/* Of a list: the type of its items, whose bounds, values and, if they say so, unit these are. */
	const char *items;
	const char *items_help;
	const char *fallback, *minimum,
		*maximum; /* As written; of a list, a default is in `list`. */
	bool required;
	char values[512]; /* Of an enum: "a, b, c"; else empty. */
	char list[512];	  /* The default of a list: "[a, b]"; else empty. */
};

size_t manifest_n_options(const struct manifest *manifest);
/* The option of this place, in the file's order. */
void manifest_option(const struct manifest *manifest, size_t i, struct manifest_option *option);

/*
 * The options of one instance: `options` (NULL: none given) checked against the manifest, with its
 * defaults.  `key` is the path of `options` in the deployment file, as "detectors[0].options".
 * `manifest` must outlive the result.  0, -EINVAL or -ENOMEM.
 */
int config_new(const struct manifest *manifest, const struct config_node *options, const char *key,
	       struct config_errors *errors, struct sluice_config **out)
	__attribute__((warn_unused_result));
void config_free(struct sluice_config *config);

/*
 * The readers of struct sluice_host: 0; -ENOENT the manifest does not declare the option; -EINVAL
 * it is of another type; -ENODATA it is declared without a default and was not given.  Addresses
 * and prefixes are read as strings, or as keys.
 */
int config_option_u64(const struct sluice_config *config, const char *name, uint64_t *value);
int config_option_double(const struct sluice_config *config, const char *name, double *value);
int config_option_bool(const struct sluice_config *config, const char *name, bool *value);
int config_option_string(const struct sluice_config *config, const char *name, const char **value);
int config_option_key(const struct sluice_config *config, const char *name, struct sluice_key *key);

/* The same for item `i` of a list; -ERANGE: it has fewer. */
int config_list_count(const struct sluice_config *config, const char *name, size_t *n);
int config_list_u64(const struct sluice_config *config, const char *name, size_t i,
		    uint64_t *value);
int config_list_double(const struct sluice_config *config, const char *name, size_t i,
		       double *value);
int config_list_string(const struct sluice_config *config, const char *name, size_t i,
		       const char **value);
int config_list_key(const struct sluice_config *config, const char *name, size_t i,
		    struct sluice_key *key);

/* All of these as members of a struct sluice_host, whoever the host is. */
#define CONFIG_SERVICES                                                           \
	.option_u64 = config_option_u64, .option_double = config_option_double,   \
	.option_bool = config_option_bool, .option_string = config_option_string, \
	.option_key = config_option_key, .list_count = config_list_count,         \
	.list_u64 = config_list_u64, .list_double = config_list_double,           \
	.list_string = config_list_string, .list_key = config_list_key

/*
 * The features that options need which are in use, that is, have a value other than 0, false and []:
 * one after the other, NULL at the end.  A feature may come more than once.
 */
const char *config_feature(const struct sluice_config *config, size_t i);

/* True if both give every option the same value, so that a reload keeps the instance. */
bool config_equal(const struct sluice_config *a, const struct sluice_config *b);
/* Appends the options in which they differ, below `path`.  0 or -ENOMEM. */
int config_diff(const struct sluice_config *before, const struct sluice_config *after,
		const char *path, struct value_diff *diff) __attribute__((warn_unused_result));

#endif /* SLUICE_CONFIG_MANIFEST_H */
