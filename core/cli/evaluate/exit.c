/* SPDX-License-Identifier: BSD-2-Clause */
/* See exit.h. */
#include "exit.h"

#include <errno.h>

int evaluate_exit_code(int error)
{
	switch (error) {
	case 0:
		return EVALUATE_EXIT_OK;
	case -EPERM:
	case -ENOMEM:
	case -EIO:
	case -ENOSPC:
		return EVALUATE_EXIT_FAILED;
	default:
		return EVALUATE_EXIT_REFUSED;
	}
}
