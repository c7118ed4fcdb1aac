/* SPDX-License-Identifier: BSD-2-Clause */
/* What the fault file of the emulated card may say. */
#include <criterion/criterion.h>
#include <errno.h>

#include "fault.h"

Test(emu_fault, nothing_is_no_fault)
{
	static const char *const texts[] = { "", "\n", " \t\r\n " };

	for (size_t i = 0; i < 3; i++) {
		struct fault fault = { .hang = true };

		cr_assert_eq(fault_parse(texts[i], &fault), 0);
		cr_expect_not(fault.slow | fault.refuse | fault.lie | fault.gone | fault.hang |
			      fault.full | fault.forget);
	}
}

Test(emu_fault, words_and_numbers)
{
	struct fault fault;

	cr_assert_eq(fault_parse("slow refuse\nlie gone hang forget", &fault), 0);
	cr_expect(fault.slow && fault.refuse && fault.lie && fault.gone && fault.hang &&
		  fault.forget);
	cr_expect_not(fault.full);
	cr_assert_eq(fault_parse("full 64 slow\n", &fault), 0);
	cr_expect(fault.full && fault.slow && !fault.refuse);
	cr_expect_eq(fault.room, 64);
	cr_assert_eq(fault_parse("full", &fault), 0);
	cr_expect(fault.full);
	cr_expect_eq(fault.room, 0);
	cr_assert_eq(fault_parse("full slow", &fault), 0);
	cr_expect(fault.full && fault.slow);
}

Test(emu_fault, other_words_are_refused)
{
	static const char *const texts[] = {
		"slower",  "slo",      "7",	    "full -1",	"full 12345678901",
		"64 full", "gone\x01", "hang,slow", "full 64x",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct fault fault;

		cr_expect_eq(fault_parse(texts[i], &fault), -EINVAL, "'%s'", texts[i]);
	}
}
