/* SPDX-License-Identifier: BSD-2-Clause */
/* The host of a back end `flower` by itself: its options by default, but for the mode. */
#ifndef SLUICE_TESTS_FLOWER_HOST_H
#define SLUICE_TESTS_FLOWER_HOST_H

#include <sluice/backend.h>

#define FLOWER_HOST_PRIORITY 31000

/* What this host's options come from. */
struct sluice_config {
	const char *mode;
};

extern const struct sluice_host flower_host;

#endif /* SLUICE_TESTS_FLOWER_HOST_H */
