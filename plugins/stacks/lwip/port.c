/* SPDX-License-Identifier: BSD-2-Clause */
#include "port.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <lwip/etharp.h>
#include <lwip/ethip6.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/priv/tcp_priv.h>
#include <lwip/sys.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#include "isn.h"
#include "neighbour.h"
#include "port_hooks.h"

enum {
	ETHERNET_SIZE = 14,
	IPV4_PROTOCOL = ETHERNET_SIZE + 9,
	IPV4_SOURCE = ETHERNET_SIZE + 12,
	IPV4_SIZE_MIN = 20,
	IPV6_NEXT = ETHERNET_SIZE + 6,
	IPV6_SOURCE = ETHERNET_SIZE + 8,
	IPV6_SIZE = 40,
	HALF_OPEN_TICKS = 2, /* Of 500 ms: a younger one may still be on its way. */
};

/* lwIP is global, so this is. */
static struct {
	bool open;
	struct port_link link;
	struct port_config config;
	struct port_counters counters;
	struct netif netif;
	struct neighbour_table neighbours4, neighbours6;
	bool again; /* This frame made way for itself: it is to be looked at once more. */
	uint64_t now_ns;
	uint64_t key[2];
	uint64_t random;
} port;

uint32_t sys_now(void)
{
	return (uint32_t)(port.now_ns / 1000000u);
}

void port_set_time(uint64_t now_ns)
{
	port.now_ns = now_ns;
}

uint64_t port_now_ns(void)
{
	return port.now_ns;
}

const struct port_counters *port_read_counters(void)
{
	return &port.counters;
}

uint64_t port_retransmits(void)
{
	return lwip_stats.mib2.tcpretranssegs;
}

uint32_t port_random(void)
{
	port.random++;
	return (uint32_t)isn_siphash(port.key, &port.random, sizeof(port.random));
}

/* RFC 6528: a clock of 4 us that starts elsewhere for each pair of ends. */
u32_t port_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
	       u16_t remote_port)
{
	struct {
		uint32_t local[4], remote[4];
		uint16_t ports[2];
	} ends;

	memset(&ends, 0, sizeof(ends));
	memcpy(ends.local, local_ip, IP_IS_V6(local_ip) ? 16 : 4);
	memcpy(ends.remote, remote_ip, IP_IS_V6(remote_ip) ? 16 : 4);
	ends.ports[0] = local_port;
	ends.ports[1] = remote_port;
	return (u32_t)(isn_siphash(port.key, &ends, sizeof(ends)) + port.now_ns / 4000u);
}

/* The Internet checksum, not complemented, eight bytes at a time. */
uint16_t port_checksum(const void *data, int size)
{
	const uint8_t *bytes = data;
	uint64_t sum = 0, word;
	uint32_t half;

	for (; size >= 8; size -= 8, bytes += 8) {
		memcpy(&word, bytes, 8);
		sum += word;
		sum += sum < word;
	}
	word = 0;
	memcpy(&word, bytes, (size_t)size);
	sum += word;
	sum += sum < word;
	sum = (sum >> 32) + (sum & 0xffffffffu);
	half = (uint32_t)((sum >> 32) + (sum & 0xffffffffu));
	half = (half >> 16) + (half & 0xffffu);
	return (uint16_t)((half >> 16) + (half & 0xffffu));
}

static err_t transmit(struct netif *netif, struct pbuf *packet)
{
	uint8_t *room = port.link.reserve(port.link.link, packet->tot_len);

	(void)netif;
	if (!room) {
		port.counters.no_room_out++;
		return ERR_MEM;
	}
	pbuf_copy_partial(packet, room, packet->tot_len, 0);
	port.link.commit(port.link.link, packet->tot_len);
	port.counters.frames_out++;
	return ERR_OK;
}

static err_t send_to(struct netif *netif, struct pbuf *packet, const struct neighbour_table *table,
		     const struct neighbour_address *destination, u16_t type)
{
	const uint8_t *mac = neighbour_find(table, destination);
	struct eth_addr to;

	if (!mac) {
		port.counters.no_neighbour++;
		return ERR_RTE;
	}
	memcpy(to.addr, mac, sizeof(to.addr));
	return ethernet_output(netif, packet, (const struct eth_addr *)netif->hwaddr, &to, type);
}

static err_t output4(struct netif *netif, struct pbuf *packet, const ip4_addr_t *destination)
{
	struct neighbour_address address = { { 0 } };

	memcpy(address.bytes, &destination->addr, 4);
	return send_to(netif, packet, &port.neighbours4, &address, ETHTYPE_IP);
}

static err_t output6(struct netif *netif, struct pbuf *packet, const ip6_addr_t *destination)
{
	struct neighbour_address address;

	memcpy(address.bytes, destination->addr, sizeof(address.bytes));
	return send_to(netif, packet, &port.neighbours6, &address, ETHTYPE_IPV6);
}

static err_t init_interface(struct netif *netif)
{
	bool own = port.config.neighbours == PORT_NEIGHBOURS_STACK;

	netif->name[0] = 's';
	netif->name[1] = 'l';
	netif->mtu = port.config.mtu;
	netif->mtu6 = port.config.mtu;
	netif->hwaddr_len = ETH_HWADDR_LEN;
	memcpy(netif->hwaddr, port.config.mac, ETH_HWADDR_LEN);
	netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHERNET | NETIF_FLAG_LINK_UP |
		       (own ? NETIF_FLAG_ETHARP : 0);
	netif->output = own ? etharp_output : output4;
	netif->output_ip6 = own ? ethip6_output : output6;
	netif->linkoutput = transmit;
	return ERR_OK;
}

static void set_address6(const struct port_config *config)
{
	ip6_addr_t address;

	if (!config->has_ipv6)
		return;
	netif_create_ip6_linklocal_address(&port.netif, 1);
	netif_ip6_addr_set_state(&port.netif, 0, IP6_ADDR_PREFERRED);
	memcpy(address.addr, config->ipv6, sizeof(address.addr));
	ip6_addr_clear_zone(&address);
	netif_ip6_addr_set(&port.netif, 1, &address);
	netif_ip6_addr_set_state(&port.netif, 1, IP6_ADDR_PREFERRED);
}

static void init_neighbours(const struct port_config *config)
{
	struct neighbour_address own = { { 0 } };

	memcpy(own.bytes, config->ipv4, sizeof(config->ipv4));
	neighbour_init(&port.neighbours4, &own, config->prefix4, port.key[0] ^ port.key[1]);
	memcpy(own.bytes, config->ipv6, sizeof(config->ipv6));
	neighbour_init(&port.neighbours6, &own, config->prefix6, port.key[0] ^ port.key[1]);
}

static int check(const struct port_config *config, struct sluice_err *err)
{
	const char *reason = NULL;

	if (!config->has_ipv4 && !config->has_ipv6)
		reason = "neither an IPv4 nor an IPv6 address is given; set 'address'";
	else if (config->mtu < 576 || config->mtu > 1500)
		reason = "the MTU is not between 576 and 1500";
	else if (config->prefix4 > 32 || config->prefix6 > 128)
		reason = "the prefix is longer than the address";
	if (!reason)
		return 0;
	if (err)
		snprintf(err->text, sizeof(err->text), "%s", reason);
	return -EINVAL;
}

static uint16_t sums_to_make(const struct port_config *config)
{
	uint16_t sums = NETIF_CHECKSUM_ENABLE_ALL;

	if (!config->verify_checksums)
		sums &= (uint16_t) ~(NETIF_CHECKSUM_CHECK_TCP | NETIF_CHECKSUM_CHECK_ICMP |
				     NETIF_CHECKSUM_CHECK_ICMP6);
	if (config->leave_sums)
		sums &= (uint16_t)~NETIF_CHECKSUM_GEN_TCP;
	return sums;
}

int port_open(const struct port_config *config, const struct port_link *link, uint64_t now_ns,
	      struct sluice_err *err)
{
	ip4_addr_t address, mask, gateway;
	uint32_t bits = config->prefix4 ? ~0u << (32 - config->prefix4) : 0;
	static bool initialised;
	int rc;

	if (port.open)
		return -EBUSY;
	rc = check(config, err);
	if (rc)
		return rc;
	memset(&port, 0, sizeof(port));
	port.config = *config;
	port.link = *link;
	port.now_ns = now_ns;
	if (getrandom(port.key, sizeof(port.key), 0) != (ssize_t)sizeof(port.key))
		return -EIO;
	init_neighbours(config);
	if (!initialised)
		lwip_init();
	initialised = true;

	memcpy(&address.addr, config->ipv4, 4);
	memcpy(&gateway.addr, config->gateway4, 4);
	mask.addr = lwip_htonl(bits);
	netif_add(&port.netif, &address, &mask, &gateway, NULL, init_interface, ethernet_input);
	set_address6(config);
	NETIF_SET_CHECKSUM_CTRL(&port.netif, sums_to_make(config));
	netif_set_default(&port.netif);
	netif_set_up(&port.netif);
	/* Without it no IPv4 comes in; not before, or the address would be announced. */
	port.netif.flags |= NETIF_FLAG_ETHARP;
	port.open = true;
	return 0;
}

void port_close(void)
{
	if (!port.open)
		return;
	while (tcp_active_pcbs)
		tcp_abandon(tcp_active_pcbs, 0);
	while (tcp_tw_pcbs)
		tcp_abandon(tcp_tw_pcbs, 0);
	netif_remove(&port.netif);
	port.open = false;
}

/* Only what somebody serves costs a buffer: TCP, and what keeps a network going. */
static bool is_served(const uint8_t *frame, size_t size)
{
	unsigned int type = size < ETHERNET_SIZE ? 0 : frame[12] << 8 | frame[13];

	switch (type) {
	case ETHTYPE_IP:
		return size >= ETHERNET_SIZE + IPV4_SIZE_MIN &&
		       (frame[IPV4_PROTOCOL] == IP_PROTO_TCP ||
			frame[IPV4_PROTOCOL] == IP_PROTO_ICMP);
	case ETHTYPE_IPV6:
		return size >= ETHERNET_SIZE + IPV6_SIZE && frame[IPV6_NEXT] != IP6_NEXTH_UDP &&
		       frame[IPV6_NEXT] != IP6_NEXTH_FRAGMENT;
	case ETHTYPE_ARP:
		return port.config.neighbours == PORT_NEIGHBOURS_STACK;
	default:
		return false;
	}
}

static void learn(const uint8_t *frame)
{
	const uint8_t *mac = frame + ETH_HWADDR_LEN;
	struct neighbour_address source = { { 0 } };

	if (frame[12] == ETHTYPE_IP >> 8 && frame[13] == (ETHTYPE_IP & 0xff)) {
		memcpy(source.bytes, frame + IPV4_SOURCE, 4);
		neighbour_learn(&port.neighbours4, &source, mac);
	} else {
		memcpy(source.bytes, frame + IPV6_SOURCE, sizeof(source.bytes));
		neighbour_learn(&port.neighbours6, &source, mac);
	}
}

/*
 * lwIP answers a SYN for a connection in TIME_WAIT with an acknowledgement, and ignores the reset that
 * it gets: the client would wait for half a minute.  As in RFC 1122, 4.2.2.13, a SYN with a higher
 * sequence number is a new connection's, and the old one goes.
 */
err_t port_segment(struct tcp_pcb *pcb, const struct tcp_hdr *header)
{
	/* lwIP has turned the sequence number by now, and the flags not. */
	if (pcb->state != TIME_WAIT ||
	    (TCPH_FLAGS(header) & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN ||
	    !TCP_SEQ_GT(header->seqno, pcb->rcv_nxt))
		return ERR_OK;
	tcp_abandon(pcb, 0);
	port.again = true;
	return ERR_ABRT;
}

static void input(const uint8_t *frame, size_t size)
{
	struct pbuf *packet = pbuf_alloc(PBUF_RAW, (u16_t)size, PBUF_POOL);

	if (!packet) {
		port.counters.no_room_in++;
		return;
	}
	pbuf_take(packet, frame, (u16_t)size);
	if (port.netif.input(packet, &port.netif) != ERR_OK)
		pbuf_free(packet);
}

void port_input(const uint8_t *frame, size_t size)
{
	port.counters.frames_in++;
	if (!is_served(frame, size) || size > ETHERNET_SIZE + (size_t)port.config.mtu + 4) {
		port.counters.not_served++;
		return;
	}
	if (port.config.neighbours == PORT_NEIGHBOURS_LINUX)
		learn(frame);
	port.again = false;
	input(frame, size);
	if (port.again)
		input(frame, size);
}

/* The list of TIME_WAIT is searched for each packet of no other connection: it must stay short. */
static void prune_time_wait(void)
{
	struct tcp_pcb *pcb = tcp_tw_pcbs, *next;

	for (unsigned int n = 0; pcb && n < port.config.max_time_wait; n++)
		pcb = pcb->next;
	for (; pcb; pcb = next) {
		next = pcb->next;
		tcp_abandon(pcb, 0);
		port.counters.time_wait_dropped++;
	}
}

/* Makes room in full SYN queues: the half-open that have waited longest give way. */
static void prune_half_open(void)
{
	struct tcp_pcb *pcb, *next;
	const struct tcp_pcb_listen *listener = tcp_listen_pcbs.listen_pcbs;

	while (listener && listener->accepts_pending < listener->backlog)
		listener = listener->next;
	if (!listener)
		return;
	for (pcb = tcp_active_pcbs; pcb; pcb = next) {
		next = pcb->next;
		if (pcb->state != SYN_RCVD || tcp_ticks - pcb->tmr < HALF_OPEN_TICKS)
			continue;
		tcp_abandon(pcb, 0);
		port.counters.half_open_dropped++;
	}
}

uint32_t port_tick(void)
{
	sys_check_timeouts();
	prune_time_wait();
	prune_half_open();
	return sys_timeouts_sleeptime();
}
