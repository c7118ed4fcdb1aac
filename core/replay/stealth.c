/* SPDX-License-Identifier: BSD-2-Clause */
/* See stealth.h. */
#include "stealth.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "capture.h"
#include "packet.h"
#include "rewrite.h"

#define TCP_SIZE 20u
#define TCP_FLAGS_AT 13
#define TCP_SEQUENCE_AT 4
#define IPV4_LENGTH_AT 2
#define IPV6_LENGTH_AT 4
#define IPV6_SIZE 40u

/* As Linux and most others send them: MSS 1460, SACK, a time stamp, and a window scale of 7. */
static const uint8_t options[] = {
	2, 4, 0x05, 0xb4, 4, 2, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 3, 3, 7
};
#define STAMP_AT 8
#define DRESSED_SIZE (TCP_SIZE + (uint32_t)sizeof(options))

static bool is_syn(const uint8_t *frame, uint32_t size, struct packet_view *view)
{
	packet_parse(frame, size, view);
	return view->protocol == IPPROTO_TCP && view->transport && !view->fragment &&
	       size - view->transport >= TCP_SIZE &&
	       (view->tcp_flags & (PACKET_TCP_SYN | PACKET_TCP_ACK)) == PACKET_TCP_SYN;
}

static void put_be16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

/* `frame` has room for DRESSED_SIZE bytes from its transport header on. */
static uint32_t dress(uint8_t *frame, struct packet_view *view)
{
	uint8_t *tcp = frame + view->transport, *ip = frame + view->network;
	uint32_t size = view->transport + DRESSED_SIZE;
	struct rewrite same = { 0 };

	/* No two clients have the same clock; the sequence number is as good as chance. */
	memcpy(tcp + TCP_SIZE, options, sizeof(options));
	memcpy(tcp + TCP_SIZE + STAMP_AT, tcp + TCP_SEQUENCE_AT, 4);
	tcp[12] = (uint8_t)(DRESSED_SIZE / 4 << 4);
	tcp[TCP_FLAGS_AT] = PACKET_TCP_SYN;
	if (view->family == SLUICE_FAMILY_IPV4)
		put_be16(ip + IPV4_LENGTH_AT, size - view->network);
	else
		put_be16(ip + IPV6_LENGTH_AT, size - view->network - IPV6_SIZE);
	/* Its own address once more: only to have the checksums computed. */
	packet_parse(frame, size, view);
	same.destination = packet_destination(frame, view);
	rewrite_packet(frame, size, view, &same);
	return size;
}

int stealth_dress(struct capture *capture, bool (*is_attack)(void *ctx, size_t packet), void *ctx)
{
	uint64_t room = capture->data_size + capture->n_packets * sizeof(options) + DRESSED_SIZE;
	uint8_t *data = malloc(room);
	uint64_t used = 0;

	if (!data)
		return -ENOMEM;
	for (size_t i = 0; i < capture->n_packets; i++) {
		struct capture_packet *packet = &capture->packets[i];
		struct packet_view view;

		memcpy(data + used, capture->data + packet->offset, packet->size);
		packet->offset = used;
		if (is_attack(ctx, i) && is_syn(data + used, packet->size, &view))
			packet->size = packet->wire_size = dress(data + used, &view);
		used += packet->size;
	}
	free(capture->data);
	capture->data = data;
	capture->data_size = used;
	return 0;
}
