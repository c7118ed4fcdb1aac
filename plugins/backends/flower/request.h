/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is asked of the kernel: rules as rtnetlink messages, built without a socket.
 */
#ifndef SLUICE_BACKENDS_FLOWER_REQUEST_H
#define SLUICE_BACKENDS_FLOWER_REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include <netlink/msg.h>

#include <sluice/backend.h>

/* One priority for each mask: IPv4 addresses, then IPv6 from /128 down to /1. */
#define FLOWER_PRIORITIES 129

/* Tells our rules from others', whoever put them there: it is kept with the rule's action. */
#define FLOWER_COOKIE "sluice/1"
#define FLOWER_COOKIE_SIZE (sizeof(FLOWER_COOKIE) - 1)
/* The same with one more character: the back end made the hook, too, which the next one has to know. */
#define FLOWER_COOKIE_OWN_HOOK FLOWER_COOKIE "+"
#define FLOWER_COOKIE_OWN_HOOK_SIZE (sizeof(FLOWER_COOKIE_OWN_HOOK) - 1)

/* Where our rules are. */
struct flower_place {
	int ifindex;
	uint32_t chain;
	uint16_t priority; /* The first of FLOWER_PRIORITIES. */
	bool hardware;	   /* skip_sw, else skip_hw. */
	bool own_hook;	   /* The hook was made by this back end. */
};

/* 0, or -EOPNOTSUPP: no whole IPv4 address, nor an IPv6 prefix of 1 to 128 bits. */
int request_priority(const struct flower_place *place, const struct sluice_key *key,
		     uint16_t *priority) __attribute__((warn_unused_result));

/*
 * Each makes a message that the caller frees by nlmsg_free(): -ENOMEM, or -EOPNOTSUPP for a key
 * that no rule can match.  `handle` names the rule; 0 is none.
 */
int request_add(const struct flower_place *place, const struct sluice_key *key, uint32_t handle,
		uint32_t seq, struct nl_msg **msg) __attribute__((warn_unused_result));
int request_del(const struct flower_place *place, const struct sluice_key *key, uint32_t handle,
		uint32_t seq, struct nl_msg **msg) __attribute__((warn_unused_result));
int request_dump(const struct flower_place *place, uint32_t seq, struct nl_msg **msg)
	__attribute__((warn_unused_result));
/* The hook that filters hang on, in both directions: making it, what hangs on it, taking it away. */
int request_hook(const struct flower_place *place, uint32_t seq, struct nl_msg **msg)
	__attribute__((warn_unused_result));
int request_dump_ingress(const struct flower_place *place, uint32_t seq, struct nl_msg **msg)
	__attribute__((warn_unused_result));
int request_dump_egress(const struct flower_place *place, uint32_t seq, struct nl_msg **msg)
	__attribute__((warn_unused_result));
int request_unhook(const struct flower_place *place, uint32_t seq, struct nl_msg **msg)
	__attribute__((warn_unused_result));

#endif /* SLUICE_BACKENDS_FLOWER_REQUEST_H */
