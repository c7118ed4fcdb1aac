/* SPDX-License-Identifier: BSD-2-Clause */
/* See socket.h. */
#include "socket.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_xdp.h>
#include <linux/sockios.h>

#include <bpf/bpf.h>

#include "base/err.h"

#include "tx_metadata.h"

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#endif
#ifndef SO_BUSY_POLL_BUDGET
#define SO_BUSY_POLL_BUDGET 70
#endif

#define BUSY_POLL_US 20
#define BUSY_POLL_BUDGET 64

static int set_option(int fd, int level, int name, const void *value, socklen_t size)
{
	return setsockopt(fd, level, name, value, size) ? -errno : 0;
}

static int set_rings(int fd, uint32_t n_frames)
{
	static const int rings[] = { XDP_UMEM_FILL_RING, XDP_UMEM_COMPLETION_RING, XDP_RX_RING,
				     XDP_TX_RING };
	int code = 0;

	/* Each has room for all frames, so that none of them is ever full. */
	for (size_t i = 0; !code && i < sizeof(rings) / sizeof(rings[0]); i++)
		code = set_option(fd, SOL_XDP, rings[i], &n_frames, sizeof(n_frames));
	return code;
}

/*
 * The kernel takes hold of the pages; the mapping is not needed any more after that.  `*sums`: with metadata before
 * frames to send, and whether the kernel has it: before Linux 6.11 it does not, and refuses the flag.
 */
static int register_memory(int fd, int memory, uint32_t n_frames, bool *sums)
{
	size_t size = (size_t)n_frames * XSK_FRAME_SIZE;
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	const struct tx_metadata_umem plain = {
		.addr = (uintptr_t)at,
		.len = size,
		.chunk_size = XSK_FRAME_SIZE,
	};
	struct tx_metadata_umem umem = plain;
	int code;

	if (at == MAP_FAILED)
		return -errno;
	umem.flags = TX_METADATA_UMEM_LEN;
	umem.tx_metadata_len = sizeof(struct tx_metadata);
	*sums = *sums && set_option(fd, SOL_XDP, XDP_UMEM_REG, &umem, sizeof(umem)) == 0;
	code = *sums ? 0 : set_option(fd, SOL_XDP, XDP_UMEM_REG, &plain, sizeof(plain));
	munmap(at, size);
	return code;
}

/* `shared_fd`: the socket whose memory it shares, if the flags say so. */
static int bind_socket(int fd, const struct xsk_options *options, uint16_t flags, int shared_fd)
{
	const struct sockaddr_xdp address = {
		.sxdp_family = AF_XDP,
		.sxdp_flags = flags,
		.sxdp_ifindex = options->ifindex,
		.sxdp_queue_id = options->queue,
		.sxdp_shared_umem_fd = (uint32_t)shared_fd,
	};

	return bind(fd, (const struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
}

static int set_busy(int fd)
{
	const int prefer = 1, time = BUSY_POLL_US, budget = BUSY_POLL_BUDGET;
	int code = set_option(fd, SOL_SOCKET, SO_PREFER_BUSY_POLL, &prefer, sizeof(prefer));

	if (!code)
		code = set_option(fd, SOL_SOCKET, SO_BUSY_POLL, &time, sizeof(time));
	return code ? code
		    : set_option(fd, SOL_SOCKET, SO_BUSY_POLL_BUDGET, &budget, sizeof(budget));
}

/* One step of the ladder: a socket that is bound with these flags, or none. */
static int try_socket(const struct xsk_options *options, struct xsk_made *made, uint16_t flags)
{
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), code;

	if (fd < 0)
		return -errno;
	made->sums = flags & XDP_ZEROCOPY ? options->sums_zero_copy : options->sums_copy;
	code = register_memory(fd, made->memory, options->n_frames, &made->sums);
	if (!code)
		code = set_rings(fd, options->n_frames);
	if (!code)
		code = bind_socket(fd, options, flags, 0);
	if (!code && options->busy)
		code = set_busy(fd);
	if (code) {
		close(fd);
		return code;
	}
	made->socket = fd;
	return 0;
}

static int make_memory(uint32_t n_frames, int *out)
{
	int fd = memfd_create("sluice-frames", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int code = 0;

	if (fd < 0)
		return -errno;
	/* Whoever gets it can neither shrink it under our feet nor make it grow. */
	if (ftruncate(fd, (off_t)n_frames * XSK_FRAME_SIZE) ||
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL))
		code = -errno;
	if (code) {
		close(fd);
		return code;
	}
	*out = fd;
	return 0;
}

static const char *advice(int code)
{
	if (code == -EBUSY)
		return "; another program has the queue";
	if (code == -ENOBUFS)
		return "; too little memory may be locked: raise 'ulimit -l' or lower 'stack.frames'";
	return "";
}

int xsk_make(const struct xsk_options *options, struct xsk_made *made, struct sluice_err *err)
{
	int code = make_memory(options->n_frames, &made->memory);

	if (code) {
		err_set(err, NULL, "no memory for %u frames: %s", options->n_frames,
			err_name(code));
		return code;
	}
	made->mode = SLUICE_IO_ZERO_COPY;
	code = options->copy || options->generic
		       ? -EOPNOTSUPP
		       : try_socket(options, made, XDP_ZEROCOPY | XDP_USE_NEED_WAKEUP);
	/* A queue that is taken is taken in every mode. */
	if (code && code != -EBUSY) {
		made->mode = options->generic ? SLUICE_IO_GENERIC : SLUICE_IO_COPY;
		code = try_socket(options, made, XDP_COPY | XDP_USE_NEED_WAKEUP);
	}
	if (!code)
		return 0;
	close(made->memory);
	err_set(err, NULL, "queue %u: no AF_XDP socket: %s%s", options->queue, err_name(code),
		advice(code));
	return code;
}

/*
 * The kernel does not say what a socket is bound to where it has no socket diagnosis for AF_XDP.  But
 * another one can share its rings only on the same queue, and needs rings of its own elsewhere; one that
 * has none is refused there.  It goes again at once.
 */
static int share_rings(int with, const struct xsk_options *options)
{
	const uint32_t n_entries = 2;
	int fd = socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0), code;

	if (fd < 0)
		return -errno;
	code = set_option(fd, SOL_XDP, XDP_RX_RING, &n_entries, sizeof(n_entries));
	if (!code)
		code = bind_socket(fd, options, XDP_SHARED_UMEM, with);
	close(fd);
	return code;
}

int xsk_check(int socket, const struct xsk_options *options, enum sluice_io_mode *mode)
{
	struct xdp_options how;
	socklen_t size = sizeof(how);
	int code = share_rings(socket, options);

	if (code)
		return code;
	if (getsockopt(socket, SOL_XDP, XDP_OPTIONS, &how, &size))
		return -errno;
	if (how.flags & XDP_OPTIONS_ZEROCOPY)
		*mode = SLUICE_IO_ZERO_COPY;
	else
		*mode = options->generic ? SLUICE_IO_GENERIC : SLUICE_IO_COPY;
	return 0;
}

int xsk_offer(int map_fd, uint32_t index, int socket)
{
	return bpf_map_update_elem(map_fd, &index, &socket, BPF_ANY) ? -errno : 0;
}

void xsk_withdraw(int map_fd, uint32_t index)
{
	/* The kernel has done it already if nobody holds the socket any more. */
	(void)!bpf_map_delete_elem(map_fd, &index);
}

const char *xsk_mode_name(enum sluice_io_mode mode)
{
	switch (mode) {
	case SLUICE_IO_ZERO_COPY:
		return "zero-copy";
	case SLUICE_IO_COPY:
		return "copy";
	case SLUICE_IO_GENERIC:
		return "generic";
	}
	return "unknown";
}

uint32_t xsk_n_queues(const char *ifname)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ifreq request = { .ifr_data = (void *)&channels };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t n = 0;

	if (fd < 0)
		return 1;
	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", ifname);
	/* A driver that does not say has one. */
	if (ioctl(fd, SIOCETHTOOL, &request) == 0)
		n = channels.rx_count + channels.combined_count;
	close(fd);
	return n ? n : 1;
}
