/* SPDX-License-Identifier: BSD-2-Clause */
#include "xsk_io.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <net/if.h>
#include <xdp/xsk.h>

enum {
	N_FRAMES = 4096, /* Of each direction; as many descriptors has each ring. */
	FRAME_SIZE = 2048,
	BATCH_MAX = 64,
};

struct sluice_io {
	struct xsk_settings settings;
	struct xsk_ring_prod fill, tx;
	struct xsk_ring_cons done, rx;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	uint8_t *memory;
	int map_fd;
	uint32_t n_taken; /* Received frames that the stack has. */
	struct xdp_desc batch[BATCH_MAX];
	bool taken[BATCH_MAX];
	uint32_t n_batch;
	uint64_t free_tx[N_FRAMES];
	uint32_t n_free_tx, n_written, n_sent; /* `n_sent`: with the kernel. */
};

static int fail(struct sluice_err *err, const char *what, int rc)
{
	snprintf(err->text, sizeof(err->text), "%s: %s", what, strerror(-rc));
	return rc;
}

static void give_all_frames(struct sluice_io *io)
{
	uint32_t at = 0;

	xsk_ring_prod__reserve(&io->fill, N_FRAMES, &at);
	for (uint32_t i = 0; i < N_FRAMES; i++) {
		*xsk_ring_prod__fill_addr(&io->fill, at + i) = (uint64_t)i * FRAME_SIZE;
		io->free_tx[i] = (uint64_t)(N_FRAMES + i) * FRAME_SIZE;
	}
	xsk_ring_prod__submit(&io->fill, N_FRAMES);
	io->n_free_tx = N_FRAMES;
}

static int make_socket(struct sluice_io *io, struct sluice_err *err)
{
	const struct xsk_umem_config umem = { .fill_size = N_FRAMES,
					      .comp_size = N_FRAMES,
					      .frame_size = FRAME_SIZE };
	const struct xsk_socket_config config = { .rx_size = N_FRAMES,
						  .tx_size = N_FRAMES,
						  .libxdp_flags =
							  XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
						  .bind_flags = XDP_COPY | XDP_USE_NEED_WAKEUP };
	size_t size = (size_t)2 * N_FRAMES * FRAME_SIZE;
	int rc;

	io->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (io->memory == MAP_FAILED)
		return fail(err, "memory for frames", -errno);
	rc = xsk_umem__create(&io->umem, io->memory, size, &io->fill, &io->done, &umem);
	if (rc)
		return fail(err, "UMEM", rc);
	rc = xsk_socket__create(&io->socket, io->settings.interface, io->settings.queue, io->umem,
				&io->rx, &io->tx, &config);
	return rc ? fail(err, "AF_XDP socket", rc) : 0;
}

int xsk_io_open(const struct xsk_settings *settings, struct sluice_io **out, struct sluice_err *err)
{
	struct sluice_io *io = calloc(1, sizeof(*io));
	int rc;

	if (!io)
		return -ENOMEM;
	io->settings = *settings;
	io->map_fd = bpf_obj_get(settings->map);
	rc = io->map_fd < 0 ? fail(err, settings->map, io->map_fd) : make_socket(io, err);
	if (!rc) {
		give_all_frames(io);
		rc = xsk_socket__update_xskmap(io->socket, io->map_fd);
		if (rc)
			rc = fail(err, settings->map, rc);
	}
	if (rc)
		xsk_io_close(io);
	else
		*out = io;
	return rc;
}

void xsk_io_close(struct sluice_io *io)
{
	if (!io)
		return;
	if (io->socket) {
		bpf_map_delete_elem(io->map_fd, &io->settings.queue);
		xsk_socket__delete(io->socket);
	}
	if (io->umem)
		xsk_umem__delete(io->umem);
	if (io->memory && io->memory != MAP_FAILED)
		munmap(io->memory, (size_t)2 * N_FRAMES * FRAME_SIZE);
	if (io->map_fd >= 0)
		close(io->map_fd);
	free(io);
}

static int xsk_link(struct sluice_io *io, struct sluice_io_link *link)
{
	snprintf(link->ifname, sizeof(link->ifname), "%s", io->settings.interface);
	memcpy(link->mac, io->settings.mac, sizeof(link->mac));
	link->mtu = 1500;
	link->ifindex = if_nametoindex(io->settings.interface);
	link->queue = io->settings.queue;
	link->n_queues = io->settings.n_queues;
	link->mode = SLUICE_IO_COPY;
	link->max_frame = FRAME_SIZE;
	link->n_frames = N_FRAMES;
	return 0;
}

static void give_back(struct sluice_io *io, uint64_t address)
{
	uint32_t at = 0;

	/* The ring has room for all received frames there are. */
	if (xsk_ring_prod__reserve(&io->fill, 1, &at) != 1)
		abort();
	*xsk_ring_prod__fill_addr(&io->fill, at) = address - address % FRAME_SIZE;
	xsk_ring_prod__submit(&io->fill, 1);
}

static int xsk_receive(struct sluice_io *io, unsigned int max)
{
	uint32_t at = 0;

	for (uint32_t i = 0; i < io->n_batch; i++)
		if (!io->taken[i])
			give_back(io, io->batch[i].addr);
	io->n_batch =
		(uint32_t)xsk_ring_cons__peek(&io->rx, max < BATCH_MAX ? max : BATCH_MAX, &at);
	for (uint32_t i = 0; i < io->n_batch; i++) {
		io->batch[i] = *xsk_ring_cons__rx_desc(&io->rx, at + i);
		io->taken[i] = false;
	}
	xsk_ring_cons__release(&io->rx, io->n_batch);
	return (int)io->n_batch;
}

static int xsk_packet(struct sluice_io *io, unsigned int i, struct sluice_io_frame *frame)
{
	if (i >= io->n_batch || io->taken[i])
		return -EINVAL;
	io->taken[i] = true;
	io->n_taken++;
	*frame =
		(struct sluice_io_frame){ .data = xsk_umem__get_data(io->memory, io->batch[i].addr),
					  .length = io->batch[i].len,
					  .handle = io->batch[i].addr };
	return 0;
}

static void xsk_release(struct sluice_io *io, uint64_t handle)
{
	io->n_taken--;
	give_back(io, handle);
}

/* Frames that the kernel has sent. */
static void take_back_sent(struct sluice_io *io)
{
	uint32_t at = 0, n = (uint32_t)xsk_ring_cons__peek(&io->done, N_FRAMES, &at);

	for (uint32_t i = 0; i < n; i++)
		io->free_tx[io->n_free_tx++] = *xsk_ring_cons__comp_addr(&io->done, at + i);
	xsk_ring_cons__release(&io->done, n);
	io->n_sent -= n;
}

static void *xsk_write_buffer(struct sluice_io *io, uint32_t length)
{
	struct xdp_desc *desc;
	uint32_t at = 0;

	if (!io->n_free_tx)
		take_back_sent(io);
	if (!io->n_free_tx || length > FRAME_SIZE || xsk_ring_prod__reserve(&io->tx, 1, &at) != 1)
		return NULL;
	desc = xsk_ring_prod__tx_desc(&io->tx, at);
	desc->addr = io->free_tx[--io->n_free_tx];
	desc->len = length;
	desc->options = 0;
	io->n_written++;
	return xsk_umem__get_data(io->memory, desc->addr);
}

static int xsk_send(struct sluice_io *io)
{
	int n = (int)io->n_written;

	xsk_ring_prod__submit(&io->tx, io->n_written);
	io->n_sent += io->n_written;
	io->n_written = 0;
	/* A copying socket sends from inside this call, some tens of frames at a time. */
	while (io->n_sent && xsk_ring_prod__needs_wakeup(&io->tx)) {
		int rc = (int)sendto(xsk_socket__fd(io->socket), NULL, 0, MSG_DONTWAIT, NULL, 0);

		take_back_sent(io);
		if (rc >= 0)
			break;
		if (errno != EAGAIN && errno != EBUSY && errno != ENOBUFS && errno != EINTR)
			return errno == ENETDOWN || errno == ENXIO ? -ENODEV : -errno;
		if (errno != EAGAIN)
			break;
	}
	return n;
}

int xsk_io_wait(struct sluice_io *io, int timeout_ms)
{
	struct pollfd polled[2] = { { .fd = xsk_socket__fd(io->socket), .events = POLLIN },
				    { .fd = io->settings.wake_fd, .events = POLLIN } };

	if (io->settings.busy)
		return 0;
	if (poll(polled, 2, timeout_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	return polled[0].revents & (POLLERR | POLLHUP) ? -ENODEV : 0;
}

unsigned int xsk_io_kept(struct sluice_io *io)
{
	take_back_sent(io);
	return io->n_taken + (N_FRAMES - io->n_free_tx - io->n_sent);
}

const struct sluice_io_ops xsk_io_ops = {
	.size = sizeof(xsk_io_ops),
	.link = xsk_link,
	.receive = xsk_receive,
	.packet = xsk_packet,
	.release = xsk_release,
	.write_buffer = xsk_write_buffer,
	.send = xsk_send,
};
