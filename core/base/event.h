/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Something that an operator may want to know later: who was blocked and why, when an attack
 * began, what failed.  Made by the engine, the offload worker and the daemon; kept, shown and
 * streamed by core/control.
 */
#ifndef SLUICE_BASE_EVENT_H
#define SLUICE_BASE_EVENT_H

#include <stdint.h>

#include <sluice/key.h>
#include <sluice/plugin.h>

/* X(upper, lower): the lower name is what `sluice events` prints and never changes. */
#define EVENT_KINDS(X)                          \
	X(STARTED, started)                     \
	X(ADOPTED, adopted)                     \
	X(STOPPED, stopped)                     \
	X(RELOADED, reloaded)                   \
	X(ATTACK_STARTED, attack_started)       \
	X(ATTACK_ENDED, attack_ended)           \
	X(BLOCKED, blocked)                     \
	X(RELEASED, released)                   \
	X(BLOCK_REFUSED, block_refused)         \
	X(OFFLOADED, offloaded)                 \
	X(OFFLOAD_WITHDRAWN, offload_withdrawn) \
	X(OFFLOAD_FAILED, offload_failed)       \
	X(DETECTOR_FAILED, detector_failed)     \
	X(DETECTOR_DISABLED, detector_disabled) \
	X(RULE_ENFORCED, rule_enforced)         \
	X(RULE_RELEASED, rule_released)         \
	X(RULE_REFUSED, rule_refused)           \
	X(SPOOFED_FLOOD, spoofed_flood)         \
	X(MIN_PASS, min_pass)                   \
	X(SWAP_POSTPONED, swap_postponed)       \
	X(INTERFACE_GONE, interface_gone)       \
	X(INTERFACE_BACK, interface_back)       \
	X(DETACHED, detached)                   \
	X(ALLOWED, allowed)                     \
	X(CONFIG_REFUSED, config_refused)       \
	X(ATTACH_FAILED, attach_failed)         \
	X(STACK_JOINED, stack_joined)           \
	X(STACK_LEFT, stack_left)

enum event_kind {
#define X(upper, lower) EVENT_KIND_##upper,
	EVENT_KINDS(X)
#undef X
		EVENT_N_KINDS
};

const char *event_kind_name(enum event_kind kind);

struct event {
	uint64_t sequence; /* Given by the log that keeps it; 1 for the first. */
	uint64_t realtime_ns;
	enum event_kind kind;
	enum sluice_log_level level;
	struct sluice_key key; /* family 0: about no source in particular */
	uint32_t count;	       /* How many of its like this one stands for; at least 1. */
	char origin[24];       /* Detector, back end or "operator"; may be empty. */
	char text[256];	       /* One sentence for people. */
};

/* Where events go.  Callable from any thread; copies the event; never blocks on a reader. */
struct event_sink {
	void (*emit)(void *ctx, const struct event *event);
	void *ctx;
};

/* Fills in the time and the text and hands the event over.  A NULL sink is a no-op. */
void event_emit(const struct event_sink *sink, enum event_kind kind, enum sluice_log_level level,
		const struct sluice_key *key, uint32_t count, const char *origin, const char *fmt,
		...) __attribute__((format(printf, 7, 8)));

#endif /* SLUICE_BASE_EVENT_H */
