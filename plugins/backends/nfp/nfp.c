/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Back end for cards that run BPF themselves (Netronome's Agilio, driver nfp): maps the contract's
 * calls to the card's table.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/backend.h>

#include "card.h"
#include "explain.h"
#include "words.h"

struct nfp {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	struct card *card;
	bool counters; /* Asked for, and the card's program has them. */
	char ifname[16];
};

static int read_options(const struct nfp *nfp, const struct sluice_config *config,
			struct card_options *options, struct sluice_err *err)
{
	const struct sluice_host *host = nfp->host;
	uint64_t capacity = 0, prefix = 0;
	int rc = host->option_u64(config, "capacity", &capacity);

	rc = rc ? rc : host->option_bool(config, "counters", &options->wanted.counts);
	rc = rc ? rc : host->option_u64(config, "v6_prefix", &prefix);
	if (rc) {
		explain(err, "the manifest does not declare what this back end reads");
		return rc;
	}
	options->capacity = (uint32_t)capacity;
	options->wanted.v6_prefix_len = (uint8_t)prefix;
	options->calls = &kernel_calls;
	if (key_has_program(options->wanted.v6_prefix_len))
		return 0;
	explain(err, "v6_prefix: there is no program for %u, only for 48, 56, 64 and 128",
		(unsigned int)prefix);
	return -EINVAL;
}

static void nfp_close(void *self)
{
	struct nfp *nfp = self;

	if (!nfp)
		return;
	card_close(nfp->card);
	free(nfp);
}

/* What an operator may not expect. */
static void tell(const struct nfp *nfp, const struct card_options *options)
{
	uint32_t capacity = card_capacity(nfp->card);

	if (card_adopted(nfp->card))
		nfp->host->log(
			nfp->instance, SLUICE_LOG_NOTICE,
			"interface '%s': an earlier sluiced left its program on the card: it "
			"goes on with its table of %u rules",
			nfp->ifname, capacity);
	else if (options->capacity > capacity)
		nfp->host->log(nfp->instance, SLUICE_LOG_WARNING,
			       "interface '%s': the card has memory for %u rules only, not for %u",
			       nfp->ifname, capacity, options->capacity);
	if (options->wanted.counts && !card_counts(nfp->card))
		nfp->host->log(nfp->instance, SLUICE_LOG_NOTICE,
			       "interface '%s': the card's program does not count: its rules are "
			       "put on probation instead",
			       nfp->ifname);
}

static int nfp_open(struct sluice_instance *instance, const struct sluice_host *host,
		    const struct sluice_config *config, const char *ifname,
		    struct sluice_backend_caps *caps, void **self, struct sluice_err *err)
{
	struct card_options options = { 0 };
	struct nfp *nfp = calloc(1, sizeof(*nfp));
	int rc = nfp ? 0 : -ENOMEM;

	if (rc) {
		explain(err, "out of memory");
		return rc;
	}
	nfp->instance = instance;
	nfp->host = host;
	snprintf(nfp->ifname, sizeof(nfp->ifname), "%s", ifname);
	rc = read_options(nfp, config, &options, err);
	rc = rc ? rc : card_open(&options, ifname, &nfp->card, err);
	if (rc) {
		nfp_close(nfp);
		return rc;
	}
	tell(nfp, &options);
	nfp->counters = options.wanted.counts && card_counts(nfp->card);
	caps->capacity = card_capacity(nfp->card);
	caps->matches = SLUICE_BACKEND_MATCH_IPV4;
	caps->matches |= options.wanted.v6_prefix_len == 128 ? SLUICE_BACKEND_MATCH_IPV6
							     : SLUICE_BACKEND_MATCH_IPV6_PREFIX;
	caps->counters = nfp->counters;
	*self = nfp;
	return 0;
}

/* Refusals that are a rule's own affair, and that the contract has words for. */
static bool is_ordinary(int rc)
{
	return rc == 0 || rc == -ENOSPC || rc == -EEXIST || rc == -ENOENT || rc == -EOPNOTSUPP;
}

static int change(struct nfp *nfp, bool add, const struct sluice_backend_rule *rules, size_t n,
		  int *results, struct sluice_err *err)
{
	struct sluice_err refusal = { 0 };

	for (size_t i = 0; i < n; i++) {
		results[i] = (add ? card_add : card_del)(nfp->card, &rules[i].key);
		if (is_ordinary(results[i]))
			continue;
		words_explain(WORDS_STEP_CHANGE, results[i], nfp->ifname, "", &refusal);
		if (err)
			*err = refusal;
		if (results[i] == -ENODEV)
			return -ENODEV;
	}
	if (refusal.text[0])
		nfp->host->log(nfp->instance, SLUICE_LOG_WARNING, "%s", refusal.text);
	return 0;
}

static int nfp_add(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		   struct sluice_err *err)
{
	return change(self, true, rules, n, results, err);
}

static int nfp_del(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
		   struct sluice_err *err)
{
	return change(self, false, rules, n, results, err);
}

static int nfp_read(void *self, struct sluice_backend_counter *counters, size_t n, size_t *count,
		    struct sluice_err *err)
{
	return card_read(((struct nfp *)self)->card, counters, n, count, err);
}

/* The host asks for it after any doubt: so the card is looked for again, too. */
static int nfp_list(void *self, struct sluice_backend_rule *rules, size_t n, size_t *count,
		    struct sluice_err *err)
{
	struct nfp *nfp = self;
	int rc = card_list(nfp->card, rules, n, count, err);

	if (rc == 1)
		nfp->host->log(nfp->instance, SLUICE_LOG_NOTICE,
			       "interface '%s': our program is on the card again, with a table of "
			       "%u rules",
			       nfp->ifname, card_capacity(nfp->card));
	return rc < 0 ? rc : 0;
}

static int nfp_flush(void *self, struct sluice_err *err)
{
	return card_flush(((struct nfp *)self)->card, err);
}

static const struct sluice_backend_ops nfp_ops = {
	.size = sizeof(nfp_ops),
	.open = nfp_open,
	.close = nfp_close,
	.add = nfp_add,
	.del = nfp_del,
	.read = nfp_read,
	.list = nfp_list,
	.flush = nfp_flush,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 0, /* As the manifest has it: nothing younger is used. */
	.size = sizeof(sluice_plugin),
	.kind = SLUICE_PLUGIN_BACKEND,
	.name = "nfp",
	.version = "0.1.0",
	.license = "BSD-2-Clause",
	.ops = &nfp_ops,
};
