/* SPDX-License-Identifier: BSD-2-Clause */
/* See compute.h. */
#include "compute.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
	struct compute_job *first, *last;
};

struct compute {
	unsigned int n_jobs, max_jobs; /* Those of the other thread included. */
	int fd;
	bool started;
	pthread_t thread;
	struct queue taken; /* Done, and out of the other thread's reach. */
	bool has_done;	    /* Atomic: `done` holds something. */

	pthread_mutex_t lock; /* Of what follows. */
	pthread_cond_t changed;
	struct queue waiting, done;
	bool ends;
};

static void put(struct queue *queue, struct compute_job *job)
{
	job->next = NULL;
	if (queue->first)
		queue->last->next = job;
	else
		queue->first = job;
	queue->last = job;
}

static struct compute_job *take(struct queue *queue)
{
	struct compute_job *job = queue->first;

	if (job)
		queue->first = job->next;
	return job;
}

/* With the lock. */
static void put_done(struct compute *compute, struct compute_job *job)
{
	bool was_empty = !compute->done.first;

	put(&compute->done, job);
	__atomic_store_n(&compute->has_done, true, __ATOMIC_RELAXED);
	if (was_empty)
		(void)!eventfd_write(compute->fd, 1);
}

static void *run(void *arg)
{
	struct compute *compute = arg;

	pthread_mutex_lock(&compute->lock);
	while (!compute->ends) {
		struct compute_job *job = take(&compute->waiting);

		if (!job) {
			pthread_cond_wait(&compute->changed, &compute->lock);
			continue;
		}
		pthread_mutex_unlock(&compute->lock);
		/* For nobody there is no need to. */
		if (__atomic_load_n(&job->owner, __ATOMIC_RELAXED))
			job->size = content_primes(job->limit, job->text);
		pthread_mutex_lock(&compute->lock);
		put_done(compute, job);
	}
	pthread_mutex_unlock(&compute->lock);
	return NULL;
}

/* Signals are for the host's thread. */
static int start(struct compute *compute)
{
	sigset_t all, before;
	int code;

	if (compute->started)
		return 0;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = -pthread_create(&compute->thread, NULL, run, compute);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	compute->started = code == 0;
	return code;
}

int compute_new(unsigned int max_jobs, struct compute **out)
{
	struct compute *compute = calloc(1, sizeof(*compute));

	if (!compute)
		return -ENOMEM;
	compute->max_jobs = max_jobs;
	compute->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (compute->fd < 0) {
		free(compute);
		return -errno;
	}
	pthread_mutex_init(&compute->lock, NULL);
	pthread_cond_init(&compute->changed, NULL);
	*out = compute;
	return 0;
}

static void free_all(struct queue *queue)
{
	for (struct compute_job *job = take(queue); job; job = take(queue))
		free(job);
}

void compute_free(struct compute *compute)
{
	if (!compute)
		return;
	if (compute->started) {
		pthread_mutex_lock(&compute->lock);
		compute->ends = true;
		pthread_cond_signal(&compute->changed);
		pthread_mutex_unlock(&compute->lock);
		pthread_join(compute->thread, NULL);
	}
	free_all(&compute->waiting);
	free_all(&compute->done);
	free_all(&compute->taken);
	pthread_cond_destroy(&compute->changed);
	pthread_mutex_destroy(&compute->lock);
	close(compute->fd);
	free(compute);
}

int compute_fd(const struct compute *compute)
{
	return compute->fd;
}

struct compute_job *compute_submit(struct compute *compute, unsigned int limit, void *owner)
{
	struct compute_job *job;

	if (compute->n_jobs == compute->max_jobs || start(compute))
		return NULL;
	job = malloc(sizeof(*job));
	if (!job)
		return NULL;
	job->limit = limit;
	job->owner = owner;
	job->size = 0;
	compute->n_jobs++;
	pthread_mutex_lock(&compute->lock);
	put(&compute->waiting, job);
	pthread_cond_signal(&compute->changed);
	pthread_mutex_unlock(&compute->lock);
	return job;
}

void compute_abandon(struct compute_job *job)
{
	__atomic_store_n(&job->owner, NULL, __ATOMIC_RELAXED);
}

/* Takes over all that is done; the next one to be done makes `fd` readable again. */
static void take_over(struct compute *compute)
{
	eventfd_t value;

	/* Who spins asks often: not for the lock, unless there is something to take. */
	if (!__atomic_load_n(&compute->has_done, __ATOMIC_RELAXED))
		return;
	pthread_mutex_lock(&compute->lock);
	compute->taken = compute->done;
	compute->done.first = NULL;
	__atomic_store_n(&compute->has_done, false, __ATOMIC_RELAXED);
	(void)!eventfd_read(compute->fd, &value);
	pthread_mutex_unlock(&compute->lock);
}

struct compute_job *compute_next(struct compute *compute)
{
	for (;;) {
		struct compute_job *job;

		if (!compute->taken.first)
			take_over(compute);
		job = take(&compute->taken);
		if (!job || job->owner)
			return job;
		compute_release(compute, job);
	}
}

void compute_release(struct compute *compute, struct compute_job *job)
{
	compute->n_jobs--;
	free(job);
}
