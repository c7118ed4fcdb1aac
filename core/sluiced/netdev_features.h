/* SPDX-License-Identifier: BSD-2-Clause */
/* What an interface's driver can do with XDP, by the generic netlink family `netdev` (Linux 6.3 and newer). */
#ifndef SLUICE_SLUICED_NETDEV_FEATURES_H
#define SLUICE_SLUICED_NETDEV_FEATURES_H

#include <stdbool.h>
#include <stdint.h>

/* Bits of `xdp` and, since 6.8, of `xsk`. */
#define NETDEV_FEATURES_XDP_BASIC (1u << 0)
#define NETDEV_FEATURES_XDP_HW_OFFLOAD (1u << 4)
#define NETDEV_FEATURES_XDP_RX_SG (1u << 5)
#define NETDEV_FEATURES_XSK_TX_CHECKSUM (1u << 1)

struct netdev_features {
	bool known; /* Else all is 0. */
	uint64_t xdp, xsk;
};

struct netdev_features netdev_features_read(int ifindex);

/* Who fills in the sums of frames that AF_XDP sends, if the kernel has TX metadata at all. */
struct netdev_sums {
	bool zero_copy; /* The card. */
	bool copy;	/* The kernel, or the card for it. */
};

/* `driver` as of nic_driver_name(). */
struct netdev_sums netdev_features_sums(const struct netdev_features *features, const char *driver);

#endif /* SLUICE_SLUICED_NETDEV_FEATURES_H */
