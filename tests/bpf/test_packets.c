// SPDX-License-Identifier: BSD-2-Clause
/*
 * The packet table: every kind of frame from every kind of source, in every mode, with its verdict
 * and the one counter that it moves.
 */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/bpf.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "plane.h"

/* What the filter can make of a frame, apart from its source. */
enum shape {
	SHAPE_IP,	 /* Judged by its source. */
	SHAPE_MALFORMED, /* Has a source, but contradicts itself. */
	SHAPE_CUT,	 /* May be IP, but its source cannot be told. */
	SHAPE_OTHER,	 /* Not IP as far as can be seen. */
	N_SHAPES,
};

enum origin {
	ORIGIN_UNKNOWN,
	ORIGIN_BLOCKED,
	ORIGIN_IN_PREFIX,
	ORIGIN_ALLOWED, /* Inside the blocked prefix. */
	ORIGIN_EXEMPT,	/* Inside the blocked prefix. */
	N_ORIGINS,
};

static const struct {
	const char *name, *v4, *v6;
} origins[N_ORIGINS] = {
	[ORIGIN_UNKNOWN] = { "unknown", "198.51.100.7", "2001:db8:1:1::7" },
	[ORIGIN_BLOCKED] = { "blocked", "203.0.113.9", "2001:db8:2:2::9" },
	[ORIGIN_IN_PREFIX] = { "in a blocked prefix", "192.0.2.55", "2001:db8:bad:55::1" },
	[ORIGIN_ALLOWED] = { "allowed", "192.0.2.200", "2001:db8:bad:200::1" },
	[ORIGIN_EXEMPT] = { "exempt", "192.0.2.128", "2001:db8:bad:128::1" },
};

#define PASS DATAPLANE_REASON_PASS
#define EXEMPT DATAPLANE_REASON_EXEMPT
#define NOT_IP DATAPLANE_REASON_NOT_IP
#define BLOCKED DATAPLANE_REASON_BLOCKED
#define IN_PREFIX DATAPLANE_REASON_BLOCKED_PREFIX
#define MALFORMED DATAPLANE_REASON_MALFORMED
#define SPOOFED DATAPLANE_REASON_SPOOFED_OWN

static const enum dataplane_reason verdicts[N_SHAPES][N_ORIGINS] = {
	[SHAPE_IP] = { PASS, BLOCKED, IN_PREFIX, PASS, EXEMPT },
	[SHAPE_MALFORMED] = { MALFORMED, MALFORMED, MALFORMED, MALFORMED, EXEMPT },
	[SHAPE_CUT] = { MALFORMED, MALFORMED, MALFORMED, MALFORMED, MALFORMED },
	[SHAPE_OTHER] = { NOT_IP, NOT_IP, NOT_IP, NOT_IP, NOT_IP },
};

/* `pass_malformed`: a malformed packet is judged by its source, if there is one to be read. */
static const enum dataplane_reason lenient_verdicts[N_SHAPES][N_ORIGINS] = {
	[SHAPE_IP] = { PASS, BLOCKED, IN_PREFIX, PASS, EXEMPT },
	[SHAPE_MALFORMED] = { PASS, BLOCKED, IN_PREFIX, PASS, EXEMPT },
	[SHAPE_CUT] = { NOT_IP, NOT_IP, NOT_IP, NOT_IP, NOT_IP },
	[SHAPE_OTHER] = { NOT_IP, NOT_IP, NOT_IP, NOT_IP, NOT_IP },
};

struct row {
	const char *name;
	enum shape shape;
	struct frame_recipe recipe;
};

#define UDP .protocol = 17
#define TCP .protocol = 6
#define SYN 0x02
#define ACK 0x10
#define V4(...)                          \
	{                                \
		.family = 4, __VA_ARGS__ \
	}
#define V6(...)                          \
	{                                \
		.family = 6, __VA_ARGS__ \
	}
#define Q 0x8100
#define AD 0x88a8

static const struct row rows[] = {
	/* IPv4 by protocol: none of them matters to the verdict. */
	{ "v4 udp", SHAPE_IP, V4(UDP) },
	{ "v4 udp, no payload", SHAPE_IP, V4(UDP, .payload = FRAME_NO_PAYLOAD) },
	{ "v4 udp, full frame", SHAPE_IP, V4(UDP, .payload = 1472) },
	{ "v4 tcp syn", SHAPE_IP, V4(TCP, .tcp_flags = SYN) },
	{ "v4 tcp ack", SHAPE_IP, V4(TCP, .tcp_flags = ACK) },
	{ "v4 tcp syn+ack", SHAPE_IP, V4(TCP, .tcp_flags = SYN | ACK) },
	{ "v4 tcp no flags", SHAPE_IP, V4(TCP) },
	{ "v4 tcp all flags", SHAPE_IP, V4(TCP, .tcp_flags = 0xff) },
	{ "v4 icmp", SHAPE_IP, V4(.protocol = 1) },
	{ "v4 igmp", SHAPE_IP, V4(.protocol = 2) },
	{ "v4 ip-in-ip", SHAPE_IP, V4(.protocol = 4) },
	{ "v4 6in4", SHAPE_IP, V4(.protocol = 41) },
	{ "v4 gre", SHAPE_IP, V4(.protocol = 47) },
	{ "v4 esp", SHAPE_IP, V4(.protocol = 50) },
	{ "v4 ah", SHAPE_IP, V4(.protocol = 51) },
	{ "v4 sctp", SHAPE_IP, V4(.protocol = 132) },
	{ "v4 udp-lite", SHAPE_IP, V4(.protocol = 136) },
	{ "v4 protocol 0", SHAPE_IP, V4(.protocol = 0) },
	{ "v4 protocol 255", SHAPE_IP, V4(.protocol = 255) },
	{ "v4 no transport header", SHAPE_IP, V4(TCP, .cut = 34, .cut_honest = true) },
	{ "v4 half a tcp header", SHAPE_IP, V4(TCP, .cut = 44, .cut_honest = true) },
	{ "v4 half a udp header", SHAPE_IP, V4(UDP, .cut = 38, .cut_honest = true) },
	/* IPv4 options */
	{ "v4 one option word", SHAPE_IP, V4(UDP, .option_words = 1) },
	{ "v4 five option words", SHAPE_IP, V4(TCP, .tcp_flags = SYN, .option_words = 5) },
	{ "v4 ten option words", SHAPE_IP, V4(UDP, .option_words = 10) },
	{ "v4 options and nothing else", SHAPE_IP,
	  V4(.protocol = 0, .option_words = 10, .payload = FRAME_NO_PAYLOAD) },
	/* IPv4 fragments */
	{ "v4 don't fragment", SHAPE_IP, V4(UDP, .fragment = 0x4000) },
	{ "v4 first fragment", SHAPE_IP, V4(UDP, .fragment = 0x2000) },
	{ "v4 middle fragment", SHAPE_IP, V4(UDP, .fragment = 0x2001) },
	{ "v4 last fragment", SHAPE_IP, V4(UDP, .fragment = 0x0100) },
	{ "v4 last tcp fragment", SHAPE_IP, V4(TCP, .fragment = 0x1fff) },
	{ "v4 evil bit", SHAPE_IP, V4(UDP, .fragment = 0x8000) },
	{ "v4 tiny first fragment", SHAPE_IP,
	  V4(TCP, .fragment = 0x2000, .cut = 42, .cut_honest = true) },
	{ "v4 later fragment, empty", SHAPE_IP,
	  V4(UDP, .fragment = 0x0001, .payload = FRAME_NO_PAYLOAD) },
	/* IPv4 behind tags */
	{ "v4 802.1Q", SHAPE_IP, V4(UDP, .vlans = { Q }) },
	{ "v4 802.1ad", SHAPE_IP, V4(UDP, .vlans = { AD }) },
	{ "v4 QinQ", SHAPE_IP, V4(TCP, .tcp_flags = SYN, .vlans = { AD, Q }) },
	{ "v4 Q in Q", SHAPE_IP, V4(UDP, .vlans = { Q, Q }) },
	{ "v4 ad in ad", SHAPE_IP, V4(UDP, .vlans = { AD, AD }) },
	{ "v4 Q outside ad", SHAPE_IP, V4(UDP, .vlans = { Q, AD }) },
	{ "v4 802.1Q icmp", SHAPE_IP, V4(.protocol = 1, .vlans = { Q }) },
	{ "v4 802.1Q fragment", SHAPE_IP, V4(UDP, .vlans = { Q }, .fragment = 0x0010) },
	{ "v4 QinQ with options", SHAPE_IP, V4(UDP, .vlans = { AD, Q }, .option_words = 3) },
	{ "v4 three tags", SHAPE_CUT, V4(UDP, .vlans = { Q, Q, Q }) },
	{ "v4 four tags", SHAPE_CUT, V4(UDP, .vlans = { AD, Q, Q, Q }) },
	/* Linux takes off any number of these, so a third one must not hide the sender. */
	{ "v4 priority tag", SHAPE_IP, V4(UDP, .vlans = { Q }, .is_priority = true) },
	{ "v4 two priority tags", SHAPE_IP, V4(UDP, .vlans = { Q, Q }, .is_priority = true) },
	{ "v4 three priority tags", SHAPE_CUT, V4(UDP, .vlans = { Q, Q, Q }, .is_priority = true) },
	{ "v4 four priority tags", SHAPE_CUT,
	  V4(UDP, .vlans = { AD, AD, AD, AD }, .is_priority = true) },
	{ "v4 three tags, cut after the second", SHAPE_CUT,
	  V4(UDP, .vlans = { Q, Q, Q }, .cut = 22) },
	/* What cards called a tag before 802.1ad is none: the kernel does not take it for one. */
	{ "v4 0x9100", SHAPE_OTHER, V4(UDP, .vlans = { 0x9100 }) },
	{ "v4 0x9200", SHAPE_OTHER, V4(UDP, .vlans = { 0x9200 }) },
	{ "v4 802.1Q in 0x9100", SHAPE_OTHER, V4(UDP, .vlans = { 0x9100, Q }) },
	{ "v4 0x9100 in 802.1Q", SHAPE_OTHER, V4(UDP, .vlans = { Q, 0x9100 }) },
	{ "v4 802.1Q, options cut short", SHAPE_MALFORMED,
	  V4(UDP, .vlans = { Q }, .option_words = 4, .cut = 44) },
	{ "v4 QinQ, ihl 4", SHAPE_MALFORMED,
	  V4(UDP, .vlans = { AD, Q }, .is_ihl_set = true, .ihl = 4) },
	/* IPv4 lengths */
	{ "v4 padded to 60", SHAPE_IP, V4(UDP, .payload = FRAME_NO_PAYLOAD, .padding = 18) },
	{ "v4 padded much", SHAPE_IP, V4(UDP, .padding = 1000) },
	{ "v4 802.1Q padded", SHAPE_IP, V4(UDP, .vlans = { Q }, .payload = 1, .padding = 17) },
	{ "v4 one byte more than the frame", SHAPE_MALFORMED, V4(UDP, .length_change = 1) },
	{ "v4 far more than the frame", SHAPE_MALFORMED, V4(UDP, .length_change = 30000) },
	{ "v4 total length 65535", SHAPE_MALFORMED, V4(UDP, .length_change = 65535 - 58) },
	{ "v4 total length 0", SHAPE_MALFORMED, V4(UDP, .length_change = -58) },
	{ "v4 total length 19", SHAPE_MALFORMED, V4(UDP, .length_change = -39) },
	{ "v4 total length 20", SHAPE_IP, V4(UDP, .length_change = -38) },
	{ "v4 total length within the options", SHAPE_MALFORMED,
	  V4(UDP, .option_words = 10, .length_change = -39) },
	{ "v4 802.1Q, more than the frame", SHAPE_MALFORMED,
	  V4(UDP, .vlans = { Q }, .length_change = 1) },
	{ "v4 QinQ, more than the frame", SHAPE_MALFORMED,
	  V4(UDP, .vlans = { AD, Q }, .length_change = 1) },
	{ "v4 jumbo", SHAPE_IP, V4(UDP, .payload = 9000 - 28) },
	{ "v4 jumbo, 802.1Q", SHAPE_IP, V4(UDP, .vlans = { Q }, .payload = 9000 - 28) },
	{ "v4 jumbo, QinQ", SHAPE_IP, V4(UDP, .vlans = { AD, Q }, .payload = 9000 - 28) },
	{ "v4 jumbo with options", SHAPE_IP, V4(UDP, .option_words = 10, .payload = 9000 - 68) },
	{ "v4 jumbo fragment", SHAPE_IP, V4(UDP, .fragment = 0x2001, .payload = 9000 - 20) },
	{ "v4 jumbo, padded", SHAPE_IP, V4(UDP, .padding = 9000) },
	/* A test run's first buffer holds 3520 bytes: the packet fills it, the next has padding alone. */
	{ "v4 jumbo, padding in the next buffer", SHAPE_IP,
	  V4(UDP, .payload = 3520 - 42, .padding = 59) },
	{ "v4 jumbo, padding in the next buffers", SHAPE_IP,
	  V4(UDP, .payload = 3520 - 42, .padding = 5000) },
	{ "v4 jumbo, total length 20", SHAPE_IP,
	  V4(UDP, .payload = 9000 - 28, .length_change = 20 - 9000) },
	{ "v4 jumbo, total length 0", SHAPE_MALFORMED,
	  V4(UDP, .payload = 9000 - 28, .length_change = -9000) },
	{ "v4 jumbo, one byte short", SHAPE_MALFORMED,
	  V4(UDP, .payload = 9000 - 28, .length_change = 1) },
	/* IPv4 headers that lie */
	{ "v4 version 0", SHAPE_MALFORMED, V4(UDP, .is_version_set = true, .version = 0) },
	{ "v4 version 5", SHAPE_MALFORMED, V4(UDP, .is_version_set = true, .version = 5) },
	{ "v4 version 6", SHAPE_MALFORMED, V4(UDP, .is_version_set = true, .version = 6) },
	{ "v4 version 15", SHAPE_MALFORMED, V4(UDP, .is_version_set = true, .version = 15) },
	{ "v4 ihl 0", SHAPE_MALFORMED, V4(UDP, .is_ihl_set = true, .ihl = 0) },
	{ "v4 ihl 1", SHAPE_MALFORMED, V4(UDP, .is_ihl_set = true, .ihl = 1) },
	{ "v4 ihl 4", SHAPE_MALFORMED, V4(UDP, .is_ihl_set = true, .ihl = 4) },
	{ "v4 ihl into the payload", SHAPE_IP, V4(UDP, .is_ihl_set = true, .ihl = 14) },
	{ "v4 ihl beyond the packet", SHAPE_MALFORMED, V4(UDP, .is_ihl_set = true, .ihl = 15) },
	{ "v4 ihl beyond the frame", SHAPE_MALFORMED,
	  V4(UDP, .payload = FRAME_NO_PAYLOAD, .is_ihl_set = true, .ihl = 8) },
	{ "v4 ihl beyond the packet, in the padding", SHAPE_MALFORMED,
	  V4(UDP, .payload = FRAME_NO_PAYLOAD, .padding = 60, .is_ihl_set = true, .ihl = 15) },
	/* IPv4 cut short */
	{ "v4 cut after ethernet", SHAPE_CUT, V4(UDP, .cut = 14) },
	{ "v4 cut after one byte", SHAPE_CUT, V4(UDP, .cut = 15) },
	{ "v4 cut before the source", SHAPE_CUT, V4(UDP, .cut = 26) },
	{ "v4 cut within the source", SHAPE_CUT, V4(UDP, .cut = 29) },
	{ "v4 cut after the source", SHAPE_CUT, V4(UDP, .cut = 30) },
	{ "v4 cut one byte early", SHAPE_CUT, V4(UDP, .cut = 33) },
	{ "v4 cut after the header", SHAPE_MALFORMED, V4(UDP, .cut = 34) },
	{ "v4 cut within the options", SHAPE_MALFORMED, V4(UDP, .option_words = 4, .cut = 40) },
	{ "v4 cut within the options, says so", SHAPE_MALFORMED,
	  V4(UDP, .option_words = 4, .cut = 40, .cut_honest = true) },
	{ "v4 cut after the options", SHAPE_MALFORMED, V4(UDP, .option_words = 4, .cut = 50) },
	{ "v4 cut within udp", SHAPE_MALFORMED, V4(UDP, .cut = 38) },
	{ "v4 cut after udp", SHAPE_MALFORMED, V4(UDP, .cut = 42) },
	{ "v4 cut within the payload", SHAPE_MALFORMED, V4(UDP, .cut = 71) },
	{ "v4 802.1Q cut before the tag", SHAPE_OTHER, V4(UDP, .vlans = { Q }, .cut = 14) },
	{ "v4 802.1Q cut within the tag", SHAPE_OTHER, V4(UDP, .vlans = { Q }, .cut = 17) },
	{ "v4 802.1Q cut after the tag", SHAPE_CUT, V4(UDP, .vlans = { Q }, .cut = 18) },
	{ "v4 802.1Q cut within ip", SHAPE_CUT, V4(UDP, .vlans = { Q }, .cut = 37) },
	{ "v4 QinQ cut within the second tag", SHAPE_OTHER,
	  V4(UDP, .vlans = { AD, Q }, .cut = 21) },
	{ "v4 QinQ cut after the tags", SHAPE_CUT, V4(UDP, .vlans = { AD, Q }, .cut = 22) },
	{ "v4 QinQ cut within ip", SHAPE_CUT, V4(UDP, .vlans = { AD, Q }, .cut = 41) },
	/* IPv6 by protocol */
	{ "v6 udp", SHAPE_IP, V6(UDP) },
	{ "v6 udp, full frame", SHAPE_IP, V6(UDP, .payload = 1452) },
	{ "v6 tcp syn", SHAPE_IP, V6(TCP, .tcp_flags = SYN) },
	{ "v6 tcp ack", SHAPE_IP, V6(TCP, .tcp_flags = ACK) },
	{ "v6 icmpv6", SHAPE_IP, V6(.protocol = 58) },
	{ "v6 icmp of v4", SHAPE_IP, V6(.protocol = 1) },
	{ "v6 no next header", SHAPE_IP, V6(.protocol = 59) },
	{ "v6 no next header, empty", SHAPE_IP, V6(.protocol = 59, .payload = FRAME_NO_PAYLOAD) },
	{ "v6 gre", SHAPE_IP, V6(.protocol = 47) },
	{ "v6 esp", SHAPE_IP, V6(.protocol = 50) },
	{ "v6 sctp", SHAPE_IP, V6(.protocol = 132) },
	{ "v6 ipv4 inside", SHAPE_IP, V6(.protocol = 4) },
	{ "v6 protocol 255", SHAPE_IP, V6(.protocol = 255) },
	{ "v6 half a tcp header", SHAPE_IP, V6(TCP, .cut = 64, .cut_honest = true) },
	/* IPv6 extension headers */
	{ "v6 hop-by-hop", SHAPE_IP, V6(UDP, .extensions = { 1 }) },
	{ "v6 routing", SHAPE_IP, V6(UDP, .extensions = { 43 }) },
	{ "v6 destination options", SHAPE_IP, V6(TCP, .tcp_flags = SYN, .extensions = { 60 }) },
	{ "v6 authentication", SHAPE_IP, V6(UDP, .extensions = { 51 }) },
	{ "v6 mobility", SHAPE_IP, V6(.protocol = 59, .extensions = { 135 }) },
	{ "v6 host identity", SHAPE_IP, V6(.protocol = 59, .extensions = { 139 }) },
	{ "v6 first fragment", SHAPE_IP, V6(UDP, .extensions = { FRAME_FRAGMENT_FIRST }) },
	{ "v6 later fragment", SHAPE_IP, V6(UDP, .extensions = { FRAME_FRAGMENT_LATER }) },
	{ "v6 later tcp fragment", SHAPE_IP, V6(TCP, .extensions = { FRAME_FRAGMENT_LATER }) },
	{ "v6 fragment that is the whole", SHAPE_IP,
	  V6(UDP, .extensions = { FRAME_FRAGMENT_WHOLE }) },
	{ "v6 two fragment headers", SHAPE_IP,
	  V6(UDP, .extensions = { FRAME_FRAGMENT_FIRST, FRAME_FRAGMENT_LATER }) },
	{ "v6 first fragment, half a header, says so", SHAPE_IP,
	  V6(TCP, .extensions = { FRAME_FRAGMENT_FIRST }, .cut = 66, .cut_honest = true) },
	{ "v6 chain of 2", SHAPE_IP, V6(UDP, .extensions = { 1, 60 }) },
	{ "v6 chain of 3", SHAPE_IP, V6(UDP, .extensions = { 1, 60, 43 }) },
	{ "v6 chain of 4", SHAPE_IP, V6(UDP, .extensions = { 1, 60, 43, FRAME_FRAGMENT_FIRST }) },
	{ "v6 chain of 5", SHAPE_IP,
	  V6(UDP, .extensions = { 1, 60, 43, FRAME_FRAGMENT_FIRST, 51 }) },
	{ "v6 chain of 6", SHAPE_IP,
	  V6(TCP, .tcp_flags = SYN, .extensions = { 1, 60, 43, FRAME_FRAGMENT_FIRST, 51, 60 }) },
	{ "v6 chain of 7", SHAPE_IP,
	  V6(TCP, .tcp_flags = SYN,
	     .extensions = { 1, 60, 43, FRAME_FRAGMENT_FIRST, 51, 60, 60 }) },
	{ "v6 chain of 8 the same", SHAPE_IP,
	  V6(UDP, .extensions = { 60, 60, 60, 60, 60, 60, 60, 60 }) },
	{ "v6 fragment, then options", SHAPE_IP,
	  V6(UDP, .extensions = { FRAME_FRAGMENT_LATER, 60 }) },
	{ "v6 extension cut short, says so", SHAPE_IP,
	  V6(UDP, .extensions = { 60 }, .cut = 60, .cut_honest = true) },
	{ "v6 chain cut within the third, says so", SHAPE_IP,
	  V6(UDP, .extensions = { 1, 60, 43 }, .cut = 80, .cut_honest = true) },
	/* IPv6 behind tags */
	{ "v6 802.1Q", SHAPE_IP, V6(UDP, .vlans = { Q }) },
	{ "v6 802.1ad", SHAPE_IP, V6(UDP, .vlans = { AD }) },
	{ "v6 QinQ", SHAPE_IP, V6(TCP, .tcp_flags = SYN, .vlans = { AD, Q }) },
	{ "v6 QinQ with a chain", SHAPE_IP, V6(UDP, .vlans = { AD, Q }, .extensions = { 1, 60 }) },
	{ "v6 three tags", SHAPE_CUT, V6(UDP, .vlans = { Q, Q, Q }) },
	{ "v6 priority tag", SHAPE_IP, V6(UDP, .vlans = { Q }, .is_priority = true) },
	{ "v6 three priority tags", SHAPE_CUT, V6(UDP, .vlans = { Q, Q, Q }, .is_priority = true) },
	{ "v6 0x9100", SHAPE_OTHER, V6(UDP, .vlans = { 0x9100 }) },
	{ "v6 802.1Q fragment", SHAPE_IP,
	  V6(UDP, .vlans = { Q }, .extensions = { FRAME_FRAGMENT_LATER }) },
	{ "v6 QinQ, chain of 6", SHAPE_IP,
	  V6(TCP, .tcp_flags = SYN, .vlans = { AD, Q },
	     .extensions = { 1, 60, 43, FRAME_FRAGMENT_FIRST, 51, 60 }) },
	{ "v6 QinQ, more than the frame", SHAPE_MALFORMED,
	  V6(UDP, .vlans = { AD, Q }, .length_change = 1) },
	{ "v6 QinQ, version 4", SHAPE_MALFORMED,
	  V6(UDP, .vlans = { AD, Q }, .is_version_set = true, .version = 4) },
	/* IPv6 lengths and versions */
	{ "v6 padded", SHAPE_IP, V6(UDP, .payload = FRAME_NO_PAYLOAD, .padding = 100) },
	{ "v6 one byte more than the frame", SHAPE_MALFORMED, V6(UDP, .length_change = 1) },
	{ "v6 payload length 65535", SHAPE_MALFORMED, V6(UDP, .length_change = 65535 - 38) },
	{ "v6 payload length 0", SHAPE_IP, V6(UDP, .length_change = -38) },
	{ "v6 payload length 0, hop-by-hop", SHAPE_IP,
	  V6(UDP, .extensions = { 1 }, .length_change = -46) },
	{ "v6 payload length within the chain", SHAPE_IP,
	  V6(UDP, .extensions = { 1, 60 }, .length_change = -60) },
	{ "v6 802.1Q, more than the frame", SHAPE_MALFORMED,
	  V6(UDP, .vlans = { Q }, .length_change = 1) },
	{ "v6 jumbo", SHAPE_IP, V6(UDP, .payload = 9000 - 48) },
	{ "v6 jumbo, QinQ", SHAPE_IP, V6(UDP, .vlans = { AD, Q }, .payload = 9000 - 48) },
	{ "v6 jumbo with a chain", SHAPE_IP,
	  V6(UDP, .extensions = { 1, 60, 43 }, .payload = 9000 - 80) },
	{ "v6 jumbo fragment", SHAPE_IP,
	  V6(UDP, .extensions = { FRAME_FRAGMENT_LATER }, .payload = 9000 - 48) },
	{ "v6 jumbo, padded", SHAPE_IP, V6(UDP, .padding = 9000) },
	{ "v6 jumbo, padding in the next buffer", SHAPE_IP,
	  V6(UDP, .payload = 3520 - 62, .padding = 59) },
	{ "v6 jumbo, payload length 0", SHAPE_IP,
	  V6(UDP, .payload = 9000 - 48, .length_change = 40 - 9000) },
	{ "v6 jumbo, one byte short", SHAPE_MALFORMED,
	  V6(UDP, .payload = 9000 - 48, .length_change = 1) },
	{ "v6 version 0", SHAPE_MALFORMED, V6(UDP, .is_version_set = true, .version = 0) },
	{ "v6 version 4", SHAPE_MALFORMED, V6(UDP, .is_version_set = true, .version = 4) },
	{ "v6 version 7", SHAPE_MALFORMED, V6(UDP, .is_version_set = true, .version = 7) },
	/* IPv6 cut short */
	{ "v6 cut after ethernet", SHAPE_CUT, V6(UDP, .cut = 14) },
	{ "v6 cut where a v4 header would end", SHAPE_CUT, V6(UDP, .cut = 34) },
	{ "v6 cut within the source", SHAPE_CUT, V6(UDP, .cut = 37) },
	{ "v6 cut after the source", SHAPE_CUT, V6(UDP, .cut = 38) },
	{ "v6 cut one byte early", SHAPE_CUT, V6(UDP, .cut = 53) },
	{ "v6 cut after the header", SHAPE_MALFORMED, V6(UDP, .cut = 54) },
	{ "v6 cut after the header, says so", SHAPE_IP, V6(UDP, .cut = 54, .cut_honest = true) },
	{ "v6 cut within an extension", SHAPE_MALFORMED, V6(UDP, .extensions = { 60 }, .cut = 58) },
	{ "v6 cut after an extension", SHAPE_MALFORMED, V6(UDP, .extensions = { 60 }, .cut = 70) },
	{ "v6 cut within udp", SHAPE_MALFORMED, V6(UDP, .cut = 58) },
	{ "v6 802.1Q cut after the tag", SHAPE_CUT, V6(UDP, .vlans = { Q }, .cut = 18) },
	{ "v6 QinQ cut within ip", SHAPE_CUT, V6(UDP, .vlans = { AD, Q }, .cut = 61) },
	/* The ethertype says one family, the header the other. */
	{ "v4 header as 0x86dd",
	  SHAPE_MALFORMED,
	  { .family = 4, .ethertype = 0x86dd, UDP, .payload = 100 } },
	{ "v6 header as 0x0800",
	  SHAPE_MALFORMED,
	  { .family = 6, .ethertype = 0x0800, UDP, .payload = 100 } },
	/* What is not IP */
	{ "arp", SHAPE_OTHER, { .ethertype = 0x0806, .payload = 46 } },
	{ "rarp", SHAPE_OTHER, { .ethertype = 0x8035, .payload = 46 } },
	{ "lldp", SHAPE_OTHER, { .ethertype = 0x88cc, .payload = 60 } },
	{ "eapol", SHAPE_OTHER, { .ethertype = 0x888e, .payload = 46 } },
	{ "mpls", SHAPE_OTHER, { .ethertype = 0x8847, .payload = 46 } },
	{ "pppoe", SHAPE_OTHER, { .ethertype = 0x8864, .payload = 46 } },
	{ "mpls, multicast", SHAPE_OTHER, { .ethertype = 0x8848, .payload = 46 } },
	{ "pppoe discovery", SHAPE_OTHER, { .ethertype = 0x8863, .payload = 46 } },
	{ "macsec", SHAPE_OTHER, { .ethertype = 0x88e5, .payload = 46 } },
	{ "ethernet loopback", SHAPE_OTHER, { .ethertype = 0x9000, .payload = 46 } },
	{ "llc", SHAPE_OTHER, { .ethertype = 60, .payload = 60 } },
	{ "llc, the longest", SHAPE_OTHER, { .ethertype = 1500, .payload = 1500 } },
	{ "llc of one byte", SHAPE_OTHER, { .ethertype = 1, .payload = 46 } },
	{ "llc, 802.1Q", SHAPE_OTHER, { .vlans = { Q }, .ethertype = 60, .payload = 60 } },
	{ "unknown ethertype", SHAPE_OTHER, { .ethertype = 0x1234, .payload = 46 } },
	{ "ethertype 0xffff", SHAPE_OTHER, { .ethertype = 0xffff, .payload = 46 } },
	{ "ethernet alone", SHAPE_OTHER, { .ethertype = 0x88b5 } },
	{ "arp, 802.1Q", SHAPE_OTHER, { .vlans = { Q }, .ethertype = 0x0806, .payload = 46 } },
	{ "jumbo, not ip", SHAPE_OTHER, { .ethertype = 0x88b5, .payload = 9000 } },
};

#define N_ROWS (sizeof(rows) / sizeof(rows[0]))

static void source_bytes(const char *text, uint8_t bytes[16])
{
	/* A parser of its own: ours refuses some sources that packets may well have. */
	cr_assert_eq(inet_pton(strchr(text, ':') ? AF_INET6 : AF_INET, text, bytes), 1, "%s", text);
}

static struct plane open_with_lists(bool enforce, bool pass_malformed)
{
	struct dataplane_live_options options = plane_options();

	options.enforce = enforce;
	options.pass_malformed = pass_malformed;

	struct plane plane = plane_open(&options);
	const struct sluice_key prefixes[] = { plane_key("192.0.2.0/24"),
					       plane_key("2001:db8:bad::/48") };
	const struct dataplane_allow allow[] = {
		{ plane_key("192.0.2.200"), false },
		{ plane_key("2001:db8:bad:200::/64"), false },
		{ plane_key("192.0.2.128/31"), true },
		{ plane_key("2001:db8:bad:128::/64"), true },
	};
	const struct sluice_key own[] = { plane_key("10.9.8.7"), plane_key("2001:db8:9::1") };

	(void)plane_block(&plane, "203.0.113.9", 0);
	(void)plane_block(&plane, "2001:db8:2:2::/64", 0);
	for (int i = 0; i < 2; i++)
		cr_assert_eq(plane.dp->ops->prefix_set(plane.dp, &prefixes[i], 0, NULL), 0);
	cr_assert_eq(plane.dp->ops->allow_set(plane.dp, allow, 4, NULL), 0);
	cr_assert_eq(plane.dp->ops->own_set(plane.dp, own, 2, NULL), 0);
	return plane;
}

/* Where a frame goes that observe mode let through. */
static enum dataplane_reason observed(enum shape shape, enum dataplane_reason reason)
{
	if (!dataplane_reason_is_drop(reason))
		return reason;
	return shape == SHAPE_CUT ? NOT_IP : PASS;
}

/* Runs one frame: the verdict, exactly one counter by one packet, would_drop beside it. */
static void check(const struct plane *plane, const struct frame *frame, const char *what,
		  const char *from, enum dataplane_reason reason, bool would_drop)
{
	struct dataplane_counters before = plane_counters(plane);
	uint32_t verdict = plane_run(plane, frame, 1);
	struct dataplane_counters after = plane_counters(plane);
	struct dataplane_counters delta = plane_delta(&before, &after);

	cr_expect_eq(verdict, dataplane_reason_is_drop(reason) ? XDP_DROP : XDP_PASS,
		     "%s, source %s: verdict %u", what, from, verdict);
	for (int i = 0; i < DATAPLANE_N_REASONS; i++) {
		bool counts = i == (int)reason ||
			      (would_drop && i == (int)DATAPLANE_REASON_WOULD_DROP);

		cr_expect_eq(delta.reason[i].packets, counts, "%s, source %s: %s +%lu packets",
			     what, from, dataplane_reason_name(i), delta.reason[i].packets);
		cr_expect_eq(delta.reason[i].bytes, counts ? frame->size : 0,
			     "%s, source %s: %s +%lu bytes of %u", what, from,
			     dataplane_reason_name(i), delta.reason[i].bytes, frame->size);
	}
}

static void run_table(bool enforce, bool pass_malformed)
{
	struct plane plane = open_with_lists(enforce, pass_malformed);
	static struct frame frame;

	for (size_t i = 0; i < N_ROWS; i++) {
		for (int origin = 0; origin < N_ORIGINS; origin++) {
			const struct row *row = &rows[i];
			enum dataplane_reason reason =
				(pass_malformed ? lenient_verdicts : verdicts)[row->shape][origin];
			uint8_t source[16];

			/* A header read as one of the other family has no source of ours. */
			if (row->recipe.family && row->recipe.ethertype && origin)
				continue;
			source_bytes(row->recipe.family == 6 ? origins[origin].v6
							     : origins[origin].v4,
				     source);
			frame_build(&frame, &row->recipe, source);
			check(&plane, &frame, row->name, origins[origin].name,
			      enforce ? reason : observed(row->shape, reason),
			      !enforce && dataplane_reason_is_drop(reason));
		}
	}
	plane_close(&plane);
}

TestSuite(packets, .init = plane_isolate);

Test(packets, table_is_not_small)
{
	cr_assert_geq(N_ROWS, 120);
}

Test(packets, enforcing)
{
	run_table(true, false);
}

Test(packets, observing)
{
	run_table(false, false);
}

Test(packets, passing_malformed)
{
	run_table(true, true);
}

Test(packets, observing_and_passing_malformed)
{
	run_table(false, true);
}

struct source_row {
	const char *source;
	enum dataplane_reason reason;
};

/* Sources that are near to what is listed, or special. */
static const struct source_row source_rows[] = {
	{ "0.0.0.0", PASS },
	{ "255.255.255.255", PASS },
	{ "127.0.0.1", PASS },
	{ "203.0.113.8", PASS },
	{ "203.0.113.9", BLOCKED },
	{ "203.0.113.10", PASS },
	{ "9.113.0.203", PASS },
	{ "192.0.1.255", PASS },
	{ "192.0.2.0", IN_PREFIX },
	{ "192.0.2.127", IN_PREFIX },
	{ "192.0.2.128", EXEMPT },
	{ "192.0.2.129", EXEMPT },
	{ "192.0.2.130", IN_PREFIX },
	{ "192.0.2.199", IN_PREFIX },
	{ "192.0.2.200", PASS },
	{ "192.0.2.201", IN_PREFIX },
	{ "192.0.2.255", IN_PREFIX },
	{ "192.0.3.0", PASS },
	{ "10.9.8.7", SPOOFED },
	{ "10.9.8.6", PASS },
	{ "7.8.9.10", PASS },
	{ "2001:db8:2:1:ffff:ffff:ffff:ffff", PASS },
	{ "2001:db8:2:2::", BLOCKED },
	{ "2001:db8:2:2::1", BLOCKED },
	{ "2001:db8:2:2:8000::", BLOCKED },
	{ "2001:db8:2:2:ffff:ffff:ffff:ffff", BLOCKED },
	{ "2001:db8:2:3::", PASS },
	{ "2001:db8:2:2002::1", PASS },
	{ "2001:db8:bac:ffff:ffff:ffff:ffff:ffff", PASS },
	{ "2001:db8:bad::", IN_PREFIX },
	{ "2001:db8:bad:ffff:ffff:ffff:ffff:ffff", IN_PREFIX },
	{ "2001:db8:bad:128::", EXEMPT },
	{ "2001:db8:bad:129::", IN_PREFIX },
	{ "2001:db8:bad:200::", PASS },
	{ "2001:db8:bad:200:ffff:ffff:ffff:ffff", PASS },
	{ "2001:db8:bad:201::", IN_PREFIX },
	{ "2001:db8:bae::", PASS },
	{ "2001:db8:9::1", SPOOFED },
	{ "2001:db8:9::2", PASS },
	{ "2001:db8:9:0:1::1", PASS },
	/* Nobody has these, whoever is allowed or blocked beneath the disguise... */
	{ "::ffff:10.9.8.7", MALFORMED },
	{ "::ffff:203.0.113.9", MALFORMED },
	{ "::ffff:203.0.113.10", MALFORMED },
	{ "::ffff:192.0.2.55", MALFORMED },
	{ "::ffff:192.0.2.128", MALFORMED },
	{ "::ffff:0.0.0.0", MALFORMED },
	{ "::203.0.113.9", MALFORMED },
	{ "::fffe:203.0.113.9", MALFORMED },
	{ "::ffff:0:203.0.113.9", MALFORMED },
	{ "::2001:db8:2:2", MALFORMED },
	{ "::8000:0:0:0", MALFORMED },
	{ "::1", MALFORMED },
	/* ...but who has no address yet must be heard. */
	{ "::", PASS },
	{ "0:0:0:1::", PASS },
	{ "0:0:0:1:0:ffff:cb00:7109", PASS },
	{ "8000::", PASS },
	{ "64:ff9b::203.0.113.9", PASS },
	{ "2002:cb00:7109::1", PASS },
	{ "224.0.0.1", PASS },
	{ "240.0.0.1", PASS },
	{ "169.254.1.1", PASS },
	{ "ff02::1", PASS },
	{ "fe80::1", PASS },
};

static void run_sources(bool pass_malformed)
{
	struct plane plane = open_with_lists(true, pass_malformed);
	static struct frame frame;

	for (size_t i = 0; i < sizeof(source_rows) / sizeof(source_rows[0]); i++) {
		const struct source_row *row = &source_rows[i];
		struct frame_recipe recipe = { .family = strchr(row->source, ':') ? 6 : 4,
					       .protocol = 17,
					       .payload = 20 };
		uint8_t source[16];

		source_bytes(row->source, source);
		frame_build(&frame, &recipe, source);
		check(&plane, &frame, "udp", row->source, row->reason, false);
	}
	plane_close(&plane);
}

Test(packets, sources)
{
	run_sources(false);
}

/* Who is let through for a malformed header has no impossible source for all that. */
Test(packets, sources_passing_malformed)
{
	run_sources(true);
}

/* An empty way of the table holds 0: a flood from 0.0.0.0 must be stopped all the same. */
Test(packets, nobody_can_be_blocked)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct frame_recipe recipe = { .family = 4, .protocol = 17 };
	struct sluice_key nobody = plane_key("0.0.0.0"), other = plane_key("0.0.0.1");
	static struct frame frame;

	frame_build(&frame, &recipe, nobody.addr);
	check(&plane, &frame, "udp", "0.0.0.0", PASS, false);

	dataplane_slot slot = plane_block(&plane, "0.0.0.0", 0);

	check(&plane, &frame, "udp", "0.0.0.0", BLOCKED, false);
	cr_assert_eq(plane.dp->ops->block_packets(plane.dp, slot), 1);
	frame_build(&frame, &recipe, other.addr);
	check(&plane, &frame, "udp", "0.0.0.1", PASS, false);
	plane_close(&plane);
}

/* Each unit length: the first address before, the first and last within, the first after. */
Test(packets, v6_unit_of_any_length)
{
	static const uint8_t lengths[] = { 32, 48, 56, 64, 65, 96, 127, 128 };

	for (size_t i = 0; i < sizeof(lengths); i++) {
		struct dataplane_live_options options = plane_options();
		struct frame_recipe recipe = { .family = 6, .protocol = 17 };
		static struct frame frame;
		char text[64];

		options.v6_prefix_len = lengths[i];

		struct plane plane = plane_open(&options);

		/* An address with zero host bits at every length tried. */
		snprintf(text, sizeof(text), "2001:db8::/%u", lengths[i]);
		(void)plane_block(&plane, text, 0);

		struct sluice_key first = plane_key("2001:db8::"), last = first, outside = first;

		for (unsigned int bit = lengths[i]; bit < 128; bit++)
			last.addr[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
		outside.addr[(lengths[i] - 1) / 8] ^= (uint8_t)(0x80 >> (lengths[i] - 1) % 8);
		frame_build(&frame, &recipe, first.addr);
		check(&plane, &frame, text, "first", BLOCKED, false);
		frame_build(&frame, &recipe, last.addr);
		check(&plane, &frame, text, "last", BLOCKED, false);
		frame_build(&frame, &recipe, outside.addr);
		check(&plane, &frame, text, "outside", PASS, false);
		plane_close(&plane);
		cr_assert_eq(dataplane_live_detach(PLANE_PIN_PATH, NULL), 0);
	}
}

Test(packets, no_feature_program)
{
	struct plane plane = open_with_lists(true, false);
	int fd = bpf_obj_get(PLANE_FOLDER "/sluice_progs");
	struct frame_recipe recipe = { .family = 4, .protocol = 17 };
	uint32_t slot = 0;
	static struct frame frame;
	uint8_t source[16];

	cr_assert_geq(fd, 0);
	cr_assert_eq(bpf_map_delete_elem(fd, &slot), 0);
	source_bytes("198.51.100.7", source);
	frame_build(&frame, &recipe, source);
	check(&plane, &frame, "empty slot", "unknown", DATAPLANE_REASON_NO_FEATURES, false);
	source_bytes("203.0.113.9", source);
	frame_build(&frame, &recipe, source);
	check(&plane, &frame, "empty slot", "blocked", BLOCKED, false);
	close(fd);
	plane_close(&plane);
}

/* The daemon is dead and its time is over: automatic blocks lapse, manual ones and prefixes stay. */
Test(packets, expiry)
{
	static const struct {
		const char *source;
		enum dataplane_reason alive, dead;
	} cases[] = {
		{ "203.0.113.1", BLOCKED, PASS },      { "203.0.113.2", BLOCKED, BLOCKED },
		{ "2001:db8:2:1::1", BLOCKED, PASS },  { "2001:db8:2:2::1", BLOCKED, BLOCKED },
		{ "192.0.2.1", IN_PREFIX, IN_PREFIX },
	};
	struct dataplane_live_options options = plane_options();
	struct sluice_key prefix = plane_key("192.0.2.0/24");
	static struct frame frames[5];

	options.on_death_expire_ns = 3600ull * 1000000000;

	struct plane plane = plane_open(&options);

	(void)plane_block(&plane, "203.0.113.1", 0);
	(void)plane_block(&plane, "203.0.113.2", DATAPLANE_BLOCK_MANUAL);
	(void)plane_block(&plane, "2001:db8:2:1::/64", 0);
	(void)plane_block(&plane, "2001:db8:2:2::/64", DATAPLANE_BLOCK_MANUAL);
	cr_assert_eq(plane.dp->ops->prefix_set(plane.dp, &prefix, 0, NULL), 0);
	cr_assert_neq(plane.header->expires_ns, 0);
	for (int i = 0; i < 5; i++) {
		struct frame_recipe recipe = { .family = strchr(cases[i].source, ':') ? 6 : 4 };
		uint8_t source[16];

		source_bytes(cases[i].source, source);
		frame_build(&frames[i], &recipe, source);
		check(&plane, &frames[i], "alive", cases[i].source, cases[i].alive, false);
	}
	plane.header->expires_ns = 1;
	/* The clock is read on every sixteenth packet that a CPU drops; we may be moved about. */
	(void)plane_run(&plane, &frames[0], 16 * (uint32_t)libbpf_num_possible_cpus());
	cr_assert_eq(plane.header->expired, 1);
	for (int i = 0; i < 5; i++)
		check(&plane, &frames[i], "dead", cases[i].source, cases[i].dead, false);

	/* A sign of life, and all is as before. */
	struct dataplane_swap swap;

	cr_assert_eq(plane.dp->ops->swap(plane.dp, &swap, NULL), 0);
	for (int i = 0; i < 5; i++)
		check(&plane, &frames[i], "alive again", cases[i].source, cases[i].alive, false);
	plane_close(&plane);
}

/* on_death: keep. */
Test(packets, expiry_never)
{
	struct dataplane_live_options options = plane_options();
	struct plane plane = plane_open(&options);
	struct frame_recipe recipe = { .family = 4 };
	static struct frame frame;
	uint8_t source[16];

	(void)plane_block(&plane, "203.0.113.1", 0);
	cr_assert_eq(plane.header->expires_ns, 0);
	source_bytes("203.0.113.1", source);
	frame_build(&frame, &recipe, source);
	(void)plane_run(&plane, &frame, 100);
	check(&plane, &frame, "kept", "blocked", BLOCKED, false);
	cr_assert_eq(plane.header->expired, 0);
	plane_close(&plane);
}

/* One packet that three rules would drop is one packet. */
Test(packets, would_drop_counts_packets_not_rules)
{
	struct plane plane = open_with_lists(false, false);
	struct frame_recipe recipe = { .family = 4, .protocol = 17, .length_change = 1 };
	static struct frame frame;
	struct sluice_key own = plane_key("192.0.2.55");
	uint8_t source[16];

	(void)plane_block(&plane, "192.0.2.55", 0);
	cr_assert_eq(plane.dp->ops->own_set(plane.dp, &own, 1, NULL), 0);
	source_bytes("192.0.2.55", source);
	frame_build(&frame, &recipe, source);
	check(&plane, &frame, "malformed, own, blocked and in a prefix", "192.0.2.55", PASS, true);
	plane_close(&plane);
}

Test(packets, block_packets_counts_what_was_dropped)
{
	struct plane plane = open_with_lists(true, false);
	dataplane_slot v4 = plane_block(&plane, "203.0.113.77", 0);
	dataplane_slot v6 = plane_block(&plane, "2001:db8:77:77::/64", 0);
	static struct frame frame;
	uint8_t source[16];

	source_bytes("203.0.113.77", source);
	frame_build(&frame, &(struct frame_recipe){ .family = 4 }, source);
	cr_assert_eq(plane_run(&plane, &frame, 1234), XDP_DROP);
	source_bytes("2001:db8:77:77::5", source);
	frame_build(&frame, &(struct frame_recipe){ .family = 6 }, source);
	cr_assert_eq(plane_run(&plane, &frame, 4321), XDP_DROP);
	cr_assert_eq(plane.dp->ops->block_packets(plane.dp, v4), 1234);
	cr_assert_eq(plane.dp->ops->block_packets(plane.dp, v6), 4321);
	plane.dp->ops->unblock(plane.dp, v6);
	cr_assert_eq(plane_run(&plane, &frame, 1), XDP_PASS);
	plane_close(&plane);
}
