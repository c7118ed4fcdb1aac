/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plugin kind `backend`: puts drop rules into a NIC's own table and reads their hit counters.
 *
 * All calls for one instance come from one worker thread, which may be held up for as long as the
 * card needs.  The software blocklist keeps every offloaded source, so a rule that is late, lost
 * or refused costs speed and never lets a packet through.
 */
#ifndef SLUICE_BACKEND_H
#define SLUICE_BACKEND_H

#include <sluice/plugin.h>

#ifdef __cplusplus
extern "C" {
#endif

enum sluice_backend_match {
	SLUICE_BACKEND_MATCH_IPV4 = 1u << 0,	    /* Exact IPv4 source. */
	SLUICE_BACKEND_MATCH_IPV6 = 1u << 1,	    /* Exact IPv6 source. */
	SLUICE_BACKEND_MATCH_IPV6_PREFIX = 1u << 2, /* IPv6 source prefix. */
};

/* What the card can do.  The host sets `size` and clears the rest. */
struct sluice_backend_caps {
	size_t size;
	uint32_t capacity; /* Rules that fit, K; 0 = unknown, the host finds out by ENOSPC. */
	uint32_t matches;  /* enum sluice_backend_match */
	bool counters;	   /* A hit counter for each rule. */
	bool emulated;	   /* Not a real card; said wherever results show. */
	uint64_t update_p50_ns, update_p99_ns; /* Cost of one add or del; 0 = unknown. */
};

/* One drop rule: all packets from `key`, which is also the rule's name. */
struct sluice_backend_rule {
	struct sluice_key key;
};

/* Cumulative since the rule was added. */
struct sluice_backend_counter {
	struct sluice_key key;
	uint64_t packets;
	uint64_t bytes;
	uint64_t age_ns; /* How long ago the card updated these figures. */
};

struct sluice_backend_ops {
	size_t size;
	/* Opens the device that carries `ifname`; fills `caps`.  Rules already there stay. */
	int (*open)(struct sluice_instance *instance, const struct sluice_host *host,
		    const struct sluice_config *config, const char *ifname,
		    struct sluice_backend_caps *caps, void **self, struct sluice_err *err);
	void (*close)(void *self); /* Leaves the rules in place.  NULL is a no-op. */
	/*
	 * add, del: `results[i]` gets 0 or a negative errno for `rules[i]` alone: -ENOSPC table
	 * full, -EEXIST (add) and -ENOENT (del) already so, -EOPNOTSUPP the card cannot match it.
	 * The return value is 0, or a negative errno if the device as a whole is gone (-ENODEV) or
	 * did not answer; then the results mean nothing, and list() tells what is there.
	 */
	int (*add)(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		   struct sluice_err *err);
	int (*del)(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		   struct sluice_err *err);
	/*
	 * Reads the counters of all rules into `counters`, at most `n`; `*count` gets how many.
	 * NULL if the card has none.
	 */
	int (*read)(void *self, struct sluice_backend_counter *counters, size_t n, size_t *count,
		    struct sluice_err *err);
	/* What is in the table now, of ours only; as read().  For reconciling after a crash. */
	int (*list)(void *self, struct sluice_backend_rule *rules, size_t n, size_t *count,
		    struct sluice_err *err);
	/* Removes all rules of ours. */
	int (*flush)(void *self, struct sluice_err *err);
};

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_BACKEND_H */
