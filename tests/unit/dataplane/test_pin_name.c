// SPDX-License-Identifier: BSD-2-Clause
/* Interface names in pins: none that bpffs refuses, none twice, and each can be read back. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "dataplane/pin_name.h"

static const struct {
	const char *ifname;
	const char *pin_name;
} rows[] = {
	{ "eth0", "eth0" },
	{ "eth0.100", "eth0@100" },
	{ "a.b", "a@b" },
	{ "a@b", "a%40b" },
	{ "a%40b", "a%2540b" },
	{ "a%b", "a%25b" },
	{ "uplink_é", "uplink_é" },
	{ "abcdefghijklmno", "abcdefghijklmno" },
	{ "@@@@@@@@@@@@@@@", "%40%40%40%40%40%40%40%40%40%40%40%40%40%40%40" },
};

Test(pin_name, table)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		char pin_name[PIN_NAME_SIZE], ifname[IFNAMSIZ];

		pin_name_from(pin_name, rows[i].ifname);
		cr_assert_str_eq(pin_name, rows[i].pin_name);
		cr_assert(pin_name_to(ifname, pin_name), "%s", pin_name);
		cr_assert_str_eq(ifname, rows[i].ifname);
	}
}

/* All names of five of the characters that matter: reading back what was written tells them apart. */
Test(pin_name, every_short_name_comes_back)
{
	static const char alphabet[] = ".@%240a";
	const int n = sizeof(alphabet) - 1;

	for (int number = 0; number < n * n * n * n * n; number++) {
		char name[6] = "", pin_name[PIN_NAME_SIZE], ifname[IFNAMSIZ];

		for (int i = 0, rest = number; i < 5; i++, rest /= n)
			name[i] = alphabet[rest % n];
		pin_name_from(pin_name, name);
		cr_assert_null(strpbrk(pin_name, "./"), "%s", pin_name);
		cr_assert(pin_name_to(ifname, pin_name), "%s", pin_name);
		cr_assert_str_eq(ifname, name);
	}
}

Test(pin_name, foreign_names_are_refused)
{
	static const char *const foreign[] = {
		"", "a.b", "a%", "%4", "a%41", "%2e", "abcdefghijklmnop", "abcdefghijklmn%40o",
	};

	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++) {
		char ifname[IFNAMSIZ];

		cr_assert_not(pin_name_to(ifname, foreign[i]), "%s", foreign[i]);
	}
}
