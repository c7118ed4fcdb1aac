/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A back end that conforms, and siblings that each break the contract in one way.  Its card lives
 * as long as the process.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/backend.h>

#define CAPACITY 256u

/* The card: apart from the instances, as a real one is. */
static struct sluice_backend_counter card[CAPACITY];
static size_t used;

static int open_card(struct sluice_instance *instance, const struct sluice_host *host,
		     const struct sluice_config *config, const char *ifname,
		     struct sluice_backend_caps *caps, void **self, struct sluice_err *err)
{
	(void)instance, (void)host, (void)config, (void)ifname, (void)err;
	caps->capacity = CAPACITY;
#ifdef BAD_CAPACITY
	caps->capacity = CAPACITY + 1;
#endif
	caps->matches = SLUICE_BACKEND_MATCH_IPV4;
#ifdef BAD_PROMISE
	caps->matches |= SLUICE_BACKEND_MATCH_IPV6_PREFIX;
#endif
#ifdef BAD_CAPS
	caps->matches = 0;
#endif
	caps->counters = true;
	*self = malloc(1);
	return *self ? 0 : -ENOMEM;
}

static void close_card(void *self)
{
#ifdef BAD_CLOSE
	used = 0;
#endif
#ifdef BAD_LEAK
	if (self)
		return;
#endif
	free(self);
}

static size_t find(const struct sluice_key *key)
{
	size_t i = 0;

	while (i < used && memcmp(&card[i].key, key, sizeof(*key)) != 0)
		i++;
	return i;
}

static int add_one(const struct sluice_backend_rule *rule)
{
#ifndef BAD_MATCH
	if (rule->key.family != SLUICE_FAMILY_IPV4 || rule->key.prefix_len != 32)
		return -EOPNOTSUPP;
#endif
#ifndef BAD_DUPLICATE
	if (find(&rule->key) < used)
		return -EEXIST;
#endif
	if (used == CAPACITY)
		return -ENOSPC;
	card[used++] = (struct sluice_backend_counter){ .key = rule->key, .packets = 1000 };
	return 0;
}

static int add(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
	       struct sluice_err *err)
{
	(void)self, (void)err;
	for (size_t i = 0; i < n; i++)
		results[i] = add_one(&rules[i]);
	return 0;
}

static int del(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
	       struct sluice_err *err)
{
	(void)self, (void)err;
	for (size_t i = 0; i < n; i++) {
		size_t at = find(&rules[i].key);

		results[i] = at < used ? 0 : -ENOENT;
#ifdef BAD_UNKNOWN
		results[i] = 0;
#endif
#ifdef BAD_RESULT
		results[i] = 1;
#endif
		if (at < used)
			card[at] = card[--used];
	}
	return 0;
}

static int read_counters(void *self, struct sluice_backend_counter *counters, size_t n,
			 size_t *count, struct sluice_err *err)
{
	(void)self, (void)err;
#ifdef BAD_READ_ROOM
	n = n < 4 ? 4 : n;
#endif
	*count = used < n ? used : n;
	memcpy(counters, card, *count * sizeof(*counters));
#ifdef BAD_READ_KEY
	for (size_t i = 0; i < *count; i++)
		counters[i].key.addr[3] ^= 0x80;
#endif
#ifdef BAD_COUNTER
	for (size_t i = 0; i < used; i++)
		card[i].packets--;
#endif
	return 0;
}

static int list(void *self, struct sluice_backend_rule *rules, size_t n, size_t *count,
		struct sluice_err *err)
{
	(void)self, (void)err;
#ifdef BAD_ROOM
	n = n < 4 ? 4 : n;
#endif
	for (*count = 0; *count < used && *count < n; (*count)++)
		rules[*count].key = card[*count].key;
	return 0;
}

static int flush(void *self, struct sluice_err *err)
{
	(void)self, (void)err;
#ifndef BAD_FLUSH
	used = 0;
#endif
	return 0;
}

static const struct sluice_backend_ops ops = { sizeof(ops), open_card,	   close_card, add,
					       del,	    read_counters, list,       flush };

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = { SLUICE_PLUGIN_MAGIC,
					     SLUICE_ABI_MAJOR,
					     0,
					     sizeof(sluice_plugin),
					     SLUICE_PLUGIN_BACKEND,
					     CONFORM_NAME,
					     "1.2.3",
					     "BSD-2-Clause",
					     &ops };
