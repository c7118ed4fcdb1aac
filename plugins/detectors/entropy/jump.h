/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When a rate is a jump: far over what came before.
 */
#ifndef SLUICE_ENTROPY_JUMP_H
#define SLUICE_ENTROPY_JUMP_H

#include <stdbool.h>

#include <sluice/learn.h>

/* `oldest`: of the windows that wait to be learned; NAN if there is none. */
bool jump_is_one(const struct sluice_usual *usual, double oldest, double pps);

#endif /* SLUICE_ENTROPY_JUMP_H */
