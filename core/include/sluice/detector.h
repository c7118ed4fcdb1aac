/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plugin kind `detector`: sees one window of traffic at a time, says whether it looks like an
 * attack, and proposes sources to block and rules for the filter.  It never blocks anything itself.
 */
#ifndef SLUICE_DETECTOR_H
#define SLUICE_DETECTOR_H

#include <sluice/plugin.h>
#include <sluice/rule.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sluice_source_flag {
	/*
	 * The kernel holds an established TCP connection with this source.  A forged sender cannot
	 * reach that state, so the engine does not block such a source unless told to.
	 */
	SLUICE_SOURCE_KNOWN = 1u << 0,
};

/* One source whose packets passed the filter in the window; counts are of this window alone. */
struct sluice_source {
	struct sluice_key key;
	uint64_t packets;
	uint64_t bytes;	  /* Whole frames, from the Ethernet header on. */
	uint32_t tcp_syn; /* TCP packets with SYN and without ACK. */
	uint32_t udp;
	uint32_t icmp;	/* ICMP or ICMPv6. */
	uint32_t flags; /* enum sluice_source_flag */
};

/* One blocked source with what it still sent in the window, dropped in software or in the NIC. */
struct sluice_blocked_source {
	struct sluice_key key;
	uint64_t packets;    /* Dropped by XDP. */
	uint64_t hw_packets; /* Dropped by the NIC's table; 0 if not offloaded. */
	uint64_t hw_age_ns;  /* How old `hw_packets` is. */
};

/* What one source sent to one destination and passed the filter. */
struct sluice_flow {
	struct sluice_key source;      /* In the policy's unit, as struct sluice_source has it. */
	struct sluice_key destination; /* A whole address. */
	uint64_t packets, bytes;
	uint32_t tcp_syn, udp, icmp; /* As in struct sluice_source. */
	uint32_t reserved;
};

/* Classes of struct sluice_destination.protocol. */
enum sluice_protocol {
	SLUICE_PROTOCOL_TCP,
	SLUICE_PROTOCOL_UDP,
	SLUICE_PROTOCOL_ICMP, /* Or ICMPv6. */
	SLUICE_PROTOCOL_GRE,
	SLUICE_PROTOCOL_ESP,
	SLUICE_PROTOCOL_SCTP,
	SLUICE_PROTOCOL_TUNNEL, /* IPv4 or IPv6 inside. */
	SLUICE_PROTOCOL_OTHER,
	SLUICE_N_PROTOCOLS
};

#define SLUICE_N_TCP_FLAGS 64
#define SLUICE_N_LENGTHS 32
#define SLUICE_LENGTH_STEP 64
#define SLUICE_N_PORT_BINS 128
#define SLUICE_N_LISTED_PORTS 64

/*
 * What passed the filter on its way to one destination, as histograms of packets.  Their sums
 * differ: only TCP has flags, only TCP, UDP and SCTP have ports, and a later fragment shows
 * neither.
 */
struct sluice_destination {
	struct sluice_key key; /* A whole address. */
	uint64_t packets, bytes;
	uint32_t fragments; /* First and later parts of packets. */
	uint32_t reserved;
	uint32_t protocol[SLUICE_N_PROTOCOLS]; /* By enum sluice_protocol; sums to `packets`. */
	/* By the six flags' value: FIN 1, SYN 2, RST 4, PSH 8, ACK 16, URG 32. */
	uint32_t tcp_flags[SLUICE_N_TCP_FLAGS];
	/* By the frame's bytes in steps of 64; the last is 1984 and more; sums to `packets`. */
	uint32_t length[SLUICE_N_LENGTHS];
	/* By sluice_window_port_bin(). */
	uint32_t source_port[SLUICE_N_PORT_BINS];
	uint32_t destination_port[SLUICE_N_PORT_BINS];
};

#define SLUICE_SAMPLE_SIZE 256

/*
 * One packet that passed the filter, drawn at random: within a window each had the same chance.
 * When traffic jumps, the draws of that one window come from its beginning.  `data` is what a
 * stranger sent: trust no length in it.
 */
struct sluice_sample {
	uint64_t time_ns;    /* Monotonic. */
	uint32_t frame_size; /* Of the whole frame. */
	uint32_t size;	     /* Bytes of `data`: the frame's first, from the Ethernet header on. */
	uint32_t ifindex, rx_queue;
	uint8_t data[SLUICE_SAMPLE_SIZE];
};

enum sluice_window_flag {
	/* An attack was going on when the window before ended: do not learn from this one. */
	SLUICE_WINDOW_ATTACK = 1u << 0,
	/*
	 * Sources are many and new, as forged ones are: by policy the engine may refuse to block
	 * sources, and a rule is worth more.
	 */
	SLUICE_WINDOW_SPOOFED = 1u << 1,
};

/*
 * What was offered in one window, dropped packets included, so that an attack that is being
 * blocked still looks like one.  Const, shared by all detectors, valid only during observe().
 * `source_size` and the like are the strides of the arrays: use the accessors below.
 * Arrays are in no order.
 */
struct sluice_window {
	size_t size;
	uint64_t sequence; /* 1 for the first window. */
	uint64_t start_ns, length_ns;
	uint64_t offered_packets, offered_bytes; /* passed + dropped + hw, bytes without hw's. */
	uint64_t passed_packets, passed_bytes;
	uint64_t blocked_packets; /* Dropped by XDP because the source is blocked. */
	uint64_t hw_packets;	  /* Dropped by the NIC's table. */
	uint64_t dropped_packets; /* Dropped by XDP for any reason, blocked_packets included. */
	/* Passed, but their sources were not tracked because the table was full. */
	uint64_t untracked_packets;
	const struct sluice_source *sources;
	size_t n_sources, source_size;
	const struct sluice_blocked_source *blocked;
	size_t n_blocked, blocked_size;

	/* Since ABI 1.1: test `size`. */

	uint64_t untracked_bytes;
	/*
	 * Distinct sources whose packets passed, IPv6 in the policy's unit.  Exact while all of them
	 * were tracked; else an estimate whose relative standard error is `distinct_error`.
	 */
	uint64_t distinct_sources;
	double distinct_error; /* 0 = exact */
	/*
	 * Only for detectors whose manifest needs them, else empty: `flow`, `destination`, `sample`.
	 * What the full tables of the first two could not hold is told beside them: the heavy ones
	 * stay, and these are the packets and bytes of those that had to make room.
	 */
	const struct sluice_flow *flows;
	size_t n_flows, flow_size;
	uint64_t untracked_flow_packets, untracked_flow_bytes;
	const struct sluice_destination *destinations;
	size_t n_destinations, destination_size;
	uint64_t untracked_destination_packets, untracked_destination_bytes;
	const struct sluice_sample *samples;
	size_t n_samples, sample_size;
	uint64_t samples_lost; /* Drawn, but there was no room. */
	/* For sluice_window_port_bin(); 65536 entries, or NULL without destinations. */
	const uint8_t *port_bins;

	/* Since ABI 1.2: test `size`. */

	uint32_t flags; /* enum sluice_window_flag */
	uint32_t reserved;
	/* Of `sources`, how many had not been seen in the last minutes before this window. */
	uint64_t new_sources;
	/* The filter's rules in force, config's first, in the order in which they are tried. */
	const struct sluice_window_rule *rules;
	size_t n_rules, rule_size;
};

static inline const struct sluice_source *sluice_window_source(const struct sluice_window *window,
							       size_t i)
{
	return (const struct sluice_source *)(const void *)((const char *)window->sources +
							    i * window->source_size);
}

static inline const struct sluice_blocked_source *
sluice_window_blocked(const struct sluice_window *window, size_t i)
{
	return (const struct sluice_blocked_source *)(const void *)((const char *)window->blocked +
								    i * window->blocked_size);
}

static inline const struct sluice_flow *sluice_window_flow(const struct sluice_window *window,
							   size_t i)
{
	return (const struct sluice_flow *)(const void *)((const char *)window->flows +
							  i * window->flow_size);
}

static inline const struct sluice_destination *
sluice_window_destination(const struct sluice_window *window, size_t i)
{
	return (const struct sluice_destination *)(const void *)((const char *)
									 window->destinations +
								 i * window->destination_size);
}

static inline const struct sluice_sample *sluice_window_sample(const struct sluice_window *window,
							       size_t i)
{
	return (const struct sluice_sample *)(const void *)((const char *)window->samples +
							    i * window->sample_size);
}

static inline const struct sluice_window_rule *
sluice_window_rule(const struct sluice_window *window, size_t i)
{
	return (const struct sluice_window_rule *)(const void *)((const char *)window->rules +
								 i * window->rule_size);
}

/*
 * Where the histograms count a port (host byte order).  Bins below SLUICE_N_LISTED_PORTS are of one
 * port each, of those that floods and amplifiers use most; the other ports share the other bins
 * by a secret hash.  Only with destinations.
 */
static inline unsigned int sluice_window_port_bin(const struct sluice_window *window, uint16_t port)
{
	return window->port_bins[port];
}

/* A request to block one source.  Strings are copied by the host. */
struct sluice_proposal {
	size_t size;
	struct sluice_key key;
	uint64_t packets_per_second; /* The rate that this verdict rests on. */
	const char *reason;	     /* A stable identifier, [a-z0-9_], at most 23 characters. */
	const char *evidence; /* For people: the figures and limits that led to it; may be NULL. */
};

/* What a detector thinks of one window as a whole.  The host clears it and sets `size`. */
struct sluice_verdict {
	size_t size;
	bool attack;
	double score;	    /* 0 = peace, 1 = at the limit, more = beyond it. */
	char evidence[192]; /* The figures behind it, for people. */
};

/*
 * Calls for one instance come one at a time, never nested, but not all from one thread.  observe()
 * has a time budget: what it says after twice of that is not heeded.
 */
struct sluice_detector_ops {
	size_t size;
	/*
	 * Makes `*self` from a config that is valid by the manifest; check here what concerns more
	 * than one option.  0, or a negative errno with `err` filled and nothing left behind.
	 */
	int (*create)(struct sluice_instance *instance, const struct sluice_host *host,
		      const struct sluice_config *config, void **self, struct sluice_err *err);
	void (*destroy)(void *self); /* NULL is a no-op.  Cannot fail. */
	/*
	 * Looks at one window.  0, or a negative errno: the window is lost to this detector, and
	 * the host disables it after repeated failures.
	 */
	int (*observe)(void *self, const struct sluice_window *window,
		       struct sluice_verdict *verdict);
	/*
	 * Optional (NULL).  1: the new options are in force, what was learned is kept; 0: destroy
	 * and create me anew; negative: refused, the old ones stay in force.
	 */
	int (*reconfigure)(void *self, const struct sluice_config *config, struct sluice_err *err);
};

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_DETECTOR_H */
