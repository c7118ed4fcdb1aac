/* SPDX-License-Identifier: BSD-2-Clause */
/* A kernel whose answers are the fuzzer's bytes; once they are at an end, the card is gone, so that each round ends. */
#ifndef SLUICE_TESTS_FUZZ_ANSWERS_H
#define SLUICE_TESTS_FUZZ_ANSWERS_H

#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct answers {
	const uint8_t *at;
	size_t left;
};

/* The next bytes, and 0 for those that are missing. */
static inline void answers_take(struct answers *answers, void *out, size_t size)
{
	size_t n = size < answers->left ? size : answers->left;

	memset(out, 0, size);
	memcpy(out, answers->at, n);
	answers->at += n;
	answers->left -= n;
}

/* 0, half of the time, or what a kernel may say. */
static inline int answers_errno(struct answers *answers)
{
	static const int errors[] = { -ENODEV, -ENOMEM, -ENOSPC, -E2BIG, -EINVAL, -EOPNOTSUPP,
				      -EBUSY,  -ENOENT, -EEXIST, -EPERM, -EIO };
	uint8_t byte;

	if (answers->left == 0)
		return -ENODEV;
	answers_take(answers, &byte, 1);
	return byte < 128 ? 0 : errors[byte % (sizeof(errors) / sizeof(errors[0]))];
}

#endif /* SLUICE_TESTS_FUZZ_ANSWERS_H */
