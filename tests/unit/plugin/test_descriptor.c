/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor against manifest, without shared objects: what tests/abi cannot reach because no
 * compiler would make it, and the growth rule.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "config/errors.h"
#include "config/manifest.h"
#include "plugin/descriptor.h"

static int create(struct sluice_instance *instance, const struct sluice_host *host,
		  const struct sluice_config *config, void **self, struct sluice_err *err)
{
	(void)instance, (void)host, (void)config, (void)self, (void)err;
	return 0;
}

static void destroy(void *self)
{
	(void)self;
}

static int observe(void *self, const struct sluice_window *window, struct sluice_verdict *verdict)
{
	(void)self, (void)window, (void)verdict;
	return 0;
}

/* As a later minor might have it, with a member that this host does not know. */
struct longer_ops {
	struct sluice_detector_ops ops;
	void (*unknown)(void);
};

static const struct longer_ops longer = {
	.ops = { .size = sizeof(longer), .create = create, .destroy = destroy, .observe = observe },
	.unknown = NULL,
};

static const struct sluice_plugin good = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 0,
	.size = sizeof(good),
	.kind = SLUICE_PLUGIN_DETECTOR,
	.name = "sample",
	.version = "1.0",
	.license = "BSD-2-Clause",
	.ops = &longer,
};

static struct manifest *parse_manifest(const char *abi)
{
	struct manifest *manifest = NULL;
	struct config_errors errors;
	char text[256];

	config_errors_init(&errors);
	snprintf(text, sizeof(text),
		 "kind: detector\nabi: \"%s\"\nname: sample\nversion: \"1.0\"\n"
		 "license: BSD-2-Clause\ndescription: A sample.\n",
		 abi);
	cr_assert_eq(manifest_parse("sample.plugin.yaml", text, strlen(text), &errors, &manifest),
		     0, "%s", errors.list[0].text);
	return manifest;
}

Test(descriptor, longer_operations_are_cut_to_ours)
{
	struct manifest *manifest = parse_manifest("1.0");
	union descriptor_ops ops;
	struct sluice_err err;

	cr_assert_eq(descriptor_check(&good, sizeof(good), manifest, "sample.so", &ops, &err), 0,
		     "%s", err.text);
	cr_expect_eq(ops.detector.create, create);
	cr_expect_eq(ops.detector.observe, observe);
	cr_expect_null(ops.detector.reconfigure);
	manifest_free(manifest);
}

/* The symbol says how much there is; nothing beyond it is read. */
Test(descriptor, never_reads_beyond_the_symbol)
{
	struct manifest *manifest = parse_manifest("1.0");
	union descriptor_ops ops;
	struct sluice_err err;

	for (size_t size = 0; size < sizeof(good); size++)
		cr_expect_eq(descriptor_check(&good, size, manifest, "sample.so", &ops, &err),
			     -EPROTO, "%zu bytes", size);
	manifest_free(manifest);
}

/* Same major, other minor: each is fine by itself, but they are not of one build. */
Test(descriptor, abi_rules)
{
	static const struct {
		unsigned int major, minor;
		int rc;
	} rows[] = {
		{ SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR, 0 },
		{ SLUICE_ABI_MAJOR, 0, 0 },
		{ SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR + 1, -EPROTO },
		{ SLUICE_ABI_MAJOR + 1, 0, -EPROTO },
		{ SLUICE_ABI_MAJOR - 1, SLUICE_ABI_MINOR, -EPROTO },
		{ 0xffff, 0xffff, -EPROTO },
	};
	struct sluice_err err;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect_eq(descriptor_check_abi("x", rows[i].major, rows[i].minor, &err),
			     rows[i].rc, "row %zu", i);
}

Test(descriptor, manifest_of_another_build)
{
	struct manifest *manifest = parse_manifest("1.1");
	union descriptor_ops ops;
	struct sluice_err err;

	cr_expect_eq(descriptor_check(&good, sizeof(good), manifest, "sample.so", &ops, &err),
		     -EINVAL);
	cr_expect(strstr(err.text, "its ABI is 1.0, its manifest says 1.1"), "%s", err.text);
	manifest_free(manifest);
}
