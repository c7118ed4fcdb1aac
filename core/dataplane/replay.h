/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The data plane without a network: the same programs and maps as live, loaded and not attached,
 * and packets put through them one at a time (BPF_PROG_TEST_RUN).  Time, what stands for chance and
 * the hash key come from the caller by way of the header page, and all runs on one CPU, so that the
 * same packets have the same verdicts every time.
 *
 * It answers the calls of dataplane.h; nothing is pinned, and a daemon on this host is not touched.
 */
#ifndef SLUICE_DATAPLANE_REPLAY_H
#define SLUICE_DATAPLANE_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane.h"

#define DATAPLANE_REPLAY_FRAME_MIN 14u /* The kernel takes no shorter ones. */
#define DATAPLANE_REPLAY_FRAME_MAX 65549u

/* Told of each change of what is enforced, after it was made.  Any may be NULL. */
struct dataplane_replay_observer {
	void (*blocked)(void *ctx, const struct dataplane_block_record *record);
	void (*prefix_blocked)(void *ctx, const struct sluice_key *prefix);
	void (*rules)(void *ctx, const struct dataplane_rule *rules, size_t n);
	void *ctx;
};

struct dataplane_replay_options {
	/* Of which interfaces, pin_path and on_death_expire_ns are not used. */
	struct dataplane_live_options plane;
	uint64_t seed; /* Of the hash key, and of what stands for chance. */
	struct dataplane_replay_observer observer;
};

struct dataplane_replay_verdict {
	bool drop;
	bool would_drop;	      /* Let through by observe mode alone. */
	enum dataplane_reason reason; /* Of a drop; otherwise of no meaning. */
	/* The rule that dropped it, as it was set; NULL if it was no rule.  Until rules are set. */
	const struct dataplane_rule *rule;
};

/*
 * Keeps the calling thread on one CPU until it is closed; that thread makes all calls.  -EPERM:
 * missing privileges.
 */
int dataplane_replay_open(const struct dataplane_replay_options *options, struct dataplane **out,
			  struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * One frame at `time_ns`, which must not be 0.  `size` from DATAPLANE_REPLAY_FRAME_MIN to
 * DATAPLANE_REPLAY_FRAME_MAX bytes.  0, or what the system call says.
 */
int dataplane_replay_packet(struct dataplane *dp, uint64_t time_ns, const void *frame, size_t size,
			    struct dataplane_replay_verdict *verdict)
	__attribute__((warn_unused_result));

/*
 * One frame that the protected host sends, or that the filter let through to it, as the programs at tc
 * see it: whom it spoke to first is known from then on.  Sizes and result as above; neither is judged.
 * Only if the options' egress is not OFF, else nothing happens.
 */
int dataplane_replay_sent(struct dataplane *dp, uint64_t time_ns, const void *frame, size_t size)
	__attribute__((warn_unused_result));
int dataplane_replay_delivered(struct dataplane *dp, uint64_t time_ns, const void *frame,
			       size_t size) __attribute__((warn_unused_result));

/*
 * Whether dataplane_replay_delivered() would change nothing for a packet of that sender: it has sent
 * the like before.  `ports`: the first four bytes of its UDP header, NULL for any other protocol.
 */
bool dataplane_replay_has_heard(const struct dataplane *dp, const struct sluice_key *source,
				const uint8_t *ports);

/*
 * The system call alone, for a measure of what the rest costs: of the filter, or with `out` of the
 * program that sees what the host sends.
 */
int dataplane_replay_bare(struct dataplane *dp, bool out, const void *frame, size_t size)
	__attribute__((warn_unused_result));

#endif /* SLUICE_DATAPLANE_REPLAY_H */
