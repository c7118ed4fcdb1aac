// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Whom this server spoke to first, seen at tc.  A TCP SYN without ACK and an ICMP echo request are
 * first words whatever came before: nothing that a stranger sends makes the kernel send one.  UDP has
 * no such mark, so the program on the way in notes who has sent, and what goes to one of those is a
 * reply, which makes nobody known.  Dropped packets never get here and cost nothing.
 *
 * Both programs leave each packet to whatever comes next at tc.
 */
#include "egress_shared.h"
#include "hash.h"
#include "parse.h"
#include "shared.h"
#include "spoken.h"

#include <linux/pkt_cls.h>

char _license[] SEC("license") = "Dual BSD/GPL";

/* Of linux/icmp.h, which does not compile for BPF. */
#define ECHO_REQUEST4 8
#define ECHO_REQUEST6 128
#define NEXT TC_ACT_UNSPEC /* And TCX_NEXT, which is the same number. */
/* Ethernet, two tags, IPv6 with some extension headers. */
#define PULL 160

struct sluice_header_page sluice_page SEC(".data.header");
#define HEADER (&sluice_page.header)

#define EGRESS_ARRAY(name, type_, entries)         \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_ARRAY);  \
		__uint(map_flags, BPF_F_MMAPABLE); \
		__uint(max_entries, entries);      \
		__type(key, __u32);                \
		__type(value, type_);              \
	} name SEC(".maps")

EGRESS_ARRAY(sluice_heard, __u64, 2 * EGRESS_HEARD_WORDS);
EGRESS_ARRAY(sluice_egress, struct egress_state, 1);
EGRESS_ARRAY(sluice_egress_n, struct egress_cpu_counters, 1); /* One element a CPU. */

/* Interfaces that the filter protects: what came in by one of them is not this server's own word. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, EGRESS_MAX_INTERFACES);
	__type(key, __u32);
	__type(value, __u32);
} sluice_guarded SEC(".maps");

static __always_inline void egress_count(enum egress_count what)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct egress_cpu_counters *counters = bpf_map_lookup_elem(&sluice_egress_n, &cpu);

	if (counters)
		counters->count[what]++;
}

/* What both ways read of a packet: its far end, and of UDP the ports. */
struct egress_packet {
	struct egress_host_key peer;
	__u32 ports; /* Far end's and ours; of UDP, if it was found. */
	__u32 at;    /* Offset of the transport header; 0 = none was found. */
	__u8 protocol;
	bool syn;
	bool usable; /* IP, and its header does not contradict itself. */
};

static __always_inline void read_ipv4(const struct parse_cursor *cursor, const void *data, bool out,
				      struct egress_packet *packet)
{
	struct iphdr *ip = parse_ipv4(cursor);
	struct parse_transport transport;

	if (!ip || ip->version != 4 || ip->ihl < 5)
		return;
	transport = parse_ipv4_transport(ip, cursor->end);
	packet->peer.high = out ? ip->daddr : ip->saddr;
	packet->peer.family = 4;
	packet->protocol = transport.protocol;
	packet->syn = transport.syn;
	packet->at = transport.header ? transport.header - data : 0;
	packet->usable = true;
}

static __always_inline void read_ipv6(const struct parse_cursor *cursor, const void *data, bool out,
				      struct egress_packet *packet)
{
	struct ipv6hdr *ip = parse_ipv6(cursor);
	struct parse_transport transport;
	const void *peer;

	if (!ip || ip->version != 6)
		return;
	transport = parse_ipv6_transport(ip, cursor->end);
	peer = out ? (const void *)&ip->daddr : (const void *)&ip->saddr;
	__builtin_memcpy(&packet->peer.high, peer, 8);
	__builtin_memcpy(&packet->peer.low, peer + 8, 8);
	packet->peer.family = 6;
	packet->protocol = transport.protocol;
	packet->syn = transport.syn;
	packet->at = transport.header ? transport.header - data : 0;
	packet->usable = true;
}

static __always_inline void read_ports(struct __sk_buff *skb, bool out,
				       struct egress_packet *packet)
{
	__u16 port[2];

	if (packet->protocol != IPPROTO_UDP || !packet->at)
		return;
	if (bpf_skb_load_bytes(skb, packet->at, port, sizeof(port))) {
		packet->at = 0;
		return;
	}
	packet->ports = out ? egress_ports(port[1], port[0]) : egress_ports(port[0], port[1]);
}

static __always_inline void read_packet(struct __sk_buff *skb, bool out,
					struct egress_packet *packet)
{
	__u32 linear = skb->data_end - skb->data;

	if (linear < PULL && linear < skb->len)
		bpf_skb_pull_data(skb, skb->len < PULL ? skb->len : PULL);

	void *data = (void *)(long)skb->data;
	struct parse_cursor cursor = { data, (void *)(long)skb->data_end };
	struct parse_ethertype type = parse_ethernet(&cursor);

	if (type.value == bpf_htons(ETH_P_IP))
		read_ipv4(&cursor, data, out, packet);
	else if (type.value == bpf_htons(ETH_P_IPV6))
		read_ipv6(&cursor, data, out, packet);
	if (packet->usable)
		read_ports(skb, out, packet);
}

static __always_inline __u64 hash_host(const struct egress_host_key *host)
{
	return egress_hash_host(HEADER->hash_key, host);
}

static __always_inline __u64 hash_flow(__u64 host_hash, __u32 ports)
{
	return egress_hash_flow(HEADER->hash_key, host_hash, ports);
}

static __always_inline __u64 *heard_word(__u32 half, __u64 hash)
{
	__u32 index = egress_heard_index(half, hash);

	return bpf_map_lookup_elem(&sluice_heard, &index);
}

static __always_inline __u32 heard_half(void)
{
	__u32 zero = 0;
	const struct egress_state *state = bpf_map_lookup_elem(&sluice_egress, &zero);

	return state ? state->half & 1 : 0;
}

static __always_inline void heard_note(__u32 half, __u64 hash)
{
	__u64 *word = heard_word(half, hash), mask = egress_heard_mask(hash);

	/* In a conversation it is there already, and the line stays shared. */
	if (word && (*(volatile __u64 *)word & mask) != mask)
		__sync_fetch_and_or(word, mask);
}

/* True if that has been heard, or may have been. */
static __always_inline bool heard(__u32 half, __u64 hash)
{
	const __u64 *word = heard_word(half, hash), *older = heard_word(half ^ 1, hash);
	__u64 mask = egress_heard_mask(hash);

	/* Without the filter everybody may have spoken. */
	return !word || !older || (*word & mask) == mask || (*older & mask) == mask;
}

/* Hosts that are one: no groups, not this machine, not nobody. */
static __always_inline bool is_host(const struct egress_host_key *host)
{
	const __u8 *bytes = (const __u8 *)&host->high;

	if (host->family == 4)
		return bytes[0] != 0 && bytes[0] != 127 && bytes[0] < 224;
	return bytes[0] != 0xff && (host->high || host->low & bpf_cpu_to_be64(~1ull));
}

/* First words to a host, by whatever protocol. */
static __always_inline void spoken_note(const struct egress_packet *packet,
					struct egress_host *known, enum egress_count what)
{
	__u64 now = HEADER->clock_ns ? HEADER->clock_ns : bpf_ktime_get_ns();
	struct egress_host host = { .first_ns = now, .last_ns = now, .ports = packet->ports };

	egress_count(what);
	if (!known)
		known = bpf_map_lookup_elem(&sluice_spoken, &packet->peer);
	if (!known) {
		/* Another CPU may have been first, which is as good. */
		if (bpf_map_update_elem(&sluice_spoken, &packet->peer, &host, BPF_NOEXIST) &&
		    !bpf_map_lookup_elem(&sluice_spoken, &packet->peer))
			egress_count(EGRESS_COUNT_REFUSED);
		return;
	}
	if (now - known->last_ns < EGRESS_TOUCH_NS)
		return;
	known->last_ns = now;
	known->ports = packet->ports;
}

/*
 * UDP.  To a host that has sent nothing these are first words.  One that has sent can only stay known:
 * by a flow that this server began.
 */
static __always_inline void speak_udp(const struct egress_packet *packet)
{
	__u64 hash = hash_host(&packet->peer);
	__u32 half = heard_half();

	/* A later fragment tells no flow, and the first one has been seen. */
	if (!packet->at)
		return;
	if (!heard(half, hash)) {
		spoken_note(packet, NULL, EGRESS_COUNT_UDP);
		return;
	}
	heard_note(half, hash);
	struct egress_host *known = bpf_map_lookup_elem(&sluice_spoken, &packet->peer);

	if (known &&
	    (known->ports == packet->ports || !heard(half, hash_flow(hash, packet->ports))))
		spoken_note(packet, known, EGRESS_COUNT_UDP);
	else
		egress_count(EGRESS_COUNT_REPLIES);
}

static __always_inline bool is_echo_request(struct __sk_buff *skb,
					    const struct egress_packet *packet)
{
	__u8 type;

	if (packet->protocol != (packet->peer.family == 4 ? IPPROTO_ICMP : IPPROTO_ICMPV6) ||
	    !packet->at || bpf_skb_load_bytes(skb, packet->at, &type, sizeof(type)))
		return false;
	return type == (packet->peer.family == 4 ? ECHO_REQUEST4 : ECHO_REQUEST6);
}

/* Came in by a protected interface, and goes out again: somebody else's words. */
static __always_inline bool is_relayed(struct __sk_buff *skb)
{
	__u32 from = skb->ingress_ifindex;

	return from && bpf_map_lookup_elem(&sluice_guarded, &from);
}

SEC("tc")
int sluice_egress_out(struct __sk_buff *skb)
{
	struct egress_packet packet = {};
	bool echo;

	read_packet(skb, true, &packet);
	if (!packet.usable || !is_host(&packet.peer))
		return NEXT;
	echo = is_echo_request(skb, &packet);
	if (!packet.syn && !echo && packet.protocol != IPPROTO_UDP)
		return NEXT;
	if (unlikely(is_relayed(skb))) {
		egress_count(EGRESS_COUNT_RELAYED);
		return NEXT;
	}
	if (packet.syn || echo)
		spoken_note(&packet, NULL, packet.syn ? EGRESS_COUNT_TCP : EGRESS_COUNT_ICMP);
	else
		speak_udp(&packet);
	return NEXT;
}

/*
 * Who sends, except by TCP: a connection in which the far end begins leads to no word of ours but
 * within it.  What is not understood counts as well, since the kernel might understand it.
 */
SEC("tc")
int sluice_egress_in(struct __sk_buff *skb)
{
	struct egress_packet packet = {};

	read_packet(skb, false, &packet);
	if (!packet.usable || packet.protocol == IPPROTO_TCP)
		return NEXT;
	__u32 half = heard_half();
	__u64 hash = hash_host(&packet.peer);

	heard_note(half, hash);
	if (packet.protocol == IPPROTO_UDP && packet.at)
		heard_note(half, hash_flow(hash, packet.ports));
	return NEXT;
}
