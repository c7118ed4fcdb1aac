/* SPDX-License-Identifier: BSD-2-Clause */
/* What lwIP asks of a platform: gcc or clang on Linux, one thread. */
#ifndef SLUICE_LWIP_ARCH_CC_H
#define SLUICE_LWIP_ARCH_CC_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define LWIP_TIMEVAL_PRIVATE 0
#include <sys/time.h>

#define LWIP_PLATFORM_DIAG(words) \
	do {                      \
		printf words;     \
	} while (0)
/* Reached by faults of the program only; the process ends, and its ports fall back to Linux. */
#define LWIP_PLATFORM_ASSERT(text)                                              \
	do {                                                                    \
		fprintf(stderr, "lwip: %s:%d: %s\n", __FILE__, __LINE__, text); \
		abort();                                                        \
	} while (0)
#define LWIP_RAND() ((uint32_t)port_random())
uint32_t port_random(void);

#endif /* SLUICE_LWIP_ARCH_CC_H */
