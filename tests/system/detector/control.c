/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Detectors that detect nothing, for tests of the bar: one never blocks, one blocks every source it
 * sees, one drops every SYN, one drops all packets to one port.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/detector.h>

#define TCP 6
#define SYN 0x02
#define ACK 0x10

struct control {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	const char *what;
	uint64_t port;
};

static int control_create(struct sluice_instance *instance, const struct sluice_host *host,
			  const struct sluice_config *config, void **self, struct sluice_err *err)
{
	struct control *control = calloc(1, sizeof(*control));
	int ret;

	(void)err;
	if (!control)
		return -ENOMEM;
	control->instance = instance;
	control->host = host;
	ret = host->option_string(config, "what", &control->what);
	if (!ret)
		ret = host->option_u64(config, "port", &control->port);
	if (ret) {
		free(control);
		return ret;
	}
	*self = control;
	return 0;
}

static void control_destroy(void *self)
{
	free(self);
}

static int drop_sources(const struct control *control, const struct sluice_window *window)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < window->n_sources; i++) {
		const struct sluice_proposal proposal = {
			.size = sizeof(proposal),
			.key = sluice_window_source(window, i)->key,
			.packets_per_second = 1,
			.reason = "control",
		};

		ret = control->host->propose(control->instance, &proposal);
	}
	return ret;
}

static int drop_match(const struct control *control, const struct sluice_rule_match *match)
{
	const struct sluice_rule_proposal proposal = {
		.size = sizeof(proposal),
		.match = match,
		.action = SLUICE_RULE_DROP,
		.include_known = true,
		.packets_per_second = 1,
		.reason = "control",
	};

	return control->host->propose_rule(control->instance, &proposal);
}

static int drop_syns(const struct control *control)
{
	const struct sluice_rule_match match = {
		.size = sizeof(match),
		.fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_TCP_FLAGS,
		.protocol = TCP,
		.tcp_value = SYN,
		.tcp_mask = SYN | ACK,
	};

	return drop_match(control, &match);
}

static int drop_port(const struct control *control)
{
	const uint16_t port = (uint16_t)control->port;
	const struct sluice_rule_match match = {
		.size = sizeof(match),
		.fields = SLUICE_RULE_DESTINATION_PORT,
		.destination_port = { port, port },
	};

	return drop_match(control, &match);
}

static int control_observe(void *self, const struct sluice_window *window,
			   struct sluice_verdict *verdict)
{
	const struct control *control = self;

	if (strcmp(control->what, "never") == 0)
		return 0;
	verdict->attack = true;
	verdict->score = 1;
	if (strcmp(control->what, "sources") == 0)
		return drop_sources(control, window);
	return strcmp(control->what, "syn") == 0 ? drop_syns(control) : drop_port(control);
}

static const struct sluice_detector_ops control_ops = {
	.size = sizeof(control_ops),
	.create = control_create,
	.destroy = control_destroy,
	.observe = control_observe,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = SLUICE_ABI_MAJOR,
	.abi_minor = 2,
	.size = sizeof(struct sluice_plugin),
	.kind = SLUICE_PLUGIN_DETECTOR,
	.name = "control",
	.version = "1.0.0",
	.license = "BSD-2-Clause",
	.ops = &control_ops,
};
