/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The helper thread keeps a memory of clients of its own and publishes copies of it; the engine
 * picks the newest copy up.  Nothing but a pointer is ever shared, under one lock.
 */
#include "known_clients.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/hash_table.h"
#include "dataplane/dataplane.h"
#include "engine.h"
#include "sock_diag.h"
#include "told_clients.h"

#define TOLD_SHARE 2 /* Of the memory: who is known by a stack's word alone has this part of it. */

struct seen {
	struct sluice_key key;
	uint64_t since_ns; /* Monotonic: when it became known, ... */
	uint64_t own_ns;   /* ... when it last was connected or spoken to first, ... */
	uint64_t told_ns;  /* ... and when a stack last said so of itself. */
	bool established, spoken_first;
	bool told_connected, told_spoken_first;
};

/* The thread's own; nobody else touches it. */
struct memory {
	struct hash_table *index; /* Address to place in `seen`. */
	struct seen *seen;
	size_t n, capacity, max;
	uint64_t now_ns;
	int rc;					   /* What went wrong where nobody could be told. */
	bool full;				   /* Some of those seen now found no room: */
	struct hash_table *turned_away;		   /* who, up to `max`; */
	uint64_t forgotten;			   /* and how many then made room. */
	struct told_client told[TOLD_CLIENTS_MAX]; /* As they were fetched. */
};

/* What is published.  Never changed again. */
struct set {
	struct hash_table *keys;   /* The recent ones and their units. */
	struct sluice_key *listed; /* All, who was seen last first. */
	size_t n;
	struct engine_known_count count;
	uint64_t cost_ns; /* How long it took to make. */
};

struct known_clients {
	struct known_clients_options options;
	pthread_t thread;
	struct memory memory;

	pthread_mutex_t lock;	  /* Guards what follows. */
	pthread_cond_t wanted;	  /* To the thread: make a set, or stop. */
	pthread_cond_t published; /* To the engine: one is there, or failed. */
	uint64_t tickets;	  /* Requests so far. */
	uint64_t answered;	  /* Of these, up to this one, well or badly. */
	int last_rc;
	struct set *ready;
	bool stop;

	/* The engine's own. */
	struct set *current;
	uint64_t asked; /* Its last ticket. */
};

static void set_free(struct set *set)
{
	if (!set)
		return;
	hash_table_free(set->keys);
	free(set->listed);
	free(set);
}

static bool is_own(const struct seen *seen)
{
	return seen->established || seen->spoken_first;
}

static bool is_told(const struct seen *seen)
{
	return seen->told_connected || seen->told_spoken_first;
}

static uint64_t last_ns(const struct seen *seen)
{
	return seen->own_ns > seen->told_ns ? seen->own_ns : seen->told_ns;
}

/* Each counts once, however many connections it has. */
static int turn_away(struct memory *memory, const struct sluice_key *peer)
{
	int rc = memory->turned_away ? 0 : hash_table_new(0, NULL, &memory->turned_away);

	if (rc || hash_table_size(memory->turned_away) >= memory->max)
		return rc;
	rc = hash_table_set(memory->turned_away, peer, 0);
	return rc < 0 ? rc : 0;
}

static uint64_t count_left_out(const struct memory *memory)
{
	size_t turned_away = memory->turned_away ? hash_table_size(memory->turned_away) : 0;

	return turned_away + memory->forgotten;
}

/* Notes one host; what is known of it already is completed. */
static int remember(struct memory *memory, const struct seen *now)
{
	const struct sluice_key *peer = &now->key;
	uint32_t place = (uint32_t)memory->n;
	int added;

	if (hash_table_get(memory->index, peer, &place)) {
		struct seen *seen = &memory->seen[place];

		if (now->own_ns > seen->own_ns)
			seen->own_ns = now->own_ns;
		if (now->told_ns > seen->told_ns)
			seen->told_ns = now->told_ns;
		if (now->since_ns < seen->since_ns)
			seen->since_ns = now->since_ns;
		seen->established |= now->established;
		seen->spoken_first |= now->spoken_first;
		seen->told_connected |= now->told_connected;
		seen->told_spoken_first |= now->told_spoken_first;
		return 0;
	}
	if (memory->n == memory->max) {
		memory->full = true;
		return turn_away(memory, peer);
	}
	if (memory->n == memory->capacity) {
		size_t capacity = memory->capacity ? memory->capacity * 2 : 256;
		struct seen *grown = realloc(memory->seen, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		memory->seen = grown;
		memory->capacity = capacity;
	}
	added = hash_table_set(memory->index, peer, place);
	if (added < 0)
		return added;
	memory->seen[memory->n++] = *now;
	return 0;
}

static int remember_connected(void *ctx, const struct sluice_key *peer)
{
	struct memory *memory = ctx;
	const struct seen now = {
		.key = *peer,
		.since_ns = memory->now_ns,
		.own_ns = memory->now_ns,
		.established = true,
	};

	return remember(memory, &now);
}

static void remember_spoken(void *ctx, const struct dataplane_spoken *spoken)
{
	struct memory *memory = ctx;
	const struct seen now = {
		.key = spoken->key,
		.since_ns = spoken->first_ns,
		/* What was said while we read is not from the future. */
		.own_ns = spoken->last_ns < memory->now_ns ? spoken->last_ns : memory->now_ns,
		.spoken_first = true,
	};
	int rc = remember(memory, &now);

	if (rc)
		memory->rc = rc;
}

static void forget_one(struct memory *memory, size_t i)
{
	int replaced;

	hash_table_del(memory->index, &memory->seen[i].key, NULL);
	memory->seen[i] = memory->seen[--memory->n];
	if (i == memory->n)
		return;
	/* Its key is there, so that nothing grows and nothing can fail. */
	replaced = hash_table_set(memory->index, &memory->seen[i].key, (uint32_t)i);
	(void)replaced;
}

/* Forgets who was not seen for longer than `keep_ns`, each way for itself. */
static void forget(struct memory *memory, uint64_t keep_ns)
{
	size_t i = 0;

	while (i < memory->n) {
		struct seen *seen = &memory->seen[i];

		if (memory->now_ns - seen->own_ns > keep_ns)
			seen->established = seen->spoken_first = false;
		if (memory->now_ns - seen->told_ns > keep_ns)
			seen->told_connected = seen->told_spoken_first = false;
		if (is_own(seen) || is_told(seen))
			i++;
		else
			forget_one(memory, i);
	}
}

static int last_first(const void *a, const void *b)
{
	uint64_t left = last_ns(a), right = last_ns(b);

	return (right > left) - (right < left);
}

/* The memory in the order in which it matters: who was seen last first. */
static int sort_memory(struct memory *memory)
{
	int rc = 0;

	qsort(memory->seen, memory->n, sizeof(*memory->seen), last_first);
	for (size_t i = 0; i < memory->n && rc >= 0; i++)
		rc = hash_table_set(memory->index, &memory->seen[i].key, (uint32_t)i);
	return rc < 0 ? rc : 0;
}

/* Forgets an eighth: those that were not seen for longest. */
static int make_room(struct memory *memory)
{
	size_t keep = memory->max - memory->max / 8;
	int rc = sort_memory(memory);

	for (; !rc && memory->n > keep; memory->n--) {
		hash_table_del(memory->index, &memory->seen[memory->n - 1].key, NULL);
		memory->forgotten++;
	}
	return rc;
}

static int read_spoken(struct known_clients *clients)
{
	const struct dataplane_spoken_terms terms = { .keep_ns = clients->options.keep_ns };
	struct dataplane *dp = clients->options.dataplane;
	int rc;

	if (!dp || !dp->ops->spoken_read)
		return 0;
	clients->memory.rc = 0;
	rc = dp->ops->spoken_read(dp, &terms, remember_spoken, &clients->memory, NULL);
	return rc ? rc : clients->memory.rc;
}

static size_t count_told_alone(const struct memory *memory)
{
	size_t n = 0;

	for (size_t i = 0; i < memory->n; i++)
		n += !is_own(&memory->seen[i]);
	return n;
}

/* Of those whom only a stack knows: forgets who was not seen for longest, until `keep` are left. */
static int make_told_room(struct memory *memory, size_t keep)
{
	size_t n = count_told_alone(memory);
	int rc = sort_memory(memory);

	for (size_t i = memory->n; !rc && i-- > 0 && n > keep;) {
		if (is_own(&memory->seen[i]))
			continue;
		/* Who comes in its place is one that we have passed. */
		forget_one(memory, i);
		memory->forgotten++;
		n--;
	}
	return rc;
}

static int read_told(struct known_clients *clients)
{
	struct memory *memory = &clients->memory;
	size_t share = memory->max / TOLD_SHARE, alone = count_told_alone(memory), n;
	bool full = alone > share;
	int rc = 0;

	n = clients->options.told ? told_clients_take(clients->options.told, memory->told) : 0;
	for (size_t i = 0; i < n && !rc; i++) {
		const struct told_client *told = &memory->told[i];
		const struct seen now = {
			.key = told->key,
			.since_ns = memory->now_ns,
			.told_ns = memory->now_ns,
			.told_connected = !told->spoken_first,
			.told_spoken_first = told->spoken_first,
		};
		size_t before = memory->n;

		if (alone >= share && !hash_table_get(memory->index, &told->key, NULL)) {
			full = true;
			rc = turn_away(memory, &told->key);
			continue;
		}
		rc = remember(memory, &now);
		alone += memory->n - before;
	}
	return full && !rc ? make_told_room(memory, share - share / 8) : rc;
}

static int dump(struct known_clients *clients)
{
	static const int families[] = { AF_INET, AF_INET6 };
	struct memory *memory = &clients->memory;
	int rc = 0;

	memory->now_ns = clock_monotonic_ns(clients->options.clock);
	memory->forgotten = 0;
	if (memory->turned_away)
		hash_table_clear(memory->turned_away);
	for (size_t i = 0; i < 2 && !rc; i++) {
		/* A new socket each time: no late reply of a dump that timed out can follow. */
		int fd = sock_diag_open();

		if (fd < 0)
			return fd;
		rc = sock_diag_dump(fd, families[i], (uint32_t)i + 1, remember_connected, memory);
		close(fd);
		/* A kernel without IPv6 has no clients there. */
		if (families[i] == AF_INET6 && (rc == -ENOENT || rc == -EAFNOSUPPORT))
			rc = 0;
	}
	if (!rc)
		rc = read_spoken(clients);
	if (!rc)
		forget(memory, clients->options.keep_ns);
	if (!rc)
		rc = read_told(clients);
	if (!rc && memory->full)
		rc = make_room(memory);
	memory->full = false;
	return rc;
}

static int add_recent(const struct known_clients *clients, const struct seen *seen, struct set *set)
{
	struct sluice_key unit = address_mask(&seen->key, clients->options.v6_prefix_len);
	int rc;

	if (clients->memory.now_ns - last_ns(seen) > KNOWN_CLIENTS_RECENT_NS)
		return 0;
	rc = hash_table_set(set->keys, &seen->key, 0);
	if (rc >= 0 && seen->key.family == SLUICE_FAMILY_IPV6)
		rc = hash_table_set(set->keys, &unit, 0);
	return rc < 0 ? rc : 0;
}

static int make_set(struct known_clients *clients, struct set **out)
{
	struct memory *memory = &clients->memory;
	struct set *set = calloc(1, sizeof(*set));
	int rc;

	if (!set)
		return -ENOMEM;
	rc = memory->n ? sort_memory(memory) : 0;
	if (!rc)
		rc = hash_table_new(memory->n * 2, NULL, &set->keys);
	set->listed = calloc(memory->n + 1, sizeof(*set->listed));
	if (!set->listed)
		rc = -ENOMEM;
	for (size_t i = 0; !rc && i < memory->n; i++) {
		const struct seen *seen = &memory->seen[i];

		rc = add_recent(clients, seen, set);
		set->listed[set->n++] = seen->key;
		set->count.established += seen->established;
		set->count.spoken_first += seen->spoken_first;
		set->count.told_connected += seen->told_connected;
		set->count.told_spoken_first += seen->told_spoken_first;
	}
	set->count.total = set->n;
	set->count.capacity = memory->max;
	set->count.left_out = count_left_out(memory);
	if (rc) {
		set_free(set);
		return rc;
	}
	*out = set;
	return 0;
}

/* One dump, published. */
static void answer(struct known_clients *clients, uint64_t ticket)
{
	uint64_t begin_ns = clock_monotonic_ns(clients->options.clock);
	struct set *set = NULL;
	int rc = dump(clients);

	if (!rc)
		rc = make_set(clients, &set);
	if (set)
		set->cost_ns = clock_monotonic_ns(clients->options.clock) - begin_ns;
	pthread_mutex_lock(&clients->lock);
	clients->answered = ticket;
	clients->last_rc = rc;
	if (set) {
		set_free(clients->ready);
		clients->ready = set;
	}
	pthread_cond_signal(&clients->published);
	pthread_mutex_unlock(&clients->lock);
}

static void *run(void *ctx)
{
	struct known_clients *clients = ctx;

	for (;;) {
		uint64_t ticket;
		bool stop;

		pthread_mutex_lock(&clients->lock);
		while (!clients->stop && clients->tickets == clients->answered)
			pthread_cond_wait(&clients->wanted, &clients->lock);
		stop = clients->stop;
		ticket = clients->tickets;
		pthread_mutex_unlock(&clients->lock);
		if (stop)
			return NULL;
		answer(clients, ticket);
	}
}

/* Signals are the daemon's business, not this thread's. */
static int start_thread(struct known_clients *clients)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&clients->thread, NULL, run, clients);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -rc;
}

static void known_start(void *ctx)
{
	struct known_clients *clients = ctx;

	pthread_mutex_lock(&clients->lock);
	clients->asked = ++clients->tickets;
	pthread_cond_signal(&clients->wanted);
	pthread_mutex_unlock(&clients->lock);
}

static int known_refresh(void *ctx)
{
	struct known_clients *clients = ctx;
	struct timespec deadline = clock_deadline(clients->options.wait_ns);
	int rc = 0;

	pthread_mutex_lock(&clients->lock);
	while (clients->answered < clients->asked && !rc)
		rc = pthread_cond_timedwait(&clients->published, &clients->lock, &deadline);
	if (clients->ready) {
		set_free(clients->current);
		clients->current = clients->ready;
		clients->ready = NULL;
	}
	rc = clients->answered < clients->asked ? -EAGAIN : clients->last_rc;
	pthread_mutex_unlock(&clients->lock);
	return rc;
}

static bool known_contains(void *ctx, const struct sluice_key *key)
{
	const struct known_clients *clients = ctx;

	return clients->current && hash_table_get(clients->current->keys, key, NULL);
}

static const struct sluice_key *known_list(void *ctx, size_t *n)
{
	const struct known_clients *clients = ctx;

	*n = clients->current ? clients->current->n : 0;
	return clients->current ? clients->current->listed : NULL;
}

static void known_count(void *ctx, struct engine_known_count *count)
{
	const struct known_clients *clients = ctx;

	*count = clients->current ? clients->current->count : (struct engine_known_count){ 0 };
}

static uint64_t known_cost_ns(void *ctx)
{
	const struct known_clients *clients = ctx;

	return clients->current ? clients->current->cost_ns : 0;
}

void known_clients_interface(struct known_clients *clients, struct engine_known *known)
{
	*known = (struct engine_known){
		.start = known_start,
		.refresh = known_refresh,
		.contains = known_contains,
		.ctx = clients,
		.list = known_list,
		.count = known_count,
		.cost_ns = known_cost_ns,
	};
}

size_t known_clients_size(const struct known_clients *clients)
{
	return clients->current ? hash_table_size(clients->current->keys) : 0;
}

static int init_conditions(struct known_clients *clients)
{
	int rc = -pthread_mutex_init(&clients->lock, NULL);

	if (!rc)
		rc = -pthread_cond_init(&clients->wanted, NULL);
	if (!rc)
		rc = clock_cond_init(&clients->published);
	return rc;
}

static void free_parts(struct known_clients *clients)
{
	set_free(clients->current);
	set_free(clients->ready);
	hash_table_free(clients->memory.index);
	hash_table_free(clients->memory.turned_away);
	free(clients->memory.seen);
	free(clients);
}

int known_clients_new(const struct known_clients_options *options, struct known_clients **out,
		      struct sluice_err *err)
{
	struct known_clients *clients = calloc(1, sizeof(*clients));
	int rc = -ENOMEM;

	if (!clients)
		goto out;
	clients->options = *options;
	clients->memory.max = options->max;
	rc = hash_table_new(0, NULL, &clients->memory.index);
	if (rc)
		goto out_free;
	/* The first one here and now, so that a kernel that does not answer is told at the start. */
	rc = dump(clients);
	if (!rc)
		rc = make_set(clients, &clients->current);
	if (!rc)
		rc = init_conditions(clients);
	if (!rc)
		rc = start_thread(clients);
	if (rc)
		goto out_free;
	*out = clients;
	return 0;
out_free:
	free_parts(clients);
out:
	err_set(err, NULL, "cannot ask the kernel for established connections: %s (%s)",
		strerror(-rc), err_name(rc));
	return rc;
}

void known_clients_free(struct known_clients *clients)
{
	if (!clients)
		return;
	pthread_mutex_lock(&clients->lock);
	clients->stop = true;
	pthread_cond_signal(&clients->wanted);
	pthread_mutex_unlock(&clients->lock);
	pthread_join(clients->thread, NULL);
	pthread_cond_destroy(&clients->wanted);
	pthread_cond_destroy(&clients->published);
	pthread_mutex_destroy(&clients->lock);
	free_parts(clients);
}
