/* SPDX-License-Identifier: BSD-2-Clause */
/* What lwIP calls out of its own code: see port.c. */
#ifndef SLUICE_LWIP_PORT_HOOKS_H
#define SLUICE_LWIP_PORT_HOOKS_H

#include <lwip/err.h>
#include <lwip/ip_addr.h>

u32_t port_isn(const ip_addr_t *local_ip, u16_t local_port, const ip_addr_t *remote_ip,
	       u16_t remote_port);

struct pbuf;
struct tcp_hdr;
struct tcp_pcb;

/* ERR_OK: lwIP goes on with the segment; else it is dropped. */
err_t port_segment(struct tcp_pcb *pcb, const struct tcp_hdr *header);

#endif /* SLUICE_LWIP_PORT_HOOKS_H */
