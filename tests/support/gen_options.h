/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command line of sluice-gen.
 */
#ifndef SLUICE_SUPPORT_GEN_OPTIONS_H
#define SLUICE_SUPPORT_GEN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "gen_packet.h"

struct gen_options {
	struct gen_packet packet;
	bool from_mac_given;
	const char *dev;
	const char *card; /* NULL: none */
	uint32_t order;	  /* enum gen_order */
	double sigma;	  /* Of a Gaussian, as a share of the number of sources. */
	uint64_t rate;	  /* Packets per second; 0 = as fast as it goes. */
	uint64_t count;	  /* 0 = no limit */
	double duration;  /* Seconds; 0 = no limit */
	double slice;	  /* Seconds' worth of packets in one system call. */
	uint64_t seed;
	int cpu; /* -1 = where the scheduler likes */
	bool fifo;
};

/*
 * 0: go on.  1: --help was asked for and printed.  -EINVAL: a message was printed to standard
 * error.
 */
int gen_options_parse(int argc, char **argv, struct gen_options *options)
	__attribute__((warn_unused_result));

#endif /* SLUICE_SUPPORT_GEN_OPTIONS_H */
