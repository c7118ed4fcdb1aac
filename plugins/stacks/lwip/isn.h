/* SPDX-License-Identifier: BSD-2-Clause */
/* Keyed hash for initial sequence numbers: SipHash-2-4. */
#ifndef SLUICE_LWIP_ISN_H
#define SLUICE_LWIP_ISN_H

#include <stddef.h>
#include <stdint.h>

uint64_t isn_siphash(const uint64_t key[2], const void *data, size_t size);

#endif /* SLUICE_LWIP_ISN_H */
