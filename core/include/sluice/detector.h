/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plugin kind `detector`: sees one window of traffic at a time, says whether it looks like an
 * attack, and proposes sources to block.  It never blocks anything itself.
 */
#ifndef SLUICE_DETECTOR_H
#define SLUICE_DETECTOR_H

#include <sluice/plugin.h>

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

/*
 * What was offered in one window, dropped packets included, so that an attack that is being
 * blocked still looks like one.  Const, shared by all detectors, valid only during observe().
 * `source_size` and `blocked_size` are the strides of the arrays: use the accessors below.
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

/* Calls for one instance come from one thread, never nested. */
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
