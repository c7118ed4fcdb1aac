/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is written down of an attack while it goes on, and its fingerprint in the form of the DDoS
 * Clearing House (see README.md for the fields).  Built from samples: shares are exact to their number,
 * packets and bytes are estimates.
 */
#ifndef SIGNATURE_ATTACK_RECORD_H
#define SIGNATURE_ATTACK_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

#include "../common/packet.h"

#define ATTACK_RECORD_SOURCES 10000 /* Addresses kept per attack. */

struct attack_record;

int attack_record_new(struct attack_record **out) __attribute__((warn_unused_result));
void attack_record_free(struct attack_record *record); /* NULL is a no-op. */

/* A sample of signature `place`, which stands for `packets` packets. */
void attack_record_add(struct attack_record *record, size_t place, const struct packet *packet,
		       uint32_t frame_size, double packets);
/* Packets and bytes that a rule of that signature dropped. */
void attack_record_dropped(struct attack_record *record, size_t place, uint64_t packets,
			   uint64_t bytes);
/* The attack's time, in seconds since 1970; called in each of its windows. */
void attack_record_time(struct attack_record *record, int64_t seconds);
/* Nothing has been added yet. */
bool attack_record_is_empty(const struct attack_record *record);
void attack_record_clear(struct attack_record *record);

/* `names[place]` is the signature's.  The text is the caller's to free(); NULL without memory. */
char *attack_record_fingerprint(const struct attack_record *record, const char *const *names,
				size_t n_names);
/*
 * Writes it to `<folder>/<key>.json`, whole or not at all; `path` (PATH_MAX bytes) gets its name.
 * 0 or a negative errno, with `err` filled.
 */
int attack_record_write(const struct attack_record *record, const char *const *names,
			size_t n_names, const char *folder, char *path, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SIGNATURE_ATTACK_RECORD_H */
