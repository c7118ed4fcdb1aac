/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Link types.  The Ethernet header that we make up has locally administered addresses, and the type
 * that the packet's own header says, or that its first nibble shows.
 */
#include "link_type.h"

#include <linux/if_ether.h>
#include <string.h>

#include <pcap/pcap.h>

#define SLL_SIZE 16
#define SLL_PROTOCOL_AT 14
#define SLL2_SIZE 20
#define SLL2_PROTOCOL_AT 0
#define NULL_SIZE 4
#define MAX_8023_LENGTH 1500

bool link_type_known(int dlt)
{
	switch (dlt) {
	case DLT_EN10MB:
	case DLT_RAW:
	case DLT_IPV4:
	case DLT_IPV6:
	case DLT_LINUX_SLL:
	case DLT_LINUX_SLL2:
	case DLT_NULL:
	case DLT_LOOP:
		return true;
	default:
		return false;
	}
}

static uint16_t ethertype_by_version(const uint8_t *data, uint32_t size)
{
	if (size == 0)
		return 0;
	if (data[0] >> 4 == 4)
		return ETH_P_IP;
	return data[0] >> 4 == 6 ? ETH_P_IPV6 : 0;
}

/*
 * The address family is in the byte order of the machine that captured, and its number for IPv6
 * differs between systems: only the packet itself tells for sure.
 */
static uint16_t ethertype_of_null(const uint8_t *data, uint32_t size)
{
	return ethertype_by_version(data + NULL_SIZE, size - NULL_SIZE);
}

/* Numbers that are no ethertype mean 802.2 behind, where Ethernet has the length. */
static uint16_t ethertype_of_cooked(const uint8_t *protocol, uint32_t payload_size)
{
	uint16_t type = (uint16_t)(protocol[0] << 8 | protocol[1]);

	if (type >= ETH_P_802_3_MIN)
		return type;
	return (uint16_t)(payload_size < MAX_8023_LENGTH ? payload_size : MAX_8023_LENGTH);
}

static void make_header(struct link_frame *frame, uint16_t ethertype)
{
	static const uint8_t addresses[] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };

	frame->own_header = true;
	memcpy(frame->header, addresses, sizeof(addresses));
	frame->header[12] = (uint8_t)(ethertype >> 8);
	frame->header[13] = (uint8_t)ethertype;
}

static uint32_t header_size_of(int dlt)
{
	switch (dlt) {
	case DLT_EN10MB:
		return LINK_ETHERNET_SIZE;
	case DLT_LINUX_SLL:
		return SLL_SIZE;
	case DLT_LINUX_SLL2:
		return SLL2_SIZE;
	case DLT_NULL:
	case DLT_LOOP:
		return NULL_SIZE;
	default:
		return 0;
	}
}

void link_frame_of(int dlt, const uint8_t *data, uint32_t size, uint32_t wire_size,
		   struct link_frame *frame)
{
	uint32_t header_size = header_size_of(dlt);

	memset(frame, 0, sizeof(*frame));
	frame->runt = size < header_size;
	if (frame->runt || dlt == DLT_EN10MB)
		return;
	frame->skipped = header_size;
	if (dlt == DLT_LINUX_SLL)
		make_header(frame,
			    ethertype_of_cooked(data + SLL_PROTOCOL_AT, wire_size - SLL_SIZE));
	else if (dlt == DLT_LINUX_SLL2)
		make_header(frame,
			    ethertype_of_cooked(data + SLL2_PROTOCOL_AT, wire_size - SLL2_SIZE));
	else if (dlt == DLT_NULL || dlt == DLT_LOOP)
		make_header(frame, ethertype_of_null(data, size));
	else
		make_header(frame, ethertype_by_version(data, size));
}
