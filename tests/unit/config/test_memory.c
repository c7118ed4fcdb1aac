/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory runs out at each allocation of ours in turn: -ENOMEM, nothing given back, no crash, and
 * under AddressSanitizer nothing leaked.  The linker leads our allocations here (--wrap).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/address.h"
#include "base/hash_table.h"

#include "support.h"

/* Allocations that still succeed; negative: all. */
static long left = -1;

static bool refuses(void)
{
	if (left < 0)
		return false;
	return left == 0 || !left--;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

void *__wrap_malloc(size_t size)
{
	return refuses() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return refuses() ? NULL : __real_calloc(n, size);
}

void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
	return refuses() ? NULL : __real_aligned_alloc(alignment, size);
}

/* Counts allocations until `attempt` succeeds with one more each time. */
static long exhaust(int (*attempt)(void))
{
	for (long n = 0; n < 100000; n++) {
		int result;

		left = n;
		result = attempt();
		left = -1;
		if (result >= 0)
			return n;
		cr_assert_eq(result, -ENOMEM, "allocation %ld: %d", n, result);
	}
	cr_assert_fail("never succeeds");
	return -1;
}

static int load_settings(void)
{
	struct settings *settings = NULL;
	struct config_errors errors;
	int result;

	config_errors_init(&errors);
	result = settings_load(CORPUS_PATH "/valid/every-key.yaml", &errors, &settings);
	cr_assert_eq(result == 0, settings != NULL);
	cr_assert_eq(errors.count, 0, "out of memory is no error of the file");
	settings_free(settings);
	return result;
}

Test(memory, settings)
{
	cr_assert_gt(exhaust(load_settings), 5);
}

static int load_manifest(void)
{
	struct manifest *manifest = NULL;
	struct sluice_config *config = NULL;
	int result;

	result = manifest_load(CORPUS_PATH "/valid/manifest-minimal.plugin.yaml", NULL, &manifest);
	cr_assert_eq(result == 0, manifest != NULL);
	if (!result)
		result = config_new(manifest, NULL, "options", NULL, &config);
	config_free(config);
	manifest_free(manifest);
	return result;
}

Test(memory, manifest)
{
	cr_assert_gt(exhaust(load_manifest), 5);
}

static struct hash_table *growing;

static int add_hundred(void)
{
	for (uint32_t i = 0; i < 100; i++) {
		struct sluice_key key = address_from_ipv4(&i, 32);
		size_t size = hash_table_size(growing);
		int result = hash_table_set(growing, &key, i);

		if (result < 0) {
			cr_assert_eq(hash_table_size(growing), size, "the table is unchanged");
			cr_assert_not(hash_table_get(growing, &key, NULL));
			return result;
		}
	}
	return 0;
}

Test(memory, hash_table)
{
	const struct address_secret secret = { { 1, 2 } };

	left = 0;
	cr_assert_eq(hash_table_new(0, &secret, &growing), -ENOMEM);
	left = 1;
	cr_assert_eq(hash_table_new(0, &secret, &growing), -ENOMEM);
	left = -1;
	cr_assert_eq(hash_table_new(0, &secret, &growing), 0);
	cr_assert_gt(exhaust(add_hundred), 0);
	cr_assert_eq(hash_table_size(growing), 100);
	hash_table_free(growing);
}
