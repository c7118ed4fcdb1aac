/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reasons and errno names.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/err.h"

Test(err, sets_path_and_text)
{
	struct sluice_err err;

	memset(&err, 'x', sizeof(err));
	err_init(&err);
	cr_assert_str_empty(err.path);
	cr_assert_str_empty(err.text);
	err_set(&err, "policy.ttl", "%d is too much", 7);
	cr_assert_str_eq(err.path, "policy.ttl");
	cr_assert_str_eq(err.text, "7 is too much");
	err_set(&err, NULL, "again");
	cr_assert_str_empty(err.path);
}

Test(err, null_is_a_no_op)
{
	err_init(NULL);
	err_set(NULL, "x", "y");
	err_prefix(NULL, "y");
}

Test(err, what_is_cut_shows)
{
	struct sluice_err err;
	char text[400];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	err_set(&err, text, "%s", text);
	cr_assert_eq(strlen(err.path), sizeof(err.path) - 1);
	cr_assert_eq(strlen(err.text), sizeof(err.text) - 1);
	cr_assert_str_eq(err.text + sizeof(err.text) - 5, "a...");
	text[sizeof(err.text) - 1] = '\0';
	err_set(&err, NULL, "%s", text);
	cr_assert_str_eq(err.text, text, "what just fits is not cut");
}

Test(err, may_quote_itself)
{
	struct sluice_err err;

	err_set(&err, "a", "inner");
	err_set(&err, err.path, "outer: %s", err.text);
	cr_assert_str_eq(err.path, "a");
	cr_assert_str_eq(err.text, "outer: inner");
}

Test(err, prefix)
{
	struct sluice_err err;

	err_init(&err);
	err_prefix(&err, "interface '%s'", "eth0");
	cr_assert_str_eq(err.text, "interface 'eth0'");
	err_set(&err, "k", "no such device");
	err_prefix(&err, "interface '%s'", "eth0");
	cr_assert_str_eq(err.text, "interface 'eth0': no such device");
	cr_assert_str_eq(err.path, "k");
}

Test(err, names)
{
	cr_assert_str_eq(err_name(-EINVAL), "-EINVAL");
	cr_assert_str_eq(err_name(EINVAL), "-EINVAL");
	cr_assert_str_eq(err_name(-ENOLINK), "-ENOLINK");
	cr_assert_str_eq(err_name(-524), "-ENOTSUPP");
	cr_assert_str_eq(err_name(0), "0");
	cr_assert_str_eq(err_name(-9999), "-E?");
	cr_assert_str_eq(err_name(INT_MIN), "-E?");
}
