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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <systemd/sd-daemon.h>

#include <sluice/stack.h>

#include "xsk/port.h"

#include "port_host.h"
#include "stack_run.h"
#include "tap_io.h"

/* One kind of packet I/O. */
struct io_kind {
	const char *name;
	int least_words; /* Behind its name. */
	int (*open)(int n_words, char *words[], struct stack_run_io *io, struct sluice_err *err);
	void (*close)(void *ctx);
};

static int wait_tap(void *ctx, struct pollfd others[2], int timeout_ms)
{
	return tap_io_wait(ctx, others, timeout_ms);
}

static unsigned int kept_tap(const void *ctx)
{
	return tap_io_kept(ctx);
}

static int open_tap(int n_words, char *words[], struct stack_run_io *io, struct sluice_err *err)
{
	const struct tap_settings settings = {
		.name = words[0],
		.mac = { 2, 0, 0, 0, 0, 2 },
		.mtu = 1500,
		.lose_in = n_words > 1 ? (uint32_t)atoi(words[1]) : 0,
		.lose_out = n_words > 2 ? (uint32_t)atoi(words[2]) : 0,
	};
	struct sluice_io *tap;
	int rc = tap_io_open(&settings, &tap, err);

	if (!rc)
		*io = (struct stack_run_io){ &tap_io_ops, tap, tap, wait_tap, kept_tap };
	return rc;
}

static void close_tap(void *ctx)
{
	tap_io_close(ctx);
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

static int wait_xsk(void *ctx, struct pollfd others[2], int timeout_ms)
{
	return port_host_wait(ctx, others, timeout_ms);
}

static unsigned int kept_xsk(const void *ctx)
{
	return port_host_kept(ctx);
}

static int open_xsk(int n_words, char *words[], struct stack_run_io *io, struct sluice_err *err)
{
	struct port_host_settings settings = {
		.interface = words[0],
		.queue = (uint32_t)atoi(words[1]),
		.map = words[2],
	};
	const struct ether_addr *mac = ether_aton(words[3]);
	struct port_host *port;
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
	rc = port_host_open(&settings, &port, err);
	if (!rc)
		*io = (struct stack_run_io){ &port_ops, port_host_io(port), port, wait_xsk,
					     kept_xsk };
	return rc;
}

static void close_xsk(void *ctx)
{
	port_host_close(ctx);
}

static const struct io_kind kinds[] = {
	{ "tap", 1, open_tap, close_tap },
	{ "xsk", 4, open_xsk, close_xsk },
};
#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

static const struct io_kind *find_kind(int argc, char *argv[])
{
	for (size_t i = 0; argc > 5 && i < N_KINDS; i++)
		if (strcmp(argv[4], kinds[i].name) == 0 && argc - 5 >= kinds[i].least_words)
			return &kinds[i];
	fprintf(stderr,
		"Usage: sluice-stack-host FOLDER PLUGIN OPTIONS.yaml tap NAME [LOSE-IN LOSE-OUT]\n"
		"       sluice-stack-host FOLDER PLUGIN OPTIONS.yaml xsk INTERFACE QUEUE MAP MAC "
		"[wait|busy|spin]\n");
	return NULL;
}

static int serve(struct stack_run *run, const struct stack_run_io *io)
{
	int rc = stack_run_open(run, io);

	if (rc)
		return rc;
	sd_notify(0, "READY=1");
	rc = stack_run_serve(run);
	return rc ? rc : stack_run_report(run);
}

int main(int argc, char *argv[])
{
	const struct io_kind *kind = find_kind(argc, argv);
	struct sluice_err err = { .text = "" };
	struct stack_run_io io = { .ctx = NULL };
	struct stack_run *run = NULL;
	int rc;

	if (!kind)
		return 2;
	rc = stack_run_new("sluice-stack-host", &run);
	if (!rc)
		rc = stack_run_load(run, argv[1], argv[2], argv[3]);
	if (!rc) {
		rc = kind->open(argc - 5, argv + 5, &io, &err);
		if (rc)
			stack_run_complain(run, err.text);
	}
	if (!rc)
		rc = serve(run, &io);
	stack_run_free(run);
	kind->close(io.ctx);
	return rc ? 1 : 0;
}
