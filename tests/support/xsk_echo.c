/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-xsk-echo IFACE QUEUE MAP [SLOT]: a program that is not Sluice's, on plain libxdp, joins the pinned map
 * behind the filter and serves, in the interface's slot (0: `sluice status --json` says which): UDP to wherever `deliver` says is sent back.  With SIGTERM it leaves,
 * and says how many packets it served.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <bpf/bpf.h>
#include <net/ethernet.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <systemd/sd-daemon.h>
#include <xdp/xsk.h>

/* All frames are in exactly one place: a ring each has room for all of them, and some to spare, since
 * the kernel says late what it has taken. */
#define N_FRAMES 1024u
#define RING_SIZE 2048u
#define FRAME_SIZE XSK_UMEM__DEFAULT_FRAME_SIZE
#define BATCH 64u
#define SLOT_SIZE 256u

struct echo {
	void *memory;
	struct xsk_umem *umem;
	struct xsk_socket *socket;
	struct xsk_ring_prod fill, send;
	struct xsk_ring_cons receive, sent;
};

static volatile sig_atomic_t ended;

static void end(int signal)
{
	(void)signal;
	ended = 1;
}

static int fail(const char *what, int code)
{
	fprintf(stderr, "sluice-xsk-echo: %s: %s\n", what, strerror(code < 0 ? -code : code));
	return -1;
}

/* The frame is for receiving again. */
static void give_back(struct echo *echo, uint64_t address)
{
	uint32_t at;

	while (xsk_ring_prod__reserve(&echo->fill, 1, &at) != 1)
		;
	*xsk_ring_prod__fill_addr(&echo->fill, at) = address - address % FRAME_SIZE;
	xsk_ring_prod__submit(&echo->fill, 1);
}

static int open_socket(struct echo *echo, const char *interface, uint32_t queue)
{
	const struct xsk_umem_config umem = { .fill_size = RING_SIZE,
					      .comp_size = RING_SIZE,
					      .frame_size = FRAME_SIZE };
	/* Sluice's program is there already: libxdp must not bring one. */
	const struct xsk_socket_config config = {
		.rx_size = RING_SIZE,
		.tx_size = RING_SIZE,
		.libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
	};
	size_t size = (size_t)N_FRAMES * FRAME_SIZE;
	int rc;

	echo->memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (echo->memory == MAP_FAILED)
		return fail("memory", errno);
	rc = xsk_umem__create(&echo->umem, echo->memory, size, &echo->fill, &echo->sent, &umem);
	if (rc)
		return fail("UMEM", rc);
	rc = xsk_socket__create(&echo->socket, interface, queue, echo->umem, &echo->receive,
				&echo->send, &config);
	if (rc)
		return fail("AF_XDP socket", rc);
	for (uint32_t i = 0; i < N_FRAMES; i++)
		give_back(echo, (uint64_t)i * FRAME_SIZE);
	return 0;
}

/* In slot 0 it is what xsk_socket__update_xskmap() does. */
static int join_map(struct echo *echo, const char *path, uint32_t slot, uint32_t queue)
{
	int map = bpf_obj_get(path), fd = xsk_socket__fd(echo->socket);
	uint32_t index = slot * SLOT_SIZE + queue;

	if (map < 0)
		return fail(path, map);
	return bpf_map_update_elem(map, &index, &fd, BPF_ANY) ? fail(path, errno) : 0;
}

static void swap_bytes(uint8_t *a, uint8_t *b, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		uint8_t byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

/* Back to whoever sent it.  Sums stay right: who sends and who receives are added up alike. */
static bool turn_round(uint8_t *frame, uint32_t length)
{
	struct ether_header *ether = (struct ether_header *)frame;
	struct iphdr *ip = (struct iphdr *)(ether + 1);
	struct udphdr *udp = (struct udphdr *)(ip + 1);

	if (length < sizeof(*ether) + sizeof(*ip) + sizeof(*udp) ||
	    ether->ether_type != htons(ETHERTYPE_IP) || ip->ihl != 5 || ip->protocol != IPPROTO_UDP)
		return false;
	swap_bytes(ether->ether_dhost, ether->ether_shost, ETH_ALEN);
	swap_bytes((uint8_t *)&ip->saddr, (uint8_t *)&ip->daddr, sizeof(ip->saddr));
	swap_bytes((uint8_t *)&udp->source, (uint8_t *)&udp->dest, sizeof(udp->source));
	return true;
}

/* A frame is received, sent, and received into again. */
static unsigned int serve(struct echo *echo)
{
	uint32_t from, to, n = xsk_ring_cons__peek(&echo->receive, BATCH, &from);
	unsigned int served = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct xdp_desc *packet = xsk_ring_cons__rx_desc(&echo->receive, from + i);

		if (!turn_round(xsk_umem__get_data(echo->memory, packet->addr), packet->len) ||
		    xsk_ring_prod__reserve(&echo->send, 1, &to) != 1) {
			give_back(echo, packet->addr);
			continue;
		}
		*xsk_ring_prod__tx_desc(&echo->send, to) =
			(struct xdp_desc){ .addr = packet->addr, .len = packet->len };
		xsk_ring_prod__submit(&echo->send, 1);
		served++;
	}
	xsk_ring_cons__release(&echo->receive, n);
	if (served)
		(void)!sendto(xsk_socket__fd(echo->socket), NULL, 0, MSG_DONTWAIT, NULL, 0);
	n = xsk_ring_cons__peek(&echo->sent, BATCH, &from);
	for (uint32_t i = 0; i < n; i++)
		give_back(echo, *xsk_ring_cons__comp_addr(&echo->sent, from + i));
	xsk_ring_cons__release(&echo->sent, n);
	return served;
}

int main(int argc, char **argv)
{
	struct echo echo = { 0 };
	unsigned long served = 0;
	uint32_t queue, slot;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "Usage: sluice-xsk-echo IFACE QUEUE MAP [SLOT]\n");
		return 2;
	}
	queue = (uint32_t)strtoul(argv[2], NULL, 10);
	slot = argc > 4 ? (uint32_t)strtoul(argv[4], NULL, 10) : 0;
	signal(SIGTERM, end);
	if (open_socket(&echo, argv[1], queue) || join_map(&echo, argv[3], slot, queue))
		return 1;
	sd_notify(0, "READY=1");
	while (!ended) {
		struct pollfd polled = { .fd = xsk_socket__fd(echo.socket), .events = POLLIN };

		poll(&polled, 1, 100);
		served += serve(&echo);
	}
	xsk_socket__delete(echo.socket);
	xsk_umem__delete(echo.umem);
	printf("served %lu\n", served);
	return 0;
}
