/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The list of errors itself.
 */
#include "base/err.h"

#include "support.h"

Test(errors, format)
{
	struct config_errors errors;
	char text[CONFIG_ERROR_TEXT_SIZE];

	config_errors_init(&errors);
	config_errors_add(&errors, "a.yaml", 3, 4, "k", "%s", "bad");
	config_errors_add(&errors, "a.yaml", 3, 4, NULL, "bad");
	config_errors_add(&errors, "a.yaml", 0, 0, NULL, "bad");
	cr_assert_str_eq(config_error_format(&errors.list[0], text), "a.yaml:3:4: k: bad");
	cr_assert_str_eq(config_error_format(&errors.list[1], text), "a.yaml:3:4: bad");
	cr_assert_str_eq(config_error_format(&errors.list[2], text), "a.yaml: bad");
}

Test(errors, more_than_fit_are_counted)
{
	struct config_errors errors;
	struct sluice_err err = { 0 };

	config_errors_init(&errors);
	for (int i = 0; i < 25; i++)
		config_errors_add(&errors, "f", 1, 1, "k", "%d", i);
	cr_assert_eq(errors.count, 25);
	cr_assert_eq(config_errors_kept(&errors), CONFIG_ERRORS_MAX);
	cr_assert_str_eq(errors.list[CONFIG_ERRORS_MAX - 1].text, "19");
	config_errors_to_err(&errors, &err);
	cr_assert_str_eq(err.text, "f:1:1: k: 0; and 24 more");
	cr_assert_str_eq(err.path, "k");
}

Test(errors, one_goes_as_it_is)
{
	struct config_errors errors;
	struct sluice_err err = { 0 };

	config_errors_init(&errors);
	config_errors_to_err(&errors, &err);
	cr_assert_str_empty(err.text);
	config_errors_add(&errors, "f", 1, 2, NULL, "x");
	config_errors_to_err(&errors, &err);
	cr_assert_str_eq(err.text, "f:1:2: x");
	config_errors_to_err(&errors, NULL);
	config_errors_to_err(NULL, &err);
}

Test(errors, text_of_a_file_cannot_move_the_cursor)
{
	struct config_errors errors;

	config_errors_init(&errors);
	config_errors_add(&errors, "f\n", 1, 1, "a\033b", "x\ry\n");
	cr_assert_str_eq(errors.list[0].file, "f?");
	cr_assert_str_eq(errors.list[0].key, "a?b");
	cr_assert_str_eq(errors.list[0].text, "x?y?");
	config_errors_add(NULL, "f", 1, 1, NULL, "a list is optional");
}

Test(errors, long_text_is_cut)
{
	struct config_errors errors;
	char text[2000], formatted[CONFIG_ERROR_TEXT_SIZE];

	memset(text, 'a', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	config_errors_init(&errors);
	config_errors_add(&errors, text, UINT32_MAX, UINT32_MAX, text, "%s", text);
	cr_assert_eq(strlen(errors.list[0].text), sizeof(errors.list[0].text) - 1);
	cr_assert(strstr(errors.list[0].text, "aaa..."));
	config_error_format(&errors.list[0], formatted);
	cr_assert(strstr(formatted, "aaa..."), "the whole error fits");
}
