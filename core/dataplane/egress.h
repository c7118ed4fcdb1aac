/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The programs at tc that know whom this server spoke to first (bpf/egress.bpf.c): loads, attaches
 * and adopts them, and reads what they found.
 */
#ifndef SLUICE_DATAPLANE_EGRESS_H
#define SLUICE_DATAPLANE_EGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

#include "dataplane.h"

struct egress_plane;
struct sluice_header;

struct egress_options {
	const char *folder; /* NULL, and no interfaces: nothing is pinned, as a replay wants it. */
	int header_fd;
	int spoken_fd;			    /* The filter's table of hosts, of `max_hosts`. */
	const struct sluice_header *header; /* The page; its clock, if it is set, is the time. */
	uint32_t n_cpus;
	uint32_t max_hosts;
	enum dataplane_egress mode;
	const struct dataplane_interface *interfaces;
	size_t n_interfaces;
};

/*
 * How many hosts the table has room for: what is pinned under `folder` (NULL: nothing) keeps its size,
 * whatever the options say.
 */
uint32_t egress_max_hosts(const char *folder, uint32_t max_known);

/*
 * On failure nothing of this call is left attached, and what an earlier daemon left stays; pinned maps
 * go with the rest of the folder.
 */
int egress_open(const struct egress_options *options, struct egress_plane **out,
		struct sluice_err *err) __attribute__((warn_unused_result));
/* When nothing can fail any more: takes off what earlier daemons left elsewhere. */
void egress_settle(const struct egress_plane *egress);
/* Takes off the programs that egress_open() attached anew.  NULL is a no-op. */
void egress_undo(struct egress_plane *egress);
/* Leaves the programs running.  NULL is a no-op. */
void egress_close(struct egress_plane *egress);

/* How it is attached: TCX or CLSACT. */
enum dataplane_egress egress_mode(const struct egress_plane *egress);

/* Attaches to an interface that came back. */
int egress_attach(struct egress_plane *egress, const char *ifname, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* See struct dataplane_ops; any one thread. */
int egress_read(struct egress_plane *egress, const struct dataplane_spoken_terms *terms,
		dataplane_spoken_fn fn, void *ctx, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* One frame through the program on the way out, or in, as tc would do.  0 or a negative errno. */
int egress_run(struct egress_plane *egress, bool out, const void *frame, size_t size)
	__attribute__((warn_unused_result));

/*
 * Whether the program on the way in would note nothing new of a packet: by whom it is, and of UDP the
 * first four bytes of its header; NULL for any other protocol.
 */
bool egress_has_heard(const struct egress_plane *egress, const struct sluice_key *source,
		      const uint8_t *ports);

void egress_counts(const struct egress_plane *egress, struct dataplane_egress_counts *counts);

#endif /* SLUICE_DATAPLANE_EGRESS_H */
