/* SPDX-License-Identifier: BSD-2-Clause */
/* A detector to start from: proposes every stranger that sends more than its limit. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <sluice/detector.h>

struct mydetector {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	uint64_t limit_pps;
};

static int create(struct sluice_instance *instance, const struct sluice_host *host,
		  const struct sluice_config *config, void **self, struct sluice_err *err)
{
	struct mydetector *my = calloc(1, sizeof(*my));
	int rc = my ? host->option_u64(config, "limit", &my->limit_pps) : -ENOMEM;

	if (rc != 0) {
		snprintf(err->text, sizeof(err->text), "no memory, or a manifest of another build");
		free(my);
		return rc;
	}
	my->instance = instance;
	my->host = host;
	*self = my;
	return 0;
}

static void destroy(void *self)
{
	free(self);
}

static int observe(void *self, const struct sluice_window *window, struct sluice_verdict *verdict)
{
	struct mydetector *my = self;
	double seconds = window->length_ns ? (double)window->length_ns / 1e9 : 1, worst = 0;

	for (size_t i = 0; i < window->n_sources; i++) {
		const struct sluice_source *source = sluice_window_source(window, i);
		double pps = (double)source->packets / seconds;
		struct sluice_proposal proposal = { .size = sizeof(proposal), .key = source->key };
		char evidence[64];

		if (source->flags & SLUICE_SOURCE_KNOWN)
			continue;
		worst = pps > worst ? pps : worst;
		if (pps <= (double)my->limit_pps)
			continue;
		snprintf(evidence, sizeof(evidence), "%.0f packets/s", pps);
		proposal.packets_per_second = pps < 1e18 ? (uint64_t)pps : (uint64_t)1e18;
		proposal.reason = "my_limit";
		proposal.evidence = evidence;
		if (my->host->propose(my->instance, &proposal) == -ENOSPC)
			break; /* No more in this window. */
	}
	verdict->score = worst / (double)my->limit_pps;
	verdict->attack = verdict->score > 1;
	snprintf(verdict->evidence, sizeof(verdict->evidence), "at most %.0f packets/s", worst);
	return 0;
}

static const struct sluice_detector_ops ops = { .size = sizeof(ops),
						.create = create,
						.destroy = destroy,
						.observe = observe };

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = { SLUICE_PLUGIN_MAGIC,
					     SLUICE_ABI_MAJOR,
					     0, /* As the manifest says: nothing younger is used. */
					     sizeof(sluice_plugin),
					     SLUICE_PLUGIN_DETECTOR,
					     "mydetector",
					     "0.1.0",
					     "BSD-2-Clause",
					     &ops };
