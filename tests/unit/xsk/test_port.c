/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Packet I/O against a kernel made of memory, which takes its time, and a stack that holds on to frames,
 * forgets nothing and now and then calls with nonsense: after ten million packets each frame is somewhere,
 * exactly once.
 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_xdp.h>

#include "base/clock.h"
#include "support/random.h"
#include "xsk/port.h"
#include "xsk/socket.h"
#include "xsk/tx_metadata.h"

#define N_FRAMES 512u
#define N_RECEIVE (N_FRAMES / 2)
#define N_PACKETS 10000000u
#define HEADROOM 256u

struct kernel {
	struct random random;
	uint32_t index[4][3]; /* Producer, consumer and flags of each ring. */
	uint64_t fill[N_FRAMES], completion[N_FRAMES];
	struct xdp_desc receive[N_FRAMES], send[N_FRAMES];
	struct port_rings rings;
	uint8_t *memory;
	uint64_t delivered, taken; /* Packets of both directions. */
};

static struct port_ring make_ring(struct kernel *kernel, int i, void *entries)
{
	return (struct port_ring){
		.producer = &kernel->index[i][0],
		.consumer = &kernel->index[i][1],
		.flags = &kernel->index[i][2],
		.entries = entries,
		.size = N_FRAMES,
	};
}

static struct sluice_io *open_port_with(struct kernel *kernel, bool sums)
{
	const struct handover_reply link = {
		.magic = HANDOVER_MAGIC,
		.n_queues = 1,
		.n_frames = N_FRAMES,
		.frame_size = XSK_FRAME_SIZE,
		.mtu = 1500,
		.mode = SLUICE_IO_COPY,
		.headroom = sums ? TX_METADATA_HEADROOM : 0,
		.sums = sums,
		.ifname = "test0",
	};
	struct port_options options = { .link = &link, .socket = -1, .clock = &clock_system };
	struct sluice_io *io = NULL;

	memset(kernel, 0, sizeof(*kernel));
	kernel->random.state = 20261126;
	kernel->memory = calloc(N_FRAMES, XSK_FRAME_SIZE);
	cr_assert_not_null(kernel->memory);
	kernel->rings = (struct port_rings){
		.fill = make_ring(kernel, 0, kernel->fill),
		.completion = make_ring(kernel, 1, kernel->completion),
		.receive = make_ring(kernel, 2, kernel->receive),
		.send = make_ring(kernel, 3, kernel->send),
	};
	options.rings = &kernel->rings;
	options.memory = kernel->memory;
	cr_assert_eq(handover_reply_check(&link), 0);
	cr_assert_eq(port_new(&options, &io), 0);
	return io;
}

static struct sluice_io *open_port(struct kernel *kernel)
{
	return open_port_with(kernel, false);
}

static uint32_t used(const struct port_ring *ring)
{
	return *ring->producer - *ring->consumer;
}

/* Some packets come in, each with its number as contents. */
static void kernel_receive(struct kernel *kernel)
{
	struct port_ring *fill = &kernel->rings.fill, *ring = &kernel->rings.receive;
	uint64_t n = random_below(&kernel->random, used(fill) + 1);

	for (; n; n--) {
		uint64_t addr = kernel->fill[*fill->consumer & (N_FRAMES - 1)];
		uint64_t number = kernel->delivered++;

		cr_assert_lt(addr, (uint64_t)N_RECEIVE * XSK_FRAME_SIZE);
		++*fill->consumer;
		memcpy(kernel->memory + addr + HEADROOM, &number, sizeof(number));
		kernel->receive[(*ring->producer)++ & (N_FRAMES - 1)] = (struct xdp_desc){
			.addr = addr + HEADROOM,
			.len = 60,
		};
	}
}

/* Some are sent, and given back. */
static void kernel_send(struct kernel *kernel)
{
	struct port_ring *send = &kernel->rings.send, *ring = &kernel->rings.completion;
	uint64_t n = random_below(&kernel->random, used(send) + 1);

	for (; n; n--) {
		const struct xdp_desc *entry = &kernel->send[(*send->consumer)++ & (N_FRAMES - 1)];
		uint64_t number;

		memcpy(&number, kernel->memory + entry->addr, sizeof(number));
		cr_assert_eq(number, kernel->taken, "sent in order, as it was written");
		kernel->taken++;
		kernel->completion[(*ring->producer)++ & (N_FRAMES - 1)] = entry->addr;
	}
}

struct stack {
	uint64_t held[N_RECEIVE];
	size_t n_held;
	uint64_t received, written;
};

static void stack_receive(struct stack *stack, struct sluice_io *io, struct random *random)
{
	int n = port_ops.receive(io, (unsigned int)random_below(random, 80));

	cr_assert_geq(n, 0);
	for (int i = 0; i < n; i++) {
		struct sluice_io_frame frame;
		uint64_t number;

		cr_assert_eq(port_ops.packet(io, (unsigned int)i, &frame), 0);
		memcpy(&number, frame.data, sizeof(number));
		cr_assert_eq(number, stack->received, "received in order");
		stack->received++;
		stack->held[stack->n_held++] = frame.handle;
	}
}

/* In any order. */
static void stack_release(struct stack *stack, struct sluice_io *io, struct random *random)
{
	uint64_t n = random_below(random, stack->n_held + 1);

	for (; n; n--) {
		size_t i = random_below(random, stack->n_held);

		port_ops.release(io, stack->held[i]);
		stack->held[i] = stack->held[--stack->n_held];
	}
}

static void stack_send(struct stack *stack, struct sluice_io *io, struct random *random)
{
	uint64_t n = random_below(random, 80);
	void *buffer;

	for (; n && (buffer = port_ops.write_buffer(io, 60)); n--) {
		memcpy(buffer, &stack->written, sizeof(stack->written));
		stack->written++;
	}
	if (random_below(random, 4))
		cr_assert_geq(port_ops.send(io), 0);
}

static void check_frames(const struct sluice_io *io, const struct stack *stack)
{
	struct port_counts counts;

	port_counts(io, &counts);
	cr_assert_eq(counts.receive_kernel + counts.receive_stack + counts.receive_free, N_RECEIVE);
	cr_assert_eq(counts.receive_stack, stack->n_held);
	cr_assert_eq(counts.send_kernel + counts.send_written + counts.send_free,
		     N_FRAMES - N_RECEIVE);
	cr_assert_eq(counts.refused, 0);
	/* The kernel made of memory moves a frame from ring to ring, and never has one in between. */
	cr_assert_eq(counts.receive_flight, 0);
	cr_assert_eq(counts.send_flight, 0);
}

Test(port, no_frame_is_lost_in_ten_million_packets, .timeout = 120)
{
	static struct kernel kernel;
	static struct stack stack;
	struct sluice_io *io = open_port(&kernel);
	struct random *random = &kernel.random;

	for (unsigned int round = 0; stack.received + kernel.taken < N_PACKETS; round++) {
		kernel_receive(&kernel);
		stack_receive(&stack, io, random);
		stack_release(&stack, io, random);
		stack_send(&stack, io, random);
		kernel_send(&kernel);
		if (round % 1024 == 0)
			check_frames(io, &stack);
	}
	check_frames(io, &stack);
	port_free(io);
	free(kernel.memory);
}

/* Each is counted, and takes nothing. */
Test(port, nonsense_is_refused)
{
	static struct kernel kernel;
	static struct stack stack;
	struct sluice_io *io = open_port(&kernel);
	struct sluice_io_frame frame;
	struct port_counts counts;

	port_ops.release(io, 0);
	port_ops.release(io, N_RECEIVE);
	port_ops.release(io, UINT64_MAX);
	kernel_receive(&kernel);
	kernel.delivered = 0;
	while (!kernel.delivered)
		kernel_receive(&kernel);
	cr_assert_geq(port_ops.receive(io, 1), 1);
	cr_assert_eq(port_ops.packet(io, 0, &frame), 0);
	cr_expect_eq(port_ops.packet(io, 1, &frame), -EINVAL);
	port_ops.release(io, frame.handle);
	port_ops.release(io, frame.handle);
	cr_expect_null(port_ops.write_buffer(io, 0));
	cr_expect_null(port_ops.write_buffer(io, XSK_FRAME_SIZE + 1));
	/* A ring entry that names no frame of ours, one that runs out of its frame, one that we have. */
	kernel.completion[kernel.index[1][0]++ & (N_FRAMES - 1)] = UINT64_MAX;
	kernel.completion[kernel.index[1][0]++ & (N_FRAMES - 1)] = 0;
	port_flush(io);
	port_counts(io, &counts);
	cr_expect_eq(counts.refused, 6);
	cr_expect_eq(counts.receive_kernel + counts.receive_stack + counts.receive_free, N_RECEIVE);
	cr_expect_eq(counts.send_free, N_FRAMES - N_RECEIVE);
	(void)stack;
	port_free(io);
	free(kernel.memory);
}

/* Who holds all frames gets no more, and can still send. */
Test(port, holding_all_stops_receiving_only)
{
	static struct kernel kernel;
	struct sluice_io *io = open_port(&kernel);
	unsigned int n = 0, tries = 0;

	while (n < N_RECEIVE && tries++ < 100000) {
		kernel_receive(&kernel);
		n += (unsigned int)port_ops.receive(io, 64);
	}
	cr_expect_eq(n, N_RECEIVE);
	kernel_receive(&kernel);
	cr_expect_eq(port_ops.receive(io, 64), 0);
	for (unsigned int i = 0; i < N_FRAMES - N_RECEIVE; i++)
		cr_assert_not_null(port_ops.write_buffer(io, 60));
	cr_expect_null(port_ops.write_buffer(io, 60));
	cr_expect_eq(port_ops.send(io), (int)(N_FRAMES - N_RECEIVE));
	port_free(io);
	free(kernel.memory);
}

/* An IPv4 packet with an empty segment. */
static void put_segment(void *buffer)
{
	uint8_t *frame = buffer;

	memset(frame, 0, 54);
	frame[12] = 8;
	frame[14] = 0x45;
	frame[17] = 40;
	frame[23] = 6;
}

/* Metadata lie just before a segment, and in no other frame does the kernel look for them. */
Test(port, sums_are_left_to_the_kernel)
{
	static struct kernel kernel;
	struct sluice_io *io = open_port_with(&kernel, true);
	struct sluice_io_link link = { .size = sizeof(link) };
	const struct tx_metadata *metadata;
	struct port_counts counts;

	cr_assert_eq(port_ops.link(io, &link), 0);
	cr_expect(link.fills_sums);
	cr_expect_eq(link.max_frame, XSK_FRAME_SIZE - TX_METADATA_HEADROOM);
	cr_expect_null(port_ops.write_buffer(io, link.max_frame + 1));
	put_segment(port_ops.write_buffer(io, 60));
	memset(port_ops.write_buffer(io, link.max_frame), 0, link.max_frame);
	cr_assert_eq(port_ops.send(io), 2);
	cr_expect_eq(kernel.send[0].options, TX_METADATA_OPTION);
	cr_expect_eq(kernel.send[0].addr % XSK_FRAME_SIZE, TX_METADATA_HEADROOM);
	cr_expect_eq(kernel.send[0].len, 54, "without padding");
	metadata = (const void *)(kernel.memory + kernel.send[0].addr - sizeof(*metadata));
	cr_expect_eq(metadata->flags, TX_METADATA_FLAG_CHECKSUM);
	cr_expect_eq(metadata->csum_start, 34);
	cr_expect_eq(metadata->csum_offset, 16);
	cr_expect_eq(kernel.send[1].options, 0);
	cr_expect_eq(kernel.send[1].addr % XSK_FRAME_SIZE, TX_METADATA_HEADROOM);
	cr_expect_eq(kernel.send[1].addr % XSK_FRAME_SIZE + kernel.send[1].len, XSK_FRAME_SIZE);
	/* They come back by the address they went by. */
	for (int i = 0; i < 2; i++)
		kernel.completion[kernel.index[1][0]++ & (N_FRAMES - 1)] = kernel.send[i].addr;
	port_flush(io);
	port_counts(io, &counts);
	cr_expect_eq(counts.refused, 0);
	cr_expect_eq(counts.send_free, N_FRAMES - N_RECEIVE);
	port_free(io);
	free(kernel.memory);
}

/* Without them a segment goes out as the stack wrote it. */
Test(port, sums_are_the_stacks)
{
	static struct kernel kernel;
	struct sluice_io *io = open_port(&kernel);
	struct sluice_io_link link = { .size = sizeof(link) };
	uint8_t segment[60] = { 0 };

	cr_assert_eq(port_ops.link(io, &link), 0);
	cr_expect_not(link.fills_sums);
	put_segment(segment);
	memcpy(port_ops.write_buffer(io, 60), segment, 60);
	cr_assert_eq(port_ops.send(io), 1);
	cr_expect_eq(kernel.send[0].options, 0);
	cr_expect_eq(kernel.send[0].addr % XSK_FRAME_SIZE, 0);
	cr_expect_eq(kernel.send[0].len, 60);
	cr_expect_arr_eq(kernel.memory + kernel.send[0].addr, segment, 60);
	port_free(io);
	free(kernel.memory);
}

Test(handover, versions)
{
	struct handover_request request = handover_request_make(HANDOVER_OPEN, "eth0", 0);
	struct handover_reply reply = {
		.magic = HANDOVER_MAGIC, .n_queues = 1, .n_frames = 512, .frame_size = 2048
	};

	cr_expect_eq(handover_request_check(&request, 1), 0);
	request.version = HANDOVER_VERSION - 1;
	cr_expect_eq(handover_request_check(&request, 1), -EINVAL);
	request.version = HANDOVER_VERSION + 1;
	cr_expect_eq(handover_request_check(&request, 1), -EINVAL);
	request = handover_request_make(HANDOVER_RESUME_SUMS, "eth0", 0);
	cr_expect_eq(handover_request_check(&request, 1), -EINVAL, "of no frames");
	request.n_frames = 512;
	cr_expect_eq(handover_request_check(&request, 1), 0);
	cr_expect_eq(handover_reply_check(&reply), 0);
	reply.sums = 1;
	cr_expect_eq(handover_reply_check(&reply), -EPROTO, "no room for metadata");
	reply.headroom = TX_METADATA_HEADROOM;
	cr_expect_eq(handover_reply_check(&reply), 0);
	reply.headroom++;
	cr_expect_eq(handover_reply_check(&reply), -EPROTO, "not at a multiple of 8");
	reply.headroom = TX_METADATA_HEADROOM;
	reply.sums = 2;
	cr_expect_eq(handover_reply_check(&reply), -EPROTO);
}

/* Whatever a client sends, only what is whole and of this version passes. */
Test(handover, random_requests)
{
	struct random random = { 7 };
	struct handover_request request;
	unsigned int n_passed = 0;

	for (int i = 0; i < 1000000; i++) {
		request = handover_request_make(1 + random_below(&random, 6), "eth0", 0);
		if (handover_resumes(&request))
			request.n_frames = 256;
		((uint8_t *)&request)[random_below(&random, sizeof(request))] =
			(uint8_t)random_next(&random);
		if (handover_request_check(&request, 4) != 0)
			continue;
		n_passed++;
		cr_assert_eq(request.magic, HANDOVER_MAGIC);
		cr_assert_eq(request.version, HANDOVER_VERSION);
		cr_assert_not_null(handover_ifname(&request));
		if (handover_resumes(&request))
			cr_assert_eq(request.n_frames & (request.n_frames - 1), 0);
		else
			cr_assert_eq(request.n_frames, 0);
		cr_assert_lt(request.queue, 4);
		cr_assert(request.kind >= HANDOVER_OPEN && request.kind <= HANDOVER_MET);
	}
	cr_expect_gt(n_passed, 100000, "a report may say anything");
}

/* Descriptors come along once, whole, and are the receiver's; a full peer is not waited for. */
Test(handover, descriptors_and_a_full_peer)
{
	struct handover_request request = handover_request_make(HANDOVER_RESUME, "eth0", 3), got;
	int pair[2], fds[2], n = 0, code;

	cr_assert_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	request.n_frames = 512;
	cr_assert_eq(handover_request_send(pair[0], &request, pair[0]), 0);
	cr_assert_eq(handover_receive(pair[1], &got, sizeof(got), MSG_DONTWAIT, fds),
		     (ssize_t)sizeof(got));
	cr_expect_eq(memcmp(&got, &request, sizeof(got)), 0);
	cr_expect_geq(fds[0], 0);
	cr_expect_eq(fds[1], -1);
	close(fds[0]);
	cr_expect_eq(handover_receive(pair[1], &got, sizeof(got), MSG_DONTWAIT, fds), -EAGAIN);
	cr_expect_eq(fds[0], -1);
	while ((code = handover_request_send(pair[0], &request, -1)) == 0 && n < 1000000)
		n++;
	cr_expect_eq(code, -EAGAIN, "%d after %d", code, n);
	for (; n; n--)
		cr_assert_eq(handover_receive(pair[1], &got, sizeof(got), MSG_DONTWAIT, fds),
			     (ssize_t)sizeof(got));
	close(pair[0]);
	cr_expect_eq(handover_receive(pair[1], &got, sizeof(got), MSG_DONTWAIT, fds), 0);
	close(pair[1]);
}
