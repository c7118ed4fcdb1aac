/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The packet path as the rest of Sluice sees it: block and allow sources, swap the feature side
 * once a window, read what was counted.  All that touches libbpf lives behind this header; `live`
 * (XDP on interfaces) implements it, and tests put a fake in its place.
 *
 * Every call comes from the engine thread, after dataplane_live_open() returned.  Fallible calls
 * return 0 or a negative errno, with the reason in `err` (which may be NULL).
 */
#ifndef SLUICE_DATAPLANE_DATAPLANE_H
#define SLUICE_DATAPLANE_DATAPLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>
#include <sluice/key.h>
#include <sluice/plugin.h>

#include "rule.h"

/*
 * What the filter did with a packet; the one list of names, here, in BPF and in every output.
 * Counters are per reason.  `pass` and `no_features` were let through, the others dropped;
 * `would_drop` and `known` count, beside the verdict, what observe mode, and what a rule that
 * spares known clients, let through.
 */
#define DATAPLANE_REASONS(X)                                                              \
	X(PASS, pass, "measured and delivered")                                           \
	X(NO_FEATURES, no_features, "handed to Linux, unmeasured: no feature program")    \
	X(EXEMPT, exempt, "handed to Linux, unmeasured: the source is exempt")            \
	X(NOT_IP, not_ip, "handed to Linux, unmeasured: no readable IP header")           \
	X(BLOCKED, blocked, "dropped: the source is blocked")                             \
	X(BLOCKED_PREFIX, blocked_prefix, "dropped: the source is in a blocked prefix")   \
	X(MALFORMED, malformed, "dropped: the headers contradict the frame")              \
	X(SPOOFED_OWN, spoofed_own, "dropped: forged with one of our own addresses")      \
	X(WOULD_DROP, would_drop, "let through by observe mode; counted again as passed") \
	X(RULE, rule, "dropped: a signature rule matches")                                \
	X(RATE_LIMITED, rate_limited, "dropped: beyond the limit of a signature rule")    \
	X(KNOWN, known,                                                                   \
	  "let through for a known client that a rule spares; counted again as passed")

enum dataplane_reason {
#define X(upper, lower, text) DATAPLANE_REASON_##upper,
	DATAPLANE_REASONS(X)
#undef X
		DATAPLANE_N_REASONS
};

const char *dataplane_reason_name(enum dataplane_reason reason);
const char *dataplane_reason_text(enum dataplane_reason reason);
bool dataplane_reason_is_drop(enum dataplane_reason reason);

struct dataplane_count {
	uint64_t packets, bytes;
};

/* Since the filter was first loaded; survives a restart of the daemon. */
struct dataplane_counters {
	struct dataplane_count reason[DATAPLANE_N_REASONS];
};

/* Who asked for a block: automatic ones may expire when the daemon dies. */
enum dataplane_block_flag {
	DATAPLANE_BLOCK_MANUAL = 1u << 0,
};

/*
 * A blocked source as it is kept beside its slot in pinned memory, so that a new daemon can go on
 * where a killed one stopped.  Times are CLOCK_BOOTTIME in ns.
 */
struct dataplane_block_record {
	struct sluice_key key;
	uint64_t first_seen_ns;
	uint64_t expires_ns; /* 0 = never */
	uint32_t flags;	     /* enum dataplane_block_flag */
	uint32_t repeats;    /* How often it had been blocked before. */
	char detector[16];   /* NUL-terminated; "operator" for manual ones. */
	char reason[24];     /* NUL-terminated */
	uint64_t pps;	     /* The rate that led to the block. */
};

/* Names the slot of one blocked source; valid until it is unblocked. */
typedef uint32_t dataplane_slot;

typedef void (*dataplane_block_fn)(void *ctx, dataplane_slot slot,
				   const struct dataplane_block_record *record);

typedef void (*dataplane_prefix_fn)(void *ctx, const struct sluice_key *prefix,
				    uint64_t expires_ns);

/* What one swap cost and left out. */
struct dataplane_swap {
	uint64_t flip_ns, grace_ns;
};

/*
 * Feature extractors that are loaded only if a detector's manifest needs them, by these names.
 * What is measured per source is always there, by the name `source`.
 */
#define DATAPLANE_FEATURES(X)          \
	X(FLOW, flow, 0)               \
	X(DESTINATION, destination, 1) \
	X(SAMPLE, sample, 2)

enum dataplane_feature {
#define X(upper, lower, bit) DATAPLANE_FEATURE_##upper = 1u << (bit),
	DATAPLANE_FEATURES(X)
#undef X
};

/* By name; 0 for `source`, and for a name that there is none of. */
uint32_t dataplane_feature_find(const char *name);
/* The name of one bit; NULL if it stands for none. */
const char *dataplane_feature_name(uint32_t feature);

struct dataplane_features {
	uint32_t loaded;	     /* enum dataplane_feature */
	uint32_t max_flows;	     /* Per window and family, as max_sources. */
	uint32_t max_destinations;   /* The same. */
	uint32_t samples_per_window; /* Of all CPUs together. */
};

/* What the features of one window were; arrays belong to the data plane. */
struct dataplane_features_read {
	uint64_t distinct_sources; /* An estimate. */
	double distinct_error;	   /* Its relative standard error. */
	const struct sluice_sample *samples;
	size_t n_samples;
	uint64_t samples_lost; /* Drawn, but there was no room. */
	const struct sluice_flow *flows;
	size_t n_flows;
	struct dataplane_count untracked_flows; /* What had to make room. */
	const struct sluice_destination *destinations;
	size_t n_destinations;
	struct dataplane_count untracked_destinations;
	const uint8_t *port_bins; /* See struct sluice_window. */
};

struct dataplane_port_range {
	uint16_t from, to; /* Both included. */
};

#define DATAPLANE_DELIVER_PORTS 64 /* Ranges of one rule. */

/* What goes to AF_XDP instead of Linux: a protocol's ports, perhaps of some destinations only. */
struct dataplane_deliver_rule {
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP. */
	struct dataplane_port_range ports[DATAPLANE_DELIVER_PORTS];
	size_t n_ports;
	const struct sluice_key *destinations; /* None: all. */
	size_t n_destinations;
};

struct dataplane_deliver {
	const struct dataplane_deliver_rule *rules;
	size_t n; /* 0: everything goes to Linux, and the stage is not in the programs. */
};

#define DATAPLANE_DELIVER_QUEUES 256u /* Of an interface that may have sockets in the pinned map. */

/* Since the filter was first loaded; packets that passed the filter, while there were rules. */
struct dataplane_deliver_counts {
	uint64_t socket;    /* Handed to the socket of their receive queue. */
	uint64_t no_socket; /* To Linux, since the queue has no socket. */
	uint64_t fragment;  /* To Linux: parts of packets. */
	uint64_t other;	    /* To Linux: not named by a rule. */
};

/* How the programs at tc are attached that know whom this server spoke to first. */
enum dataplane_egress {
	DATAPLANE_EGRESS_OFF,
	DATAPLANE_EGRESS_AUTO, /* tcx, else clsact, else without: what the caller asks for only. */
	DATAPLANE_EGRESS_TCX,
	DATAPLANE_EGRESS_CLSACT,
};

/* A host that this server spoke to first.  Times are CLOCK_MONOTONIC in ns. */
struct dataplane_spoken {
	struct sluice_key key; /* A whole address. */
	uint64_t first_ns, last_ns;
};

typedef void (*dataplane_spoken_fn)(void *ctx, const struct dataplane_spoken *spoken);

struct dataplane_spoken_terms {
	uint64_t keep_ns; /* Who was not spoken to for longer is forgotten. */
};

/* Since the programs at tc were first attached. */
struct dataplane_egress_counts {
	uint64_t tcp, udp, icmp; /* First words of this server. */
	uint64_t replies;	 /* By UDP, which make nobody known. */
	uint64_t refused;	 /* First words to hosts that found no room. */
	uint64_t relayed;	 /* First words of others that only passed through. */
};

struct dataplane_allow {
	struct sluice_key prefix;
	bool exempt; /* Skips everything; otherwise only `never blocked by source`. */
};

enum dataplane_event_kind {
	DATAPLANE_EVENT_INTERFACE_GONE = 1, /* Deleted while we run. */
	DATAPLANE_EVENT_DETACHED,	    /* Someone else removed our program. */
	DATAPLANE_EVENT_INTERFACE_BACK,	    /* One by that name came, and has the filter. */
	DATAPLANE_EVENT_ATTACH_FAILED,	    /* ... and cannot have it, as `event_err` says. */
};

struct dataplane;

#define DATAPLANE_BLOCK_PACKETS_LAG 256u
#define DATAPLANE_BLOCK_AHEAD 16

struct dataplane_ops {
	void (*close)(struct dataplane *dp);
	/*
	 * Says that `key` will be blocked some calls later: its memory is fetched meanwhile.  Of many
	 * sources to block, announce each DATAPLANE_BLOCK_AHEAD before its turn.
	 */
	void (*block_announce)(const struct dataplane *dp, const struct sluice_key *key);
	/* Blocks one exact source.  -EEXIST already so; -ENOSPC the table is full: refused. */
	int (*block)(struct dataplane *dp, const struct dataplane_block_record *record,
		     dataplane_slot *slot, struct sluice_err *err);
	/* Rewrites the record of a blocked source (its expiry, its flags).  Key must be the same. */
	void (*block_update)(struct dataplane *dp, dataplane_slot slot,
			     const struct dataplane_block_record *record);
	void (*unblock)(struct dataplane *dp, dataplane_slot slot);
	/*
	 * Packets dropped in this slot: 32 bits that wrap; take deltas.  While packets come in, a
	 * reading may lag behind an earlier one by up to DATAPLANE_BLOCK_PACKETS_LAG.
	 */
	uint32_t (*block_packets)(const struct dataplane *dp, dataplane_slot slot);
	/* All that is blocked now; used once, to adopt. */
	void (*block_foreach)(const struct dataplane *dp, dataplane_block_fn fn, void *ctx);
	/*
	 * Prefixes other than a single address (IPv4) or the policy's unit (IPv6).  Blocks one, or
	 * gives one that is blocked a new expiry (CLOCK_BOOTTIME, 0 = never), which the data plane
	 * only keeps: to unblock in time is the caller's.
	 */
	int (*prefix_set)(struct dataplane *dp, const struct sluice_key *prefix,
			  uint64_t expires_ns, struct sluice_err *err);
	int (*prefix_del)(struct dataplane *dp, const struct sluice_key *prefix,
			  struct sluice_err *err);
	int (*prefix_foreach)(const struct dataplane *dp, dataplane_prefix_fn fn, void *ctx,
			      struct sluice_err *err);
	/* Replaces the whole allow-list.  The caller keeps it disjoint from what is blocked. */
	int (*allow_set)(struct dataplane *dp, const struct dataplane_allow *allow, size_t n,
			 struct sluice_err *err);
	/* Replaces the set of our own addresses, whose forgeries are dropped. */
	int (*own_set)(struct dataplane *dp, const struct sluice_key *own, size_t n,
		       struct sluice_err *err);
	/*
	 * Replaces all signature rules at once; -EINVAL: one of them is not to be had.  A rule that
	 * keeps its name keeps its counters.  Automatic ones come last.
	 */
	int (*rules_set)(struct dataplane *dp, const struct dataplane_rule *rules, size_t n,
			 struct sluice_err *err);
	/* The automatic rules that an earlier daemon left in force; used once, to adopt. */
	void (*rules_inherit)(const struct dataplane *dp, dataplane_rule_inherit_fn fn, void *ctx);
	/* The rules in force, in order. */
	void (*rules_read)(const struct dataplane *dp, dataplane_rule_fn fn, void *ctx);
	/*
	 * Replaces the known clients, whose packets pass rules that say `exempts_known`: whole
	 * addresses, the most important first.  Returns how many found no room, or a negative errno,
	 * upon which the set is as it was.
	 */
	int (*known_set)(struct dataplane *dp, const struct sluice_key *keys, size_t n,
			 struct sluice_err *err);
	/*
	 * Whom this server spoke to first; none if that is off.  The one call that comes from a
	 * thread of its own, of which there is one: it takes milliseconds.
	 */
	int (*spoken_read)(struct dataplane *dp, const struct dataplane_spoken_terms *terms,
			   dataplane_spoken_fn fn, void *ctx, struct sluice_err *err);
	void (*egress_read)(const struct dataplane *dp, struct dataplane_egress_counts *counts);
	/* false: observe; counts what would be dropped and lets it through. */
	void (*enforce_set)(struct dataplane *dp, bool enforce);
	/*
	 * Flips the feature side and waits until no CPU still counts into the old one, which
	 * sources_read() then reads.  Also tells the filter that the daemon lives.
	 */
	int (*swap)(struct dataplane *dp, struct dataplane_swap *swap, struct sluice_err *err);
	/*
	 * Reads the idle side into the caller's memory: up to `max` sources, each once, all CPUs
	 * together.  Returns how many; a second call for the same window finds none.  `untracked`
	 * gets what passed on behalf of all others.
	 */
	size_t (*sources_read)(struct dataplane *dp, struct sluice_source *sources, size_t max,
			       struct dataplane_count *untracked);
	/* Finds one source in what sources_read() wrote, untouched but for flags; or NULL. */
	const struct sluice_source *(*source_find)(const struct dataplane *dp,
						   const struct sluice_source *sources, size_t n,
						   const struct sluice_key *key);
	/*
	 * Which features there are beside sources.  In force from the next swap on; the window that
	 * is being counted keeps those it began with.
	 */
	int (*features_set)(struct dataplane *dp, const struct dataplane_features *features,
			    struct sluice_err *err);
	/*
	 * Reads the idle side's features and how many distinct sources it saw; once, after
	 * sources_read().  What is not loaded is empty.  Valid until the next swap.
	 */
	void (*features_read)(struct dataplane *dp, struct dataplane_features_read *read);
	void (*counters_read)(const struct dataplane *dp, struct dataplane_counters *counters);
	void (*deliver_read)(const struct dataplane *dp, struct dataplane_deliver_counts *counts);
	/*
	 * The pinned map of sockets, by slot * DATAPLANE_DELIVER_QUEUES + receive queue; the data plane's.  -1: it
	 * has none.  Whoever holds it may put a socket in, and nothing else.
	 */
	int (*deliver_sockets)(const struct dataplane *dp);
	/* The slot of an interface: the same for as long as the data plane is open.  -1: it has none. */
	int (*deliver_slot)(const struct dataplane *dp, const char *ifname);
	/*
	 * Looks after the attachments; true when something happened, with the interface's name in
	 * `ifname` (IFNAMSIZ bytes).  Call until false.
	 */
	bool (*event_next)(struct dataplane *dp, enum dataplane_event_kind *kind, char *ifname);
};

/* Occupancy for status and metrics. */
struct dataplane_occupancy {
	uint32_t blocked_v4, blocked_v6;
	uint32_t blocked_capacity; /* Of both families together. */
	uint32_t sources_capacity; /* Per window, of both families together. */
	uint32_t known;		   /* As known_set() wrote them. */
};

/* Implementations embed this as their first member. */
struct dataplane {
	const struct dataplane_ops *ops;
	struct dataplane_occupancy occupancy; /* Kept current by block() and unblock(). */
	struct dataplane_features features;   /* As last set. */
	enum dataplane_egress egress;	      /* What it came to: OFF, TCX or CLSACT. */
	struct sluice_err egress_err;	      /* Why AUTO came to OFF. */
	bool adopted;			      /* The pinned state of an earlier daemon was found. */
	struct sluice_err event_err;	      /* Of DATAPLANE_EVENT_ATTACH_FAILED. */
	bool lapsed; /* Its automatic blocks were no longer in force: on_death_expire_ns was over. */
};

enum dataplane_mode {
	DATAPLANE_MODE_NATIVE,
	DATAPLANE_MODE_GENERIC,
	DATAPLANE_MODE_HARDWARE,
};

struct dataplane_interface {
	const char *name;
	enum dataplane_mode mode;
};

/* How the two sides take turns: P1's two designs. */
enum dataplane_swap_design {
	DATAPLANE_SWAP_DUAL_PROGRAM, /* A slot of a program array is rewritten. */
	DATAPLANE_SWAP_DUAL_MAP,     /* One program asks the header page, packet by packet. */
};

/* Why `shared` fails on kernels that are not made for it. */
#define DATAPLANE_NO_DISPATCHER \
	"this kernel loads no program of type EXT, which libxdp's dispatcher is made of; use attach: exclusive"

/*
 * Whether `shared` can work here: loads programs, attaches none, and leaves nothing.  -EOPNOTSUPP: it
 * cannot, by DATAPLANE_NO_DISPATCHER; any other error: that could not be found out.
 */
int dataplane_try_dispatcher(struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * The number of an XDP program on the host's side of that interface which keeps a start without `shared`
 * away, being none that is pinned below `pin_path`; 0: there is none, or nobody may look.
 */
uint32_t dataplane_stranger(const char *pin_path, const char *ifname);
/* printf() format of what is said of it: the interface, its number, why. */
#define DATAPLANE_STRANGER                                                          \
	"interface '%s': another XDP program (id %u) is attached (%s); is another " \
	"sluiced running? 'bpftool net' shows who holds it"

struct dataplane_live_options {
	const struct dataplane_interface *interfaces;
	size_t n_interfaces;
	bool shared;		 /* Through libxdp\'s dispatcher, beside other programs ... */
	uint32_t priority;	 /* ... of which those with a lower one run first. */
	const char *pin_path;	 /* Folder in a bpffs; made if missing. */
	uint32_t max_blocked;	 /* Of both families together. */
	uint32_t max_sources;	 /* IPv4 sources that are tracked per window. */
	uint32_t max_sources_v6; /* IPv6; 0 = an eighth of max_sources. */
	enum dataplane_swap_design swap;
	struct dataplane_features features;
	struct dataplane_deliver deliver;
	uint32_t max_known; /* Known clients of each family; 0 = few, for tests. */
	enum dataplane_egress egress;
	uint8_t v6_prefix_len; /* The unit in which IPv6 sources are measured and blocked. */
	bool pass_malformed;
	bool enforce;
	uint64_t
		on_death_expire_ns; /* Automatic blocks lapse this long after the daemon; 0 = keep. */
};

/*
 * Loads the programs, adopts pinned state if there is any, and attaches.  On failure nothing of
 * this call is left attached or pinned.  -EBUSY: another program or daemon holds an interface;
 * -EPERM: missing privileges; -ENODEV: no such interface; -EPROTO: the pinned state is of another
 * layout or damaged.
 */
int dataplane_live_open(const struct dataplane_live_options *options, struct dataplane **out,
			struct sluice_err *err) __attribute__((warn_unused_result));

/* Removes links, programs and maps that are pinned under `pin_path`.  -ENOENT: nothing there. */
int dataplane_live_detach(const char *pin_path, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Leaves the filter running with what it has.  NULL is a no-op. */
void dataplane_close(struct dataplane *dp);

#endif /* SLUICE_DATAPLANE_DATAPLANE_H */
