/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plugin kind `stack`: a network stack in user space, on the frames that the filter let through and
 * the deliver stage handed to AF_XDP.
 *
 * sluice-stack runs one process for each receive queue; the stack has one thread, one instance and
 * one `struct sluice_io`, so it needs no locks and may keep its state in globals.  Packet I/O has
 * the shape of mTCP's io_module (E. Jeong et al., "mTCP: a Highly Scalable User-level TCP Stack for
 * Multicore Systems", NSDI 2014), which the system of P2 was put behind: init and destroy are the
 * host's, the rest is lent to the stack.
 *
 * Frames are whole Ethernet frames, in network byte order.
 */
#ifndef SLUICE_STACK_H
#define SLUICE_STACK_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

/* One receive queue with its send queue and its memory.  Owned by the host. */
struct sluice_io;

/* How frames come and go, from the fastest to what always works. */
enum sluice_io_mode {
	SLUICE_IO_ZERO_COPY = 1, /* The card writes into the memory that the stack reads. */
	SLUICE_IO_COPY = 2,	 /* The driver's XDP copies. */
	SLUICE_IO_GENERIC = 3,	 /* The kernel copies, after it made a buffer of its own. */
};

/* What the queue hangs on.  The stack sets `size`. */
struct sluice_io_link {
	size_t size;
	char ifname[16];
	uint8_t mac[6];
	uint16_t mtu;	  /* Bytes of an IP packet. */
	uint32_t ifindex; /* In the host's network namespace. */
	uint32_t queue, n_queues;
	enum sluice_io_mode mode;
	uint32_t max_frame;   /* The longest frame that write_buffer() has room for. */
	uint32_t n_frames;    /* Receive frames there are; who holds all of them gets no more. */
	bool checks_received; /* The sums of received frames are known to be right. */
	/*
	 * The sums of sent TCP and UDP packets are filled in behind send(), in software, by the kernel or
	 * by the card: the stack need not make them, and what it writes in their place does not
	 * matter.  That is said of whole packets in frames without a VLAN tag: not of fragments, nor of
	 * what follows an IPv6 extension header; these, and the sums of IPv4 and ICMP, are the stack's.
	 */
	bool fills_sums;
};

/* One received frame.  `handle` names its memory, which is the stack's until release(). */
struct sluice_io_frame {
	void *data; /* May be written to. */
	uint32_t length;
	uint32_t reserved; /* 0 */
	uint64_t handle;
};

/* Since 1.6.  Why the server knows a host. */
enum sluice_io_met {
	SLUICE_IO_MET_CONNECTED = 1, /* It completed a handshake, so it is where it says it is. */
	SLUICE_IO_MET_SPOKEN_TO = 2, /* The stack spoke first: it connected, or asked by UDP. */
};

/* Packet I/O.  Callable from inside a call into the stack, on its thread; none of it blocks. */
struct sluice_io_ops {
	size_t size;
	/* 0, or -ENODEV: the interface is gone. */
	int (*link)(struct sluice_io *io, struct sluice_io_link *link);
	/*
	 * Takes in a batch of at most `max` frames: how many, 0 if there is none.  It ends the batch
	 * before.  -ENODEV: the interface, or the host, is gone.
	 */
	int (*receive)(struct sluice_io *io, unsigned int max);
	/* Frame `i` of this batch; each is to be released once, in any order, also after it. */
	int (*packet)(struct sluice_io *io, unsigned int i, struct sluice_io_frame *frame);
	void (*release)(struct sluice_io *io, uint64_t handle);
	/*
	 * Memory for a frame of `length` bytes to send, to be filled before send(); NULL if all
	 * send frames are on their way, or if it is longer than max_frame.
	 */
	void *(*write_buffer)(struct sluice_io *io, uint32_t length);
	/* Hands over what was written since the last time: how many frames, or -ENODEV. */
	int (*send)(struct sluice_io *io);
	/*
	 * Since 1.6: test `size`.  `host`, a whole address, is one that the server knows: rules with
	 * `exempt_known` spare it, and detectors do not block it.  To be called for each handshake that is
	 * complete and each host that the stack speaks to first, and again every 20 s or so while the
	 * connection lasts; the host passes on what is new.  Never for a SYN or another packet alone, whose
	 * sender may be forged, nor for a reply.  -EINVAL: no address that a packet can come from.
	 */
	int (*met)(struct sluice_io *io, const struct sluice_key *host, enum sluice_io_met how);
};

/* One figure for status and metrics. */
struct sluice_stack_figure {
	char name[32]; /* a-z, 0-9, _; "tcp_established" */
	uint64_t value;
	bool goes_down; /* A level, not a count since the start. */
};

struct sluice_stack_ops {
	size_t size;
	/* Both tables and `io` stay valid until close(). */
	int (*open)(struct sluice_instance *instance, const struct sluice_host *host,
		    const struct sluice_config *config, const struct sluice_io_ops *ops,
		    struct sluice_io *io, void **self, struct sluice_err *err);
	/*
	 * Says goodbye to its peers as far as that takes no waiting, and releases every frame.  NULL
	 * is a no-op.
	 */
	void (*close)(void *self);
	/*
	 * One turn: takes in what has come, serves timers, sends: nothing that was written may be left
	 * unsent.  In how many milliseconds at the
	 * latest it wants the next one (0: at once), or a negative errno if it cannot go on.  The
	 * host waits so long for a frame: select of io_module.
	 */
	int (*turn)(void *self);
	/* Fills at most `n` figures; how many.  NULL: it has none. */
	size_t (*figures)(void *self, struct sluice_stack_figure *figures, size_t n);
	/*
	 * Since 1.5.  A descriptor of the stack's that is readable while it wants a turn sooner than it
	 * said, such as one that a thread of its own has come to an end; a turn makes it unreadable again.
	 * Asked once, after open(); valid until close().  NULL or -1: it has none.
	 */
	int (*wake_fd)(void *self);
};

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_STACK_H */
