/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading headers: one cursor, every bound checked once, ethertype and transport protocol kept
 * apart by type.  Used by all packet programs.
 */
#ifndef SLUICE_BPF_PARSE_H
#define SLUICE_BPF_PARSE_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#define PARSE_MAX_VLANS 2
#define PARSE_MAX_EXTENSIONS 6

#ifndef likely
#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#endif

struct parse_vlan_tag {
	__be16 tci;
	__be16 inner_ethertype;
};

struct parse_cursor {
	void *at;
	void *end;
};

/* An ethertype, so that it cannot be taken for a transport protocol. */
struct parse_ethertype {
	__be16 value;
};

static __always_inline bool parse_is_vlan(__be16 ethertype)
{
	return ethertype == bpf_htons(ETH_P_8021Q) || ethertype == bpf_htons(ETH_P_8021AD);
}

/*
 * Reads Ethernet and up to two VLAN tags (802.1Q, 802.1ad).  The cursor then stands on the network
 * header.  A frame cut short within them gives ethertype 0, one of more tags that of the third.
 */
static __always_inline struct parse_ethertype parse_ethernet(struct parse_cursor *cursor)
{
	struct parse_ethertype type = { 0 };
	struct ethhdr *eth = cursor->at;

	if ((void *)(eth + 1) > cursor->end)
		return type;
	cursor->at = eth + 1;
	/* The structure is packed, for which clang would load byte by byte. */
	__be16 value = *(const __be16 *)((void *)eth + offsetof(struct ethhdr, h_proto));

#pragma unroll
	for (int i = 0; i < PARSE_MAX_VLANS; i++) {
		if (likely(!parse_is_vlan(value)))
			break;
		struct parse_vlan_tag *tag = cursor->at;

		if ((void *)(tag + 1) > cursor->end)
			return type;
		value = tag->inner_ethertype;
		cursor->at = tag + 1;
	}
	type.value = value;
	return type;
}

/* The IPv4 header if its fixed part is there, else NULL.  The cursor stays. */
static __always_inline struct iphdr *parse_ipv4(const struct parse_cursor *cursor)
{
	struct iphdr *ip = cursor->at;

	return (void *)(ip + 1) > cursor->end ? (void *)0 : ip;
}

static __always_inline struct ipv6hdr *parse_ipv6(const struct parse_cursor *cursor)
{
	struct ipv6hdr *ip = cursor->at;

	return (void *)(ip + 1) > cursor->end ? (void *)0 : ip;
}

/* How long the packet says it is, from its IP header on. */
static __always_inline __u32 parse_ipv4_length(const struct iphdr *ip)
{
	return bpf_ntohs(ip->tot_len);
}

static __always_inline __u32 parse_ipv6_length(const struct ipv6hdr *ip)
{
	return sizeof(*ip) + bpf_ntohs(ip->payload_len);
}

/* A frame that is padded to Ethernet's least of 64 bytes, from its IP header on. */
#define PARSE_SHORT_BYTES 50
/* Ethernet's most, but for jumbo frames, from the IP header on. */
#define PARSE_ORDINARY_BYTES 1500

/*
 * Whether the frame surely ends with its linear part: the packet fills that and is no jumbo one, or it is
 * a short one with padding.  A packet that ends sooner may have any number of buffers behind the one
 * it ends in, and one that fills a jumbo frame's first buffer may have padding in the next.
 */
static __always_inline bool parse_is_linear(const struct parse_cursor *cursor, __u32 ip_length)
{
	/* Not `at + ip_length`: to the verifiers of 6.1 and 6.12 a byte-swapped length is boundless. */
	__u64 room = cursor->end - cursor->at;

	if (likely(ip_length == room))
		return room <= PARSE_ORDINARY_BYTES;
	return ip_length < room && room <= PARSE_SHORT_BYTES;
}

/* The frame's length in bytes; the helper only where it is worth its price (7 ns). */
static __always_inline __u32 parse_frame_bytes(struct xdp_md *ctx,
					       const struct parse_cursor *cursor, __u32 ip_length)
{
	if (parse_is_linear(cursor, ip_length))
		return ctx->data_end - ctx->data;
	return bpf_xdp_get_buff_len(ctx);
}

/*
 * True if the header contradicts itself.  Nearly all packets have version 4 and no options: one
 * comparison for both.
 */
static __always_inline bool parse_ipv4_malformed(const struct iphdr *ip)
{
	__u32 first = *(const __u8 *)ip, header = (first & 15) * 4;

	if (likely(first == 0x45))
		return parse_ipv4_length(ip) < sizeof(*ip);
	return first >> 4 != 4 || header < sizeof(*ip) || parse_ipv4_length(ip) < header;
}

static __always_inline bool parse_ipv6_malformed(const struct ipv6hdr *ip)
{
	return ip->version != 6;
}

/* Whether there is more of the packet elsewhere. */
enum parse_fragment {
	PARSE_WHOLE,
	PARSE_FIRST_FRAGMENT,
	PARSE_LATER_FRAGMENT,
};

/* What comes behind the IP header and its extensions: the one walk that all programs share. */
struct parse_transport {
	__u8 protocol; /* IPPROTO_*; of a later fragment too, where no header follows. */
	__u8 fragment; /* enum parse_fragment */
	bool syn;      /* A TCP header with SYN and without ACK. */
	/* Where the transport header begins, which may be cut short; NULL where none follows. */
	void *header;
};

static __always_inline bool parse_tcp_syn(void *tcp, const void *end)
{
	__u8 *bytes = tcp;

	if ((const void *)(bytes + 14) > end)
		return false;
	return (bytes[13] & 0x12) == 0x02;
}

static __always_inline struct parse_transport parse_ipv4_transport(struct iphdr *ip,
								   const void *end)
{
	struct parse_transport transport = { .protocol = ip->protocol };

	if (ip->frag_off & bpf_htons(0x1fff)) {
		transport.fragment = PARSE_LATER_FRAGMENT;
		return transport;
	}
	transport.fragment = ip->frag_off & bpf_htons(0x2000) ? PARSE_FIRST_FRAGMENT : PARSE_WHOLE;
	transport.header = (void *)ip + ip->ihl * 4u;
	if (ip->protocol == IPPROTO_TCP)
		transport.syn = parse_tcp_syn(transport.header, end);
	return transport;
}

static __always_inline bool parse_is_extension(__u8 protocol)
{
	switch (protocol) {
	case IPPROTO_HOPOPTS:
	case IPPROTO_ROUTING:
	case IPPROTO_FRAGMENT:
	case IPPROTO_AH:
	case IPPROTO_DSTOPTS:
	case 135: /* Mobility header */
		return true;
	default:
		return false;
	}
}

/*
 * Walks up to six extension headers.  Of a longer chain, and of one that is cut short, no transport
 * header is seen, and the protocol is that of the header where the walk stopped.
 */
static __always_inline struct parse_transport parse_ipv6_transport(struct ipv6hdr *ip,
								   const void *end)
{
	struct parse_transport transport = { .protocol = ip->nexthdr };
	__u8 *at = (void *)(ip + 1);

	for (int i = 0; i < PARSE_MAX_EXTENSIONS; i++) {
		__u8 type = transport.protocol;

		if (!parse_is_extension(type))
			goto found;
		if ((const void *)(at + 8) > end)
			return transport;
		transport.protocol = at[0];
		if (type == IPPROTO_FRAGMENT) {
			/* A later fragment carries no transport header. */
			if ((at[2] << 8 | at[3]) & 0xfff8) {
				transport.fragment = PARSE_LATER_FRAGMENT;
				return transport;
			}
			/* One that is the whole packet (RFC 6946) is none. */
			if (at[3] & 1)
				transport.fragment = PARSE_FIRST_FRAGMENT;
			at += 8;
		} else if (type == IPPROTO_AH) {
			at += (at[1] + 2) * 4;
		} else {
			at += (at[1] + 1) * 8;
		}
	}
	if (parse_is_extension(transport.protocol))
		return transport;
found:
	transport.header = at;
	if (transport.protocol == IPPROTO_TCP)
		transport.syn = parse_tcp_syn(at, end);
	return transport;
}

#endif /* SLUICE_BPF_PARSE_H */
