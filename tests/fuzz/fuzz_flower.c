/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel answers on rtnetlink, through the parser of the back end `flower`.  The first byte
 * of the input chooses the mode, the rest is one datagram.  What is read as a rule of ours must be one
 * that could have been asked for.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "reply.h"
#include "request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_rule(const struct flower_place *place, const struct reply *reply)
{
	unsigned int bits = reply->key.family == SLUICE_FAMILY_IPV4 ? 32 : 128;
	uint16_t priority;

	if (request_priority(place, &reply->key, &priority) || reply->handle == 0)
		abort();
	for (unsigned int i = reply->key.prefix_len; i < bits; i++)
		if (reply->key.addr[i / 8] & 0x80 >> i % 8)
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flower_place place = { .ifindex = 7, .chain = 3, .priority = 31000 };
	struct reply reply;
	size_t used = 0;
	uint8_t *copy;

	if (size < 2)
		return 0;
	place.hardware = data[0] & 1;
	/* Aligned, as the receive buffer is. */
	copy = malloc(size - 1);
	if (!copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	for (size_t at = 0; reply_next(&place, copy + at, size - 1 - at, &reply, &used);
	     at += used) {
		if (used == 0 || used > size - 1 - at || reply.error > 0 ||
		    !memchr(reply.text, '\0', sizeof(reply.text)))
			abort();
		if (reply.kind == REPLY_RULE)
			check_rule(&place, &reply);
	}
	free(copy);
	return 0;
}
