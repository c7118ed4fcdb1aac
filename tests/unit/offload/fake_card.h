/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A card for the tests of the offload manager: does what it is told, fails as it is told, on a
 * clock that only moves when a test or an update moves it.  A gate holds calls up for as long as a
 * test wants, so that no test depends on which thread is faster.
 */
#ifndef SLUICE_TESTS_UNIT_OFFLOAD_FAKE_CARD_H
#define SLUICE_TESTS_UNIT_OFFLOAD_FAKE_CARD_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/backend.h>

#include "base/clock.h"
#include "base/event.h"
#include "offload/offload.h"

enum {
	FAKE_RULES = 4096,
	FAKE_EVENTS = 512,
	FAKE_WINDOW_NS = 1000000000,
};

struct fake_rule {
	struct sluice_key key;
	uint64_t packets;
	bool foreign; /* Somebody else's: takes room, is never listed. */
};

struct fake_card {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	_Atomic uint64_t now_ns;
	struct clock_source clock;
	struct event_sink sink;
	struct event events[FAKE_EVENTS];
	size_t n_events;

	struct fake_rule rules[FAKE_RULES];
	size_t n_rules;
	uint32_t capacity;
	uint64_t update_ns; /* What the clock advances by for each update. */
	uint64_t age_ns;    /* Of counters. */

	int add_code, del_code; /* The result of each rule, if not 0. */
	int device_code;	/* What every call returns, if not 0. */
	int list_code, read_code;
	uint32_t refuse_host; /* IPv4 sources with this last byte get -EOPNOTSUPP; 0 = none. */
	bool swallow;	      /* Says yes to add and does nothing. */

	bool gated;
	unsigned int permits; /* Calls of add and del that may pass the gate. */
	unsigned int waiting; /* Calls held up at it. */

	unsigned int n_add_calls, n_del_calls, n_list_calls, n_read_calls, n_flushes, n_closes;
	unsigned int n_adds, n_dels; /* Rules asked for. */
	unsigned int largest_batch;
	bool touched_foreign;
};

extern const struct sluice_backend_ops fake_card_ops;

void fake_card_init(struct fake_card *card, uint32_t capacity);
void fake_card_fini(struct fake_card *card);

/* Options for offload_new() with this card: all matches, counters, thresholds 1.2 to 10. */
struct offload_options fake_card_options(struct fake_card *card);

/* 10.0.hi.lo for n = hi * 256 + lo. */
struct sluice_key fake_key(uint32_t n);
struct offload_source fake_source(uint32_t n, uint64_t packets);

bool fake_card_has(struct fake_card *card, uint32_t n);
size_t fake_card_n_rules(struct fake_card *card);
void fake_card_put(struct fake_card *card, uint32_t n, uint64_t packets, bool foreign);
/* Packets that hit the source's rule; false if there is none, and they went to software. */
bool fake_card_hit(struct fake_card *card, uint32_t n, uint64_t packets);
/* As after a reset of the driver. */
void fake_card_forget(struct fake_card *card);
void fake_card_forget_one(struct fake_card *card, uint32_t n);

void fake_card_gate(struct fake_card *card);
/* Waits until a call is held up at the gate. */
void fake_card_wait_held(struct fake_card *card);
void fake_card_permit(struct fake_card *card, unsigned int n);
void fake_card_open(struct fake_card *card);

void fake_card_advance(struct fake_card *card, uint64_t ns);
size_t fake_card_events(struct fake_card *card, enum event_kind kind);
/* The sum of their counts. */
uint32_t fake_card_event_count(struct fake_card *card, enum event_kind kind);
/* The text of the last one; "" if none. */
const char *fake_card_event_text(struct fake_card *card, enum event_kind kind);

#endif /* SLUICE_TESTS_UNIT_OFFLOAD_FAKE_CARD_H */
