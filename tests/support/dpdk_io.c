/* SPDX-License-Identifier: BSD-2-Clause */
/* See dpdk_io.h. */
#include "dpdk_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <net/if.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define LOOK_NS 2000000ull /* As often as core/xsk/wait.c looks while it spins. */

enum {
	PORT = 0, /* The only one. */
	BATCH = 64,
	MTU = 1500,
	MAX_FRAME = MTU + RTE_ETHER_HDR_LEN,
	N_DESCRIPTORS = 4096, /* In each ring: as many frames as AF_XDP has by default. */
	N_BUFFERS = 8192,     /* Of each queue. */
	N_CACHED = 256,	      /* Of them. */
};

struct sluice_io {
	struct sluice_io_link link;
	struct rte_mempool *pool;
	uint16_t n_in, n_out;
	unsigned int n_taken;
	struct rte_mbuf *in[BATCH]; /* NULL: taken by the stack. */
	struct rte_mbuf *out[BATCH];
	uint64_t looked_ns;
};

static const char *name_pool(char name[RTE_MEMPOOL_NAMESIZE], unsigned int queue)
{
	snprintf(name, RTE_MEMPOOL_NAMESIZE, "queue%u", queue);
	return name;
}

/* On CPU 0, in ordinary memory, with one device, without files, and silent. */
static int start_eal(const char *interface, uint16_t n_queues)
{
	char vdev[128];
	char *argv[] = {
		"sluice-stack-dpdk", "--lcores=0",     "--no-huge",	    "-m512", "--no-shconf",
		"--no-pci",	     "--no-telemetry", "--log-level=error", vdev
	};

	snprintf(vdev, sizeof(vdev), "--vdev=net_af_packet0,iface=%s,qpairs=%u,framecnt=%d",
		 interface, n_queues, N_DESCRIPTORS);
	return rte_eal_init(sizeof(argv) / sizeof(argv[0]), argv) < 0 ? -rte_errno : 0;
}

static int start_queue(uint16_t queue)
{
	struct rte_mempool *pool;
	char name[RTE_MEMPOOL_NAMESIZE];
	int rc;

	pool = rte_pktmbuf_pool_create(name_pool(name, queue), N_BUFFERS, N_CACHED, 0,
				       RTE_MBUF_DEFAULT_BUF_SIZE, 0);
	if (!pool)
		return -rte_errno;
	rc = rte_eth_rx_queue_setup(PORT, queue, N_DESCRIPTORS, 0, NULL, pool);
	return rc ? rc : rte_eth_tx_queue_setup(PORT, queue, N_DESCRIPTORS, 0, NULL);
}

int dpdk_io_start(const char *interface, uint16_t n_queues, struct sluice_err *err)
{
	const struct rte_eth_conf nothing = { .link_speeds = 0 };
	int rc = start_eal(interface, n_queues);

	if (!rc && rte_eth_dev_count_avail() != 1)
		rc = -ENODEV;
	if (!rc)
		rc = rte_eth_dev_configure(PORT, n_queues, n_queues, &nothing);
	for (uint16_t queue = 0; !rc && queue < n_queues; queue++)
		rc = start_queue(queue);
	if (!rc)
		rc = rte_eth_dev_start(PORT);
	if (rc)
		snprintf(err->text, sizeof(err->text), "DPDK on '%s': %s", interface,
			 strerror(-rc));
	return rc;
}

void dpdk_io_stop(void)
{
	(void)rte_eth_dev_stop(PORT);
	(void)rte_eal_cleanup();
}

static int set_link(struct sluice_io_link *link, const char *interface, uint16_t queue)
{
	struct rte_eth_dev_info info;
	struct rte_ether_addr mac;
	int rc = rte_eth_dev_info_get(PORT, &info);

	if (!rc)
		rc = rte_eth_macaddr_get(PORT, &mac);
	if (rc)
		return rc;
	link->size = sizeof(*link);
	snprintf(link->ifname, sizeof(link->ifname), "%s", interface);
	memcpy(link->mac, mac.addr_bytes, sizeof(link->mac));
	link->mtu = MTU;
	link->ifindex = if_nametoindex(interface);
	link->queue = queue;
	link->n_queues = info.nb_rx_queues;
	link->mode = SLUICE_IO_GENERIC;
	link->max_frame = MAX_FRAME;
	link->n_frames = N_BUFFERS;
	return 0;
}

int dpdk_io_open(const char *interface, uint16_t queue, struct sluice_io **out,
		 struct sluice_err *err)
{
	struct sluice_io *io = calloc(1, sizeof(*io));
	char name[RTE_MEMPOOL_NAMESIZE];
	int rc = io ? set_link(&io->link, interface, queue) : -ENOMEM;

	if (rc) {
		snprintf(err->text, sizeof(err->text), "queue %u of '%s': %s", queue, interface,
			 strerror(-rc));
		free(io);
		return rc;
	}
	io->pool = rte_mempool_lookup(name_pool(name, queue));
	*out = io;
	return 0;
}

/* What the stack did not take. */
static void end_batch(struct sluice_io *io)
{
	for (uint16_t i = 0; i < io->n_in; i++)
		rte_pktmbuf_free(io->in[i]);
	io->n_in = 0;
}

void dpdk_io_close(struct sluice_io *io)
{
	if (!io)
		return;
	end_batch(io);
	for (uint16_t i = 0; i < io->n_out; i++)
		rte_pktmbuf_free(io->out[i]);
	free(io);
}

static int dpdk_link(struct sluice_io *io, struct sluice_io_link *link)
{
	size_t size = link->size < sizeof(*link) ? link->size : sizeof(*link);

	memcpy(link, &io->link, size);
	link->size = size;
	return 0;
}

static int dpdk_receive(struct sluice_io *io, unsigned int max)
{
	end_batch(io);
	io->n_in = rte_eth_rx_burst(PORT, (uint16_t)io->link.queue, io->in,
				    (uint16_t)(max < BATCH ? max : BATCH));
	return io->n_in;
}

static int dpdk_packet(struct sluice_io *io, unsigned int i, struct sluice_io_frame *frame)
{
	struct rte_mbuf *buffer;

	if (i >= io->n_in || !io->in[i])
		return -EINVAL;
	buffer = io->in[i];
	io->in[i] = NULL;
	io->n_taken++;
	*frame = (struct sluice_io_frame){ .data = rte_pktmbuf_mtod(buffer, void *),
					   .length = rte_pktmbuf_pkt_len(buffer),
					   .handle = (uintptr_t)buffer };
	return 0;
}

static void dpdk_release(struct sluice_io *io, uint64_t handle)
{
	rte_pktmbuf_free((struct rte_mbuf *)(uintptr_t)handle);
	io->n_taken--;
}

static void *dpdk_write_buffer(struct sluice_io *io, uint32_t length)
{
	struct rte_mbuf *buffer;

	if (io->n_out == BATCH || length > MAX_FRAME)
		return NULL;
	buffer = rte_pktmbuf_alloc(io->pool);
	if (!buffer)
		return NULL;
	io->out[io->n_out++] = buffer;
	return rte_pktmbuf_append(buffer, (uint16_t)length);
}

/* What the ring has no room for stays for the next time. */
static int dpdk_send(struct sluice_io *io)
{
	uint16_t n = 0;

	if (io->n_out)
		n = rte_eth_tx_burst(PORT, (uint16_t)io->link.queue, io->out, io->n_out);
	io->n_out -= n;
	memmove(io->out, io->out + n, io->n_out * sizeof(io->out[0]));
	return n;
}

static int dpdk_met(struct sluice_io *io, const struct sluice_key *host, enum sluice_io_met how)
{
	(void)io, (void)host, (void)how;
	return 0; /* There is no daemon to be told. */
}

int dpdk_io_wait(struct sluice_io *io, struct pollfd others[2])
{
	struct timespec at;
	uint64_t now_ns;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &at);
	now_ns = (uint64_t)at.tv_sec * 1000000000u + (uint64_t)at.tv_nsec;
	others[0].revents = others[1].revents = 0;
	if (now_ns - io->looked_ns < LOOK_NS)
		return 0;
	io->looked_ns = now_ns;
	return poll(others, 2, 0) < 0 && errno != EINTR ? -errno : 0;
}

unsigned int dpdk_io_kept(const struct sluice_io *io)
{
	return io->n_taken + io->n_out;
}

const struct sluice_io_ops dpdk_io_ops = {
	.size = sizeof(dpdk_io_ops),
	.link = dpdk_link,
	.receive = dpdk_receive,
	.packet = dpdk_packet,
	.release = dpdk_release,
	.write_buffer = dpdk_write_buffer,
	.send = dpdk_send,
	.met = dpdk_met,
};
