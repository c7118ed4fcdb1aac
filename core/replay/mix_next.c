/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Merging the lanes: a heap of lanes by the time of their next packet; lanes of the same time go in
 * the order in which they were made.  See mix.h.
 */
#include "mix_tree.h"

#include <errno.h>
#include <string.h>

#include "base/hash_table.h"

#define OVER UINT64_MAX

/* Moves the cursor to the next packet that plays, at or after where it is. */
static void settle(struct mix_lane *lane)
{
	const struct mix_file *file = lane->file;

	for (;;) {
		while (lane->at < file->end && !lane->plays(&file->marks[lane->at]))
			lane->at++;
		if (lane->at < file->end) {
			lane->next_ns = mix_lane_time(lane, lane->at, lane->pass);
			break;
		}
		if (!lane->period_ns || lane->pass == UINT32_MAX) {
			lane->next_ns = OVER;
			return;
		}
		lane->pass++;
		lane->at = file->begin;
		if (lane->start_ns + lane->pass * lane->period_ns >= lane->end_ns) {
			lane->next_ns = OVER;
			return;
		}
	}
	if (lane->next_ns >= lane->end_ns)
		lane->next_ns = OVER;
}

static bool is_earlier(const struct mix *mix, uint32_t a, uint32_t b)
{
	uint64_t at_a = mix->lanes[a].next_ns, at_b = mix->lanes[b].next_ns;

	return at_a != at_b ? at_a < at_b : a < b;
}

static void sift_down(struct mix *mix, size_t at)
{
	uint32_t *heap = mix->heap;

	for (;;) {
		size_t child = 2 * at + 1;
		uint32_t moved = heap[at];

		if (child >= mix->heap_size)
			return;
		if (child + 1 < mix->heap_size && is_earlier(mix, heap[child + 1], heap[child]))
			child++;
		if (!is_earlier(mix, heap[child], moved))
			return;
		heap[at] = heap[child];
		heap[child] = moved;
		at = child;
	}
}

void mix_rewind(struct mix *mix)
{
	mix->heap_size = 0;
	for (size_t i = 0; i < mix->n_lanes; i++) {
		mix->lanes[i].at = mix->lanes[i].file->begin;
		mix->lanes[i].pass = 0;
		settle(&mix->lanes[i]);
		if (mix->lanes[i].next_ns != OVER)
			mix->heap[mix->heap_size++] = (uint32_t)i;
	}
	for (size_t i = mix->heap_size / 2; i-- > 0;)
		sift_down(mix, i);
}

void mix_mark(struct mix *mix)
{
	memcpy(mix->marked_lanes, mix->lanes, mix->n_lanes * sizeof(*mix->lanes));
	memcpy(mix->marked_heap, mix->heap, mix->heap_size * sizeof(*mix->heap));
	mix->marked_heap_size = mix->heap_size;
}

void mix_return(struct mix *mix)
{
	memcpy(mix->lanes, mix->marked_lanes, mix->n_lanes * sizeof(*mix->lanes));
	memcpy(mix->heap, mix->marked_heap, mix->marked_heap_size * sizeof(*mix->heap));
	mix->heap_size = mix->marked_heap_size;
}

static void step(struct mix *mix)
{
	struct mix_lane *lane = &mix->lanes[mix->heap[0]];

	lane->at++;
	settle(lane);
	if (lane->next_ns == OVER)
		mix->heap[0] = mix->heap[--mix->heap_size];
	sift_down(mix, 0);
}

/*
 * The other end of an attack packet, or of the victim's answer to one, gets a fresh address; the
 * same one everywhere in this pass.
 */
static const uint8_t *respoofed(struct mix *mix, const struct mix_lane *lane, const uint8_t *frame,
				uint32_t size, bool toward)
{
	struct invent_name name = { .space = lane->file->index, .pass = lane->pass };
	struct sluice_key fresh, none = { 0 };
	struct packet_view view;

	packet_parse(frame, size, &view);
	if (!view.family)
		return frame;
	name.address = toward ? packet_source(frame, &view) : packet_destination(frame, &view);
	/* The victim's own address as the source stays part of the attack. */
	if (invent_is_protected(&mix->invent, &name.address) ||
	    !invent_address(&mix->invent, &name, &fresh))
		return frame;
	memcpy(mix->scratch, frame, size);
	rewrite_addresses(mix->scratch, size, &view, toward ? &fresh : &none,
			  toward ? &none : &fresh);
	return mix->scratch;
}

static void fill(struct mix *mix, struct mix_packet *packet)
{
	const struct mix_lane *lane = &mix->lanes[mix->heap[0]];
	const struct mix_file *file = lane->file;
	const struct capture_packet *captured = &file->capture->packets[lane->at];
	const struct mix_mark *mark = &file->marks[lane->at];

	packet->time_ns = lane->next_ns;
	packet->data = mix_frame(file, lane->at);
	packet->size = captured->size;
	packet->wire_size = captured->wire_size;
	packet->client = mark->client;
	packet->pass = lane->pass;
	packet->file = (uint16_t)file->index;
	packet->set = (uint8_t)file->set;
	packet->label = mark->label;
	packet->direction = mark->direction;
	packet->handshake = mark->tcp_flags & PACKET_TCP_SYN;
	if (lane->pass && file->respoof && mark->label != MIX_CLASS_BENIGN &&
	    mark->direction != MIX_OTHER)
		packet->data = respoofed(mix, lane, packet->data, packet->size,
					 mark->direction == MIX_TOWARD);
}

int mix_next(struct mix *mix, struct mix_packet *packet)
{
	if (!mix->started)
		return -EINVAL;
	while (mix->heap_size) {
		const struct mix_lane *lane = &mix->lanes[mix->heap[0]];

		if (mix->options.inbound_only &&
		    lane->file->marks[lane->at].direction != MIX_TOWARD) {
			step(mix);
			continue;
		}
		fill(mix, packet);
		step(mix);
		return 1;
	}
	return 0;
}
