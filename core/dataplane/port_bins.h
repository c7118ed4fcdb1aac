/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which bin of the port histograms counts a port: one of its own for those that floods and
 * amplifiers use most, for all others one that they share by a keyed hash.
 */
#ifndef SLUICE_DATAPLANE_PORT_BINS_H
#define SLUICE_DATAPLANE_PORT_BINS_H

#include <stdint.h>

#include <linux/types.h>

#define PORT_BINS_SIZE 65536

void port_bins_fill(uint8_t bins[PORT_BINS_SIZE], const __u64 hash_key[2]);

#endif /* SLUICE_DATAPLANE_PORT_BINS_H */
