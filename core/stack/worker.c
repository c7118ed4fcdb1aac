/* SPDX-License-Identifier: BSD-2-Clause */
/* See worker.h. */
#include "worker.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cap-ng.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "config/settings.h"
#include "plugin/plugin.h"
#include "xsk/handover.h"
#include "xsk/met.h"
#include "xsk/port.h"
#include "xsk/socket.h"
#include "xsk/wait.h"

#define RESUME_NS 1000000000ull /* Between attempts to find a daemon again. */
#define LOOK_NS 1000000000ull	/* Between reports to the daemon, and looks at the socket. */
#define LOOK_MS 1000		/* The longest wait, so that both come in time. */
#define MET_NS 50000000ull	/* For which one that was met waits for others, ... */
#define MET_MS 50		/* ... and a sleep is no longer then. */
/* For an answer of the daemon: at the start, and of a new one, while packets wait. */
#define START_NS 10000000000ull
#define ANSWER_NS 500000000ull

struct worker {
	const struct worker_options *options;
	int connection; /* To the daemon; -1: it is gone. */
	uint64_t lost_ns, looked_ns, told_ns;
	int socket, memory, signals;
	struct handover_reply link;
	struct port_mapping mapping;
	struct sluice_io *io;
	struct port_waiter waiter;
	struct plugin *plugin;
	struct sluice_instance *stack;
	int wake_fd; /* The stack's; -1: it has none. */
};

int worker_connect(const struct settings *settings, struct sluice_err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	const struct timeval longest = { .tv_usec = ANSWER_NS / 1000 };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), code;

	/* A daemon that hangs and whose queue is full would hold us up, and our packets. */
	if (fd >= 0)
		(void)!setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &longest, sizeof(longest));

	/* The schema bounds its length. */
	strncpy(address.sun_path, settings->stack.socket, sizeof(address.sun_path) - 1);
	if (fd >= 0 && connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
		return fd;
	code = -errno;
	if (fd >= 0)
		close(fd);
	err_set(err, NULL,
		"cannot reach sluiced at '%s': %s; is it running, with 'stack' in its "
		"file, and are you in its group?",
		settings->stack.socket, err_name(code));
	return code;
}

/* The nth CPU that this process may use. */
static void pin_to_core(uint32_t core)
{
	cpu_set_t may, one;
	int n, cpu;

	if (sched_getaffinity(0, sizeof(may), &may) || CPU_COUNT(&may) == 0)
		return;
	n = (int)(core % (uint32_t)CPU_COUNT(&may));
	for (cpu = 0; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET(cpu, &may) && n-- == 0)
			break;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	(void)!sched_setaffinity(0, sizeof(one), &one);
}

static int drop_privileges(const struct worker_options *options, struct sluice_err *err)
{
	bool failed = false;

	if (geteuid() == 0)
		failed = setgroups(0, NULL) ||
			 setresgid(options->gid, options->gid, options->gid) ||
			 setresuid(options->uid, options->uid, options->uid);
	capng_clear(CAPNG_SELECT_ALL);
	if (failed || capng_apply(CAPNG_SELECT_CAPS) != 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
		err_set(err, NULL, "cannot give up privileges");
		return -EPERM;
	}
	return 0;
}

static const struct handover_wait start_wait = { &clock_system, START_NS };
static const struct handover_wait answer_wait = { &clock_system, ANSWER_NS };

static struct handover_request make_request(const struct worker *worker, enum handover_kind kind)
{
	return handover_request_make(kind, worker->options->interface->name,
				     worker->options->queue);
}

static int take_socket(struct worker *worker, struct sluice_err *err)
{
	const struct handover_request request = make_request(worker, HANDOVER_OPEN);
	int code, fds[2];

	worker->connection = worker_connect(worker->options->settings, err);
	if (worker->connection < 0)
		return worker->connection;
	code = handover_call(worker->connection, &request, -1, &start_wait, &worker->link, fds);
	if (code) {
		err_set(err, NULL, "sluiced gives no socket: %s",
			worker->link.text[0] ? worker->link.text : err_name(code));
		return code;
	}
	worker->socket = fds[0];
	worker->memory = fds[1];
	return port_map(&worker->mapping, worker->socket, worker->memory, worker->link.n_frames,
			err);
}

static int open_port(struct worker *worker, struct sluice_err *err)
{
	const struct port_options options = {
		.link = &worker->link,
		.rings = &worker->mapping.rings,
		.memory = worker->mapping.memory,
		.socket = worker->socket,
		.clock = &clock_system,
	};
	int code = port_new(&options, &worker->io);

	if (code)
		err_set(err, NULL, "no memory for the port");
	worker->waiter = (struct port_waiter){
		.io = worker->io,
		.socket = worker->socket,
		.poll = (enum handover_poll)worker->link.poll,
	};
	return code;
}

static int open_stack(struct worker *worker, struct sluice_err *err)
{
	const struct settings *settings = worker->options->settings;
	const struct plugin_use use = {
		.options = worker->options->interface->options,
		.key = "stack.options",
		.clock = &clock_system,
		.logger = worker->options->logger,
	};
	int code = plugin_open(settings->plugin_path, settings->stack.plugin.name,
			       SLUICE_PLUGIN_STACK, NULL, &worker->plugin, err);

	if (!code)
		code = plugin_stack_open(worker->plugin, &use, &port_ops, worker->io, NULL,
					 &worker->stack, err);
	if (!code)
		worker->wake_fd = plugin_stack_wake_fd(worker->stack);
	return code;
}

/* From its reply on, packets come. */
static int say_ready(struct worker *worker, struct sluice_err *err)
{
	const struct handover_request request = make_request(worker, HANDOVER_READY);
	struct handover_reply reply;
	int fds[2];
	int code = handover_call(worker->connection, &request, -1, &start_wait, &reply, fds);

	if (code)
		err_set(err, NULL, "sluiced does not take the socket: %s",
			reply.text[0] ? reply.text : err_name(code));
	return code;
}

/* The socket works without a daemon; a new one is told of it as soon as there is one. */
static void find_daemon(struct worker *worker, uint64_t now)
{
	struct handover_request request =
		make_request(worker, worker->link.sums ? HANDOVER_RESUME_SUMS : HANDOVER_RESUME);
	struct handover_reply reply;
	int fds[2];

	if (now - worker->lost_ns < RESUME_NS)
		return;
	worker->lost_ns = now;
	request.n_frames = worker->link.n_frames;
	worker->connection = worker_connect(worker->options->settings, NULL);
	if (worker->connection < 0)
		return;
	if (handover_call(worker->connection, &request, worker->socket, &answer_wait, &reply,
			  fds) == 0) {
		met_forget(port_met(worker->io));
		return;
	}
	worker->lost_ns = clock_monotonic_ns(&clock_system);
	log_write(worker->options->logger, SLUICE_LOG_WARNING,
		  "queue %u of %s: sluiced does not take the socket back: %s",
		  worker->options->queue, worker->options->interface->name,
		  reply.text[0] ? reply.text : "no answer");
	close(worker->connection);
	worker->connection = -1;
}

/* One that finds no room is left out: the next tells all that it would have. */
static void report(struct worker *worker)
{
	struct handover_request request = make_request(worker, HANDOVER_REPORT);

	if (worker->connection < 0)
		return;
	port_counts(worker->io, &request.counts);
	(void)!handover_request_send(worker->connection, &request, -1);
}

/* 0, or -EAGAIN: the first of those that were met wait for the next time. */
static int tell_some(struct worker *worker, const struct handover_host *hosts, size_t n)
{
	struct handover_request request = make_request(worker, HANDOVER_MET);

	memcpy(request.hosts, hosts, n * sizeof(*hosts));
	return handover_request_send(worker->connection, &request, -1);
}

/* A batch that is full goes at once: whom it has no room for has to be met again. */
static void tell_met(struct worker *worker, uint64_t now)
{
	struct met *met = port_met(worker->io);
	const struct handover_host *hosts;
	size_t n = met_batch(met, &hosts), done = 0;

	if (worker->connection < 0 || n == 0 || (n < MET_BATCH && now - worker->told_ns < MET_NS))
		return;
	worker->told_ns = now;
	while (done < n) {
		size_t some = n - done < HANDOVER_HOSTS ? n - done : HANDOVER_HOSTS;

		if (tell_some(worker, hosts + done, some))
			break;
		done += some;
	}
	met_told(met, done);
}

/* Whoever waits to be told of does not wait for the next packet. */
static int longest_wait_ms(const struct worker *worker)
{
	const struct handover_host *hosts;

	return worker->connection >= 0 && met_batch(port_met(worker->io), &hosts) ? MET_MS
										  : LOOK_MS;
}

/* That its interface was deleted wakes nobody who waits for an AF_XDP socket: it keeps that as an error. */
static bool interface_gone(const struct worker *worker)
{
	int error = 0;
	socklen_t size = sizeof(error);

	return getsockopt(worker->socket, SOL_SOCKET, SO_ERROR, &error, &size) || error;
}

/* Once a second.  -ENODEV: the interface is gone. */
static int look_around(struct worker *worker, uint64_t now)
{
	if (now - worker->looked_ns < LOOK_NS)
		return 0;
	worker->looked_ns = now;
	report(worker);
	return interface_gone(worker) ? -ENODEV : 0;
}

/* After the handshake the daemon says nothing: whatever comes is its end. */
static void lose_daemon(struct worker *worker, uint64_t now)
{
	close(worker->connection);
	worker->connection = -1;
	worker->lost_ns = now;
	log_write(worker->options->logger, SLUICE_LOG_WARNING,
		  "queue %u of %s: sluiced is gone; going on without it", worker->options->queue,
		  worker->options->interface->name);
}

/* 1: SIGTERM has come; 0; or a negative errno. */
static int wait_for_work(struct worker *worker, int timeout_ms)
{
	struct pollfd ready[] = {
		{ .fd = worker->signals, .events = POLLIN },
		{ .fd = worker->connection, .events = POLLIN },
		{ .fd = worker->wake_fd, .events = POLLIN },
	};
	int longest_ms = longest_wait_ms(worker), code;
	uint64_t now;

	if (timeout_ms > longest_ms)
		timeout_ms = longest_ms;
	code = port_wait(&worker->waiter, ready, 3, timeout_ms);
	if (code)
		return code;
	now = clock_monotonic_ns(&clock_system);
	if (worker->connection >= 0 && ready[1].revents)
		lose_daemon(worker, now);
	if (worker->connection < 0)
		find_daemon(worker, now);
	tell_met(worker, now);
	if (ready[0].revents)
		return 1;
	return look_around(worker, now);
}

static int run(struct worker *worker, struct sluice_err *err)
{
	const struct sluice_stack_ops *ops = plugin_stack_ops(worker->plugin);
	void *self = plugin_instance_self(worker->stack);

	for (;;) {
		int wait_ms = ops->turn(self), code;

		if (wait_ms < 0) {
			err_set(err, NULL, "the stack ended: %s", err_name(wait_ms));
			return wait_ms;
		}
		code = wait_for_work(worker, wait_ms);
		if (code < 0)
			err_set(err, NULL, "cannot wait for packets: %s", err_name(code));
		if (code)
			return code < 0 ? code : 0;
	}
}

static void say_counts(const struct worker *worker)
{
	struct port_counts c;

	port_counts(worker->io, &c);
	log_write(
		worker->options->logger, SLUICE_LOG_INFO,
		"queue %u of %s: %llu packets received, %llu dropped, %llu sent, %llu calls refused; "
		"frames to receive: %u kernel, %u stack, %u free; to send: %u kernel, %u written, "
		"%u free",
		worker->options->queue, worker->options->interface->name,
		(unsigned long long)c.received, (unsigned long long)c.dropped,
		(unsigned long long)c.sent, (unsigned long long)c.refused, c.receive_kernel,
		c.receive_stack, c.receive_free, c.send_kernel, c.send_written, c.send_free);
}

static void close_all(struct worker *worker)
{
	plugin_instance_free(worker->stack);
	if (worker->io)
		say_counts(worker);
	plugin_close(worker->plugin);
	port_free(worker->io);
	port_unmap(&worker->mapping);
	if (worker->socket >= 0)
		close(worker->socket);
	if (worker->memory >= 0)
		close(worker->memory);
	if (worker->connection >= 0)
		close(worker->connection);
	close(worker->signals);
}

static int start(struct worker *worker, struct sluice_err *err)
{
	int code = take_socket(worker, err);

	if (!code)
		code = drop_privileges(worker->options, err);
	if (!code)
		code = open_port(worker, err);
	if (!code)
		code = open_stack(worker, err);
	return code ? code : say_ready(worker, err);
}

int worker_run(const struct worker_options *options)
{
	struct worker worker = {
		.options = options, .connection = -1, .socket = -1, .memory = -1, .wake_fd = -1
	};
	struct sluice_err err;
	sigset_t term;
	int code;

	err_init(&err);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	worker.signals = signalfd(-1, &term, SFD_NONBLOCK | SFD_CLOEXEC);
	pin_to_core(options->core);
	code = start(&worker, &err);
	if (!code) {
		log_write(options->logger, SLUICE_LOG_NOTICE,
			  "queue %u of %s: '%s' serves, %s mode, checksums %s", options->queue,
			  worker.link.ifname, plugin_name(worker.plugin),
			  xsk_mode_name((enum sluice_io_mode)worker.link.mode),
			  worker.link.sums ? "offloaded" : "in software");
		code = run(&worker, &err);
	}
	if (code)
		log_write(options->logger, SLUICE_LOG_ERROR, "queue %u of %s: %s", options->queue,
			  options->interface->name, err.text);
	close_all(&worker);
	return code ? 1 : 0;
}
