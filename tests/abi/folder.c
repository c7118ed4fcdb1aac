/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Making and removing plugin folders; see folder.h.
 */
#include "folder.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char folder_good_manifest[] =
	"kind: detector\n"
	"abi: \"1.0\"\n"
	"name: fixture\n"
	"version: \"1.2.3\"\n"
	"license: BSD-2-Clause\n"
	"description: A detector for tests.\n"
	"options:\n"
	"  limit: { type: rate, default: 2k, maximum: 1M, help: A limit. }\n"
	"  fail: { type: bool, default: false, help: Whether to fail. }\n";

void folder_write(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	cr_assert(file, "%s", path);
	cr_assert_eq(fwrite(text, 1, strlen(text), file), strlen(text));
	cr_assert_eq(fclose(file), 0);
	cr_assert_eq(chmod(path, 0644), 0);
}

void folder_copy(const char *from, const char *to)
{
	FILE *in = fopen(from, "r"), *out = fopen(to, "w");
	char buffer[4096];
	size_t n;

	cr_assert(in && out, "%s to %s", from, to);
	while ((n = fread(buffer, 1, sizeof(buffer), in)) > 0)
		cr_assert_eq(fwrite(buffer, 1, n, out), n);
	cr_assert_eq(fclose(out), 0);
	fclose(in);
	cr_assert_eq(chmod(to, 0755), 0);
}

void folder_make(struct folder *folder, const char *fixture, const char *manifest)
{
	char from[PATH_MAX];

	memset(folder, 0, sizeof(*folder));
	snprintf(folder->path, sizeof(folder->path), "/tmp/sluice-abi-XXXXXX");
	cr_assert(mkdtemp(folder->path));
	cr_assert_eq(chmod(folder->path, 0755), 0);
	snprintf(folder->object, sizeof(folder->object), "%s/fixture.so", folder->path);
	snprintf(folder->manifest, sizeof(folder->manifest), "%s/fixture.plugin.yaml",
		 folder->path);
	if (fixture) {
		snprintf(from, sizeof(from), FIXTURES "/%s.so", fixture);
		folder_copy(from, folder->object);
	}
	if (manifest)
		folder_write(folder->manifest, manifest);
}

void folder_remove(const struct folder *folder)
{
	unlink(folder->object);
	unlink(folder->manifest);
	cr_expect_eq(rmdir(folder->path), 0, "%s", folder->path);
}

const char *folder_edit_manifest(const char *from, const char *to, char text[2048])
{
	const char *at = strstr(folder_good_manifest, from);

	cr_assert(at, "%s", from);
	snprintf(text, 2048, "%.*s%s%s", (int)(at - folder_good_manifest), folder_good_manifest, to,
		 at + strlen(from));
	return text;
}
