/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Trees of nodes: kinds of scalars, places, limits, and files that cannot be read.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

static const struct {
	const char *text;
	enum config_node_type type;
} scalars[] = {
	{ "~", CONFIG_NODE_NULL },	    { "null", CONFIG_NODE_NULL },
	{ "", CONFIG_NODE_NULL },	    { "true", CONFIG_NODE_BOOL },
	{ "False", CONFIG_NODE_BOOL },	    { "yes", CONFIG_NODE_STRING },
	{ "on", CONFIG_NODE_STRING },	    { "tRue", CONFIG_NODE_STRING },
	{ "0", CONFIG_NODE_INTEGER },	    { "-12", CONFIG_NODE_INTEGER },
	{ "+12", CONFIG_NODE_INTEGER },	    { "0x1F", CONFIG_NODE_INTEGER },
	{ "0o17", CONFIG_NODE_INTEGER },    { "0o18", CONFIG_NODE_STRING },
	{ "0x", CONFIG_NODE_STRING },	    { "017", CONFIG_NODE_INTEGER },
	{ "1.5", CONFIG_NODE_NUMBER },	    { ".5", CONFIG_NODE_NUMBER },
	{ "5.", CONFIG_NODE_NUMBER },	    { "1e3", CONFIG_NODE_NUMBER },
	{ "1e", CONFIG_NODE_STRING },	    { ".", CONFIG_NODE_STRING },
	{ ".inf", CONFIG_NODE_NUMBER },	    { ".e1", CONFIG_NODE_STRING },
	{ "1.2.3", CONFIG_NODE_STRING },    { "20k", CONFIG_NODE_STRING },
	{ "-", CONFIG_NODE_SEQUENCE },	    { "'1'", CONFIG_NODE_STRING },
	{ "\"true\"", CONFIG_NODE_STRING }, { "[]", CONFIG_NODE_SEQUENCE },
	{ "{}", CONFIG_NODE_MAPPING },	    { "1_000", CONFIG_NODE_STRING },
};

Test(node, scalars)
{
	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
		char yaml[64];
		struct config_node *node;

		snprintf(yaml, sizeof(yaml), "k:\n  %s\n", scalars[i].text);
		node = node_of(yaml);
		cr_assert_eq(config_node_type(config_node_get(node, "k")), scalars[i].type,
			     "%s: %s", scalars[i].text,
			     config_node_type_name(config_node_get(node, "k")));
		config_node_free(node);
	}
}

Test(node, places)
{
	struct config_node *root = node_of("a: 1\nbb:\n  - x\n  - { c: [y] }\n");
	const struct config_node *node = config_node_get(root, "bb");

	cr_assert_eq(config_node_count(root), 2);
	cr_assert_eq(config_node_key_line(node), 2);
	cr_assert_eq(config_node_key_column(node), 1);
	cr_assert_eq(config_node_count(node), 2);
	node = config_node_first(node);
	cr_assert_str_eq(config_node_text(node), "x");
	cr_assert_eq(config_node_line(node), 3);
	cr_assert_eq(config_node_column(node), 5);
	cr_assert_null(config_node_key(node));
	node = config_node_get(config_node_next(node), "c");
	cr_assert_eq(config_node_line(node), 4);
	cr_assert_eq(config_node_column(node), 10);
	cr_assert_eq(config_node_key_column(node), 7);
	cr_assert_null(config_node_text(node));
	cr_assert_null(config_node_get(root, "c"));
	cr_assert_null(config_node_get(NULL, "c"));
	cr_assert_null(config_node_get(node, "c"), "a list has no keys");
	cr_assert_str_eq(config_node_file(node), "f");
	config_node_free(root);
	config_node_free(NULL);
}

/* The result for `yaml`, with its only error in `errors`. */
static int refused(const char *yaml, size_t size, struct config_errors *errors)
{
	struct config_node *node = NULL;
	int result;

	config_errors_init(errors);
	result = config_node_parse("f", yaml, size, errors, &node);
	cr_assert_null(node);
	return result;
}

Test(node, a_file_may_be_empty_of_bytes)
{
	struct config_errors errors;

	cr_assert_eq(refused("", 0, &errors), -EINVAL);
	cr_assert_str_eq(first_error(&errors), "1:1: the file is empty; it needs at least one key");
}

Test(node, size_is_bounded)
{
	struct config_errors errors;
	char *yaml = calloc(1, CONFIG_MAX_FILE_SIZE + 1);
	struct config_node *node;

	cr_assert_not_null(yaml);
	memset(yaml, ' ', CONFIG_MAX_FILE_SIZE + 1);
	memcpy(yaml, "a: 1\n#", 6);
	cr_assert_eq(refused(yaml, CONFIG_MAX_FILE_SIZE + 1, &errors), -EFBIG);
	cr_assert_str_eq(
		first_error(&errors),
		" larger than 1 MiB, the most that is read (-EFBIG); is it the right file?");
	cr_assert_eq(config_node_parse("f", yaml, CONFIG_MAX_FILE_SIZE, &errors, &node), 0);
	config_node_free(node);
	free(yaml);
}

/* "[x, x, ... ]" with `n` elements. */
static char *list_of(size_t n, size_t *size)
{
	char *yaml = malloc(2 * n + 2);

	cr_assert_not_null(yaml);
	yaml[0] = '[';
	for (size_t i = 0; i < n; i++)
		memcpy(yaml + 1 + 2 * i, "x,", 2);
	yaml[2 * n] = ']';
	*size = 2 * n + 1;
	return yaml;
}

Test(node, nodes_are_bounded)
{
	struct config_errors errors;
	struct config_node *node;
	size_t size;
	char *yaml = list_of(CONFIG_MAX_NODES, &size);

	cr_assert_eq(refused(yaml, size, &errors), -EINVAL);
	cr_assert(strstr(first_error(&errors), "too many values; 65536 are allowed"));
	free(yaml);
	yaml = list_of(CONFIG_MAX_NODES - 1, &size);
	cr_assert_eq(config_node_parse("f", yaml, size, &errors, &node), 0);
	cr_assert_eq(config_node_count(node), CONFIG_MAX_NODES - 1);
	config_node_free(node);
	free(yaml);
}

Test(node, keys_are_bounded)
{
	char yaml[CONFIG_MAX_KEYS * 8 + 16] = "";
	struct config_errors errors;
	size_t size = 0;

	for (int i = 0; i <= CONFIG_MAX_KEYS; i++)
		size += (size_t)sprintf(yaml + size, "k%d:\n", i);
	cr_assert_eq(refused(yaml, size, &errors), -EINVAL);
	cr_assert_str_eq(first_error(&errors), "257:1: too many keys in one mapping; remove some");
}

Test(node, depth_is_bounded)
{
	char yaml[CONFIG_MAX_DEPTH * 2];
	struct config_errors errors;
	struct config_node *node;

	memset(yaml, '[', CONFIG_MAX_DEPTH);
	memset(yaml + CONFIG_MAX_DEPTH, ']', CONFIG_MAX_DEPTH);
	cr_assert_eq(config_node_parse("f", yaml, sizeof(yaml), &errors, &node), 0);
	config_node_free(node);
	memset(yaml, '[', sizeof(yaml));
	cr_assert_eq(refused(yaml, sizeof(yaml), &errors), -EINVAL);
	cr_assert_str_eq(first_error(&errors), "1:25: nested too deeply; 24 levels are allowed");
}

static int load(const char *path, struct config_errors *errors)
{
	struct config_node *node = NULL;
	int result;

	config_errors_init(errors);
	result = config_node_load(path, errors, &node);
	config_node_free(node);
	return result;
}

Test(node, files_that_cannot_be_read)
{
	char folder[] = "/tmp/sluice-test-XXXXXX", path[64];
	struct config_errors errors;

	cr_assert_not_null(mkdtemp(folder));
	cr_assert_eq(load(folder, &errors), -EISDIR);
	cr_assert(strstr(first_error(&errors), "is not a regular file: Is a directory (-EISDIR)"));
	snprintf(path, sizeof(path), "%s/none.yaml", folder);
	cr_assert_eq(load(path, &errors), -ENOENT);
	cr_assert(strstr(first_error(&errors),
			 "none.yaml: cannot be opened: No such file or directory (-ENOENT)"));
	cr_assert_eq(mkfifo(path, 0600), 0);
	cr_assert_eq(load(path, &errors), -EINVAL, "a fifo does not hang");
	unlink(path);
	rmdir(folder);
}

Test(node, a_file_that_is_too_large)
{
	char path[] = "/tmp/sluice-test-XXXXXX";
	struct config_errors errors;
	int fd = mkstemp(path);

	cr_assert_geq(fd, 0);
	cr_assert_eq(ftruncate(fd, CONFIG_MAX_FILE_SIZE + 1), 0);
	cr_assert_eq(load(path, &errors), -EFBIG);
	close(fd);
	unlink(path);
}

Test(node, merge_prefers_the_second)
{
	struct config_node *base = node_of("x: 1\ny: [2, 3]\n"), *merged;
	struct config_node *over = node_of("y: 4\nz: 5\n");

	cr_assert_eq(config_node_merge(base, over, &merged), 0);
	config_node_free(base);
	cr_assert_eq(config_node_count(merged), 3);
	cr_assert_str_eq(config_node_text(config_node_get(merged, "x")), "1");
	cr_assert_str_eq(config_node_text(config_node_get(merged, "y")), "4");
	cr_assert_str_eq(config_node_text(config_node_get(merged, "z")), "5");
	config_node_free(merged);
	cr_assert_eq(config_node_merge(NULL, over, &merged), 0);
	config_node_free(over);
	cr_assert_eq(config_node_count(merged), 2);
	cr_assert_str_eq(config_node_text(config_node_get(merged, "y")), "4");
	config_node_free(merged);
}
