/* SPDX-License-Identifier: BSD-2-Clause */
/* See port_bins.h. */
#include "port_bins.h"

#include <stddef.h>

#include <sluice/detector.h>

#include "hash.h"

/* Services that are attacked, and those that reflect attacks; in the order of their bins. */
static const uint16_t listed[] = {
	0,    7,    17,	  19,	20,   21,   22,	  23,	25,    53,    67,    69,    80,
	88,   110,  111,  119,	123,  135,  137,  138,	139,   143,   161,   179,   389,
	427,  443,  445,  465,	500,  514,  520,  587,	636,   993,   995,   1194,  1433,
	1434, 1701, 1723, 1900, 3283, 3306, 3389, 3478, 3702,  4500,  5060,  5353,  5432,
	5683, 6379, 6881, 8080, 8443, 8888, 9200, 9987, 11211, 25565, 27015, 30120,
};

_Static_assert(sizeof(listed) / sizeof(listed[0]) == SLUICE_N_LISTED_PORTS, "a bin each");

void port_bins_fill(uint8_t bins[PORT_BINS_SIZE], const __u64 hash_key[2])
{
	const unsigned int shared = SLUICE_N_PORT_BINS - SLUICE_N_LISTED_PORTS;

	for (uint32_t port = 0; port < PORT_BINS_SIZE; port++)
		bins[port] = (uint8_t)(SLUICE_N_LISTED_PORTS +
				       hash_bucket_first(hash_v4(hash_key, port), shared));
	for (size_t i = 0; i < SLUICE_N_LISTED_PORTS; i++)
		bins[listed[i]] = (uint8_t)i;
}
