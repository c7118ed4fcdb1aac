/* SPDX-License-Identifier: BSD-2-Clause */
/* See leak.h. */
#include "leak.h"

#include <malloc.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#include "conform.h"

#define ROUNDS 20
#define PARTS 5
/* Less than that a round is the allocator's own doing. */
#define BYTES_A_ROUND 8

/* There only in a build with LeakSanitizer. */
extern int __lsan_do_recoverable_leak_check(void) __attribute__((weak));

bool leak_has_sanitizer(void)
{
	return __lsan_do_recoverable_leak_check != NULL;
}

struct part {
	struct conform *conform;
	int (*round)(struct conform *conform);
	int rc;
};

static void *run_part(void *arg)
{
	struct part *part = arg;

	for (int i = 0; i < ROUNDS && part->rc == 0; i++)
		part->rc = part->round(part->conform);
	return NULL;
}

/* In a thread of its own, whose end empties the cache that would count as memory in use. */
static int run_in_thread(struct part *part)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, run_part, part) != 0)
		return conform_fail(part->conform, "no thread for the test");
	pthread_join(thread, NULL);
	return part->rc;
}

int leak_check(struct conform *conform, int (*round)(struct conform *conform))
{
	struct part part = { .conform = conform, .round = round };
	size_t lost = SIZE_MAX, before = 0;

	mallopt(M_ARENA_MAX, 1);
	/* What the allocator keeps for itself comes to rest; a leak goes on at the same pace. */
	for (int i = 0; i < PARTS; i++) {
		int rc = run_in_thread(&part);
		struct mallinfo2 info = mallinfo2();
		size_t after = info.uordblks + info.hblkhd;

		if (rc != 0)
			return rc;
		if (i > 0 && (after <= before || after - before < lost))
			lost = after > before ? after - before : 0;
		before = after;
	}
	if (leak_has_sanitizer())
		return __lsan_do_recoverable_leak_check() == 0
			       ? 0
			       : conform_fail(conform, "it leaks; the report is above");
	if (lost <= ROUNDS * BYTES_A_ROUND)
		return 0;
	return conform_fail(conform, "%zu bytes are lost each time it is made and destroyed",
			    lost / ROUNDS);
}
