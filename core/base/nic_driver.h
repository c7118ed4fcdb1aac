/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which driver a network interface has: what is reported of a card says by it what card that was.
 */
#ifndef SLUICE_BASE_NIC_DRIVER_H
#define SLUICE_BASE_NIC_DRIVER_H

#include <stdbool.h>

#define NIC_DRIVER_SIZE 32

/* As `ethtool -i` names it; empty if there is no such interface, or it has no name for its driver. */
void nic_driver_name(const char *ifname, char driver[NIC_DRIVER_SIZE]);

/* Drivers of test machines that take rules for a card that does not exist. */
bool nic_driver_is_simulation(const char *driver);

#endif /* SLUICE_BASE_NIC_DRIVER_H */
