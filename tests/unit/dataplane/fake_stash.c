// SPDX-License-Identifier: BSD-2-Clause
/* See fake_stash.h. */
#include "fake_stash.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <bpf/bpf.h>

#include "shared.h"

/* Of the smallest table. */
#define CAPACITY (SLUICE_STASH_BUCKETS(1u << SLUICE_BLOCK_MIN_BITS) * SLUICE_BLOCK_WAYS)

struct stash {
	size_t key_size, capacity, n;
	uint64_t keys[CAPACITY];
	uint32_t positions[CAPACITY];
};

static struct stash stashes[2] = {
	{ .key_size = 4, .capacity = CAPACITY },
	{ .key_size = 8, .capacity = CAPACITY },
};
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int refusal;

static struct stash *stash_of(int fd)
{
	return &stashes[fd - FAKE_STASH4];
}

static uint64_t key_of(const struct stash *stash, const void *from)
{
	uint64_t key = 0;

	memcpy(&key, from, stash->key_size);
	return key;
}

static size_t find(const struct stash *stash, uint64_t key)
{
	size_t i = 0;

	while (i < stash->n && stash->keys[i] != key)
		i++;
	return i;
}

static int fail(int code)
{
	errno = code;
	return -code;
}

int bpf_map_update_elem(int fd, const void *key, const void *value, __u64 flags)
{
	struct stash *stash = stash_of(fd);
	int code = 0;

	(void)flags;
	if (refusal)
		return fail(refusal);
	pthread_mutex_lock(&lock);
	size_t i = find(stash, key_of(stash, key));

	if (i == stash->capacity) {
		code = fail(E2BIG);
	} else {
		stash->keys[i] = key_of(stash, key);
		memcpy(&stash->positions[i], value, sizeof(stash->positions[i]));
		stash->n += i == stash->n;
	}
	pthread_mutex_unlock(&lock);
	return code;
}

int bpf_map_lookup_elem(int fd, const void *key, void *value)
{
	uint32_t position;

	if (!fake_stash_get(fd, key_of(stash_of(fd), key), &position))
		return fail(ENOENT);
	memcpy(value, &position, sizeof(position));
	return 0;
}

int bpf_map_delete_elem(int fd, const void *key)
{
	struct stash *stash = stash_of(fd);

	pthread_mutex_lock(&lock);
	size_t i = find(stash, key_of(stash, key));
	bool found = i < stash->n;

	if (found) {
		stash->n--;
		stash->keys[i] = stash->keys[stash->n];
		stash->positions[i] = stash->positions[stash->n];
	}
	pthread_mutex_unlock(&lock);
	return found ? 0 : fail(ENOENT);
}

int bpf_map_get_next_key(int fd, const void *key, void *next_key)
{
	struct stash *stash = stash_of(fd);

	pthread_mutex_lock(&lock);
	size_t i = key ? find(stash, key_of(stash, key)) + 1 : 0;
	bool found = i < stash->n;

	if (found)
		memcpy(next_key, &stash->keys[i], stash->key_size);
	pthread_mutex_unlock(&lock);
	return found ? 0 : fail(ENOENT);
}

void fake_stash_reset(void)
{
	stashes[0].n = stashes[1].n = 0;
	refusal = 0;
}

void fake_stash_refuse(int code)
{
	refusal = code;
}

bool fake_stash_get(int fd, uint64_t key, uint32_t *position)
{
	struct stash *stash = stash_of(fd);

	pthread_mutex_lock(&lock);
	size_t i = find(stash, key);
	bool found = i < stash->n;

	if (found)
		*position = stash->positions[i];
	pthread_mutex_unlock(&lock);
	return found;
}

void fake_stash_put(int fd, uint64_t key, uint32_t position)
{
	(void)bpf_map_update_elem(fd, &key, &position, BPF_ANY);
}

size_t fake_stash_count(int fd)
{
	return stash_of(fd)->n;
}

void fake_stash_spoil(int fd, size_t i, uint32_t position)
{
	if (i < stash_of(fd)->n)
		stash_of(fd)->positions[i] = position;
}
