/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stash maps without a kernel: this program's own bpf_map_*() calls, which the code under test
 * links to instead of libbpf's.  Safe to read from several threads.
 */
#ifndef SLUICE_TESTS_UNIT_DATAPLANE_FAKE_STASH_H
#define SLUICE_TESTS_UNIT_DATAPLANE_FAKE_STASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum fake_stash {
	FAKE_STASH4 = 1000, /* In place of a file descriptor. */
	FAKE_STASH6 = 1001,
};

/* Empties both maps and forgets what fake_stash_refuse() said. */
void fake_stash_reset(void);
/* Every update fails with this errno from now on; 0 = no more. */
void fake_stash_refuse(int code);

bool fake_stash_get(int fd, uint64_t key, uint32_t *position);
void fake_stash_put(int fd, uint64_t key, uint32_t position);
size_t fake_stash_count(int fd);
/* Overwrites the value of the entry numbered `i`, if there is one. */
void fake_stash_spoil(int fd, size_t i, uint32_t position);

#endif /* SLUICE_TESTS_UNIT_DATAPLANE_FAKE_STASH_H */
