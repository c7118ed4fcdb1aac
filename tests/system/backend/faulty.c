/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A back end for tests: its card has a table, drops nothing, and has one fault.  Whatever the
 * daemon believes of such a card, the filter must go on dropping every source.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <sluice/backend.h>

enum {
	SAID = 4096, /* What the card says that it holds. */
	ROOM = 32,   /* What one that is full early does hold. */
	CALLS = 3,   /* The updates that one that goes away, or hangs, still does. */
};

struct card {
	char fault[16];
	struct sluice_backend_rule rules[SAID];
	size_t n;
	unsigned int n_calls;
};

static bool has_fault(const struct card *card, const char *fault)
{
	return strcmp(card->fault, fault) == 0;
}

static size_t find(const struct card *card, const struct sluice_backend_rule *rule)
{
	size_t i = 0;

	while (i < card->n && memcmp(&card->rules[i], rule, sizeof(*rule)) != 0)
		i++;
	return i;
}

static int open_card(struct sluice_instance *instance, const struct sluice_host *host,
		     const struct sluice_config *config, const char *ifname,
		     struct sluice_backend_caps *caps, void **self, struct sluice_err *err)
{
	struct card *card = calloc(1, sizeof(*card));
	const char *fault;
	int rc;

	(void)instance;
	(void)ifname;
	(void)err;
	if (!card)
		return -ENOMEM;
	rc = host->option_string(config, "fault", &fault);
	if (rc) {
		free(card);
		return rc;
	}
	strncpy(card->fault, fault, sizeof(card->fault) - 1);
	caps->capacity = SAID;
	caps->matches = SLUICE_BACKEND_MATCH_IPV4;
	caps->counters = true;
	caps->emulated = true;
	*self = card;
	return 0;
}

/* A device call begins; it may take long, or find no device. */
static int begin(struct card *card, size_t n)
{
	const struct timespec cost = { .tv_nsec = 2000000 };

	if (has_fault(card, "gone") && ++card->n_calls > CALLS)
		return -ENODEV;
	while (has_fault(card, "hang") && card->n_calls >= CALLS)
		pause();
	card->n_calls += has_fault(card, "hang");
	for (size_t i = 0; i < n && has_fault(card, "slow"); i++)
		nanosleep(&cost, NULL);
	return 0;
}

static int add_one(struct card *card, const struct sluice_backend_rule *rule)
{
	if (has_fault(card, "refuse"))
		return -EIO;
	if (has_fault(card, "swallow"))
		return 0;
	if (find(card, rule) < card->n)
		return -EEXIST;
	if (card->n == (has_fault(card, "full") ? ROOM : SAID))
		return -ENOSPC;
	card->rules[card->n++] = *rule;
	return 0;
}

static int add(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
	       struct sluice_err *err)
{
	int rc = begin(self, n);

	(void)err;
	for (size_t i = 0; i < n && !rc; i++)
		results[i] = add_one(self, &rules[i]);
	return rc;
}

static int del(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
	       struct sluice_err *err)
{
	struct card *card = self;
	int rc = begin(card, n);

	(void)err;
	for (size_t i = 0; i < n && !rc; i++) {
		size_t at = find(card, &rules[i]);

		results[i] = at < card->n ? 0 : -ENOENT;
		if (at < card->n)
			card->rules[at] = card->rules[--card->n];
	}
	return rc;
}

/* One that lies counts hits that never were. */
static int read_counters(void *self, struct sluice_backend_counter *counters, size_t n,
			 size_t *count, struct sluice_err *err)
{
	struct card *card = self;
	int rc = begin(card, 0);

	(void)err;
	card->n_calls -= has_fault(card, "gone") && !rc;
	for (*count = 0; *count < card->n && *count < n && !rc; ++*count)
		counters[*count] = (struct sluice_backend_counter){
			.key = card->rules[*count].key,
			.packets = has_fault(card, "lie") ? ++card->n_calls : 0,
		};
	return rc;
}

static int list(void *self, struct sluice_backend_rule *rules, size_t n, size_t *count,
		struct sluice_err *err)
{
	struct card *card = self;

	(void)err;
	*count = card->n < n ? card->n : n;
	memcpy(rules, card->rules, *count * sizeof(*rules));
	return has_fault(card, "gone") && card->n_calls >= CALLS ? -ENODEV : 0;
}

static int flush(void *self, struct sluice_err *err)
{
	struct card *card = self;

	(void)err;
	card->n = 0;
	return 0;
}

static const struct sluice_backend_ops ops = {
	.size = sizeof(ops),
	.open = open_card,
	.close = free,
	.add = add,
	.del = del,
	.read = read_counters,
	.list = list,
	.flush = flush,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 0,
	.size = sizeof(sluice_plugin),
	.kind = SLUICE_PLUGIN_BACKEND,
	.name = "faulty",
	.version = "1.0.0",
	.license = "BSD-2-Clause",
	.ops = &ops,
};
