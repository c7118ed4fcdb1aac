/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP as a library that is handed frames and time: one interface, one instance a process, since all
 * of lwIP's state is global.  What carries the frames is the caller's: see struct port_link.
 */
#ifndef SLUICE_LWIP_PORT_H
#define SLUICE_LWIP_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

enum port_neighbours {
	PORT_NEIGHBOURS_LINUX, /* Linux answers ARP and ND; replies go where packets came from. */
	PORT_NEIGHBOURS_STACK, /* lwIP answers them, and asks itself. */
};

/* How frames leave.  Called from inside the calls below, on their thread. */
struct port_link {
	/* Room for a frame of `size` bytes, or NULL if there is none: the frame is dropped. */
	uint8_t *(*reserve)(void *link, size_t size);
	/* The frame that was reserved last is complete. */
	void (*commit)(void *link, size_t size);
	void *link;
};

struct port_config {
	uint8_t mac[6];
	uint16_t mtu; /* 576 to 1500. */
	bool has_ipv4, has_ipv6;
	uint8_t ipv4[4], gateway4[4];
	uint8_t ipv6[16], gateway6[16]; /* Gateways may be zero: none. */
	unsigned int prefix4, prefix6;
	enum port_neighbours neighbours;
	bool verify_checksums;	    /* Off where the wire is virtual and leaves them out. */
	bool leave_sums;	    /* TCP sums of sent frames are filled in further down. */
	unsigned int max_time_wait; /* Connections in TIME_WAIT; the oldest are forgotten. */
};

struct port_counters {
	uint64_t frames_in, frames_out;
	uint64_t not_served;  /* Frames of protocols that nobody serves here: dropped unread. */
	uint64_t no_room_in;  /* No buffer for a frame that came. */
	uint64_t no_room_out; /* The link took no frame. */
	uint64_t no_neighbour;
	uint64_t half_open_dropped; /* Given up for newer ones. */
	uint64_t time_wait_dropped;
};

/* 0; -EBUSY: there is one already; -EINVAL with the reason. */
int port_open(const struct port_config *config, const struct port_link *link, uint64_t now_ns,
	      struct sluice_err *err) __attribute__((warn_unused_result));
/* Connections end without a word; what listens must have been closed. */
void port_close(void);

/* The time from here on, monotonic. */
void port_set_time(uint64_t now_ns);
uint64_t port_now_ns(void);

/* A frame from the wire; it is copied. */
void port_input(const uint8_t *frame, size_t size);
/*
 * Runs the timers that are due.  To be called after each batch of frames, and when as many
 * milliseconds as it returns have gone by.
 */
uint32_t port_tick(void);

const struct port_counters *port_read_counters(void);
/* Segments that were sent again. */
uint64_t port_retransmits(void);

#endif /* SLUICE_LWIP_PORT_H */
