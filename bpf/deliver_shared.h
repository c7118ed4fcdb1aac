/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the deliver stage and user space both see.  Ports and destinations are written before the
 * programs that read them are attached, and never change after that: another configuration comes
 * with other programs.
 */
#ifndef SLUICE_BPF_DELIVER_SHARED_H
#define SLUICE_BPF_DELIVER_SHARED_H

#include <linux/types.h>

#define DELIVER_MAX_RULES 32   /* Bits of a mask. */
#define DELIVER_MAX_QUEUES 256 /* Receive queues of an interface that may have a socket. */
#define DELIVER_MAX_SLOTS 16   /* Interfaces. */
/* The pinned map's entries: slot * DELIVER_MAX_QUEUES + queue.  Behind them lies nobody's. */
#define DELIVER_MAX_SOCKETS (DELIVER_MAX_SLOTS * DELIVER_MAX_QUEUES)
#define DELIVER_N_PORTS 65536
/* sluice_deliver_ports: the mask of rules that name a port, of TCP first, then of UDP. */
#define DELIVER_PORT_ENTRIES (2 * DELIVER_N_PORTS)

/* What became of a packet.  Pinned memory: append only. */
enum deliver_outcome {
	DELIVER_SOCKET,	   /* Handed to the socket of its receive queue. */
	DELIVER_NO_SOCKET, /* Of a port that is delivered, but the queue has no socket: to Linux. */
	DELIVER_FRAGMENT,  /* A part of a packet, whose ports are not to be had: to Linux. */
	DELIVER_OTHER,	   /* Of no port that is delivered: to Linux. */
	DELIVER_N_OUTCOMES,
	DELIVER_OUTCOMES_MAX = 8,
};

/* One CPU's; only that CPU writes them. */
struct deliver_cpu_counts {
	__u64 packets[DELIVER_OUTCOMES_MAX];
};

/*
 * Which interface has which part of the map of sockets.  Pinned: a slot stays an interface's, by its name, until
 * another needs it.  The packet path reads the first line alone.
 */
struct deliver_slots {
	__u32 ifindex[DELIVER_MAX_SLOTS]; /* 0: of none now. */
	char name[DELIVER_MAX_SLOTS][16]; /* NUL-terminated; all 0: nobody has had it. */
};

/* Longest-prefix match on the destination; the value is the mask of rules that contain it. */
struct deliver_key4 {
	__u32 prefix_len;
	__u32 addr;
};

struct deliver_key6 {
	__u32 prefix_len;
	__u8 addr[16];
};

_Static_assert(sizeof(struct deliver_cpu_counts) == 64, "a cache line per CPU");
_Static_assert(sizeof(struct deliver_slots) == 320, "pinned; its numbers in one cache line");

#endif /* SLUICE_BPF_DELIVER_SHARED_H */
