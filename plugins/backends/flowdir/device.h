/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The driver, by SIOCETHTOOL.
 */
#ifndef SLUICE_BACKENDS_FLOWDIR_DEVICE_H
#define SLUICE_BACKENDS_FLOWDIR_DEVICE_H

#include <net/if.h>

#include "steer.h"

struct device {
	int fd;
	char ifname[IFNAMSIZ];
};

/* 0 or a negative errno. */
int device_open(const char *ifname, struct device *device) __attribute__((warn_unused_result));
void device_close(struct device *device);

/* `driver` gets its name. */
int device_driver(const struct device *device, char driver[32]) __attribute__((warn_unused_result));

/* A steer_ask; `context` is the struct device. */
int device_ask(void *context, struct ethtool_rxnfc *nfc, size_t n_locations);

#endif /* SLUICE_BACKENDS_FLOWDIR_DEVICE_H */
