/* SPDX-License-Identifier: BSD-2-Clause */
/* See stack_run.h. */
#include "stack_run.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "config/errors.h"
#include "config/node.h"
#include "plugin/plugin.h"

struct stack_run {
	const char *program;
	struct logger logger;
	struct config_errors errors;
	struct config_node *options;
	struct plugin *plugin;
	struct sluice_instance *instance;
	struct stack_run_io io;
	int signals;
};

/* `fd`: -1, or what listens to fewer. */
static int listen_to(int fd, bool child_too)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	if (child_too)
		sigaddset(&mask, SIGCHLD);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	return signalfd(fd, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
}

int stack_run_new(const char *program, struct stack_run **out)
{
	struct stack_run *run = calloc(1, sizeof(*run));
	int rc;

	if (!run)
		return -ENOMEM;
	run->program = program;
	config_errors_init(&run->errors);
	logger_init(&run->logger, SLUICE_LOG_INFO, &clock_system);
	run->signals = listen_to(-1, false);
	if (run->signals < 0) {
		rc = -errno;
		free(run);
		return rc;
	}
	*out = run;
	return 0;
}

void stack_run_free(struct stack_run *run)
{
	if (!run)
		return;
	plugin_instance_free(run->instance);
	plugin_close(run->plugin);
	config_node_free(run->options);
	close(run->signals);
	free(run);
}

void stack_run_complain(const struct stack_run *run, const char *text)
{
	fprintf(stderr, "%s: %s\n", run->program, text);
}

int stack_run_load(struct stack_run *run, const char *folder, const char *plugin,
		   const char *options_file)
{
	struct sluice_err err = { .text = "" };
	int rc = config_node_load(options_file, &run->errors, &run->options);

	if (rc)
		config_errors_to_err(&run->errors, &err);
	else
		rc = plugin_open(folder, plugin, SLUICE_PLUGIN_STACK, NULL, &run->plugin, &err);
	if (rc)
		stack_run_complain(run, err.text);
	return rc;
}

int stack_run_watch_children(struct stack_run *run)
{
	return listen_to(run->signals, true) < 0 ? -errno : 0;
}

int stack_run_open(struct stack_run *run, const struct stack_run_io *io)
{
	const struct plugin_use use = { .key = "options",
					.options = run->options,
					.clock = &clock_system,
					.logger = &run->logger };
	struct sluice_err err = { .text = "" };
	int rc = plugin_stack_open(run->plugin, &use, io->ops, io->io, &run->errors, &run->instance,
				   &err);

	run->io = *io;
	if (rc)
		stack_run_complain(run, err.text);
	return rc;
}

int stack_run_serve(struct stack_run *run)
{
	const struct sluice_stack_ops *ops = plugin_stack_ops(run->plugin);
	struct pollfd others[2] = {
		{ .fd = run->signals, .events = POLLIN },
		{ .fd = plugin_stack_wake_fd(run->instance), .events = POLLIN },
	};
	int rc;

	for (;;) {
		rc = ops->turn(plugin_instance_self(run->instance));
		if (rc >= 0)
			rc = run->io.wait(run->io.ctx, others, rc);
		if (rc < 0) {
			stack_run_complain(run, strerror(-rc));
			return rc;
		}
		if (others[0].revents & POLLIN)
			return 0;
	}
}

int stack_run_report(const struct stack_run *run)
{
	const struct sluice_stack_ops *ops = plugin_stack_ops(run->plugin);
	struct sluice_stack_figure figures[64];
	size_t n = ops->figures(plugin_instance_self(run->instance), figures, 64);
	unsigned int kept = run->io.kept(run->io.ctx);

	for (size_t i = 0; i < n; i++)
		printf("%s %llu\n", figures[i].name, (unsigned long long)figures[i].value);
	printf("kept %u\n", kept);
	return kept ? -EIO : 0;
}
