/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What precedes a frame to send whose sums the kernel or the card is to fill in: the part that we use of Linux 6.18's
 * include/uapi/linux/if_xdp.h and Documentation/networking/xsk-tx-metadata.rst, which the headers of Debian 12
 * (6.1) do not have.
 */
#ifndef SLUICE_XSK_TX_METADATA_H
#define SLUICE_XSK_TX_METADATA_H

#include <stddef.h>
#include <stdint.h>

/* XDP_UMEM_REG.  Before 6.11 (6.8 to 6.10 took the length without it) the flag is refused. */
struct tx_metadata_umem {
	uint64_t addr, len;
	uint32_t chunk_size, headroom, flags, tx_metadata_len;
};

#define TX_METADATA_UMEM_LEN (1u << 2)	    /* XDP_UMEM_TX_METADATA_LEN */
#define TX_METADATA_OPTION (1u << 1)	    /* XDP_TX_METADATA, of a descriptor. */
#define TX_METADATA_FLAG_CHECKSUM (1u << 1) /* XDP_TXMD_FLAGS_CHECKSUM */

/* struct xsk_tx_metadata, directly before the frame. */
struct tx_metadata {
	uint64_t flags;
	/* From the frame's first byte on; the sum's place from there on. */
	uint16_t csum_start, csum_offset;
	uint32_t reserved;
	uint64_t reserved_launch_time; /* Since 6.15. */
};

/* Where a frame to send begins then: room for the metadata, and a cache line of its own. */
#define TX_METADATA_HEADROOM 64u

_Static_assert(sizeof(struct tx_metadata_umem) == 32, "the kernel's");
_Static_assert(offsetof(struct tx_metadata, csum_start) == 8, "the kernel's");
_Static_assert(sizeof(struct tx_metadata) == 24, "the kernel's");
_Static_assert(sizeof(struct tx_metadata) <= TX_METADATA_HEADROOM, "before the frame");

#endif /* SLUICE_XSK_TX_METADATA_H */
