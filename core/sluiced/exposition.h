/* SPDX-License-Identifier: BSD-2-Clause */
/* A snapshot as Prometheus text. */
#ifndef SLUICE_SLUICED_EXPOSITION_H
#define SLUICE_SLUICED_EXPOSITION_H

#include <stdio.h>

struct snapshot;

void exposition_write(const struct snapshot *snapshot, FILE *out);

#endif /* SLUICE_SLUICED_EXPOSITION_H */
