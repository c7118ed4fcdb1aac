/* SPDX-License-Identifier: BSD-2-Clause */
/* See port.h. */
#include "port.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_xdp.h>

#include "met.h"
#include "socket.h"
#include "sums.h"

#define BATCH_MAX 256
#define WAKEUPS_MAX 64 /* In one send(): the copying mode sends 32 frames a call. */

enum owner {
	OWNER_FREE, /* Ours: to be given to the kernel, or to the stack for writing. */
	OWNER_KERNEL,
	OWNER_STACK, /* Received, or being written. */
};

struct sluice_io {
	struct sluice_io_link link;
	struct port_rings rings;
	uint8_t *memory;
	int socket;
	uint32_t n_frames, n_receive;	    /* Frames below n_receive are for receiving. */
	uint32_t headroom;		    /* Before each frame to send. */
	uint8_t *owner;			    /* enum owner, by frame. */
	uint32_t *free_receive, *free_send; /* Stacks. */
	uint32_t n_free_receive, n_free_send;
	struct sluice_io_frame batch[BATCH_MAX];
	uint32_t n_batch;
	struct xdp_desc *written;
	uint32_t n_written;
	struct port_counts counts;
	struct met *met;
	bool gone;
};

/* Rings: the one who writes an index is the only one, the other sees entries before the index. */
static uint32_t ring_load(const uint32_t *index)
{
	return __atomic_load_n(index, __ATOMIC_ACQUIRE);
}

static void ring_store(uint32_t *index, uint32_t value)
{
	__atomic_store_n(index, value, __ATOMIC_RELEASE);
}

static uint32_t ring_used(const struct port_ring *ring)
{
	uint32_t used = ring_load(ring->producer) - ring_load(ring->consumer);

	return used <= ring->size ? used : ring->size;
}

static bool ring_wants_wakeup(const struct port_ring *ring)
{
	return __atomic_load_n(ring->flags, __ATOMIC_RELAXED) & XDP_RING_NEED_WAKEUP;
}

/* All free frames of the receiving half to the kernel; the ring has room for more than there are. */
static void fill(struct sluice_io *io)
{
	struct port_ring *ring = &io->rings.fill;
	uint64_t *entries = ring->entries;
	uint32_t at = *ring->producer, room = ring->size - ring_used(ring);

	while (io->n_free_receive && room--) {
		uint32_t frame = io->free_receive[--io->n_free_receive];

		io->owner[frame] = OWNER_KERNEL;
		entries[at++ & (ring->size - 1)] = (uint64_t)frame * XSK_FRAME_SIZE;
	}
	ring_store(ring->producer, at);
}

/* Takes back what was sent. */
static void reap(struct sluice_io *io)
{
	struct port_ring *ring = &io->rings.completion;
	const uint64_t *entries = ring->entries;
	uint32_t at = *ring->consumer, n = ring_used(ring);

	for (; n; n--, at++) {
		uint64_t frame = entries[at & (ring->size - 1)] / XSK_FRAME_SIZE;

		if (frame < io->n_receive || frame >= io->n_frames ||
		    io->owner[frame] != OWNER_KERNEL) {
			io->counts.refused++;
			continue;
		}
		io->owner[frame] = OWNER_FREE;
		io->free_send[io->n_free_send++] = (uint32_t)frame;
	}
	ring_store(ring->consumer, at);
}

static bool is_fatal(int error)
{
	return error == ENXIO || error == ENETDOWN || error == ENODEV || error == EBADF;
}

static void wake_sender(struct sluice_io *io)
{
	for (int i = 0; i < WAKEUPS_MAX && ring_used(&io->rings.send) &&
			ring_wants_wakeup(&io->rings.send) && io->socket >= 0;
	     i++) {
		io->counts.wakeups++;
		if (sendto(io->socket, NULL, 0, MSG_DONTWAIT, NULL, 0) >= 0)
			continue;
		if (is_fatal(errno))
			io->gone = true;
		/* EAGAIN: there is more than it sends in one call; else the device is busy. */
		if (errno != EAGAIN)
			return;
	}
}

static int io_link(struct sluice_io *io, struct sluice_io_link *link)
{
	size_t size = link->size < sizeof(*link) ? link->size : sizeof(*link);

	memcpy(link, &io->link, size);
	link->size = size;
	return io->gone ? -ENODEV : 0;
}

static bool take_in(struct sluice_io *io, const struct xdp_desc *entry,
		    struct sluice_io_frame *frame)
{
	uint64_t index = entry->addr / XSK_FRAME_SIZE;

	if (index >= io->n_receive || io->owner[index] != OWNER_KERNEL ||
	    entry->addr % XSK_FRAME_SIZE + entry->len > XSK_FRAME_SIZE) {
		io->counts.refused++;
		return false;
	}
	io->owner[index] = OWNER_STACK;
	io->counts.received++;
	io->counts.received_bytes += entry->len;
	*frame = (struct sluice_io_frame){
		.data = io->memory + entry->addr,
		.length = entry->len,
		.handle = index,
	};
	return true;
}

static int io_receive(struct sluice_io *io, unsigned int max)
{
	struct port_ring *ring = &io->rings.receive;
	const struct xdp_desc *entries = ring->entries;
	uint32_t at = *ring->consumer, n;

	if (io->gone)
		return -ENODEV;
	fill(io);
	n = ring_used(ring);
	max = max < BATCH_MAX ? max : BATCH_MAX;
	io->n_batch = 0;
	for (; n && io->n_batch < max; n--, at++)
		io->n_batch +=
			take_in(io, &entries[at & (ring->size - 1)], &io->batch[io->n_batch]);
	ring_store(ring->consumer, at);
	return (int)io->n_batch;
}

static int io_packet(struct sluice_io *io, unsigned int i, struct sluice_io_frame *frame)
{
	if (i >= io->n_batch)
		return -EINVAL;
	*frame = io->batch[i];
	return 0;
}

static void io_release(struct sluice_io *io, uint64_t handle)
{
	if (handle >= io->n_receive || io->owner[handle] != OWNER_STACK) {
		io->counts.refused++;
		return;
	}
	io->owner[handle] = OWNER_FREE;
	io->free_receive[io->n_free_receive++] = (uint32_t)handle;
}

static void *io_write_buffer(struct sluice_io *io, uint32_t length)
{
	uint64_t addr;
	uint32_t frame;

	if (!length || length > io->link.max_frame)
		return NULL;
	if (!io->n_free_send)
		reap(io);
	if (!io->n_free_send) {
		io->counts.no_buffer++;
		return NULL;
	}
	frame = io->free_send[--io->n_free_send];
	io->owner[frame] = OWNER_STACK;
	addr = (uint64_t)frame * XSK_FRAME_SIZE + io->headroom;
	io->written[io->n_written++] = (struct xdp_desc){ .addr = addr, .len = length };
	return io->memory + addr;
}

static void leave_sums(struct sluice_io *io, struct xdp_desc *entry)
{
	uint8_t *frame = io->memory + entry->addr;

	if (sums_leave(frame, &entry->len, (void *)(frame - sizeof(struct tx_metadata))))
		entry->options = TX_METADATA_OPTION;
}

static int io_send(struct sluice_io *io)
{
	struct port_ring *ring = &io->rings.send;
	struct xdp_desc *entries = ring->entries;
	uint32_t at = *ring->producer, n = io->n_written;

	if (io->gone)
		return -ENODEV;
	/* The ring has room for all frames there are. */
	for (uint32_t i = 0; i < n; i++) {
		if (io->link.fills_sums)
			leave_sums(io, &io->written[i]);
		io->owner[io->written[i].addr / XSK_FRAME_SIZE] = OWNER_KERNEL;
		io->counts.sent_bytes += io->written[i].len;
		entries[at++ & (ring->size - 1)] = io->written[i];
	}
	ring_store(ring->producer, at);
	io->n_written = 0;
	io->counts.sent += n;
	wake_sender(io);
	reap(io);
	return io->gone ? -ENODEV : (int)n;
}

static int io_met(struct sluice_io *io, const struct sluice_key *host, enum sluice_io_met how)
{
	int code = met_add(io->met, host, how);

	io->counts.refused += code != 0;
	return code;
}

const struct sluice_io_ops port_ops = {
	.size = sizeof(port_ops),
	.link = io_link,
	.receive = io_receive,
	.packet = io_packet,
	.release = io_release,
	.write_buffer = io_write_buffer,
	.send = io_send,
	.met = io_met,
};

static void set_link(struct sluice_io *io, const struct handover_reply *reply)
{
	struct sluice_io_link *link = &io->link;

	link->size = sizeof(*link);
	memcpy(link->ifname, reply->ifname, sizeof(link->ifname));
	memcpy(link->mac, reply->mac, sizeof(link->mac));
	link->mtu = (uint16_t)reply->mtu;
	link->ifindex = reply->ifindex;
	link->queue = reply->queue;
	link->n_queues = reply->n_queues;
	link->mode = (enum sluice_io_mode)reply->mode;
	link->max_frame = XSK_FRAME_SIZE - reply->headroom;
	link->fills_sums = reply->sums;
	link->n_frames = io->n_receive;
}

int port_new(const struct port_options *options, struct sluice_io **out)
{
	uint32_t n = options->link->n_frames;
	struct sluice_io *io = calloc(1, sizeof(*io));

	if (!io)
		return -ENOMEM;
	io->rings = *options->rings;
	io->memory = options->memory;
	io->socket = options->socket;
	io->n_frames = n;
	io->n_receive = n / 2;
	io->headroom = options->link->headroom;
	io->owner = calloc(n, sizeof(*io->owner));
	io->free_receive = calloc(n, sizeof(*io->free_receive));
	io->free_send = calloc(n, sizeof(*io->free_send));
	io->written = calloc(n, sizeof(*io->written));
	io->met = met_new(options->clock);
	if (!io->owner || !io->free_receive || !io->free_send || !io->written || !io->met) {
		port_free(io);
		return -ENOMEM;
	}
	while (io->n_free_receive < io->n_receive) {
		io->free_receive[io->n_free_receive] = io->n_free_receive;
		io->n_free_receive++;
	}
	for (uint32_t frame = io->n_receive; frame < n; frame++)
		io->free_send[io->n_free_send++] = frame;
	set_link(io, options->link);
	fill(io);
	*out = io;
	return 0;
}

void port_free(struct sluice_io *io)
{
	if (!io)
		return;
	free(io->owner);
	free(io->free_receive);
	free(io->free_send);
	free(io->written);
	met_free(io->met);
	free(io);
}

struct met *port_met(struct sluice_io *io)
{
	return io->met;
}

void port_flush(struct sluice_io *io)
{
	fill(io);
	wake_sender(io);
	reap(io);
}

bool port_has_packets(const struct sluice_io *io)
{
	return ring_used(&io->rings.receive) > 0;
}

/* Of frames that are the kernel's, those in neither ring.  Whoever it moves ahead of us is in flight. */
static uint32_t in_flight(uint32_t kernel, const struct port_ring *back,
			  const struct port_ring *there)
{
	uint32_t in_rings = ring_used(back);

	in_rings += ring_used(there);
	return kernel - in_rings;
}

static uint64_t dropped_by_kernel(int socket)
{
	struct xdp_statistics statistics;
	socklen_t size = sizeof(statistics);

	memset(&statistics, 0, sizeof(statistics));
	if (socket < 0 || getsockopt(socket, SOL_XDP, XDP_STATISTICS, &statistics, &size))
		return 0;
	return statistics.rx_dropped + statistics.rx_ring_full;
}

/* Counted frame by frame, so that the sums prove something. */
void port_counts(const struct sluice_io *io, struct port_counts *counts)
{
	uint32_t receive[3] = { 0 }, send[3] = { 0 };

	for (uint32_t frame = 0; frame < io->n_frames; frame++)
		(frame < io->n_receive ? receive : send)[io->owner[frame]]++;
	*counts = io->counts;
	counts->receive_free = receive[OWNER_FREE];
	counts->receive_kernel = receive[OWNER_KERNEL];
	counts->receive_stack = receive[OWNER_STACK];
	counts->send_free = send[OWNER_FREE];
	counts->send_kernel = send[OWNER_KERNEL];
	counts->send_written = send[OWNER_STACK];
	counts->receive_flight =
		in_flight(receive[OWNER_KERNEL], &io->rings.receive, &io->rings.fill);
	counts->send_flight = in_flight(send[OWNER_KERNEL], &io->rings.completion, &io->rings.send);
	counts->dropped = dropped_by_kernel(io->socket);
}
