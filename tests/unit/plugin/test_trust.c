/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk to a plugin: who may own and write the folders on the way, and which links are followed.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugin/trust.h"
#include <sluice/plugin.h>

/* A tree of our own: base/outer/inner, and base/bin/program. */
struct tree {
	char base[64], outer[96], inner[128], bin[96], program[128];
	struct plugin_trust trust;
};

static void make_folder(char *path, size_t size, const char *parent, const char *name)
{
	snprintf(path, size, "%s/%s", parent, name);
	cr_assert_eq(mkdir(path, 0755), 0);
	cr_assert_eq(chmod(path, 0755), 0);
}

static void tree_init(struct tree *tree)
{
	FILE *file;

	memset(tree, 0, sizeof(*tree));
	snprintf(tree->base, sizeof(tree->base), "/tmp/sluice-trust-XXXXXX");
	cr_assert(mkdtemp(tree->base));
	cr_assert_eq(chmod(tree->base, 0755), 0);
	make_folder(tree->outer, sizeof(tree->outer), tree->base, "outer");
	make_folder(tree->inner, sizeof(tree->inner), tree->outer, "inner");
	make_folder(tree->bin, sizeof(tree->bin), tree->base, "bin");
	snprintf(tree->program, sizeof(tree->program), "%s/program", tree->bin);
	file = fopen(tree->program, "w");
	cr_assert(file);
	fclose(file);
	/* As an installed daemon would: nothing above it but what root owns. */
	plugin_trust_init_at(&tree->trust, "/");
}

static void tree_fini(const struct tree *tree)
{
	unlink(tree->program);
	rmdir(tree->bin);
	rmdir(tree->inner);
	rmdir(tree->outer);
	cr_expect_eq(rmdir(tree->base), 0, "%s", tree->base);
}

static int open_folder(const struct tree *tree, const char *path, struct sluice_err *err)
{
	int fd = -1;
	int rc = plugin_trust_open_folder(&tree->trust, path, &fd, err);

	if (rc == 0) {
		struct stat there, expected;

		cr_expect_eq(fstat(fd, &there), 0);
		cr_expect_eq(stat(path, &expected), 0);
		cr_expect_eq(there.st_ino, expected.st_ino, "%s led elsewhere", path);
		close(fd);
	}
	return rc;
}

Test(trust, ways_to_write_a_path)
{
	struct sluice_err err;
	struct tree tree;
	char path[PATH_MAX];

	tree_init(&tree);
	cr_expect_eq(open_folder(&tree, tree.inner, &err), 0, "%s", err.text);
	snprintf(path, sizeof(path), "/%s//./inner/", tree.outer);
	cr_expect_eq(open_folder(&tree, path, &err), 0, "%s", err.text);
	snprintf(path, sizeof(path), "%s/../outer/inner", tree.bin);
	cr_expect_eq(open_folder(&tree, path, &err), 0, "%s", err.text);
	cr_assert_eq(chdir(tree.base), 0);
	cr_expect_eq(open_folder(&tree, "outer/inner", &err), 0, "%s", err.text);
	cr_expect_eq(open_folder(&tree, "outer/inn", &err), -ENOENT);
	cr_expect(strstr(err.text, "cannot open inn (-ENOENT)"), "%s", err.text);
	cr_expect_eq(open_folder(&tree, "bin/program", &err), -ENOTDIR);
	cr_expect_eq(open_folder(&tree, "bin/program/x", &err), -ENOTDIR);
	memset(path, 'a', 300);
	path[300] = '\0';
	cr_expect_eq(open_folder(&tree, path, &err), -ENAMETOOLONG);
	memset(path, '/', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	cr_expect_eq(open_folder(&tree, path, &err), -ENAMETOOLONG);
	cr_assert_eq(chdir("/"), 0);
	tree_fini(&tree);
}

Test(trust, modes_on_the_way)
{
	static const struct {
		mode_t mode;
		int outer, inner; /* What becomes of it above the folder asked for, and as it. */
	} rows[] = {
		{ 0755, 0, 0 },		  { 0700, 0, 0 },	    { 0775, -EPERM, -EPERM },
		{ 0757, -EPERM, -EPERM }, { 0777, -EPERM, -EPERM }, { 01777, 0, -EPERM },
		{ 01775, 0, -EPERM },
	};
	struct sluice_err err;
	struct tree tree;

	tree_init(&tree);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		cr_assert_eq(chmod(tree.outer, rows[i].mode), 0);
		cr_expect_eq(open_folder(&tree, tree.inner, &err), rows[i].outer, "outer %04o",
			     rows[i].mode);
		if (rows[i].outer != 0)
			cr_expect(strstr(err.text, tree.outer), "%s", err.text);
		cr_assert_eq(chmod(tree.outer, 0755), 0);
		cr_assert_eq(chmod(tree.inner, rows[i].mode), 0);
		cr_expect_eq(open_folder(&tree, tree.inner, &err), rows[i].inner, "inner %04o",
			     rows[i].mode);
		cr_assert_eq(chmod(tree.inner, 0755), 0);
	}
	tree_fini(&tree);
}

/* A checkout under umask 002: whose group can replace the daemon can give it plugins too. */
Test(trust, group_may_write_above_the_executable)
{
	struct sluice_err err;
	struct tree tree;

	tree_init(&tree);
	cr_assert_eq(chmod(tree.base, 0775), 0);
	cr_expect_eq(open_folder(&tree, tree.inner, &err), -EPERM);
	plugin_trust_init_at(&tree.trust, tree.program);
	cr_expect_eq(open_folder(&tree, tree.inner, &err), 0, "%s", err.text);
	cr_assert_eq(chmod(tree.outer, 0775), 0);
	cr_expect_eq(open_folder(&tree, tree.inner, &err), -EPERM, "not above the executable");
	cr_assert_eq(chmod(tree.outer, 0755), 0);
	cr_assert_eq(chmod(tree.base, 0777), 0);
	cr_expect_eq(open_folder(&tree, tree.inner, &err), -EPERM, "anybody, even there");
	cr_assert_eq(chmod(tree.base, 0755), 0);
	tree_fini(&tree);
}

Test(trust, owners)
{
	struct sluice_err err;
	struct tree tree;

	if (geteuid() != 0)
		cr_skip_test("needs root to give folders away");
	tree_init(&tree);
	cr_assert_eq(chown(tree.outer, 12345, 0), 0);
	cr_expect_eq(open_folder(&tree, tree.inner, &err), -EPERM);
	cr_expect(strstr(err.text, "belongs to uid 12345"), "%s", err.text);
	/* A build tree of uid 12345, run by root: that user could replace the daemon anyway. */
	cr_assert_eq(chown(tree.bin, 12345, 0), 0);
	plugin_trust_init_at(&tree.trust, tree.program);
	cr_expect_eq(open_folder(&tree, tree.inner, &err), 0, "%s", err.text);
	cr_assert_eq(chown(tree.bin, 0, 0), 0);
	cr_assert_eq(chown(tree.program, 12345, 0), 0);
	plugin_trust_init_at(&tree.trust, tree.program);
	cr_expect_eq(open_folder(&tree, tree.inner, &err), 0, "%s", err.text);
	cr_assert_eq(chown(tree.outer, 54321, 0), 0);
	cr_expect_eq(open_folder(&tree, tree.inner, &err), -EPERM, "another user is another user");
	tree_fini(&tree);
}

/* Nobody is trusted: even the root folder is not. */
Test(trust, nobody)
{
	struct plugin_trust nobody = { .n_uids = 0 };
	struct sluice_err err;
	int fd;

	cr_expect_eq(plugin_trust_open_folder(&nobody, "/tmp", &fd, &err), -EPERM);
	cr_expect(strstr(err.text, "folder / is not trusted: it belongs to uid 0"), "%s", err.text);
}

Test(trust, links)
{
	struct sluice_err err;
	struct tree tree;
	char link[128], loop[128];

	tree_init(&tree);
	snprintf(link, sizeof(link), "%s/link", tree.base);
	snprintf(loop, sizeof(loop), "%s/loop", tree.base);
	cr_assert_eq(symlink("outer/inner", link), 0);
	cr_assert_eq(symlink("loop", loop), 0);
	cr_expect_eq(open_folder(&tree, link, &err), 0, "%s", err.text);
	cr_expect_eq(open_folder(&tree, loop, &err), -ELOOP);
	/* A link spares nobody the checks of what it leads through. */
	cr_assert_eq(chmod(tree.outer, 0777), 0);
	cr_expect_eq(open_folder(&tree, link, &err), -EPERM);
	cr_assert_eq(chmod(tree.outer, 0755), 0);
	unlink(link);
	cr_assert_eq(symlink(tree.inner, link), 0);
	cr_expect_eq(open_folder(&tree, link, &err), 0, "absolute: %s", err.text);
	if (geteuid() == 0) {
		cr_assert_eq(lchown(link, 12345, 0), 0);
		cr_expect_eq(open_folder(&tree, link, &err), -EPERM);
		cr_expect(strstr(err.text, "symbolic link link is not trusted"), "%s", err.text);
	}
	unlink(link);
	unlink(loop);
	tree_fini(&tree);
}

Test(trust, this_process)
{
	struct plugin_trust trust;
	bool self = false, root = false;

	plugin_trust_init(&trust);
	for (size_t i = 0; i < trust.n_uids; i++) {
		self = self || trust.uids[i] == geteuid();
		root = root || trust.uids[i] == 0;
	}
	cr_expect(self && root);
	cr_expect_gt(trust.n_folders, 1, "the folders above this test are not known");
}
