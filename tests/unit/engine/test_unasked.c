/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A detector on a thread of its own that could not be asked, for want of memory or of the thread:
 * that is told, costs it no strike, and the next window asks it again.  The linker leads the calls
 * that fail here (--wrap).
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "engine/detect.h"
#include "engine/detector_thread.h"
#include "engine/window_copy.h"
#include "gate.h"
#include "rig.h"

#define HOUR_NS (3600 * RIG_WINDOW_NS)
/* More windows than any number of strikes. */
#define MANY (2 * DETECT_STRIKES)

static bool no_memory, no_thread;

int __real_window_copy_make(struct window_copy **copy, const struct sluice_window *window);
int __wrap_window_copy_make(struct window_copy **copy, const struct sluice_window *window);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *arg);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *arg);

int __wrap_window_copy_make(struct window_copy **copy, const struct sluice_window *window)
{
	if (!no_memory)
		return __real_window_copy_make(copy, window);
	window_copy_drop(*copy);
	*copy = NULL;
	return -ENOMEM;
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *),
			  void *arg)
{
	return no_thread ? EAGAIN : __real_pthread_create(thread, attr, run, arg);
}

static struct rig *rig;
static struct gate gate;
static struct detector_thread *thread;

static void set_up(void)
{
	rig = rig_new();
	thread = gate_enter(&gate, false, rig, HOUR_NS);
}

static void tear_down(void)
{
	gate_leave(&gate, rig, thread);
}

static const struct engine_detector_status *status(void)
{
	return &rig_status(rig).detectors[1];
}

/* For longer than strikes would allow; then it is heard at once. */
static void check_goes_on(const char *why)
{
	rig_wish(rig, "192.0.2.1", 500);
	rig_window(rig);
	cr_expect(rig_is_blocked(rig, "192.0.2.1"), "the other one is heard");
	rig_windows(rig, MANY);
	cr_expect_eq(gate.left, 0);
	cr_expect_eq(status()->failures, 0);
	cr_expect_not(status()->disabled);
	cr_expect_eq(rig_events(rig, EVENT_KIND_DETECTOR_DISABLED), 0);
	cr_expect_eq(rig_events(rig, EVENT_KIND_DETECTOR_FAILED), 1, "told once while it goes on");
	cr_expect(strstr(rig_event_text(rig, EVENT_KIND_DETECTOR_FAILED), why), "%s",
		  rig_event_text(rig, EVENT_KIND_DETECTOR_FAILED));
	no_memory = no_thread = false;
	rig_window(rig);
	cr_expect_eq(gate.left, 1);
	cr_expect(rig_is_blocked(rig, "192.0.2.66"));
}

Test(unasked, without_memory, .init = set_up, .fini = tear_down)
{
	no_memory = true;
	check_goes_on("'gate': not asked: no memory for a copy of the window; it stays enabled");
	no_memory = true;
	rig_window(rig);
	cr_expect_eq(rig_events(rig, EVENT_KIND_DETECTOR_FAILED), 2, "told anew after it worked");
}

Test(unasked, without_a_thread, .init = set_up, .fini = tear_down)
{
	no_thread = true;
	check_goes_on("'gate': not asked: no thread for it: Resource temporarily unavailable "
		      "(-EAGAIN); it stays enabled");
}

Test(unasked, a_strike_before_is_not_forgiven, .init = set_up, .fini = tear_down)
{
	gate.closed = true; /* It does not come back, and gets no time to. */
	rig->engine_detectors[1].budget_ns = 1;
	cr_assert_eq(engine_reconfigure(rig->engine, &rig->options, NULL), 0);
	rig_windows(rig, DETECT_STRIKES - 1);
	no_memory = true;
	rig_window(rig);
	no_memory = false;
	cr_expect_not(status()->disabled);
	rig_window(rig);
	cr_expect(status()->disabled);
}
