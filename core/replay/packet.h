/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the headers of a captured frame are.  Reads what the packet programs read: Ethernet, up to
 * two VLAN tags, IPv4 or IPv6 with extension headers, and the transport header's first bytes.
 * Every bound is checked; a frame may end anywhere.
 */
#ifndef SLUICE_REPLAY_PACKET_H
#define SLUICE_REPLAY_PACKET_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/key.h>

#define PACKET_TCP_FIN 0x01
#define PACKET_TCP_SYN 0x02
#define PACKET_TCP_RST 0x04
#define PACKET_TCP_ACK 0x10

struct packet_view {
	uint8_t family;	   /* enum sluice_family; 0: no IP, or its header is cut off. */
	uint8_t protocol;  /* IPPROTO_*; 0 with a family: extension headers cut off. */
	uint8_t tcp_flags; /* 0 if not captured. */
	uint8_t icmp_type;
	bool has_ports;	     /* TCP, UDP, SCTP, DCCP or UDP-Lite, and both captured. */
	bool fragment;	     /* A part of a packet, the first or a later one. */
	bool later_fragment; /* No transport header follows. */
	uint16_t source_port, destination_port;
	uint32_t network; /* Where the IP header begins. */
	uint32_t
		transport; /* Where the transport header begins; 0: none, or not captured at all. */
	uint32_t end;	   /* Where the packet ends by its own length; may lie beyond the frame. */
};

/* Fills all of `view`. */
void packet_parse(const uint8_t *frame, uint32_t size, struct packet_view *view);
/*
 * The same from an IP header at `network` on, such as that of the packet which an ICMP error
 * quotes.
 */
void packet_parse_ip(const uint8_t *frame, uint32_t size, uint32_t network,
		     struct packet_view *view);

/* A view without a family gives a key without one. */
struct sluice_key packet_source(const uint8_t *frame, const struct packet_view *view);
struct sluice_key packet_destination(const uint8_t *frame, const struct packet_view *view);

/* True for ICMP and ICMPv6 messages that quote a packet, which then begins at `*quoted`. */
bool packet_is_icmp_error(const struct packet_view *view, uint32_t *quoted);
/* True for the echo request of either. */
bool packet_is_echo_request(const struct packet_view *view);

/* An address that a single host can have: no multicast, broadcast or unspecified one. */
bool packet_is_host(const struct sluice_key *address);

#endif /* SLUICE_REPLAY_PACKET_H */
