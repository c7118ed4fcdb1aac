/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-tap-stack: runs a stack plugin on a TAP device: neither XDP nor a daemon.  At SIGTERM it
 * prints what the stack says of itself, and fails if a frame is missing.
 *
 *   sluice-tap-stack FOLDER PLUGIN OPTIONS.yaml TAP [LOSE-IN LOSE-OUT]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include <sluice/stack.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/errors.h"
#include "config/node.h"
#include "plugin/plugin.h"

#include "tap_io.h"

struct run {
	struct logger logger;
	struct config_errors errors;
	struct config_node *options;
	struct plugin *plugin;
	struct sluice_instance *instance;
	struct sluice_io *io;
	int signals;
};

static int start(struct run *run, char *argv[], struct tap_settings *tap)
{
	struct sluice_err err = { .text = "" };
	struct plugin_use use = { .key = "options",
				  .clock = &clock_system,
				  .logger = &run->logger };
	int rc = config_node_load(argv[3], &run->errors, &run->options);

	if (rc)
		config_errors_to_err(&run->errors, &err);
	use.options = run->options;
	if (!rc)
		rc = plugin_open(argv[1], argv[2], SLUICE_PLUGIN_STACK, NULL, &run->plugin, &err);
	if (!rc)
		rc = tap_io_open(tap, &run->io, &err);
	if (!rc)
		rc = plugin_stack_open(run->plugin, &use, &tap_io_ops, run->io, &run->errors,
				       &run->instance, &err);
	if (rc)
		fprintf(stderr, "sluice-tap-stack: %s\n", err.text);
	return rc;
}

static int serve(const struct run *run)
{
	const struct sluice_stack_ops *ops = plugin_stack_ops(run->plugin);
	struct signalfd_siginfo info;
	int rc;

	sd_notify(0, "READY=1");
	for (;;) {
		rc = ops->turn(plugin_instance_self(run->instance));
		if (rc >= 0)
			rc = tap_io_wait(run->io, rc);
		if (rc < 0) {
			fprintf(stderr, "sluice-tap-stack: %s\n", strerror(-rc));
			return rc;
		}
		if (read(run->signals, &info, sizeof(info)) > 0)
			return 0;
	}
}

static int report(const struct run *run)
{
	const struct sluice_stack_ops *ops = plugin_stack_ops(run->plugin);
	struct sluice_stack_figure figures[64];
	size_t n = ops->figures(plugin_instance_self(run->instance), figures, 64);

	for (size_t i = 0; i < n; i++)
		printf("%s %llu\n", figures[i].name, (unsigned long long)figures[i].value);
	printf("kept %u\n", tap_io_kept(run->io));
	return tap_io_kept(run->io) ? -1 : 0;
}

int main(int argc, char *argv[])
{
	struct tap_settings tap = { .mac = { 2, 0, 0, 0, 0, 2 }, .mtu = 1500, .wake_fd = -1 };
	struct run run;
	sigset_t mask;
	int rc;

	if (argc < 5) {
		fprintf(stderr, "Usage: sluice-tap-stack FOLDER PLUGIN OPTIONS.yaml TAP "
				"[LOSE-IN LOSE-OUT]\n");
		return 2;
	}
	memset(&run, 0, sizeof(run));
	config_errors_init(&run.errors);
	logger_init(&run.logger, SLUICE_LOG_INFO, &clock_system);
	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	run.signals = signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
	tap.wake_fd = run.signals;
	tap.name = argv[4];
	tap.lose_in = argc > 5 ? (uint32_t)atoi(argv[5]) : 0;
	tap.lose_out = argc > 6 ? (uint32_t)atoi(argv[6]) : 0;

	rc = start(&run, argv, &tap);
	if (!rc)
		rc = serve(&run);
	if (!rc)
		rc = report(&run);
	plugin_instance_free(run.instance);
	tap_io_close(run.io);
	plugin_close(run.plugin);
	config_node_free(run.options);
	return rc ? 1 : 0;
}
