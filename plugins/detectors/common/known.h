/* SPDX-License-Identifier: BSD-2-Clause */
/* Samples of known clients say nothing against a service that they use. */
#ifndef SLUICE_DETECTORS_KNOWN_H
#define SLUICE_DETECTORS_KNOWN_H

#include <sluice/detector.h>

#include "packet.h"

/* Sets `fits[i]` to -1 where the window says that sample i's source is known.  0 or -ENOMEM. */
int known_leave_out(const struct sluice_window *window, const struct packet *packets, int *fits)
	__attribute__((warn_unused_result));

#endif /* SLUICE_DETECTORS_KNOWN_H */
