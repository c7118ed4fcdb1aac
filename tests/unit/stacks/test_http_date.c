/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include "http_date.h"

Test(http_date, is_written_in_one_form)
{
	char date[HTTP_DATE_SIZE];

	http_date_format(784111777, date);
	cr_assert_str_eq(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	http_date_format(0, date);
	cr_assert_str_eq(date, "Thu, 01 Jan 1970 00:00:00 GMT");
}

Test(http_date, is_read_in_three)
{
	static const char *const dates[] = { "Sun, 06 Nov 1994 08:49:37 GMT",
					     "Sunday, 06-Nov-94 08:49:37 GMT",
					     "Sun Nov  6 08:49:37 1994" };
	time_t when;

	for (size_t i = 0; i < sizeof(dates) / sizeof(dates[0]); i++) {
		when = 0;
		cr_assert(http_date_parse(dates[i], &when), "%s", dates[i]);
		cr_assert_eq(when, 784111777, "%s", dates[i]);
	}
	cr_assert(http_date_parse("Friday, 27-Nov-26 05:11:21 GMT", &when));
	cr_assert_eq(when, 1795756281);
}

Test(http_date, is_not_guessed)
{
	static const char *const texts[] = { "",
					     "yesterday",
					     "784111777",
					     "Sun, 06 Nov 1994 08:49:37",
					     "Sun, 06 Nov 1994 08:49:37 GMT+1",
					     "Sun, 06 Nov 1994 08:49:37 CET",
					     "Sun, 32 Nov 1994 08:49:37 GMT",
					     "Sun, 06 Nor 1994 08:49:37 GMT",
					     "Sun, 06 Nov 1994 24:49:37 GMT",
					     "Sun, 06 Nov 1994 08:60:37 GMT",
					     "Sun, 06 Nov 1994 08:49:61 GMT",
					     "Sun, 06 Nov -994 08:49:37 GMT",
					     "Sun, 06 Nov 0994 08:49:37 GMT",
					     "Sun, 6",
					     "Sun Nov  6 08:49:37 1994 GMT" };
	time_t when;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_assert_not(http_date_parse(texts[i], &when), "%s", texts[i]);
}
