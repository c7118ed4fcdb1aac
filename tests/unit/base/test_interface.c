// SPDX-License-Identifier: BSD-2-Clause
/* Which interface a misspelt name was meant to be.  Every namespace has one: `lo`. */
#include <criterion/criterion.h>

#include <string.h>

#include "base/interface.h"

Test(interface, a_slip_is_seen)
{
	char nearest[IFNAMSIZ];

	cr_assert(interface_nearest("LO", nearest));
	cr_assert_str_eq(nearest, "lo");
}

Test(interface, what_is_like_none_is_not_guessed)
{
	char nearest[IFNAMSIZ] = "untouched";

	cr_assert_not(interface_nearest("qqqqqqqqqqqqqqq", nearest));
	cr_assert_str_eq(nearest, "untouched");
}
