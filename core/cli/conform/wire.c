/* SPDX-License-Identifier: BSD-2-Clause */
/* See wire.h. */
#include "wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/address.h"

#define CALLS_MAX 1000000u /* In one operation: it waits for something that cannot come. */
#define HANDLE_STEP 0x9e3779b97f4a7c15ull

const uint8_t wire_stack_mac[6] = { 0x02, 0, 0, 0, 0, 0x02 };

static size_t page_size(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* Every call comes through here. */
static void check_call(struct sluice_io *io, const char *what)
{
	if (!io->call)
		conform_fail(io->conform, "it called %s outside of an operation", what);
	else if (gettid() != io->thread)
		conform_fail(io->conform, "it called %s on another thread than its own", what);
	if (++io->calls < CALLS_MAX)
		return;
	conform_fail(io->conform, "%s does not come back: it calls %s again and again", io->call,
		     what);
	_exit(0);
}

static void slot_open(struct wire_slot *slot)
{
	(void)!mprotect(slot->memory, page_size(), PROT_READ | PROT_WRITE);
	slot->taken = true;
}

static void slot_close(struct wire_slot *slot)
{
	(void)!mprotect(slot->memory, page_size(), PROT_NONE);
	slot->taken = false;
}

static uint8_t *slot_data(const struct wire_slot *slot)
{
	return slot->memory + page_size() - slot->length;
}

static struct wire_slot *free_slot(struct wire_slot *slots, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!slots[i].taken)
			return &slots[i];
	return NULL;
}

static int io_link(struct sluice_io *io, struct sluice_io_link *link)
{
	struct sluice_io_link all = { .ifname = "conform0",
				      .mtu = WIRE_MTU,
				      .ifindex = 7,
				      .n_queues = 1,
				      .mode = SLUICE_IO_COPY,
				      .max_frame = WIRE_FRAME_MAX,
				      .n_frames = WIRE_RECEIVE,
				      .fills_sums = io->fills_sums };

	check_call(io, "link");
	if (link->size == 0 || link->size > 4096) {
		conform_fail(io->conform, "it did not set the size of struct sluice_io_link");
		return -EINVAL;
	}
	memcpy(all.mac, wire_stack_mac, sizeof(all.mac));
	all.size = link->size < sizeof(all) ? link->size : sizeof(all);
	memcpy(link, &all, all.size);
	return io->gone ? -ENODEV : 0;
}

static int io_receive(struct sluice_io *io, unsigned int max)
{
	struct wire_queue *queue = &io->to_stack;
	struct wire_slot *slot;

	check_call(io, "receive");
	if (io->gone)
		return -ENODEV;
	for (io->n_batch = 0; io->n_batch < max && queue->n > 0; io->n_batch++) {
		const struct wire_frame *frame = &queue->frames[queue->first];

		slot = free_slot(io->receive, WIRE_RECEIVE);
		if (!slot)
			break;
		slot_open(slot);
		slot->length = frame->length;
		slot->handle = ++io->n_handles * HANDLE_STEP;
		memcpy(slot_data(slot), frame->bytes, frame->length);
		io->batch[io->n_batch] = (unsigned int)(slot - io->receive);
		queue->first = (queue->first + 1) % WIRE_BACKLOG;
		queue->n--;
	}
	return (int)io->n_batch;
}

static int io_packet(struct sluice_io *io, unsigned int i, struct sluice_io_frame *frame)
{
	const struct wire_slot *slot;

	check_call(io, "packet");
	if (i >= io->n_batch)
		return -EINVAL;
	slot = &io->receive[io->batch[i]];
	if (!slot->taken) {
		conform_fail(io->conform, "it asked for a frame that it had released");
		return -EINVAL;
	}
	*frame = (struct sluice_io_frame){ .data = slot_data(slot),
					   .length = slot->length,
					   .handle = slot->handle };
	return 0;
}

static void io_release(struct sluice_io *io, uint64_t handle)
{
	check_call(io, "release");
	for (unsigned int i = 0; i < WIRE_RECEIVE; i++) {
		struct wire_slot *slot = &io->receive[i];

		if (slot->handle != handle)
			continue;
		if (!slot->taken)
			break;
		slot_close(slot);
		return;
	}
	/* Handles are multiples of an odd number, so this tells how many there were before it. */
	for (uint64_t i = 1; i <= io->n_handles; i++)
		if (i * HANDLE_STEP == handle) {
			conform_fail(io->conform, "it released a frame twice");
			return;
		}
	conform_fail(io->conform, "it released handle %llu, which it was never given",
		     (unsigned long long)handle);
}

static void *io_write_buffer(struct sluice_io *io, uint32_t length)
{
	struct wire_slot *slot = io->starved ? NULL : free_slot(io->send, WIRE_SEND);

	check_call(io, "write_buffer");
	if (!slot || length == 0 || length > WIRE_FRAME_MAX)
		return NULL;
	slot_open(slot);
	slot->length = length;
	/* What is left of an earlier frame must not go out unnoticed. */
	memset(slot_data(slot), 0xa5, length);
	io->written[io->n_written++] = (unsigned int)(slot - io->send);
	return slot_data(slot);
}

static void queue_push(struct wire_queue *queue, const void *bytes, uint32_t length)
{
	struct wire_frame *frame = &queue->frames[(queue->first + queue->n++) % WIRE_BACKLOG];

	frame->length = length;
	memcpy(frame->bytes, bytes, length);
}

static int io_send(struct sluice_io *io)
{
	unsigned int n = io->n_written;

	check_call(io, "send");
	if (io->gone)
		return -ENODEV;
	for (unsigned int i = 0; i < n; i++) {
		struct wire_slot *slot = &io->send[io->written[i]];

		if (io->from_stack.n < WIRE_BACKLOG)
			queue_push(&io->from_stack, slot_data(slot), slot->length);
		else
			io->lost++;
		slot_close(slot);
	}
	io->n_written = 0;
	return (int)n;
}

bool wire_has_met(const struct sluice_io *io, const struct sluice_key *host)
{
	for (unsigned int i = 0; i < io->n_met; i++)
		if (address_equal(&io->met[i], host))
			return true;
	return false;
}

static int io_met(struct sluice_io *io, const struct sluice_key *host, enum sluice_io_met how)
{
	check_call(io, "met");
	if (!address_is_valid(host) || !address_is_single(host) ||
	    (how != SLUICE_IO_MET_CONNECTED && how != SLUICE_IO_MET_SPOKEN_TO)) {
		conform_fail(io->conform, "it told of a host without an address, or met in no way "
					  "that there is");
		return -EINVAL;
	}
	if (io->n_met < WIRE_MET && !wire_has_met(io, host))
		io->met[io->n_met++] = *host;
	return 0;
}

const struct sluice_io_ops wire_ops = {
	.size = sizeof(wire_ops),
	.link = io_link,
	.receive = io_receive,
	.packet = io_packet,
	.release = io_release,
	.write_buffer = io_write_buffer,
	.send = io_send,
	.met = io_met,
};

void wire_enter(struct sluice_io *io, const char *call)
{
	io->call = call;
	io->thread = gettid();
	io->calls = 0;
}

void wire_leave(struct sluice_io *io)
{
	bool waits = strcmp(io->call, "turn") == 0 || strcmp(io->call, "close") == 0;

	/* Nobody sends these now; behind open() comes a turn. */
	if (io->n_written && !io->gone && waits)
		conform_fail(io->conform, "%s wrote %u frames and did not send them", io->call,
			     io->n_written);
	io->call = NULL;
}

bool wire_put(struct sluice_io *io, const void *bytes, size_t length)
{
	if (io->to_stack.n == WIRE_BACKLOG)
		return false;
	queue_push(&io->to_stack, bytes,
		   length < WIRE_FRAME_MAX ? (uint32_t)length : WIRE_FRAME_MAX);
	return true;
}

bool wire_take(struct sluice_io *io, struct wire_frame *frame)
{
	struct wire_queue *queue = &io->from_stack;

	if (queue->n == 0)
		return false;
	*frame = queue->frames[queue->first];
	queue->first = (queue->first + 1) % WIRE_BACKLOG;
	queue->n--;
	return true;
}

unsigned int wire_kept(const struct sluice_io *io)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < WIRE_RECEIVE; i++)
		n += io->receive[i].taken;
	return n;
}

/* The second page of each stays closed for good. */
static int slots_new(struct wire_slot *slots, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		slots[i].memory =
			mmap(NULL, 2 * page_size(), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (slots[i].memory == MAP_FAILED) {
			slots[i].memory = NULL;
			return -ENOMEM;
		}
	}
	return 0;
}

static void slots_free(struct wire_slot *slots, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (slots[i].memory)
			munmap(slots[i].memory, 2 * page_size());
}

struct sluice_io *wire_new(struct conform *conform)
{
	struct sluice_io *io = calloc(1, sizeof(*io));

	if (!io)
		return NULL;
	io->conform = conform;
	io->to_stack.frames = calloc(WIRE_BACKLOG, sizeof(*io->to_stack.frames));
	io->from_stack.frames = calloc(WIRE_BACKLOG, sizeof(*io->from_stack.frames));
	if (io->to_stack.frames && io->from_stack.frames &&
	    slots_new(io->receive, WIRE_RECEIVE) == 0 && slots_new(io->send, WIRE_SEND) == 0)
		return io;
	wire_free(io);
	return NULL;
}

void wire_free(struct sluice_io *io)
{
	if (!io)
		return;
	slots_free(io->receive, WIRE_RECEIVE);
	slots_free(io->send, WIRE_SEND);
	free(io->to_stack.frames);
	free(io->from_stack.frames);
	free(io);
}
