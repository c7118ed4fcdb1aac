/* SPDX-License-Identifier: BSD-2-Clause */
/* How a back end says why something failed. */
#ifndef SLUICE_BACKENDS_EXPLAIN_H
#define SLUICE_BACKENDS_EXPLAIN_H

#include <sluice/plugin.h>

/* The reason, cut to what `err` holds, and of no option in particular.  A NULL `err` is a no-op. */
void explain(struct sluice_err *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif /* SLUICE_BACKENDS_EXPLAIN_H */
