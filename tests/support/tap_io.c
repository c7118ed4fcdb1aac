/* SPDX-License-Identifier: BSD-2-Clause */
#include "tap_io.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/if.h>
#include <linux/if_tun.h>

enum {
	BATCH = 64,
	FRAME_SIZE = 2048,
};

struct frame {
	uint32_t length;
	bool taken;
	uint8_t bytes[FRAME_SIZE];
};

/* Frames in: a batch.  Frames out: a batch. */
struct sluice_io {
	struct tap_settings settings;
	int fd;
	uint32_t n_in, n_out, n_taken;
	uint32_t seen_in, seen_out; /* For the losses. */
	struct frame in[BATCH], out[BATCH];
};

int tap_io_open(const struct tap_settings *settings, struct sluice_io **out, struct sluice_err *err)
{
	struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	struct sluice_io *io = calloc(1, sizeof(*io));
	int rc;

	if (!io)
		return -ENOMEM;
	io->settings = *settings;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", settings->name);
	io->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (io->fd < 0 || ioctl(io->fd, TUNSETIFF, &request) != 0) {
		rc = -errno;
		snprintf(err->text, sizeof(err->text), "tap '%s': %s", settings->name,
			 strerror(-rc));
		if (io->fd >= 0)
			close(io->fd);
		free(io);
		return rc;
	}
	*out = io;
	return 0;
}

void tap_io_close(struct sluice_io *io)
{
	if (!io)
		return;
	close(io->fd);
	free(io);
}

static int tap_link(struct sluice_io *io, struct sluice_io_link *link)
{
	snprintf(link->ifname, sizeof(link->ifname), "%s", io->settings.name);
	memcpy(link->mac, io->settings.mac, sizeof(link->mac));
	link->mtu = (uint16_t)io->settings.mtu;
	link->n_queues = 1;
	link->mode = SLUICE_IO_COPY;
	link->max_frame = FRAME_SIZE;
	link->n_frames = BATCH;
	return 0;
}

static int tap_receive(struct sluice_io *io, unsigned int max)
{
	io->n_in = 0;
	io->n_taken = 0;
	while (io->n_in < BATCH && io->n_in < max) {
		struct frame *frame = &io->in[io->n_in];
		ssize_t size = read(io->fd, frame->bytes, sizeof(frame->bytes));

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			break;
		if (io->settings.lose_in && ++io->seen_in % io->settings.lose_in == 0)
			continue;
		frame->length = (uint32_t)size;
		frame->taken = false;
		io->n_in++;
	}
	return (int)io->n_in;
}

static int tap_packet(struct sluice_io *io, unsigned int i, struct sluice_io_frame *frame)
{
	if (i >= io->n_in || io->in[i].taken)
		return -EINVAL;
	io->in[i].taken = true;
	io->n_taken++;
	*frame = (struct sluice_io_frame){ .data = io->in[i].bytes,
					   .length = io->in[i].length,
					   .handle = i };
	return 0;
}

static void tap_release(struct sluice_io *io, uint64_t handle)
{
	if (handle >= io->n_in || !io->in[handle].taken)
		abort(); /* The stack gives back what it does not have. */
	io->in[handle].taken = false;
	io->n_taken--;
}

static void *tap_write_buffer(struct sluice_io *io, uint32_t length)
{
	if (io->n_out == BATCH || length > FRAME_SIZE)
		return NULL;
	io->out[io->n_out].length = length;
	return io->out[io->n_out++].bytes;
}

static int tap_send(struct sluice_io *io)
{
	uint32_t n = io->n_out;

	for (uint32_t i = 0; i < n; i++) {
		if (io->settings.lose_out && ++io->seen_out % io->settings.lose_out == 0)
			continue;
		/* A full TAP drops, as a wire does. */
		if (write(io->fd, io->out[i].bytes, io->out[i].length) < 0 && errno == EBADFD)
			return -ENODEV;
	}
	io->n_out = 0;
	return (int)n;
}

static int tap_met(struct sluice_io *io, const struct sluice_key *host, enum sluice_io_met how)
{
	(void)io, (void)host, (void)how;
	return 0; /* There is no daemon to be told. */
}

int tap_io_wait(struct sluice_io *io, struct pollfd others[2], int timeout_ms)
{
	struct pollfd polled[3] = { { .fd = io->fd, .events = POLLIN }, others[0], others[1] };

	if (poll(polled, 3, timeout_ms) < 0)
		return errno == EINTR ? 0 : -errno;
	others[0] = polled[1];
	others[1] = polled[2];
	return polled[0].revents & (POLLERR | POLLHUP) ? -ENODEV : 0;
}

unsigned int tap_io_kept(const struct sluice_io *io)
{
	return io->n_taken + io->n_out;
}

const struct sluice_io_ops tap_io_ops = {
	.size = sizeof(tap_io_ops),
	.link = tap_link,
	.receive = tap_receive,
	.packet = tap_packet,
	.release = tap_release,
	.write_buffer = tap_write_buffer,
	.send = tap_send,
	.met = tap_met,
};
