/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Every way in which a plugin is refused, each with its errno and what its message must say; and
 * that the code of a plugin with an unfit manifest never runs.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config/manifest.h"
#include "folder.h"
#include "plugin/plugin.h"
#include "plugin/trust.h"

static void expect_refusal(const struct folder *folder, int expected, const char *said)
{
	struct plugin *plugin = NULL;
	struct sluice_err err = { .text = "" };
	int rc = plugin_open(folder->path, "fixture", SLUICE_PLUGIN_DETECTOR, NULL, &plugin, &err);

	printf("%s\n", err.text);
	cr_expect_eq(rc, expected, "%d: %s", rc, err.text);
	cr_expect(strstr(err.text, said), "'%s' is not in '%s'", said, err.text);
	cr_expect(strstr(err.text, "plugin 'fixture': ") == err.text, "%s", err.text);
	cr_expect_null(plugin);
}

Test(refusals, unfit_objects)
{
	static const struct {
		const char *fixture;
		int rc;
		const char *said;
	} rows[] = {
		{ "no_symbol", -EPROTO, "exports no object 'sluice_plugin'" },
		{ "function", -EPROTO, "exports no object 'sluice_plugin'" },
		{ "tiny", -EPROTO, "is no descriptor: 4 bytes" },
		{ "magic", -EPROTO, "has magic 0x12345678, not 0x534c5543" },
		{ "newer_major", -EPROTO, "made for plugin ABI 2.0, this sluiced has 1.6" },
		{ "newer_minor", -EPROTO, "made for plugin ABI 1.9, this sluiced has 1.6" },
		{ "short", -EPROTO, "claims 24 bytes" },
		{ "long", -EPROTO, "claims 4096 bytes" },
		{ "short_ops", -EPROTO,
		  "its operations have 16 bytes, the first ABI with a detector has 40" },
		{ "no_ops", -EPROTO, "its operations have 0 bytes" },
		{ "no_observe", -EINVAL, "lacks an operation" },
		{ "other_name", -EINVAL, "its name is 'another', its manifest says 'fixture'" },
		{ "no_name", -EINVAL, "its name is '', its manifest says 'fixture'" },
		{ "other_version", -EINVAL, "its version is '1.2.4', its manifest says '1.2.3'" },
		{ "other_kind", -EINVAL, "is a backend (kind 2), its manifest says detector" },
		{ "wild_name", -ENOEXEC,
		  "reading its descriptor killed a trial process by signal 11" },
		{ "wild_version", -ENOEXEC,
		  "reading its descriptor killed a trial process by signal 11" },
		{ "wild_ops", -ENOEXEC,
		  "reading its descriptor killed a trial process by signal 11" },
		{ "wild_observe", -EINVAL, "its operation at byte 24 of ops points to no code" },
		{ "undefined", -ENOEXEC, "sluice_fixture_nobody_defines_this" },
		{ "crash", -ENOEXEC, "loading it killed a trial process by signal 11" },
		{ "abort", -ENOEXEC, "loading it killed a trial process by signal 6" },
		{ "crash_at_end", -ENOEXEC, "unloading it killed a trial process by signal 6" },
		{ "exit", -ENOEXEC, "loading it ended a trial process with status 0" },
		{ "hang", -ETIMEDOUT, "loading it took a trial process over 10 s" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct folder folder;

		folder_make(&folder, rows[i].fixture, folder_good_manifest);
		expect_refusal(&folder, rows[i].rc, rows[i].said);
		folder_remove(&folder);
	}
}

Test(refusals, unfit_manifests)
{
	static const struct {
		const char *from, *to;
		int rc;
		const char *said;
	} rows[] = {
		{ "\"1.0\"", "\"2.0\"", -EPROTO, "made for plugin ABI 2.0, this sluiced has 1.6" },
		{ "\"1.0\"", "\"1.7\"", -EPROTO, "made for plugin ABI 1.7, this sluiced has 1.6" },
		{ "\"1.0\"", "\"0.9\"", -EPROTO, "made for plugin ABI 0.9, this sluiced has 1.6" },
		{ "name: fixture", "name: another", -EINVAL, "describes a plugin 'another'" },
		{ "kind: detector", "kind: backend", -EINVAL, "it is a backend, not a detector" },
		{ "kind: detector", "kind: sorcerer", -EINVAL, "fixture.plugin.yaml:1:" },
		{ "kind: detector", "kindness: detector", -EINVAL, "fixture.plugin.yaml" },
		{ "kind: detector", "{{{{", -EINVAL, "fixture.plugin.yaml" },
	};

	unsetenv("SLUICE_FIXTURE_RAN");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct folder folder;
		char text[2048];

		folder_make(&folder, "good", folder_edit_manifest(rows[i].from, rows[i].to, text));
		expect_refusal(&folder, rows[i].rc, rows[i].said);
		folder_remove(&folder);
	}
	cr_expect_null(getenv("SLUICE_FIXTURE_RAN"), "code of a refused plugin ran");
}

Test(refusals, missing_files)
{
	struct folder folder;
	struct plugin *plugin = NULL;
	struct sluice_err err;

	folder_make(&folder, NULL, folder_good_manifest);
	expect_refusal(&folder, -ENOENT, "fixture.so is missing beside its manifest");
	cr_expect_eq(plugin_open(folder.path, "fixtrue", SLUICE_PLUGIN_DETECTOR, NULL, &plugin,
				 &err),
		     -ENOENT);
	cr_expect(strstr(err.text, "did you mean 'fixture'?"), "%s", err.text);
	cr_expect_eq(plugin_open(folder.path, "zebra", SLUICE_PLUGIN_DETECTOR, NULL, &plugin, &err),
		     -ENOENT);
	cr_expect(strstr(err.text, "there are fixture"), "%s", err.text);
	unlink(folder.manifest);
	expect_refusal(&folder, -ENOENT, "no plugin is there");
	folder_remove(&folder);
	expect_refusal(&folder, -ENOENT, "check plugin_path");
}

/* A name is part of a path; none may lead out of the folder. */
Test(refusals, names)
{
	static const char *const names[] = { "",    "../fixture",      "a/b", ".", "Fixture",
					     "a b", "aaaaaaaaaaaaaaaa" };
	struct folder folder;

	folder_make(&folder, "good", folder_good_manifest);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct plugin *plugin = NULL;
		struct sluice_err err;

		cr_expect_eq(plugin_open(folder.path, names[i], SLUICE_PLUGIN_DETECTOR, NULL,
					 &plugin, &err),
			     -EINVAL, "'%s'", names[i]);
		cr_expect(strstr(err.text, "no plugin can have this name"), "%s", err.text);
	}
	folder_remove(&folder);
}

Test(refusals, untrusted_modes)
{
	struct folder folder;

	unsetenv("SLUICE_FIXTURE_RAN");
	folder_make(&folder, "good", folder_good_manifest);

	chmod(folder.object, 0757);
	expect_refusal(&folder, -EPERM, "fixture.so is not trusted: anybody may write to it");
	chmod(folder.object, 0775);
	expect_refusal(&folder, -EPERM, "fixture.so is not trusted: its group may write to it");
	chmod(folder.object, 0755);
	chmod(folder.manifest, 0666);
	expect_refusal(&folder, -EPERM, "yaml is not trusted: anybody may write to it");
	chmod(folder.manifest, 0644);
	chmod(folder.path, 0777);
	expect_refusal(&folder, -EPERM, "is not trusted: anybody may write to it (mode 0777)");
	/* Sticky is good enough for a folder on the way, not for the one with the plugins. */
	chmod(folder.path, 01777);
	expect_refusal(&folder, -EPERM, "is not trusted: anybody may write to it (mode 1777)");
	chmod(folder.path, 0775);
	expect_refusal(&folder, -EPERM, "is not trusted: its group may write to it (mode 0775)");
	chmod(folder.path, 0755);
	cr_expect_null(getenv("SLUICE_FIXTURE_RAN"), "code of a refused plugin ran");
	folder_remove(&folder);
}

Test(refusals, no_regular_files)
{
	struct folder folder;
	char elsewhere[160];

	folder_make(&folder, "good", folder_good_manifest);
	snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", folder.path);
	cr_assert_eq(rename(folder.object, elsewhere), 0);
	cr_assert_eq(symlink(elsewhere, folder.object), 0);
	expect_refusal(&folder, -ELOOP, "fixture.so is a symbolic link");
	unlink(folder.object);
	cr_assert_eq(mkfifo(folder.object, 0644), 0);
	expect_refusal(&folder, -EPERM, "fixture.so is no regular file");
	unlink(folder.object);
	cr_assert_eq(mkdir(folder.object, 0755), 0);
	expect_refusal(&folder, -EPERM, "fixture.so is no regular file");
	rmdir(folder.object);
	cr_assert_eq(rename(elsewhere, folder.object), 0);
	cr_assert_eq(rename(folder.manifest, elsewhere), 0);
	cr_assert_eq(symlink(elsewhere, folder.manifest), 0);
	expect_refusal(&folder, -ELOOP, "yaml is a symbolic link");
	unlink(elsewhere);
	folder_remove(&folder);
}

Test(refusals, foreign_owner)
{
	struct folder folder;

	if (geteuid() != 0)
		cr_skip_test("needs root to give files away");
	folder_make(&folder, "good", folder_good_manifest);
	cr_assert_eq(chown(folder.object, 12345, 0), 0);
	expect_refusal(&folder, -EPERM, "fixture.so is not trusted: it belongs to uid 12345");
	cr_assert_eq(chown(folder.object, 0, 0), 0);
	cr_assert_eq(chown(folder.path, 12345, 0), 0);
	expect_refusal(&folder, -EPERM, "is not trusted: it belongs to uid 12345");
	cr_assert_eq(chown(folder.path, 0, 0), 0);
	folder_remove(&folder);
}

Test(refusals, no_shared_object)
{
	struct folder folder;

	folder_make(&folder, NULL, folder_good_manifest);
	folder_write(folder.object, "this is no ELF file\n");
	expect_refusal(&folder, -ENOEXEC, "fixture.so: cannot load it: ");
	folder_remove(&folder);
}

/* What `sluice check` uses: all of the manifest's checks, none of the object. */
Test(refusals, manifest_alone)
{
	struct manifest *manifest = NULL;
	struct sluice_err err;
	struct folder folder;

	folder_make(&folder, NULL, folder_good_manifest);
	cr_assert_eq(plugin_manifest_load(folder.path, "fixture", SLUICE_PLUGIN_DETECTOR, NULL,
					  &manifest, &err),
		     0, "%s", err.text);
	cr_expect_str_eq(manifest_name(manifest), "fixture");
	manifest_free(manifest);
	cr_expect_eq(plugin_manifest_load(folder.path, "fixture", SLUICE_PLUGIN_BACKEND, NULL,
					  &manifest, &err),
		     -EINVAL);
	cr_expect(strstr(err.text, "it is a detector, not a backend"), "%s", err.text);
	folder_remove(&folder);
}
