/* SPDX-License-Identifier: BSD-2-Clause */
/* See packet.h. */
#include "packet.h"

#include <string.h>

enum {
	IPV4_HEADER = 20,
	IPV6_HEADER = 40,
	TCP_HEADER = 20,
	UDP_HEADER = 8,
	ICMP_HEADER = 8,
	ARP_SIZE = 28,
};

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value);
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
	return (uint32_t)get16(at) << 16 | get16(at + 2);
}

static uint32_t add_up(uint32_t sum, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* 0 if the sum in the message is right; else what to put there, if it is 0 now. */
static uint16_t payload_sum(const struct packet_view *view)
{
	uint32_t sum = 0;

	if (view->protocol != PACKET_ICMP) {
		size_t size = view->v6 ? 16 : 4;

		sum = add_up(sum, view->from, size);
		sum = add_up(sum, view->to, size);
		sum += view->protocol + (uint32_t)view->payload_size;
	}
	return (uint16_t)~add_up(sum, view->payload, view->payload_size);
}

static int sum_offset(uint8_t protocol)
{
	switch (protocol) {
	case PACKET_TCP:
		return 16;
	case PACKET_UDP:
		return 6;
	case PACKET_ICMP:
	case PACKET_ICMPV6:
		return 2;
	default:
		return -1;
	}
}

static void ethernet(struct wire_frame *frame, const struct packet_path *path, uint16_t type)
{
	memset(frame->bytes, 0, 64);
	memcpy(frame->bytes, path->to->mac, 6);
	memcpy(frame->bytes + 6, path->from->mac, 6);
	put16(frame->bytes + 12, type);
}

void packet_arp(struct wire_frame *frame, uint16_t operation, const struct packet_path *path)
{
	uint8_t *arp = frame->bytes + PACKET_ETHERNET;

	ethernet(frame, path, PACKET_ARP);
	put16(arp, 1);
	put16(arp + 2, PACKET_IPV4);
	arp[4] = 6;
	arp[5] = 4;
	put16(arp + 6, operation);
	memcpy(arp + 8, path->from->mac, 6);
	memcpy(arp + 14, path->from->ip[0], 4);
	if (operation == PACKET_ARP_REPLY)
		memcpy(arp + 18, path->to->mac, 6);
	else
		memset(frame->bytes, 0xff, 6);
	memcpy(arp + 24, path->to->ip[0], 4);
	frame->length = 60; /* With padding, as from a wire. */
}

static void ipv4(uint8_t *ip, const struct packet_path *path, uint8_t protocol, size_t size)
{
	memset(ip, 0, IPV4_HEADER);
	ip[0] = 0x45;
	put16(ip + 2, (uint32_t)(IPV4_HEADER + size));
	put16(ip + 6, 0x4000);
	ip[8] = 64;
	ip[9] = protocol;
	memcpy(ip + 12, path->from->ip[0], 4);
	memcpy(ip + 16, path->to->ip[0], 4);
}

static void ipv6(uint8_t *ip, const struct packet_path *path, uint8_t protocol, size_t size)
{
	memset(ip, 0, 8);
	ip[0] = 0x60;
	put16(ip + 4, (uint32_t)size);
	ip[6] = protocol;
	ip[7] = 255; /* What neighbour discovery wants. */
	memcpy(ip + 8, path->from->ip[1], 16);
	memcpy(ip + 24, path->to->ip[1], 16);
}

void packet_ip(struct wire_frame *frame, const struct packet_path *path, uint8_t protocol,
	       const void *payload, size_t size)
{
	size_t header = path->v6 ? IPV6_HEADER : IPV4_HEADER;
	uint8_t *ip = frame->bytes + PACKET_ETHERNET;

	ethernet(frame, path, path->v6 ? PACKET_IPV6 : PACKET_IPV4);
	if (path->v6)
		ipv6(ip, path, protocol, size);
	else
		ipv4(ip, path, protocol, size);
	memcpy(ip + header, payload, size);
	frame->length = (uint32_t)(PACKET_ETHERNET + header + size);
	packet_mend(frame);
	if (frame->length < 60) {
		memset(frame->bytes + frame->length, 0, 60 - frame->length);
		frame->length = 60;
	}
}

void packet_echo(struct wire_frame *frame, const struct packet_path *path, uint16_t sequence,
		 size_t size)
{
	uint8_t message[WIRE_MTU] = { path->v6 ? 128 : PACKET_ECHO_REQUEST };

	put16(message + 4, 0x5175);
	put16(message + 6, sequence);
	for (size_t i = 0; i < size; i++)
		message[ICMP_HEADER + i] = (uint8_t)(i + sequence);
	packet_ip(frame, path, path->v6 ? PACKET_ICMPV6 : PACKET_ICMP, message, ICMP_HEADER + size);
}

void packet_neighbour(struct wire_frame *frame, const struct packet_path *path, uint8_t type)
{
	struct packet_path real = *path;
	struct packet_end group = *path->to;
	uint8_t message[32] = { type };

	memcpy(message + 8, path->to->ip[1], 16);
	message[24] = 1; /* Of the source's link. */
	message[25] = 1;
	memcpy(message + 26, path->from->mac, 6);
	if (type == PACKET_ADVERTISE) {
		memcpy(message + 8, path->from->ip[1], 16);
		message[4] = 0x60; /* Asked for, and it may replace. */
		message[24] = 2;
	} else {
		/* ff02::1:ffXX:XXXX, and its MAC address. */
		const uint8_t prefix[13] = { 0xff, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff };

		memcpy(group.ip[1], prefix, sizeof(prefix));
		group.mac[0] = group.mac[1] = 0x33;
		memcpy(group.mac + 2, group.ip[1] + 12, 4);
		real.to = &group;
	}
	packet_ip(frame, &real, PACKET_ICMPV6, message, sizeof(message));
}

void packet_tcp(struct wire_frame *frame, const struct packet_path *path,
		const struct packet_tcp *tcp, const void *data, size_t size)
{
	uint8_t segment[WIRE_MTU] = { 0 };
	size_t header = TCP_HEADER;

	put16(segment, tcp->from_port);
	put16(segment + 2, tcp->to_port);
	put32(segment + 4, tcp->seq);
	put32(segment + 8, tcp->ack);
	segment[13] = tcp->flags;
	put16(segment + 14, 64240);
	if (tcp->flags & PACKET_SYN) {
		segment[header] = 2; /* MSS */
		segment[header + 1] = 4;
		put16(segment + header + 2, 1440);
		header += 4;
	}
	segment[12] = (uint8_t)(header / 4 << 4);
	if (size)
		memcpy(segment + header, data, size);
	packet_ip(frame, path, PACKET_TCP, segment, header + size);
}

void packet_udp(struct wire_frame *frame, const struct packet_path *path, uint16_t port,
		size_t size)
{
	uint8_t datagram[WIRE_MTU] = { 0 };

	put16(datagram, 40000);
	put16(datagram + 2, port);
	put16(datagram + 4, (uint32_t)(UDP_HEADER + size));
	packet_ip(frame, path, PACKET_UDP, datagram, UDP_HEADER + size);
}

static const char *read_ipv4(const uint8_t *ip, size_t size, struct packet_view *view)
{
	size_t header = size ? (ip[0] & 15) * 4u : 0, total;

	if (size < IPV4_HEADER || ip[0] >> 4 != 4 || header < IPV4_HEADER || header > size)
		return "an IPv4 header that is none";
	total = get16(ip + 2);
	if (total < header || total > size)
		return "an IPv4 packet longer than its frame, or shorter than its header";
	if (add_up(0, ip, header) != 0xffff)
		return "an IPv4 header with a wrong checksum";
	view->from = ip + 12;
	view->to = ip + 16;
	view->protocol = ip[9];
	view->payload = ip + header;
	view->payload_size = total - header;
	return NULL;
}

static const char *read_ipv6(const uint8_t *ip, size_t size, struct packet_view *view)
{
	if (size < IPV6_HEADER || ip[0] >> 4 != 6)
		return "an IPv6 header that is none";
	if (get16(ip + 4) > size - IPV6_HEADER)
		return "an IPv6 packet longer than its frame";
	view->v6 = true;
	view->from = ip + 8;
	view->to = ip + 24;
	view->protocol = ip[6];
	view->payload = ip + IPV6_HEADER;
	view->payload_size = get16(ip + 4);
	return NULL;
}

static const char *payload_fault(const struct packet_view *view)
{
	const uint8_t *at = view->payload;
	size_t header = view->protocol == PACKET_TCP   ? TCP_HEADER
			: view->protocol == PACKET_UDP ? UDP_HEADER
						       : 4;
	int offset = sum_offset(view->protocol);
	bool no_sum;

	if (offset < 0)
		return NULL;
	if (view->payload_size < header)
		return "a transport header that is cut short";
	if (view->protocol == PACKET_TCP &&
	    (at[12] >> 4 < 5 || (size_t)(at[12] >> 4) * 4 > view->payload_size))
		return "a TCP header whose length cannot be";
	no_sum = view->protocol == PACKET_UDP && !view->v6 && get16(at + offset) == 0;
	return no_sum || payload_sum(view) == 0 ? NULL : "a wrong checksum in TCP, UDP or ICMP";
}

static bool is_fragment(const struct wire_frame *frame)
{
	return get16(frame->bytes + 12) == PACKET_IPV4 &&
	       get16(frame->bytes + PACKET_ETHERNET + 6) & 0x3fff;
}

const char *packet_fault(const struct wire_frame *frame, struct packet_view *view)
{
	const uint8_t *ip = frame->bytes + PACKET_ETHERNET;
	size_t size = frame->length - PACKET_ETHERNET;
	const char *fault = NULL;

	memset(view, 0, sizeof(*view));
	if (frame->length < PACKET_ETHERNET)
		return "less than an Ethernet header";
	view->type = get16(frame->bytes + 12);
	if (size > WIRE_MTU && (view->type != 0x8100 || size > WIRE_MTU + 4))
		return "more than the MTU of the link";
	if (view->type == PACKET_ARP)
		return size < ARP_SIZE ? "an ARP packet that is cut short" : NULL;
	if (view->type != PACKET_IPV4 && view->type != PACKET_IPV6)
		return NULL;
	fault = view->type == PACKET_IPV4 ? read_ipv4(ip, size, view) : read_ipv6(ip, size, view);
	if (!fault && !is_fragment(frame))
		fault = payload_fault(view);
	return fault;
}

bool packet_read_tcp(const struct packet_view *view, struct packet_tcp *tcp)
{
	const uint8_t *at = view->payload;

	if (view->protocol != PACKET_TCP)
		return false;
	*tcp = (struct packet_tcp){
		.from_port = get16(at),
		.to_port = get16(at + 2),
		.seq = get32(at + 4),
		.ack = get32(at + 8),
		.flags = at[13],
	};
	return true;
}

static void set_payload_sum(struct wire_frame *frame, const struct packet_view *view)
{
	int offset = sum_offset(view->protocol);
	uint8_t *at = frame->bytes + (view->payload - frame->bytes) + offset;

	if (offset < 0 || view->payload_size < (size_t)offset + 2)
		return;
	put16(at, 0);
	put16(at, payload_sum(view));
}

void packet_fill_sums(struct wire_frame *frame)
{
	struct packet_view view;

	/* What is wrong otherwise is found by whoever looks at the frame then. */
	(void)packet_fault(frame, &view);
	if ((view.protocol == PACKET_TCP || view.protocol == PACKET_UDP) && !is_fragment(frame))
		set_payload_sum(frame, &view);
}

void packet_mend(struct wire_frame *frame)
{
	uint8_t *ip = frame->bytes + PACKET_ETHERNET;
	struct packet_view view = { .v6 = false };
	size_t header = (ip[0] & 15) * 4u, size = frame->length - PACKET_ETHERNET;

	if (frame->length < PACKET_ETHERNET + IPV4_HEADER)
		return;
	if (get16(frame->bytes + 12) == PACKET_IPV4 && header >= IPV4_HEADER && header <= size) {
		put16(ip + 10, 0);
		put16(ip + 10, (uint16_t)~add_up(0, ip, header));
		if (read_ipv4(ip, size, &view))
			return;
	} else if (get16(frame->bytes + 12) != PACKET_IPV6 || read_ipv6(ip, size, &view)) {
		return;
	}
	set_payload_sum(frame, &view);
}
