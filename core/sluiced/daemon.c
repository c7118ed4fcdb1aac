/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The order of things.  Everything that may fail for a reason of the operator's happens before the
 * filter is attached; capabilities are dropped right after it, before threads of ours are started.
 * A start that fails takes a filter of its own away again, but never one that it adopted.
 */
#include "daemon.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <systemd/sd-daemon.h>

#include "base/clock.h"
#include "base/err.h"
#include "config/errors.h"
#include "config/settings.h"
#include "control/fail.h"
#include "control/metrics.h"
#include "engine/known_clients.h"
#include "engine/told_clients.h"
#include "xsk/handover.h"

#include "daemon_deliver.h"
#include "daemon_state.h"
#include "engine_thread.h"
#include "lock.h"
#include "options.h"
#include "plugin_shelf.h"
#include "preflight.h"
#include "privileges.h"
#include "stack_door.h"
#include "version.h"

#define EVENTS_KEPT 4096
#define CALL_LIMIT_NS (5ull * 1000000000ull)
#define BACKEND_WAIT_NS (5ull * 1000000000ull)
/* The most that one look at the known clients may hold up a window. */
#define KNOWN_WAIT_NS (20ull * 1000000ull)

static void log_event(struct daemon *daemon, const struct event *event)
{
	/* What is worth a notice is never held back by a crowd of lesser lines. */
	struct log_limit *limit = &daemon->log_limit[event->level > SLUICE_LOG_NOTICE];

	pthread_mutex_lock(&daemon->log_lock);
	log_write_limited(daemon->logger, limit, event->level, "%s: %s",
			  event_kind_name(event->kind), event->text);
	pthread_mutex_unlock(&daemon->log_lock);
}

static void take_event(void *ctx, const struct event *event)
{
	struct daemon *daemon = ctx;
	struct event_sink kept = event_log_sink(daemon->log);

	kept.emit(kept.ctx, event);
	if (event->kind == EVENT_KIND_DETACHED || event->kind == EVENT_KIND_INTERFACE_BACK)
		window_note_interface(daemon, event);
	log_event(daemon, event);
}

static int propose(void *ctx, struct sluice_instance *instance,
		   const struct sluice_proposal *proposal)
{
	struct daemon *daemon = ctx;

	return engine_propose(daemon->engine, instance, proposal);
}

static int propose_rule(void *ctx, struct sluice_instance *instance,
			const struct sluice_rule_proposal *proposal)
{
	struct daemon *daemon = ctx;

	return engine_propose_rule(daemon->engine, instance, proposal);
}

/* Lines that begin with FILE:LINE:COLUMN, so that editors can jump there. */
static void print_errors(const struct logger *logger, const struct config_errors *errors)
{
	char text[CONFIG_ERROR_TEXT_SIZE];

	for (size_t i = 0; i < config_errors_kept(errors); i++)
		dprintf(logger->fd, "%s%s\n", logger->journal ? "<3>" : "",
			config_error_format(&errors->list[i], text));
	if (errors->count > config_errors_kept(errors))
		dprintf(logger->fd, "%s%zu more errors\n", logger->journal ? "<3>" : "",
			errors->count - config_errors_kept(errors));
}

static int load(struct daemon *daemon)
{
	struct config_errors errors;
	int ret;

	config_errors_init(&errors);
	ret = generation_load(daemon->config, &daemon->services, &errors, &daemon->generation);
	if (!ret)
		ret = generation_check_host(daemon->generation, &errors);
	print_errors(daemon->logger, &errors);
	return ret ? SLUICED_EXIT_CONFIG : SLUICED_EXIT_OK;
}

static void log_advice(void *ctx, enum preflight_severity severity, unsigned int line,
		       unsigned int column, const char *text)
{
	const struct daemon *daemon = ctx;

	if (severity == PREFLIGHT_WARNING)
		log_write(daemon->logger, SLUICE_LOG_WARNING, "%s", text);
	else if (line)
		log_write(daemon->logger, SLUICE_LOG_ERROR, "%s:%u:%u: %s", daemon->config, line,
			  column, text);
	else
		log_write(daemon->logger, SLUICE_LOG_ERROR, "%s: %s", daemon->config, text);
}

/* As `sluice check` judges it.  Returns an exit code. */
static int judge_host(struct daemon *daemon)
{
	size_t errors = 0;

	/* Without memory for advice the start is about to fail anyway. */
	if (preflight_run(generation_settings(daemon->generation), true, log_advice, daemon,
			  &errors) != 0)
		log_write(daemon->logger, SLUICE_LOG_WARNING, "no memory to look at the host");
	return errors ? SLUICED_EXIT_CONFIG : SLUICED_EXIT_OK;
}

/* What does not touch the network: locks, sockets, memory. */
static int open_faces(struct daemon *daemon, struct sluice_err *err)
{
	const struct settings *settings = generation_settings(daemon->generation);
	struct server_options server = {
		.path = settings->control.socket,
		.group = settings->control.group,
		.ctx = &daemon->handlers,
		.events = daemon->log,
		.clock = &clock_system,
	};
	const struct metrics_options metrics = {
		.address = settings->control.metrics_address,
		.port = settings->control.metrics_port,
		.render = window_render,
		.ctx = daemon,
	};
	int ret;

	server.handlers = handlers_list(&server.n_handlers);
	ret = lock_take(settings->pin_path, settings->control.socket, &daemon->lock, err);
	if (!ret)
		ret = server_open(&server, &daemon->server, err);
	if (!ret && settings->control.metrics)
		ret = metrics_open(&metrics, &daemon->metrics, err);
	return ret;
}

static int open_backend(struct daemon *daemon, struct sluice_err *err)
{
	const struct settings *settings = generation_settings(daemon->generation);
	const char *ifname =
		settings->offload.interface ? settings->offload.interface : settings->interfaces[0].name;

	int ret;

	if (!settings->offload.enabled)
		return 0;
	ret = plugin_backend_open(generation_backend(daemon->generation),
				  generation_backend_use(daemon->generation), ifname, &daemon->caps,
				  NULL, &daemon->backend, err);
	nic_driver_name(ifname, daemon->nic_driver);
	daemon->caps.emulated |= nic_driver_is_simulation(daemon->nic_driver);
	return ret;
}

static enum dataplane_mode to_dataplane_mode(enum settings_mode mode)
{
	switch (mode) {
	case SETTINGS_MODE_GENERIC:
		return DATAPLANE_MODE_GENERIC;
	case SETTINGS_MODE_HARDWARE:
		return DATAPLANE_MODE_HARDWARE;
	case SETTINGS_MODE_NATIVE:
		break;
	}
	return DATAPLANE_MODE_NATIVE;
}

static enum dataplane_egress to_dataplane_egress(enum settings_egress egress)
{
	switch (egress) {
	case SETTINGS_EGRESS_AUTO:
		return DATAPLANE_EGRESS_AUTO;
	case SETTINGS_EGRESS_TCX:
		return DATAPLANE_EGRESS_TCX;
	case SETTINGS_EGRESS_CLSACT:
		return DATAPLANE_EGRESS_CLSACT;
	case SETTINGS_EGRESS_OFF:
		break;
	}
	return DATAPLANE_EGRESS_OFF;
}

static int open_dataplane(struct daemon *daemon, struct sluice_err *err)
{
	const struct settings *settings = generation_settings(daemon->generation);
	struct dataplane_interface *interfaces =
		calloc(settings->n_interfaces, sizeof(*interfaces));
	struct dataplane_live_options options = {
		.interfaces = interfaces,
		.n_interfaces = settings->n_interfaces,
		.shared = settings->shared,
		.priority = settings->priority,
		.pin_path = settings->pin_path,
		.max_blocked = settings->policy.max_blocked,
		.max_sources = settings->max_sources,
		.max_sources_v6 = settings->max_sources_v6,
		.swap = settings->dual_map ? DATAPLANE_SWAP_DUAL_MAP : DATAPLANE_SWAP_DUAL_PROGRAM,
		.features = generation_features(daemon->generation),
		.max_known = settings->known.max,
		.egress = to_dataplane_egress(settings->known.egress),
		.v6_prefix_len = settings->policy.v6_prefix_len,
		.pass_malformed = settings->pass_malformed,
		.enforce = settings->enforce,
		.on_death_expire_ns = settings->on_death_expire_ns,
	};
	int ret = daemon_deliver_new(settings, &options.deliver);

	if (ret || !interfaces) {
		daemon_deliver_free(&options.deliver);
		free(interfaces);
		return fail_system(err, -ENOMEM, "data plane");
	}
	for (size_t i = 0; i < settings->n_interfaces; i++)
		interfaces[i] = (struct dataplane_interface){
			.name = settings->interfaces[i].name,
			.mode = to_dataplane_mode(settings->interfaces[i].mode),
		};
	ret = dataplane_live_open(&options, &daemon->dataplane, err);
	free(interfaces);
	daemon_deliver_free(&options.deliver);
	if (ret)
		return ret;
	daemon->adopted = daemon->dataplane->adopted;
	if (settings->known.egress != SETTINGS_EGRESS_OFF &&
	    daemon->dataplane->egress == DATAPLANE_EGRESS_OFF)
		log_write(daemon->logger, SLUICE_LOG_WARNING,
			  "hosts that this server speaks to first are not known: %s",
			  daemon->dataplane->egress_err.text);
	return 0;
}

static int start_offload(struct daemon *daemon, struct sluice_err *err)
{
	const struct settings *settings = generation_settings(daemon->generation);
	const struct settings_offload *offload = &settings->offload;
	const struct offload_options options = {
		.ops = generation_backend(daemon->generation)
			       ? plugin_backend_ops(generation_backend(daemon->generation))
			       : NULL,
		.self = daemon->backend ? plugin_instance_self(daemon->backend) : NULL,
		.caps = daemon->caps,
		.name = offload->backend.name,
		.driver = daemon->nic_driver,
		.capacity = offload->capacity,
		.updates_per_second = offload->updates_per_second,
		.max_rate_pps = offload->max_rate_pps,
		.threshold_min = offload->threshold_min,
		.threshold_max = offload->threshold_max,
		.churn = offload->churn,
		.residency_windows = offload->residency_windows,
		.flush_on_exit = offload->flush_on_exit,
		.window_ns = settings->window_ns,
		.clock = &clock_system,
		.events = &daemon->sink,
	};

	return daemon->backend ? offload_new(&options, &daemon->offload, err) : 0;
}

struct engine_options daemon_engine_options(struct daemon *daemon,
					    const struct generation *generation)
{
	struct engine_options options = {
		.settings = generation_settings(generation),
		.dataplane = daemon->dataplane,
		.offload = daemon->offload,
		.known = &daemon->known_interface,
		.clock = &clock_system,
		.events = &daemon->sink,
	};

	options.detectors = generation_detectors(generation, &options.n_detectors);
	return options;
}

static int start_engine(struct daemon *daemon, struct sluice_err *err)
{
	const struct engine_thread_options thread = {
		.step = window_step,
		.next_ns = window_next_ns,
		.ctx = daemon,
		.call_limit_ns = CALL_LIMIT_NS,
	};
	const struct settings *settings = generation_settings(daemon->generation);
	const struct known_clients_options known = {
		.clock = &clock_system,
		.dataplane = daemon->dataplane,
		.told = daemon->told,
		.v6_prefix_len = settings->policy.v6_prefix_len,
		.wait_ns = KNOWN_WAIT_NS,
		.keep_ns = settings->known.keep_ns,
		.max = settings->known.max,
	};
	struct engine_options options;
	int ret;

	ret = start_offload(daemon, err);
	if (!ret)
		ret = known_clients_new(&known, &daemon->known, err);
	if (ret)
		return ret;
	known_clients_interface(daemon->known, &daemon->known_interface);
	options = daemon_engine_options(daemon, daemon->generation);
	ret = engine_new(&options, &daemon->engine, err);
	if (ret)
		return ret;
	window_init(daemon);
	ret = engine_thread_start(&thread, &daemon->thread, err);
	if (!ret && daemon->metrics)
		ret = metrics_start(daemon->metrics, err);
	daemon->handlers = (struct handlers_context){
		.thread = daemon->thread,
		.engine = daemon->engine,
		.dataplane = daemon->dataplane,
		.board = daemon->board,
		.status = { .config = daemon->config, .pid = getpid() },
		.started_ns = clock_monotonic_ns(&clock_system),
		.refresh = window_refresh,
		.refresh_ctx = daemon,
		.reload = daemon_reload,
		.foresee = daemon_foresee,
		.reload_ctx = daemon,
	};
	return ret;
}

static enum handover_poll to_handover_poll(enum settings_poll poll)
{
	if (poll == SETTINGS_POLL_BUSY)
		return HANDOVER_POLL_BUSY;
	return poll == SETTINGS_POLL_SPIN ? HANDOVER_POLL_SPIN : HANDOVER_POLL_WAIT;
}

/* How many.  The schema bounds them. */
static size_t find_slots(const struct daemon *daemon, struct stack_door_interface *list)
{
	const struct settings *settings = generation_settings(daemon->generation);
	size_t n = 0;

	for (size_t i = 0; i < settings->n_interfaces && n < STACK_DOOR_INTERFACES; i++) {
		const struct settings_interface *interface = &settings->interfaces[i];
		int slot = daemon->dataplane->ops->deliver_slot(daemon->dataplane, interface->name);

		if (slot < 0)
			continue;
		list[n] = (struct stack_door_interface){
			.generic = interface->mode == SETTINGS_MODE_GENERIC,
			.slot = (uint32_t)slot,
		};
		memcpy(list[n++].name, interface->name, sizeof(interface->name));
	}
	return n;
}

static int open_door(struct daemon *daemon, struct sluice_err *err)
{
	const struct settings *settings = generation_settings(daemon->generation);
	struct stack_door_interface interfaces[STACK_DOOR_INTERFACES];
	struct stack_door_options options = {
		.path = settings->stack.socket,
		.group = settings->stack.group,
		.interfaces = interfaces,
		.n_interfaces = find_slots(daemon, interfaces),
		.copy = settings->stack.copy,
		.software_sums = settings->stack.software_sums,
		.n_frames = settings->stack.frames,
		.poll = to_handover_poll(settings->stack.poll),
		.map_fd = daemon->dataplane->ops->deliver_sockets(daemon->dataplane),
		.clock = &clock_system,
		.events = &daemon->sink,
	};

	if (!settings->stack.enabled)
		return 0;
	if (told_clients_new(&daemon->told))
		return fail_system(err, -ENOMEM, "clients of the stack");
	options.told = daemon->told;
	return stack_door_open(&options, &daemon->door, err);
}

/* Returns an exit code. */
static int start(struct daemon *daemon, struct sluice_err *err)
{
	int code = load(daemon);

	if (code != SLUICED_EXIT_OK)
		return code;
	if (privileges_check_kernel(NULL, err) != 0 || privileges_check(err) != 0)
		return SLUICED_EXIT_SYSTEM;
	if (open_faces(daemon, err) != 0)
		return SLUICED_EXIT_SYSTEM;
	code = judge_host(daemon);
	if (code != SLUICED_EXIT_OK)
		return code;
	if (open_backend(daemon, err) != 0 || open_dataplane(daemon, err) != 0 ||
	    open_door(daemon, err) != 0 || privileges_drop(daemon->door != NULL, err) != 0)
		return SLUICED_EXIT_SYSTEM;
	return start_engine(daemon, err) == 0 ? SLUICED_EXIT_OK : SLUICED_EXIT_RUNTIME;
}

/* Also on the worker's thread, if its call came back after all. */
static void free_instance(void *ctx)
{
	plugin_instance_free(ctx);
}

static void close_backend(struct daemon *daemon)
{
	/* The offload manager closes what it was given; without one it is ours. */
	if (!daemon->offload && daemon->backend)
		plugin_backend_ops(generation_backend(daemon->generation))
			->close(plugin_instance_self(daemon->backend));
	if (!daemon->offload || offload_stop(daemon->offload, BACKEND_WAIT_NS)) {
		offload_free(daemon->offload);
		plugin_instance_free(daemon->backend);
		return;
	}
	plugin_instance_retire(daemon->backend);
	offload_leave(daemon->offload, free_instance, daemon->backend);
}

static void close_dataplane(struct daemon *daemon, bool started)
{
	const char *pin_path;
	struct sluice_err err;

	if (!daemon->dataplane)
		return;
	pin_path = generation_settings(daemon->generation)->pin_path;
	dataplane_close(daemon->dataplane);
	if (started || daemon->adopted)
		return;
	if (dataplane_live_detach(pin_path, &err) != 0)
		log_write(
			daemon->logger, SLUICE_LOG_ERROR,
			"the filter stays attached after a failed start: %s; remove it by `sluice "
			"detach --pin-path %s`",
			err.text, pin_path);
}

static void stop(struct daemon *daemon, bool started)
{
	engine_thread_stop(daemon->thread);
	metrics_close(daemon->metrics);
	server_close(daemon->server);
	stack_door_close(daemon->door);
	engine_free(daemon->engine);
	known_clients_free(daemon->known);
	told_clients_free(daemon->told);
	close_backend(daemon);
	close_dataplane(daemon, started);
	generation_free(daemon->generation);
	plugin_shelf_free(daemon->services.shelf);
	lock_release(daemon->lock);
	snapshot_board_free(daemon->board);
	event_log_free(daemon->log);
	if (daemon->signal_fd >= 0)
		close(daemon->signal_fd);
	pthread_mutex_destroy(&daemon->log_lock);
}

/* Until SIGTERM or SIGINT.  Returns an exit code. */
static int loop(struct daemon *daemon)
{
	struct pollfd ready[] = {
		{ .fd = daemon->signal_fd, .events = POLLIN },
		{ .fd = server_fd(daemon->server), .events = POLLIN },
	};
	struct signalfd_siginfo signal;
	struct sluice_err err;

	for (;;) {
		if (poll(ready, 2, -1) < 0 && errno != EINTR) {
			log_write(daemon->logger, SLUICE_LOG_ERROR,
				  "cannot wait for signals: %s (%s)", strerror(errno),
				  err_name(-errno));
			return SLUICED_EXIT_RUNTIME;
		}
		if (ready[1].revents)
			server_dispatch(daemon->server);
		if (read(daemon->signal_fd, &signal, sizeof(signal)) != sizeof(signal))
			continue;
		if (signal.ssi_signo != SIGHUP)
			return SLUICED_EXIT_OK;
		/* Its failure has become an event, with a line on the log. */
		if (daemon_reload(daemon, NULL, &err) != 0)
			continue;
	}
}

static void list_interfaces(const struct settings *settings, char *text, size_t size)
{
	size_t used = 0;

	/* At most 16 names of at most 15 characters: they fit. */
	for (size_t i = 0; i < settings->n_interfaces && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "",
					 settings->interfaces[i].name);
}

static void say_started(struct daemon *daemon)
{
	const struct settings *settings = generation_settings(daemon->generation);
	char interfaces[300] = "";
	uint64_t watchdog_us;

	list_interfaces(settings, interfaces, sizeof(interfaces));
	daemon->watchdog = sd_watchdog_enabled(0, &watchdog_us) > 0;
	event_emit(&daemon->sink, EVENT_KIND_STARTED, SLUICE_LOG_NOTICE, NULL, 1, "sluiced",
		   "sluiced %s protects %s%s", SLUICE_VERSION, interfaces,
		   settings->enforce ? "" : "; observe mode: nothing is dropped");
	sd_notifyf(0, "READY=1\nSTATUS=Protecting %s", interfaces);
}

static int prepare(struct daemon *daemon)
{
	sigset_t signals;
	int ret;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0 || signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		return -errno;
	daemon->signal_fd = signalfd(-1, &signals, SFD_NONBLOCK | SFD_CLOEXEC);
	if (daemon->signal_fd < 0)
		return -errno;
	ret = event_log_new(EVENTS_KEPT, &daemon->log);
	if (!ret)
		ret = snapshot_board_new(&daemon->board);
	return ret ? ret : plugin_shelf_new(&daemon->services.shelf);
}

int daemon_run(const char *config, const struct logger *logger)
{
	struct sluice_err err = { .text = "" };
	struct daemon *daemon = calloc(1, sizeof(*daemon));
	int code = SLUICED_EXIT_RUNTIME;
	bool started = false;

	if (!daemon) {
		log_write(logger, SLUICE_LOG_ERROR, "no memory");
		return code;
	}
	daemon->config = config;
	daemon->logger = logger;
	daemon->signal_fd = -1;
	daemon->sink = (struct event_sink){ .emit = take_event, .ctx = daemon };
	daemon->log_limit[0] = (struct log_limit){ .burst = 50, .interval_ns = 10000000000ull };
	daemon->log_limit[1] = (struct log_limit){ .burst = 20, .interval_ns = 10000000000ull };
	daemon->services = (struct generation_services){
		.isolate = true,
		.clock = &clock_system,
		.logger = logger,
		.propose = propose,
		.propose_rule = propose_rule,
		.propose_ctx = daemon,
	};
	pthread_mutex_init(&daemon->log_lock, NULL);
	if (prepare(daemon) != 0) {
		log_write(logger, SLUICE_LOG_ERROR, "cannot set up: %s", strerror(errno));
		goto out;
	}
	code = start(daemon, &err);
	if (code != SLUICED_EXIT_OK) {
		if (err.text[0])
			log_write(logger, SLUICE_LOG_ERROR, "%s", err.text);
		goto out;
	}
	started = true;
	say_started(daemon);
	code = loop(daemon);
	sd_notify(0, "STOPPING=1");
	event_emit(&daemon->sink, EVENT_KIND_STOPPED, SLUICE_LOG_NOTICE, NULL, 1, "sluiced",
		   "sluiced stops; the filter stays attached and goes on dropping");
out:
	stop(daemon, started);
	free(daemon);
	return code;
}

int daemon_check(const char *config, const struct logger *logger)
{
	struct generation_services services = { .clock = &clock_system };
	struct generation *generation = NULL;
	struct config_errors errors;
	int ret;

	if (plugin_shelf_new(&services.shelf) != 0) {
		log_write(logger, SLUICE_LOG_ERROR, "no memory");
		return SLUICED_EXIT_RUNTIME;
	}
	config_errors_init(&errors);
	ret = generation_load(config, &services, &errors, &generation);
	print_errors(logger, &errors);
	generation_free(generation);
	plugin_shelf_free(services.shelf);
	return ret ? SLUICED_EXIT_CONFIG : SLUICED_EXIT_OK;
}
