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

/*
 * Reads Ethernet and up to two VLAN tags (802.1Q, 802.1ad).  The cursor then stands on the network
 * header.  A frame cut short within them, or more tags than that, gives ethertype 0.
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
		if (likely(value != bpf_htons(ETH_P_8021Q) && value != bpf_htons(ETH_P_8021AD)))
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

/* Whether the packet, from the cursor on, ends within the linear part of the frame. */
static __always_inline bool parse_is_linear(const struct parse_cursor *cursor, __u32 ip_length)
{
	/* Not `at + ip_length`: to the verifiers of 6.1 and 6.12 a byte-swapped length is boundless. */
	return likely(ip_length <= cursor->end - cursor->at);
}

/*
 * The frame's length in bytes.  A packet that ends within the linear part is all there; only one
 * that says it is longer makes the helper worth its price (7 ns): it has fragments, or it lies.
 */
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

/* What a transport header says, as far as the features need it. */
struct parse_transport {
	__u8 protocol; /* IPPROTO_*; of a later fragment too, where no header follows. */
	bool syn;      /* A TCP header with SYN and without ACK. */
	bool fragment; /* A part of a packet, the first or a later one. */
	void *header;  /* Where the transport header begins; NULL where none follows. */
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

	transport.fragment = ip->frag_off & bpf_htons(0x3fff);
	if (ip->frag_off & bpf_htons(0x1fff))
		return transport;
	transport.header = (void *)ip + ip->ihl * 4u;
	if (ip->protocol == IPPROTO_TCP)
		transport.syn = parse_tcp_syn(transport.header, end);
	return transport;
}

/* Walks up to six extension headers; a longer chain gives the protocol it stopped at. */
static __always_inline struct parse_transport parse_ipv6_transport(struct ipv6hdr *ip,
								   const void *end)
{
	struct parse_transport transport = { .protocol = ip->nexthdr };
	__u8 *at = (void *)(ip + 1);

	for (int i = 0; i < PARSE_MAX_EXTENSIONS; i++) {
		if ((const void *)(at + 8) > end)
			return transport;
		switch (transport.protocol) {
		case IPPROTO_HOPOPTS:
		case IPPROTO_ROUTING:
		case IPPROTO_DSTOPTS:
		case 135: /* Mobility header */
			transport.protocol = at[0];
			at += (at[1] + 1) * 8;
			break;
		case IPPROTO_FRAGMENT:
			transport.protocol = at[0];
			transport.fragment = true;
			/* A later fragment carries no transport header. */
			if ((at[2] << 8 | at[3]) & 0xfff8)
				return transport;
			at += 8;
			break;
		case IPPROTO_AH:
			transport.protocol = at[0];
			at += (at[1] + 2) * 4;
			break;
		default:
			goto found;
		}
	}
found:
	transport.header = at;
	if (transport.protocol == IPPROTO_TCP)
		transport.syn = parse_tcp_syn(at, end);
	return transport;
}

#endif /* SLUICE_BPF_PARSE_H */
