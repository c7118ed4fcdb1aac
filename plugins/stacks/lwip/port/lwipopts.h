/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP for a server behind AF_XDP: one thread and one instance a process, no system calls, all
 * memory in pools of a fixed size (about 45 MB).  What a run may choose is in the manifest; here are
 * the upper bounds.
 */
#ifndef SLUICE_LWIP_LWIPOPTS_H
#define SLUICE_LWIP_LWIPOPTS_H

/* No operating system: the caller hands in frames and time. */
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_SOCKET 0
#define LWIP_NETCONN 0
#define LWIP_TIMERS 1

/* TCP over IPv4 and IPv6.  Nobody serves UDP, so it is dropped before lwIP sees it (port.c). */
#define LWIP_IPV4 1
#define LWIP_IPV6 1
#define LWIP_ICMP 1
#define LWIP_ICMP6 1
#define LWIP_TCP 1
#define LWIP_UDP 0
#define LWIP_RAW 0
#define LWIP_DNS 0
#define LWIP_DHCP 0
#define LWIP_IGMP 0
#define LWIP_ACD 0
/* Fragments cost memory that an attacker chooses; TCP avoids them. */
#define IP_REASSEMBLY 0
#define IP_FRAG 0
#define LWIP_IPV6_REASS 0
#define LWIP_IPV6_FRAG 0
#define IP_FORWARD 0

/* Addresses come from the manifest's options, nothing is configured by itself. */
#define LWIP_ARP 1
#define ARP_TABLE_SIZE 127
#define ARP_QUEUEING 0
#define ETHARP_SUPPORT_STATIC_ENTRIES 0
#define LWIP_IPV6_MLD 0
#define LWIP_IPV6_AUTOCONFIG 0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0
#define LWIP_ND6_NUM_NEIGHBORS 64
#define LWIP_ND6_NUM_DESTINATIONS 127
#define LWIP_ND6_QUEUEING 0
#define LWIP_SINGLE_NETIF 1
#define LWIP_HAVE_LOOPIF 0
#define LWIP_NETIF_LOOPBACK 0
#define LWIP_NETIF_TX_SINGLE_PBUF 0

/* Memory. */
#define MEM_ALIGNMENT 8
#define MEM_LIBC_MALLOC 0
#define MEMP_MEM_MALLOC 0
#define MEM_USE_POOLS 1
#define MEM_USE_POOLS_TRY_BIGGER_POOL 1
#define MEMP_USE_CUSTOM_POOLS 1
#define MEMP_OVERFLOW_CHECK 0
#define MEMP_NUM_TCP_PCB 4096
#define MEMP_NUM_TCP_PCB_LISTEN 8
#define MEMP_NUM_TCP_SEG 16384
#define MEMP_NUM_PBUF 16384
#define MEMP_NUM_SYS_TIMEOUT 16
#define PBUF_POOL_SIZE 4096
#define PBUF_POOL_BUFSIZE 1600

/* TCP: the MSS follows the MTU; windows are scaled. */
#define TCP_MSS 1460
#define TCP_CALCULATE_EFF_SEND_MSS 1
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 3
#define TCP_WND (256 * 1024)
#define TCP_SND_BUF (256 * 1024)
#define TCP_SND_QUEUELEN 1024
#define TCP_SNDLOWAT (32 * 1024)
#define TCP_SNDQUEUELOWAT 256
#define TCP_OVERSIZE 0
#define TCP_QUEUE_OOSEQ 1
#define TCP_OOSEQ_MAX_BYTES (16 * 1024)
#define TCP_OOSEQ_MAX_PBUFS 16
#define LWIP_TCP_SACK_OUT 1
#define LWIP_TCP_TIMESTAMPS 0
#define TCP_LISTEN_BACKLOG 1
#define TCP_DEFAULT_LISTEN_BACKLOG 255
#define TCP_SYNMAXRTX 3
#define TCP_MAXRTX 8
/* Also bounded in number: see prune_time_wait() in port.c. */
#define TCP_MSL 15000UL

/*
 * Checksums: in software, but per interface where the host, a driver or a virtual wire makes them moot.  Not when data
 * are written, which is before anybody asks the interface.
 */
#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_CHECKSUM_ON_COPY 0
#define LWIP_CHKSUM port_checksum
#include <stdint.h>
uint16_t port_checksum(const void *data, int size);

/* Initial sequence numbers that nobody can guess (RFC 6528). */
#define LWIP_HOOK_FILENAME "port_hooks.h"
#define LWIP_HOOK_TCP_ISN port_isn
/* A new connection need not wait for an old one's TIME_WAIT. */
#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, header, optlen, opt1len, opt2, packet) \
	port_segment(pcb, header)

#define LWIP_STATS 1
#define MIB2_STATS 1
#define LWIP_STATS_DISPLAY 0
#define LWIP_DEBUG 0
#define LWIP_NOASSERT 0
#define LWIP_PERF 0
#define LWIP_DISABLE_TCP_SANITY_CHECKS 0

#endif /* SLUICE_LWIP_LWIPOPTS_H */
