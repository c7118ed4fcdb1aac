/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets that any host on the Internet gets, by the protocols' own defaults. */
#ifndef SLUICE_ENTROPY_ORDINARY_H
#define SLUICE_ENTROPY_ORDINARY_H

#include "mine.h"

#define ORDINARY_MAX 128

/* Fills `out`, returns how many. */
size_t ordinary_fill(struct mine_ordinary out[ORDINARY_MAX]);

#endif /* SLUICE_ENTROPY_ORDINARY_H */
