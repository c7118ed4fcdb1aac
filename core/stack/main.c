/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-stack: one process for each receive queue of each interface, started again when it ends, ever later if it
 * keeps ending.
 */
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/nearest.h"
#include "config/errors.h"
#include "config/settings.h"
#include "xsk/socket.h"

#include "worker.h"

#define QUEUES_MAX 64
#define FIRST_DELAY_NS 100000000ull
#define LAST_DELAY_NS 30000000000ull
#define SOUND_NS 10000000000ull /* Who lived so long starts anew with the first delay. */
#define COUNT_NS 1000000000ull	/* Between looks at how many queues there are. */

enum { EXIT_FINE = 0, EXIT_CONFIG = 1, EXIT_BAD_USAGE = 2, EXIT_SYSTEM = 3 };

struct child {
	pid_t pid; /* 0: to be started at `due_ns`. */
	uint64_t started_ns, due_ns, delay_ns;
};

/* One interface. */
struct port {
	const struct settings_stack_interface *interface;
	struct child children[QUEUES_MAX];
	uint32_t n; /* Queues there are now; children beyond are about to end. */
};

struct supervisor {
	struct worker_options worker;
	const struct logger *logger;
	struct port *ports;
	size_t n_ports;
	sigset_t signals;
};

static void help(FILE *out)
{
	fputs("Usage: sluice-stack [--config FILE] [--user NAME] [--log-level LEVEL]\n"
	      "\n"
	      "Runs the user-space stack that FILE names under 'stack', on sockets from sluiced, one\n"
	      "process for each receive queue. Runs in the foreground; stops on SIGTERM.\n"
	      "\n"
	      "  -c, --config FILE   deployment file (/etc/sluice/sluice.yaml)\n"
	      "  -u, --user NAME     whom to become before the stack is loaded, if started by root\n"
	      "                      (nobody)\n"
	      "  -l, --log-level L   error, warning, notice, info (default) or debug\n"
	      "  -h, --help          this text\n"
	      "  -V, --version       the version\n"
	      "\n"
	      "Exit codes: 0 ended as asked; 1 the file is unfit or names no stack; 2 wrong usage;\n"
	      "3 there is no such user. Manual: sluice-stack(8), sluice.yaml(5).\n",
	      out);
}

/* So that the queues of all interfaces are spread over the CPUs. */
static uint32_t core_of(const struct supervisor *supervisor, const struct port *port,
			uint32_t queue)
{
	for (const struct port *before = supervisor->ports; before < port; before++)
		queue += before->n;
	return queue;
}

static void start_child(struct supervisor *supervisor, struct port *port, uint32_t queue)
{
	struct child *child = &port->children[queue];
	pid_t parent = getpid(), pid = fork();

	child->started_ns = clock_monotonic_ns(&clock_system);
	child->due_ns = child->started_ns + child->delay_ns;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGTERM);
		supervisor->worker.interface = port->interface;
		supervisor->worker.queue = queue;
		supervisor->worker.core = core_of(supervisor, port, queue);
		_exit(getppid() == parent ? worker_run(&supervisor->worker) : 1);
	}
	child->pid = pid > 0 ? pid : 0;
}

static void bury_child(const struct supervisor *supervisor, struct port *port, uint32_t queue,
		       int status)
{
	struct child *child = &port->children[queue];
	uint64_t now = clock_monotonic_ns(&clock_system);
	const char *how = WIFSIGNALED(status) ? "signal" : "code", *name = port->interface->name;
	int number = WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status);
	int pid = (int)child->pid;

	child->pid = 0;
	child->delay_ns = now - child->started_ns > SOUND_NS ? FIRST_DELAY_NS : child->delay_ns * 2;
	if (child->delay_ns > LAST_DELAY_NS)
		child->delay_ns = LAST_DELAY_NS;
	child->due_ns = now + child->delay_ns;
	if (queue < port->n)
		log_write(supervisor->logger, SLUICE_LOG_WARNING,
			  "queue %u of %s: process %d ended (%s %d); again in %.1f s", queue, name,
			  pid, how, number, (double)child->delay_ns / 1e9);
	else
		log_write(supervisor->logger, SLUICE_LOG_NOTICE,
			  "queue %u of %s is gone: process %d ended (%s %d)", queue, name, pid, how,
			  number);
}

static void bury_children(struct supervisor *supervisor)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < supervisor->n_ports; i++)
			for (uint32_t queue = 0; queue < QUEUES_MAX; queue++)
				if (supervisor->ports[i].children[queue].pid == pid)
					bury_child(supervisor, &supervisor->ports[i], queue,
						   status);
}

static void start_due(struct supervisor *supervisor, struct port *port)
{
	uint64_t now = clock_monotonic_ns(&clock_system);

	for (uint32_t i = 0; i < port->n; i++)
		if (!port->children[i].pid && port->children[i].due_ns <= now)
			start_child(supervisor, port, i);
}

static uint64_t first_due(const struct port *port, uint64_t due)
{
	for (uint32_t i = 0; i < port->n; i++)
		if (!port->children[i].pid && port->children[i].due_ns < due)
			due = port->children[i].due_ns;
	return due;
}

/* Until a signal, the next start, or the next look at the queues: of their change no signal tells. */
static int wait_for_signal(const struct supervisor *supervisor)
{
	uint64_t now = clock_monotonic_ns(&clock_system), due = now + COUNT_NS;
	struct timespec wait;

	for (size_t i = 0; i < supervisor->n_ports; i++)
		due = first_due(&supervisor->ports[i], due);
	due = due > now ? due - now : 0;
	wait = (struct timespec){ (time_t)(due / 1000000000), (long)(due % 1000000000) };
	return sigtimedwait(&supervisor->signals, NULL, &wait);
}

/* An interface that is not there has its queues again when it returns. */
static uint32_t count_queues(const struct port *port)
{
	const char *ifname = port->interface->name;
	uint32_t n = if_nametoindex(ifname) || !port->n ? xsk_n_queues(ifname) : port->n;

	return n < QUEUES_MAX ? n : QUEUES_MAX;
}

/* A process for each queue that came, none for one that went: packets of one without go to Linux. */
static void follow_queues(const struct supervisor *supervisor, struct port *port)
{
	uint32_t n = count_queues(port), before = port->n;

	if (n == before)
		return;
	port->n = n;
	if (before)
		log_write(supervisor->logger, SLUICE_LOG_NOTICE, "%s: queues: %u instead of %u",
			  port->interface->name, n, before);
	for (uint32_t i = before; i < n; i++) {
		port->children[i].delay_ns = FIRST_DELAY_NS;
		port->children[i].due_ns = 0;
	}
	for (uint32_t i = n; i < before; i++)
		if (port->children[i].pid)
			kill(port->children[i].pid, SIGTERM);
}

static void stop_children(const struct port *port)
{
	for (uint32_t i = 0; i < QUEUES_MAX; i++)
		if (port->children[i].pid)
			kill(port->children[i].pid, SIGTERM);
}

/* Until SIGTERM or SIGINT. */
static void supervise(struct supervisor *supervisor)
{
	for (;;) {
		int signal;

		/* All queues are counted before the first process is put onto a CPU. */
		for (size_t i = 0; i < supervisor->n_ports; i++)
			follow_queues(supervisor, &supervisor->ports[i]);
		for (size_t i = 0; i < supervisor->n_ports; i++)
			start_due(supervisor, &supervisor->ports[i]);
		signal = wait_for_signal(supervisor);
		if (signal == SIGTERM || signal == SIGINT)
			break;
		bury_children(supervisor);
	}
	for (size_t i = 0; i < supervisor->n_ports; i++)
		stop_children(&supervisor->ports[i]);
	while (waitpid(-1, NULL, 0) > 0 || errno == EINTR)
		;
}

static int open_ports(struct supervisor *supervisor, const struct settings_stack *stack)
{
	supervisor->ports = calloc(stack->n_interfaces, sizeof(*supervisor->ports));
	if (!supervisor->ports)
		return -ENOMEM;
	supervisor->n_ports = stack->n_interfaces;
	for (size_t i = 0; i < stack->n_interfaces; i++)
		supervisor->ports[i].interface = &stack->interfaces[i];
	return 0;
}

static int load(const char *path, struct settings **settings)
{
	struct config_errors *errors = malloc(sizeof(*errors));
	char text[CONFIG_ERROR_TEXT_SIZE];
	int code = -ENOMEM;

	if (errors) {
		config_errors_init(errors);
		code = settings_load(path, errors, settings);
		for (size_t i = 0; code && i < config_errors_kept(errors); i++)
			fprintf(stderr, "%s\n", config_error_format(&errors->list[i], text));
	}
	free(errors);
	if (!code && !(*settings)->stack.enabled) {
		fprintf(stderr, "%s: names no stack; add the key 'stack'\n", path);
		code = -EINVAL;
	}
	return code;
}

struct arguments {
	const char *config, *user;
	enum sluice_log_level level;
};

/* Wrong usage, in one line; `option` as getopt_long() gave it, 0: a word too many. */
static int refuse(int option, const char *given)
{
	static const char *const names[] = { "--config", "--user", "--log-level", "--help",
					     "--version" };
	const char *near = nearest_name(given, names, sizeof(names) / sizeof(names[0]));

	if (option == 'l')
		fprintf(stderr,
			"sluice-stack: --log-level '%s': one of error, warning, notice, info, debug\n",
			optarg);
	else if (option == ':')
		fprintf(stderr, "sluice-stack: option '%s' wants a value\n", given);
	else if (option == 0)
		fprintf(stderr,
			"sluice-stack: unexpected argument '%s'; the deployment file is given by "
			"--config FILE\n",
			given);
	else if (near)
		fprintf(stderr, "sluice-stack: unknown option '%s'; did you mean %s?\n", given,
			near);
	else
		fprintf(stderr, "sluice-stack: unknown option '%s'; see sluice-stack --help\n",
			given);
	return EXIT_BAD_USAGE + 1;
}

/* 0, or an exit code + 1. */
static int parse(int argc, char *argv[], struct arguments *arguments)
{
	static const struct option options[] = { { "config", required_argument, NULL, 'c' },
						 { "user", required_argument, NULL, 'u' },
						 { "log-level", required_argument, NULL, 'l' },
						 { "help", no_argument, NULL, 'h' },
						 { "version", no_argument, NULL, 'V' },
						 { NULL, 0, NULL, 0 } };
	int option;

	while ((option = getopt_long(argc, argv, ":c:u:l:hV", options, NULL)) != -1) {
		if (option == 'c')
			arguments->config = optarg;
		else if (option == 'u')
			arguments->user = optarg;
		else if (option == 'l' && log_level_parse(optarg, &arguments->level) == 0)
			continue;
		else if (option == 'h')
			return help(stdout), EXIT_FINE + 1;
		else if (option == 'V')
			return puts("sluice-stack " SLUICE_VERSION), EXIT_FINE + 1;
		else
			return refuse(option, argv[optind - 1]);
	}
	return optind == argc ? 0 : refuse(0, argv[optind]);
}

int main(int argc, char *argv[])
{
	struct arguments arguments = { "/etc/sluice/sluice.yaml", "nobody", SLUICE_LOG_INFO };
	struct supervisor supervisor = { .n_ports = 0 };
	struct settings *settings = NULL;
	const struct passwd *user;
	struct logger logger;
	int code = parse(argc, argv, &arguments);

	if (code)
		return code - 1;
	if (load(arguments.config, &settings) != 0)
		return EXIT_CONFIG;
	user = getpwnam(arguments.user);
	if (!user && geteuid() == 0) {
		fprintf(stderr, "sluice-stack: no user '%s'; name one by --user\n", arguments.user);
		settings_free(settings);
		return EXIT_SYSTEM;
	}
	if (open_ports(&supervisor, &settings->stack)) {
		settings_free(settings);
		return EXIT_SYSTEM;
	}
	logger_init(&logger, arguments.level, &clock_system);
	supervisor.logger = &logger;
	supervisor.worker = (struct worker_options){
		.settings = settings,
		.uid = user ? user->pw_uid : geteuid(),
		.gid = user ? user->pw_gid : getegid(),
		.logger = &logger,
	};
	sigemptyset(&supervisor.signals);
	sigaddset(&supervisor.signals, SIGTERM);
	sigaddset(&supervisor.signals, SIGINT);
	sigaddset(&supervisor.signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &supervisor.signals, NULL);
	supervise(&supervisor);
	free(supervisor.ports);
	settings_free(settings);
	return EXIT_FINE;
}
