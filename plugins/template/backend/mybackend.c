/* SPDX-License-Identifier: BSD-2-Clause */
/* A back end to start from; card.h stands for the driver of your card. */
#include <stdio.h>

#include <sluice/backend.h>

#include "card.h"

static int open_card(struct sluice_instance *instance, const struct sluice_host *host,
		     const struct sluice_config *config, const char *ifname,
		     struct sluice_backend_caps *caps, void **self, struct sluice_err *err)
{
	const char *path;
	int rc = host->option_string(config, "table", &path);

	rc = rc ? rc : card_open(path, self);
	if (rc) {
		snprintf(err->path, sizeof(err->path), "table");
		snprintf(err->text, sizeof(err->text), "cannot map the file");
		return rc;
	}
	host->log(instance, SLUICE_LOG_INFO, "%s stands for the card of %s", path, ifname);
	caps->capacity = CARD_CAPACITY;
	caps->matches = SLUICE_BACKEND_MATCH_IPV4;
	caps->emulated = true;
	return 0;
}

static int add(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
	       struct sluice_err *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++) {
		if (rules[i].key.family != SLUICE_FAMILY_IPV4 || rules[i].key.prefix_len != 32)
			results[i] = -EOPNOTSUPP;
		else if (card_put(self, &rules[i], &rules[i]))
			results[i] = -EEXIST;
		else
			results[i] = card_put(self, CARD_FREE_PLACE, &rules[i]) ? 0 : -ENOSPC;
	}
	return 0;
}

static int del(void *self, const struct sluice_backend_rule *rules, size_t n, int *results,
	       struct sluice_err *err)
{
	(void)err;
	for (size_t i = 0; i < n; i++)
		results[i] = card_put(self, &rules[i], CARD_FREE_PLACE) ? 0 : -ENOENT;
	return 0;
}

static int list(void *self, struct sluice_backend_rule *rules, size_t n, size_t *count,
		struct sluice_err *err)
{
	(void)err;
	*count = card_list(self, rules, n);
	return 0;
}

static int flush(void *self, struct sluice_err *err)
{
	(void)err;
	memset(self, 0, sizeof(struct card));
	return 0;
}

static const struct sluice_backend_ops ops = { sizeof(ops), open_card, card_close, add,
					       del,	    NULL,      list,	   flush };

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = { SLUICE_PLUGIN_MAGIC,
					     SLUICE_ABI_MAJOR,
					     0, /* As the manifest says: nothing younger is used. */
					     sizeof(sluice_plugin),
					     SLUICE_PLUGIN_BACKEND,
					     "mybackend",
					     "0.1.0",
					     "BSD-2-Clause",
					     &ops };
