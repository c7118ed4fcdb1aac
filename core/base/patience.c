/* SPDX-License-Identifier: BSD-2-Clause */
/* See patience.h. */
#include "patience.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "clock.h"

/* Freed by the last of the two that leaves it. */
struct wait {
	struct patience what;
	pthread_mutex_t lock;
	pthread_cond_t back;
	bool is_back, given_up;
};

static void wait_free(struct wait *wait)
{
	pthread_cond_destroy(&wait->back);
	pthread_mutex_destroy(&wait->lock);
	free(wait);
}

static struct wait *wait_new(const struct patience *what)
{
	struct wait *wait = calloc(1, sizeof(*wait));

	if (!wait || clock_cond_init(&wait->back)) {
		free(wait);
		return NULL;
	}
	wait->what = *what;
	pthread_mutex_init(&wait->lock, NULL);
	return wait;
}

static void *run(void *arg)
{
	struct wait *wait = arg;
	bool given_up;

	wait->what.call(wait->what.ctx);
	pthread_mutex_lock(&wait->lock);
	wait->is_back = true;
	given_up = wait->given_up;
	pthread_cond_signal(&wait->back);
	pthread_mutex_unlock(&wait->lock);
	if (given_up) {
		wait->what.late(wait->what.ctx);
		wait_free(wait);
	}
	return NULL;
}

/* Signals belong to the main thread. */
static int start(struct wait *wait, pthread_t *thread)
{
	sigset_t all, old;
	int ret;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	ret = pthread_create(thread, NULL, run, wait);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return ret;
}

/* False: given up, and the thread has what is left to do. */
static bool await(struct wait *wait)
{
	struct timespec until = clock_deadline(wait->what.limit_ns);
	bool is_back;
	int ret = 0;

	pthread_mutex_lock(&wait->lock);
	while (!wait->is_back && ret != ETIMEDOUT)
		ret = pthread_cond_timedwait(&wait->back, &wait->lock, &until);
	is_back = wait->is_back;
	if (!is_back) {
		wait->given_up = true;
		wait->what.give_up(wait->what.ctx);
	}
	pthread_mutex_unlock(&wait->lock);
	return is_back;
}

bool patience_run(const struct patience *patience)
{
	struct wait *wait = wait_new(patience);
	pthread_t thread;

	if (!wait || start(wait, &thread) != 0) {
		patience->call(patience->ctx);
	} else if (await(wait)) {
		pthread_join(thread, NULL);
	} else {
		pthread_detach(thread);
		return false;
	}
	if (wait)
		wait_free(wait);
	return true;
}
