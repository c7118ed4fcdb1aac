/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A detector that conforms, and, by macros, siblings that each break the contract in one way, which
 * `sluice plugins test` must find.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sluice/detector.h>

struct fixture {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	uint64_t seen;
};

#ifdef BAD_GLOBAL
static uint64_t seen_by_all;
#endif

static int create(struct sluice_instance *instance, const struct sluice_host *host,
		  const struct sluice_config *config, void **self, struct sluice_err *err)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	uint64_t limit = 0;

	if (!fixture)
		return -ENOMEM;
	fixture->instance = instance;
	fixture->host = host;
	(void)!host->option_u64(config, "limit", &limit);
	if (limit == 0) {
		free(fixture);
#ifndef BAD_SILENT
		snprintf(err->text, sizeof(err->text), "a limit of 0 finds nothing");
#endif
		(void)err;
		return -EINVAL;
	}
#ifdef BAD_NO_SELF
	free(fixture);
	return 0;
#endif
	*self = fixture;
	return 0;
}

static void destroy(void *self)
{
#ifdef BAD_LEAK
	if (self)
		return;
#endif
#ifdef BAD_DESTROY_NULL
	*(volatile uint64_t *)&((struct fixture *)self)->seen = 0;
#endif
	free(self);
}

static const struct sluice_source *source_of(const struct sluice_window *window, size_t i)
{
#ifdef BAD_STRIDE
	return &window->sources[i];
#else
	return sluice_window_source(window, i);
#endif
}

static int observe(void *self, const struct sluice_window *window, struct sluice_verdict *verdict)
{
	struct fixture *fixture = self;
	size_t n = window->n_sources;

#ifdef BAD_EMPTY
	n = n ? n : 1;
#endif
	for (size_t i = 0; i < n; i++) {
		struct sluice_proposal proposal = { .size = sizeof(proposal), .reason = "fixture" };

		proposal.key = source_of(window, i)->key;
#ifdef BAD_REASON
		proposal.reason = "Not An Identifier";
#endif
#ifdef BAD_ENDLESS
		(void)!fixture->host->propose(fixture->instance, &proposal);
#else
		if (fixture->host->propose(fixture->instance, &proposal) == -ENOSPC)
			break;
#endif
	}
	fixture->seen += window->n_sources;
	verdict->score = (double)fixture->seen;
#ifdef BAD_GLOBAL
	seen_by_all += window->n_sources;
	verdict->score = (double)seen_by_all;
#endif
#ifdef BAD_SCORE
	verdict->score = NAN;
#endif
#ifdef BAD_VERDICT
	memset(verdict->evidence, 0, sizeof(verdict->evidence) + 8);
#endif
#ifdef BAD_CONST
	memset((void *)(uintptr_t)window, 0, 1);
#endif
#ifdef BAD_RETURN
	return 7;
#endif
#ifdef BAD_FAILS
	return -EIO;
#endif
#ifdef BAD_EXIT
	_exit(0);
#endif
	return 0;
}

static int reconfigure(void *self, const struct sluice_config *config, struct sluice_err *err)
{
	(void)self;
	(void)config;
	(void)err;
#ifdef BAD_RECONFIGURE
	return 2;
#else
	return 1;
#endif
}

static const struct sluice_detector_ops ops = { sizeof(ops), create, destroy, observe,
						reconfigure };

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = { SLUICE_PLUGIN_MAGIC,
					     SLUICE_ABI_MAJOR,
					     0,
					     sizeof(sluice_plugin),
					     SLUICE_PLUGIN_DETECTOR,
					     CONFORM_NAME,
					     "1.2.3",
					     "BSD-2-Clause",
					     &ops };
