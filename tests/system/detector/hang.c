/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A detector for tests that does not come back from observe() until somebody writes a line into the
 * FIFO `gate`.  Then it asks for every source that it was shown, too late for anybody to heed it.
 * With `at_end` it hangs in destroy() instead, for good.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sluice/detector.h>

struct hang {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	const char *gate; /* The host's, as long as this. */
	bool at_end;
};

static int hang_create(struct sluice_instance *instance, const struct sluice_host *host,
		       const struct sluice_config *config, void **self, struct sluice_err *err)
{
	struct hang *hang = calloc(1, sizeof(*hang));

	if (!hang)
		return -ENOMEM;
	hang->instance = instance;
	hang->host = host;
	if (host->option_string(config, "gate", &hang->gate) != 0 ||
	    host->option_bool(config, "at_end", &hang->at_end) != 0) {
		snprintf(err->text, sizeof(err->text), "no gate");
		free(hang);
		return -EINVAL;
	}
	*self = hang;
	return 0;
}

static void hang_destroy(void *self)
{
	struct hang *hang = self;

	while (hang && hang->at_end)
		pause();
	free(hang);
}

static int hang_observe(void *self, const struct sluice_window *window,
			struct sluice_verdict *verdict)
{
	const struct hang *hang = self;
	char line[16];
	FILE *gate;

	if (hang->at_end)
		return 0;
	gate = fopen(hang->gate, "r");
	if (!gate)
		return -errno;
	while (!fgets(line, sizeof(line), gate))
		clearerr(gate);
	fclose(gate);
	for (size_t i = 0; i < window->n_sources; i++) {
		const struct sluice_proposal proposal = {
			.size = sizeof(proposal),
			.key = sluice_window_source(window, i)->key,
			.packets_per_second = sluice_window_source(window, i)->packets,
			.reason = "too_late",
		};

		(void)hang->host->propose(hang->instance, &proposal);
	}
	hang->host->log(hang->instance, SLUICE_LOG_NOTICE, "let out");
	verdict->attack = true;
	return 0;
}

static const struct sluice_detector_ops hang_ops = {
	.size = sizeof(hang_ops),
	.create = hang_create,
	.destroy = hang_destroy,
	.observe = hang_observe,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 0,
	.size = sizeof(struct sluice_plugin),
	.kind = SLUICE_PLUGIN_DETECTOR,
	.name = "hang",
	.version = "1.0.0",
	.license = "BSD-2-Clause",
	.ops = &hang_ops,
};
