/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-stack-host: runs a stack plugin without the daemon, on a TAP device, or on an AF_XDP socket behind
 * a program that is not Sluice's.  At SIGTERM it prints what the stack says of itself, and fails if a frame is missing.
 *
 *   sluice-stack-host FOLDER PLUGIN OPTIONS.yaml tap NAME [LOSE-IN LOSE-OUT]
 *   sluice-stack-host FOLDER PLUGIN OPTIONS.yaml xsk INTERFACE QUEUE MAP MAC [wait|busy|spin]
 */
#include <errno.h>
#include <netinet/ether.h>
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
#include "xsk/port.h"

#include "port_host.h"
#include "tap_io.h"

struct run;

/* One kind of packet I/O. */
struct io_kind {
	const char *name;
	int least_words; /* Behind its name. */
	const struct sluice_io_ops *ops;
	int (*open)(struct run *run, int n_words, char *words[], struct sluice_err *err);
	void (*close)(struct run *run);
	int (*wait)(struct run *run, struct pollfd others[2], int timeout_ms);
	unsigned int (*kept)(const struct run *run);
};

struct run {
	struct logger logger;
	struct config_errors errors;
	struct config_node *options;
	struct plugin *plugin;
	struct sluice_instance *instance;
	const struct io_kind *kind;
	struct sluice_io *io;
	struct port_host *port; /* Of kind "xsk". */
	int signals;
};

static int open_tap(struct run *run, int n_words, char *words[], struct sluice_err *err)
{
	const struct tap_settings settings = {
		.name = words[0],
		.mac = { 2, 0, 0, 0, 0, 2 },
		.mtu = 1500,
		.lose_in = n_words > 1 ? (uint32_t)atoi(words[1]) : 0,
		.lose_out = n_words > 2 ? (uint32_t)atoi(words[2]) : 0,
	};

	return tap_io_open(&settings, &run->io, err);
}

static void close_tap(struct run *run)
{
	tap_io_close(run->io);
}

static int wait_tap(struct run *run, struct pollfd others[2], int timeout_ms)
{
	return tap_io_wait(run->io, others, timeout_ms);
}

static unsigned int kept_tap(const struct run *run)
{
	return tap_io_kept(run->io);
}

static int read_poll(const char *word, enum handover_poll *poll)
{
	static const char *const names[] = {
		[HANDOVER_POLL_WAIT] = "wait",
		[HANDOVER_POLL_BUSY] = "busy",
		[HANDOVER_POLL_SPIN] = "spin",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(word, names[i]) != 0)
			continue;
		*poll = (enum handover_poll)i;
		return 0;
	}
	return -EINVAL;
}

static int open_xsk(struct run *run, int n_words, char *words[], struct sluice_err *err)
{
	struct port_host_settings settings = {
		.interface = words[0],
		.queue = (uint32_t)atoi(words[1]),
		.map = words[2],
	};
	const struct ether_addr *mac = ether_aton(words[3]);
	int rc;

	if (!mac) {
		snprintf(err->text, sizeof(err->text), "'%s' is no MAC address", words[3]);
		return -EINVAL;
	}
	if (n_words > 4 && read_poll(words[4], &settings.poll)) {
		snprintf(err->text, sizeof(err->text), "'%s' is not wait, busy or spin", words[4]);
		return -EINVAL;
	}
	memcpy(settings.mac, mac, sizeof(settings.mac));
	rc = port_host_open(&settings, &run->port, err);
	if (!rc)
		run->io = port_host_io(run->port);
	return rc;
}

static void close_xsk(struct run *run)
{
	port_host_close(run->port);
}

static int wait_xsk(struct run *run, struct pollfd others[2], int timeout_ms)
{
	return port_host_wait(run->port, others, timeout_ms);
}

static unsigned int kept_xsk(const struct run *run)
{
	return port_host_kept(run->port);
}

static const struct io_kind kinds[] = {
	{ "tap", 1, &tap_io_ops, open_tap, close_tap, wait_tap, kept_tap },
	{ "xsk", 4, &port_ops, open_xsk, close_xsk, wait_xsk, kept_xsk },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static int start(struct run *run, int argc, char *argv[])
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
		rc = run->kind->open(run, argc - 5, argv + 5, &err);
	if (!rc)
		rc = plugin_stack_open(run->plugin, &use, run->kind->ops, run->io, &run->errors,
				       &run->instance, &err);
	if (rc)
		fprintf(stderr, "sluice-stack-host: %s\n", err.text);
	return rc;
}

static int serve(struct run *run)
{
	const struct sluice_stack_ops *ops = plugin_stack_ops(run->plugin);
	struct pollfd others[2] = {
		{ .fd = run->signals, .events = POLLIN },
		{ .fd = plugin_stack_wake_fd(run->instance), .events = POLLIN },
	};
	struct signalfd_siginfo info;
	int rc;

	sd_notify(0, "READY=1");
	for (;;) {
		rc = ops->turn(plugin_instance_self(run->instance));
		if (rc >= 0)
			rc = run->kind->wait(run, others, rc);
		if (rc < 0) {
			fprintf(stderr, "sluice-stack-host: %s\n", strerror(-rc));
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
	printf("kept %u\n", run->kind->kept(run));
	return run->kind->kept(run) ? -1 : 0;
}

static int open_signals(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	sigaddset(&mask, SIGTERM);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, NULL);
	return signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
}

int main(int argc, char *argv[])
{
	struct run run;
	int rc;

	memset(&run, 0, sizeof(run));
	for (size_t i = 0; argc > 5 && i < N_KINDS; i++)
		if (strcmp(argv[4], kinds[i].name) == 0 && argc - 5 >= kinds[i].least_words)
			run.kind = &kinds[i];
	if (!run.kind) {
		fprintf(stderr,
			"Usage: sluice-stack-host FOLDER PLUGIN OPTIONS.yaml tap NAME [LOSE-IN "
			"LOSE-OUT]\n"
			"       sluice-stack-host FOLDER PLUGIN OPTIONS.yaml xsk INTERFACE QUEUE MAP "
			"MAC [wait|busy|spin]\n");
		return 2;
	}
	config_errors_init(&run.errors);
	logger_init(&run.logger, SLUICE_LOG_INFO, &clock_system);
	run.signals = open_signals();
	rc = start(&run, argc, argv);
	if (!rc)
		rc = serve(&run);
	if (!rc)
		rc = report(&run);
	plugin_instance_free(run.instance);
	run.kind->close(&run);
	plugin_close(run.plugin);
	config_node_free(run.options);
	return rc ? 1 : 0;
}
