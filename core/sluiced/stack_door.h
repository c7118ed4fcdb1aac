/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where sluice-stack gets its AF_XDP sockets: a Unix socket, served by a thread of its own.  Each
 * connection holds one receive queue of one interface at most; when it ends, however it ends, the queue's packets go to
 * Linux again and an event says so.  What a client sends is of fixed size, and nothing that it sends or
 * leaves unsent holds up another: one that does not go on is let go in time.
 */
#ifndef SLUICE_SLUICED_STACK_DOOR_H
#define SLUICE_SLUICED_STACK_DOOR_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <sluice/plugin.h>
#include <sluice/stack.h>

#include "xsk/counts.h"

struct clock_source;
struct event_sink;
struct stack_door;
struct told_clients;

#define STACK_DOOR_MAX 256 /* Connections, and so queues. */
#define STACK_DOOR_INTERFACES 16
#define STACK_DOOR_QUEUES 64 /* Of one interface. */

/* How long a request may take from the first byte on, and who has none yet; and how long from OPEN to READY. */
#define STACK_DOOR_REQUEST_NS 5000000000ull
#define STACK_DOOR_READY_NS 60000000000ull

struct stack_door_interface {
	char name[IFNAMSIZ];
	bool generic;  /* The filter runs in generic mode. */
	uint32_t slot; /* Its part of the map: dataplane.h. */
};

/* What it points to need not outlive the call, but for what says so. */
struct stack_door_options {
	const char *path, *group;
	const struct stack_door_interface *interfaces;
	size_t n_interfaces; /* STACK_DOOR_INTERFACES at most. */
	bool copy;
	bool software_sums; /* The stacks make the sums of what they send, whatever the kernel can do. */
	uint32_t n_frames;
	uint32_t poll; /* enum handover_poll of xsk/handover.h */
	int map_fd;    /* The pinned map of sockets; must outlive the door. */
	struct told_clients
		*told; /* Gets the hosts that stacks met; must outlive the door; NULL: nobody. */
	const struct clock_source *clock;
	const struct event_sink *events;
};

/* Who serves a queue now, and what it says of its packets and frames, once a second. */
struct stack_door_client {
	char ifname[IFNAMSIZ];
	uint32_t queue;
	pid_t pid;
	bool ready, reported; /* Reported: `counts` are there. */
	enum sluice_io_mode mode;
	bool sums; /* Those of sent frames are left to the kernel or the card. */
	uint32_t n_frames;
	struct port_counts counts;
	uint64_t met, met_left_out; /* Hosts that it named, and those of them that were too many. */
};

/*
 * Opens the socket and starts the thread.  The process may make AF_XDP sockets for as long as the door
 * is open, and lock memory for them.
 */
int stack_door_open(const struct stack_door_options *options, struct stack_door **out,
		    struct sluice_err *err) __attribute__((warn_unused_result));
/* Sockets in the map stay there and go on.  NULL is a no-op. */
void stack_door_close(struct stack_door *door);

/* At most STACK_DOOR_MAX; from any thread.  NULL has none. */
size_t stack_door_clients(struct stack_door *door, struct stack_door_client *clients);

#endif /* SLUICE_SLUICED_STACK_DOOR_H */
