/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A detector for tests that does not come back from the call that `at` names until somebody writes a
 * line into the FIFO `gate`; from destroy() never.  After observe() it asks for every source that it
 * was shown, too late for anybody to heed it.
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
	const char *gate, *at; /* The host's, as long as this. */
};

static bool hangs_at(const struct hang *hang, const char *call)
{
	return strcmp(hang->at, call) == 0;
}

static int wait_at_gate(const struct hang *hang)
{
	char line[16];
	FILE *gate = fopen(hang->gate, "r+"); /* As a writer, too: it never sees an end. */
	int rc;

	if (!gate)
		return -errno;
	rc = fgets(line, sizeof(line), gate) ? 0 : -EIO;
	fclose(gate);
	return rc;
}

static int hang_create(struct sluice_instance *instance, const struct sluice_host *host,
		       const struct sluice_config *config, void **self, struct sluice_err *err)
{
	struct hang *hang = calloc(1, sizeof(*hang));

	if (!hang)
		return -ENOMEM;
	hang->instance = instance;
	hang->host = host;
	if (host->option_string(config, "gate", &hang->gate) != 0 ||
	    host->option_string(config, "at", &hang->at) != 0 ||
	    (hangs_at(hang, "create") && wait_at_gate(hang) != 0)) {
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

	while (hang && hangs_at(hang, "destroy"))
		pause();
	free(hang);
}

static int hang_observe(void *self, const struct sluice_window *window,
			struct sluice_verdict *verdict)
{
	const struct hang *hang = self;
	int rc;

	if (!hangs_at(hang, "observe"))
		return 0;
	rc = wait_at_gate(hang);
	if (rc != 0)
		return rc;
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

static int hang_reconfigure(void *self, const struct sluice_config *config, struct sluice_err *err)
{
	struct hang *hang = self;

	(void)err;
	(void)!hang->host->option_string(config, "gate", &hang->gate);
	(void)!hang->host->option_string(config, "at", &hang->at);
	if (hangs_at(hang, "reconfigure"))
		(void)!wait_at_gate(hang);
	return 1;
}

static const struct sluice_detector_ops hang_ops = {
	.size = sizeof(hang_ops),
	.create = hang_create,
	.destroy = hang_destroy,
	.observe = hang_observe,
	.reconfigure = hang_reconfigure,
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
