/* SPDX-License-Identifier: BSD-2-Clause */
#include "port_host.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <net/if.h>

#include "base/clock.h"
#include "base/err.h"
#include "xsk/port.h"
#include "xsk/socket.h"
#include "xsk/wait.h"

enum {
	N_FRAMES = 8192, /* sluiced's default. */
	MTU = 1500,
};

struct port_host {
	struct port_host_settings settings;
	struct xsk_made made;
	struct port_mapping mapping;
	struct sluice_io *io;
	struct port_waiter waiter;
	int map_fd;
};

static struct handover_reply describe(const struct port_host *host)
{
	const struct port_host_settings *settings = &host->settings;
	struct handover_reply link = {
		.magic = HANDOVER_MAGIC,
		.ifindex = if_nametoindex(settings->interface),
		.queue = settings->queue,
		.n_queues = xsk_n_queues(settings->interface),
		.mode = host->made.mode,
		.n_frames = N_FRAMES,
		.frame_size = XSK_FRAME_SIZE,
		.mtu = MTU,
	};

	memcpy(link.mac, settings->mac, sizeof(link.mac));
	strncpy(link.ifname, settings->interface, sizeof(link.ifname) - 1);
	return link;
}

static int make_port(struct port_host *host, struct sluice_err *err)
{
	const struct xsk_options socket = {
		.ifindex = if_nametoindex(host->settings.interface),
		.queue = host->settings.queue,
		.n_frames = N_FRAMES,
		.busy = host->settings.poll == HANDOVER_POLL_BUSY,
	};
	struct handover_reply link;
	struct port_options port = { .link = &link, .clock = &clock_system };
	int code = xsk_make(&socket, &host->made, err);

	if (code) {
		host->made = (struct xsk_made){ .socket = -1, .memory = -1 };
		return code;
	}
	code = port_map(&host->mapping, host->made.socket, host->made.memory, N_FRAMES, err);
	if (code)
		return code;
	link = describe(host);
	port.rings = &host->mapping.rings;
	port.memory = host->mapping.memory;
	port.socket = host->made.socket;
	code = port_new(&port, &host->io);
	if (code)
		err_set(err, NULL, "no memory for the port");
	return code;
}

static int join_map(struct port_host *host, struct sluice_err *err)
{
	int code = 0;

	host->map_fd = bpf_obj_get(host->settings.map);
	if (host->map_fd < 0)
		code = -errno;
	if (!code)
		code = xsk_offer(host->map_fd, host->settings.queue, host->made.socket);
	if (code)
		err_set(err, NULL, "map '%s': %s", host->settings.map, err_name(code));
	return code;
}

int port_host_open(const struct port_host_settings *settings, struct port_host **out,
		   struct sluice_err *err)
{
	struct port_host *host = calloc(1, sizeof(*host));
	int code;

	if (!host)
		return -ENOMEM;
	host->settings = *settings;
	host->made = (struct xsk_made){ .socket = -1, .memory = -1 };
	host->map_fd = -1;
	code = make_port(host, err);
	if (!code)
		code = join_map(host, err);
	if (code) {
		port_host_close(host);
		return code;
	}
	host->waiter = (struct port_waiter){
		.io = host->io,
		.socket = host->made.socket,
		.poll = settings->poll,
	};
	*out = host;
	return 0;
}

void port_host_close(struct port_host *host)
{
	if (!host)
		return;
	if (host->map_fd >= 0) {
		xsk_withdraw(host->map_fd, host->settings.queue);
		close(host->map_fd);
	}
	port_free(host->io);
	port_unmap(&host->mapping);
	if (host->made.socket >= 0)
		close(host->made.socket);
	if (host->made.memory >= 0)
		close(host->made.memory);
	free(host);
}

struct sluice_io *port_host_io(const struct port_host *host)
{
	return host->io;
}

int port_host_wait(struct port_host *host, struct pollfd others[2], int timeout_ms)
{
	return port_wait(&host->waiter, others, 2, timeout_ms);
}

unsigned int port_host_kept(const struct port_host *host)
{
	struct port_counts counts;

	port_counts(host->io, &counts);
	return counts.receive_stack + counts.send_written;
}
