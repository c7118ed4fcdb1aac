/* SPDX-License-Identifier: BSD-2-Clause */
/* What an attack record holds: for attack_record.c, which fills it, and fingerprint_write.c. */
#ifndef SIGNATURE_ATTACK_RECORD_PRIVATE_H
#define SIGNATURE_ATTACK_RECORD_PRIVATE_H

#include <stdbool.h>
#include <stdint.h>

#include "attack_record.h"

#define ATTACK_RECORD_VECTORS 256
#define TALLY_VALUES 64
#define RECORD_SLOTS 32768u

struct tally_value {
	uint32_t value;
	uint32_t n;
};

/* How often each value of a field was seen. */
struct tally {
	struct tally_value values[TALLY_VALUES];
	uint32_t n;
	uint64_t sum;
};

struct attack_vector {
	double packets, bytes;
	uint8_t protocol;
	struct tally ether_type, frame_size, ttl, fragment_offset;
	struct tally source_port, destination_port, tcp_flags;
};

struct recorded_source {
	struct sluice_key key;
	uint16_t place;
	bool is_used;
};

struct attack_record {
	struct attack_vector *vectors[ATTACK_RECORD_VECTORS]; /* By a signature's place. */
	size_t n_vectors;
	struct recorded_source *sources; /* RECORD_SLOTS of them, or NULL. */
	uint32_t n_sources;
	struct sluice_key target;
	bool has_target;
	int64_t start, end; /* Seconds since 1970. */
};

#endif /* SIGNATURE_ATTACK_RECORD_PRIVATE_H */
