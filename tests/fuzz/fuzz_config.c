/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as a deployment file, as a manifest, and as a plugin's options.  Besides not crashing:
 * an object is given exactly when the result says so, and a refusal has a reason.
 */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "config/errors.h"
#include "config/manifest.h"
#include "config/node.h"
#include "config/settings.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char with_options[] =
	"{ kind: detector, abi: '1.0', name: a, version: 1.0, license: x, description: x, options: {"
	" i: { type: int, minimum: 1, help: x }, n: { type: number, maximum: 2, help: x },"
	" b: { type: bool, help: x }, s: { type: string, help: x },"
	" e: { type: enum, values: [x, y], help: x }, d: { type: duration, help: x },"
	" r: { type: rate, help: x }, z: { type: bytes, help: x }, w: { type: bits, help: x },"
	" a: { type: address, help: x }, p: { type: prefix, help: x },"
	" f: { type: path, help: x } } }";

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_errors(int result, const struct config_errors *errors)
{
	char text[CONFIG_ERROR_TEXT_SIZE];

	require(result == 0 || result == -EINVAL || result == -EFBIG);
	require(!result == !errors->count);
	for (size_t i = 0; i < config_errors_kept(errors); i++)
		config_error_format(&errors->list[i], text);
}

static void try_settings(const char *text, size_t size)
{
	static struct config_errors errors;
	struct settings *settings = NULL;

	config_errors_init(&errors);
	check_errors(settings_parse("f", text, size, &errors, &settings), &errors);
	require(!settings == !!errors.count);
	settings_free(settings);
}

static void try_manifest(const char *text, size_t size)
{
	static struct config_errors errors;
	struct manifest *manifest = NULL;

	config_errors_init(&errors);
	check_errors(manifest_parse("f", text, size, &errors, &manifest), &errors);
	require(!manifest == !!errors.count);
	manifest_free(manifest);
}

static void try_options(const char *text, size_t size)
{
	static struct config_errors errors;
	struct manifest *manifest = NULL;
	struct config_node *node = NULL;
	struct sluice_config *config = NULL;

	config_errors_init(&errors);
	if (config_node_parse("f", text, size, &errors, &node))
		return;
	require(!manifest_parse("m", with_options, sizeof(with_options) - 1, &errors, &manifest));
	check_errors(config_new(manifest, node, "options", &errors, &config), &errors);
	require(!config == !!errors.count);
	config_free(config);
	manifest_free(manifest);
	config_node_free(node);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	try_settings(text, size);
	try_manifest(text, size);
	try_options(text, size);
	return 0;
}
