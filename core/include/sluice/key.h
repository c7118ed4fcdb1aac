/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The name of a traffic source: an address, or the prefix that stands for it.
 * Shared by plugins, the engine and the data plane.
 */
#ifndef SLUICE_KEY_H
#define SLUICE_KEY_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sluice_family {
	SLUICE_FAMILY_IPV4 = 4,
	SLUICE_FAMILY_IPV6 = 6,
};

/*
 * `addr` is in network byte order; IPv4 fills the first four bytes and the rest are zero.
 * Bits of `addr` beyond `prefix_len` are zero, so that two equal sources are equal bytes.
 */
struct sluice_key {
	uint8_t family;	     /* enum sluice_family */
	uint8_t prefix_len;  /* In bits: 0..32 for IPv4, 0..128 for IPv6. */
	uint8_t reserved[6]; /* Zero. */
	uint8_t addr[16];
};

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_KEY_H */
