/* SPDX-License-Identifier: BSD-2-Clause */
/* What lwIP calls out of its own code: see port.c. */
#ifndef SLUICE_LWIP_PORT_HOOKS_H
#define SLUICE_LWIP_PORT_HOOKS_H

#include <stdint.h>

/* lwIP's types by what they are, so that this stands alone. */
struct ip_addr;
struct tcp_hdr;
struct tcp_pcb;

uint32_t port_isn(const struct ip_addr *local_ip, uint16_t local_port,
		  const struct ip_addr *remote_ip, uint16_t remote_port);

/* ERR_OK: lwIP goes on with the segment; else it is dropped. */
int8_t port_segment(struct tcp_pcb *pcb, const struct tcp_hdr *header);

#endif /* SLUICE_LWIP_PORT_HOOKS_H */
