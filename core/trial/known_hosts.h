/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which hosts the protected one knows: those that completed a TCP handshake with it, learned from the
 * packets of a replay as a kernel would know it from its sockets, and those that the programs at tc
 * saw it speak to first.  A reply alone makes nobody known, and nothing that others send.
 */
#ifndef SLUICE_TRIAL_KNOWN_HOSTS_H
#define SLUICE_TRIAL_KNOWN_HOSTS_H

#include <stdint.h>

struct clock_source;
struct dataplane;
struct engine_known;
struct known_hosts;
struct sluice_key;

/* So long a host stays known after the protected one last spoke to it. */
#define KNOWN_HOSTS_KEEP_NS (60ull * 1000000000ull)

/*
 * `v6_prefix_len`: the unit of IPv6 sources; a host is known by its address and by its unit.  `clock`
 * must outlive the hosts.
 */
int known_hosts_new(uint8_t v6_prefix_len, const struct clock_source *clock,
		    struct known_hosts **out) __attribute__((warn_unused_result));
void known_hosts_free(struct known_hosts *hosts);

/* Whom to ask for those that the host spoke to first, at each refresh; NULL: nobody. */
void known_hosts_plane(struct known_hosts *hosts, struct dataplane *dataplane);

/* The protected host sent this peer a segment of an established connection.  0 or -ENOMEM. */
int known_hosts_connected(struct known_hosts *hosts, const struct sluice_key *peer)
	__attribute__((warn_unused_result));

/* Fills in what engine_options.known wants; valid as long as `hosts`. */
void known_hosts_interface(struct known_hosts *hosts, struct engine_known *known);

#endif /* SLUICE_TRIAL_KNOWN_HOSTS_H */
