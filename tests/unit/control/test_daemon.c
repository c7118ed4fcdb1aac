/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's parts that need no kernel: options, requests to the engine's thread, locks, advice. */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "config/settings.h"
#include "sluiced/engine_thread.h"
#include "sluiced/lock.h"
#include "sluiced/netdev_features.h"
#include "sluiced/options.h"
#include "sluiced/preflight.h"
#include "sluiced/privileges.h"
#include "sluiced/thread_privileges.h"

#define MAX_ARGS 6

Test(options, parses)
{
	static const struct {
		const char *argv[MAX_ARGS];
		int ret;
		enum options_action action;
		const char *config, *says;
	} cases[] = {
		{ { "sluiced" }, 0, OPTIONS_RUN, "/etc/sluice/sluice.yaml", "" },
		{ { "sluiced", "--config", "x" }, 0, OPTIONS_RUN, "x", "" },
		{ { "sluiced", "--config=x", "--check" }, 0, OPTIONS_CHECK, "x", "" },
		{ { "sluiced", "-c", "x", "--log-level", "debug" }, 0, OPTIONS_RUN, "x", "" },
		{ { "sluiced", "--help", "--nonsense" }, 0, OPTIONS_HELP, NULL, "" },
		{ { "sluiced", "-V" }, 0, OPTIONS_VERSION, NULL, "" },
		{ { "sluiced", "--config" }, -EINVAL, 0, NULL, "wants a value" },
		{ { "sluiced", "--conifg", "x" }, -EINVAL, 0, NULL, "did you mean --config" },
		{ { "sluiced", "--zzzzzzzz" }, -EINVAL, 0, NULL, "--help" },
		{ { "sluiced", "x.yaml" }, -EINVAL, 0, NULL, "--config FILE" },
		{ { "sluiced", "--log-level", "loud" }, -EINVAL, 0, NULL, "error, warning" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *argv[MAX_ARGS + 1] = { NULL };
		struct options options;
		struct sluice_err err = { .text = "" };
		int argc = 0, ret;

		for (; argc < MAX_ARGS && cases[i].argv[argc]; argc++)
			argv[argc] = strdup(cases[i].argv[argc]);
		ret = options_parse(argc, argv, &options, &err);
		cr_assert_eq(ret, cases[i].ret, "case %zu: %s", i, err.text);
		cr_assert_not_null(strstr(err.text, cases[i].says), "case %zu: %s", i, err.text);
		if (!ret)
			cr_assert_eq(options.action, cases[i].action, "case %zu", i);
		if (cases[i].config)
			cr_assert_str_eq(options.config, cases[i].config);
		for (int j = 0; j < argc; j++)
			free(argv[j]);
	}
}

Test(privileges, kernel_floor)
{
	static const struct {
		const char *release;
		int ret;
	} cases[] = {
		{ "6.1.0-25-amd64", 0 },   { "6.1", 0 },
		{ "6.18.44-fc", 0 },	   { "7.0.0-rc1", 0 },
		{ "6.0.19", -EOPNOTSUPP }, { "5.15.0", -EOPNOTSUPP },
		{ "weird", -EOPNOTSUPP },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct sluice_err err = { .text = "" };

		cr_assert_eq(privileges_check_kernel(cases[i].release, &err), cases[i].ret, "%s",
			     cases[i].release);
		if (cases[i].ret)
			cr_assert_not_null(strstr(err.text, cases[i].release), "%s", err.text);
	}
	cr_assert_eq(privileges_check_kernel("5.10", NULL), -EOPNOTSUPP);
}

struct waiter {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool stop;
	int no_new_privs;
};

static void *wait_for_stop(void *ctx)
{
	struct waiter *waiter = ctx;

	pthread_mutex_lock(&waiter->lock);
	while (!waiter->stop)
		pthread_cond_wait(&waiter->changed, &waiter->lock);
	pthread_mutex_unlock(&waiter->lock);
	waiter->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0);
	return NULL;
}

static bool threads_follow(void)
{
	struct waiter waiters[3];
	pthread_t threads[3];
	bool ok = true;

	for (int i = 0; i < 3; i++) {
		waiters[i] = (struct waiter){ .lock = PTHREAD_MUTEX_INITIALIZER,
					      .changed = PTHREAD_COND_INITIALIZER };
		ok = ok && pthread_create(&threads[i], NULL, wait_for_stop, &waiters[i]) == 0;
	}
	ok = ok && thread_privileges_follow() == 0;
	for (int i = 0; i < 3; i++) {
		pthread_mutex_lock(&waiters[i].lock);
		waiters[i].stop = true;
		pthread_cond_signal(&waiters[i].changed);
		pthread_mutex_unlock(&waiters[i].lock);
		pthread_join(threads[i], NULL);
		ok = ok && waiters[i].no_new_privs == 1;
	}
	return ok;
}

/*
 * Runs unprivileged too: no_new_privs is one of the things that every thread takes over.  In a
 * child, because threads of the test's framework block all signals.
 */
Test(privileges, all_threads_follow)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(threads_follow() ? 0 : 1);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
}

/* A stand-in for the engine: windows are due when the test says so. */
struct fake_engine {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t next_ns;
	int windows;
	bool hold, held; /* A window that does not end until it is let go. */
};

static void init_fake(struct fake_engine *fake)
{
	*fake = (struct fake_engine){ .lock = PTHREAD_MUTEX_INITIALIZER,
				      .changed = PTHREAD_COND_INITIALIZER,
				      .next_ns = UINT64_MAX / 2 };
}

static void fake_step(void *ctx)
{
	struct fake_engine *fake = ctx;

	pthread_mutex_lock(&fake->lock);
	fake->windows++;
	fake->held = fake->hold;
	pthread_cond_broadcast(&fake->changed);
	while (fake->hold)
		pthread_cond_wait(&fake->changed, &fake->lock);
	fake->held = false;
	if (fake->windows >= 3)
		fake->next_ns = UINT64_MAX / 2;
	pthread_mutex_unlock(&fake->lock);
}

static uint64_t fake_next(void *ctx)
{
	struct fake_engine *fake = ctx;
	uint64_t next;

	pthread_mutex_lock(&fake->lock);
	next = fake->next_ns;
	pthread_mutex_unlock(&fake->lock);
	return next;
}

static struct engine_thread *start_fake(struct fake_engine *fake, uint64_t call_limit_ns)
{
	const struct engine_thread_options options = {
		.step = fake_step, .next_ns = fake_next, .ctx = fake, .call_limit_ns = call_limit_ns
	};
	struct engine_thread *thread = NULL;

	cr_assert_eq(engine_thread_start(&options, &thread, NULL), 0);
	return thread;
}

static int note_thread(void *ctx, struct sluice_err *err)
{
	*(pthread_t *)ctx = pthread_self();
	snprintf(err->text, sizeof(err->text), "was there");
	return -EDOM;
}

Test(engine_thread, runs_requests_on_its_own_thread)
{
	struct fake_engine fake;
	struct engine_thread *thread;
	pthread_t where = pthread_self();
	struct sluice_err err = { .text = "" };

	init_fake(&fake);
	thread = start_fake(&fake, 10000000000ull);
	cr_assert_eq(engine_thread_call(thread, note_thread, &where, &err), -EDOM);
	cr_assert_str_eq(err.text, "was there");
	cr_assert_not(pthread_equal(where, pthread_self()));
	engine_thread_stop(thread);
	cr_assert_eq(fake.windows, 0);
}

Test(engine_thread, runs_windows_that_are_due)
{
	struct fake_engine fake;
	struct engine_thread *thread;

	init_fake(&fake);
	fake.next_ns = 1;
	thread = start_fake(&fake, 10000000000ull);
	pthread_mutex_lock(&fake.lock);
	while (fake.windows < 3)
		pthread_cond_wait(&fake.changed, &fake.lock);
	pthread_mutex_unlock(&fake.lock);
	engine_thread_stop(thread);
	cr_assert_eq(fake.windows, 3);
}

static int must_not_run(void *ctx, struct sluice_err *err)
{
	(void)err;
	*(bool *)ctx = true;
	return 0;
}

Test(engine_thread, a_call_gives_up_when_a_window_takes_too_long)
{
	struct fake_engine fake;
	struct engine_thread *thread;
	struct sluice_err err = { .text = "" };
	bool ran = false;

	init_fake(&fake);
	fake.next_ns = 1;
	fake.hold = true;
	thread = start_fake(&fake, 1000000);
	pthread_mutex_lock(&fake.lock);
	while (!fake.held)
		pthread_cond_wait(&fake.changed, &fake.lock);
	pthread_mutex_unlock(&fake.lock);
	cr_assert_eq(engine_thread_call(thread, must_not_run, &ran, &err), -ETIMEDOUT);
	cr_assert_not_null(strstr(err.text, "nothing was changed"), "%s", err.text);
	pthread_mutex_lock(&fake.lock);
	fake.hold = false;
	pthread_cond_broadcast(&fake.changed);
	pthread_mutex_unlock(&fake.lock);
	engine_thread_stop(thread);
	cr_assert_not(ran, "what was given up must not run later");
}

static void make_paths(char *folder, char *pin, char *socket, size_t size)
{
	strcpy(folder, "/tmp/sluice-test-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(pin, size, "%s/bpf/sluice", folder);
	snprintf(socket, size, "%s/run/control.sock", folder);
}

static void remove_paths(const char *folder)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -rf '%s'", folder);
	cr_assert_eq(system(command), 0);
}

Test(lock, keeps_a_second_daemon_out)
{
	char folder[64], pin[128], socket[128], other[140], pid_text[32];
	struct lock *lock = NULL, *second = NULL;
	struct sluice_err err = { .text = "" };
	int pid;

	make_paths(folder, pin, socket, sizeof(pin));
	cr_assert_not(lock_is_held(pin, &pid));
	cr_assert_eq(lock_take(pin, socket, &lock, &err), 0, "%s", err.text);
	cr_assert(lock_is_held(pin, &pid));
	cr_assert_eq(lock_take(pin, socket, &second, &err), -EBUSY);
	snprintf(pid_text, sizeof(pid_text), "(pid %d)", getpid());
	cr_assert_not_null(strstr(err.text, "another sluiced"), "%s", err.text);
	cr_assert_not_null(strstr(err.text, pid_text), "%s", err.text);
	snprintf(other, sizeof(other), "%s-other", pin);
	cr_assert_eq(lock_take(other, socket, &second, &err), -EBUSY, "the same socket");
	cr_assert_neq(access(other, F_OK), 0, "a refused start leaves no folder");
	cr_assert_null(second);
	lock_release(lock);
	cr_assert_not(lock_is_held(pin, &pid));
	cr_assert_neq(access(pin, F_OK), 0, "an empty folder that it made goes");
	cr_assert_eq(lock_take(pin, socket, &lock, &err), 0, "%s", err.text);
	lock_release(lock);
	remove_paths(folder);
}

Test(lock, leaves_what_is_pinned)
{
	char folder[64], pin[128], socket[128], file[140];
	struct lock *lock = NULL;

	make_paths(folder, pin, socket, sizeof(pin));
	cr_assert_eq(lock_take(pin, socket, &lock, NULL), 0);
	snprintf(file, sizeof(file), "%s/map", pin);
	cr_assert_eq(mkdir(file, 0700), 0);
	lock_release(lock);
	cr_assert_eq(access(file, F_OK), 0);
	remove_paths(folder);
}

Test(lock, ends_with_its_process)
{
	char folder[64], pin[128], socket[128];
	struct lock *lock = NULL;
	struct sluice_err err = { .text = "" };
	int status;
	pid_t child;

	make_paths(folder, pin, socket, sizeof(pin));
	child = fork();
	if (child == 0)
		_exit(lock_take(pin, socket, &lock, NULL) == 0 ? 0 : 1);
	cr_assert_eq(waitpid(child, &status, 0), child);
	cr_assert_eq(status, 0);
	cr_assert_eq(lock_take(pin, socket, &lock, &err), 0, "%s", err.text);
	lock_release(lock);
	remove_paths(folder);
}

Test(lock, says_what_cannot_be_made)
{
	struct lock *lock = NULL;
	struct sluice_err err = { .text = "" };

	cr_assert_lt(lock_take("/dev/null/x", "/tmp/x.sock", &lock, &err), 0);
	cr_assert_not_null(strstr(err.text, "/dev/null/x"), "%s", err.text);
	cr_assert_null(lock);
}

/* Advice: one case for each thing that a host can have against it. */
struct advice {
	char text[2048];
	size_t errors, warnings;
	unsigned int line, column; /* Of the last one. */
};

static void collect(void *ctx, enum preflight_severity severity, unsigned int line,
		    unsigned int column, const char *text)
{
	struct advice *advice = ctx;
	size_t used = strlen(advice->text);

	advice->line = line;
	advice->column = column;

	snprintf(advice->text + used, sizeof(advice->text) - used, "%s\n", text);
	if (severity == PREFLIGHT_ERROR)
		advice->errors++;
	else
		advice->warnings++;
}

#define FINE                                                                              \
	{                                                                                 \
		.name = "eth0", .present = true, .up = true, .mtu = 1500, .rx_queues = 4, \
		.features_known = true, .xdp_basic = true, .xdp_frags = true              \
	}

static const struct preflight_interface fine = FINE;

static struct advice judge(const struct preflight_interface *interface, enum settings_mode mode,
			   const struct preflight_host *host)
{
	struct settings_interface interfaces[] = {
		{ .name = "eth0", .mode = mode, .line = 2, .column = 14 },
	};
	const struct settings settings = { .interfaces = interfaces, .n_interfaces = 1 };
	struct advice advice = { .text = "" };

	cr_assert_eq(preflight_judge(&settings, host, interface, collect, &advice), advice.errors);
	return advice;
}

Test(netdev_features, sums_are_left_to_who_makes_them)
{
	const struct netdev_features able = { true, 0, NETDEV_FEATURES_XSK_TX_CHECKSUM };
	const struct netdev_features other = { true, UINT64_MAX, ~able.xsk };
	const struct netdev_features unknown = { false, 0, 0 };

	cr_expect(netdev_features_sums(&able, "mlx5_core").zero_copy);
	cr_expect_not(netdev_features_sums(&other, "ice").zero_copy);
	cr_expect_not(netdev_features_sums(&unknown, "ice").zero_copy);
	cr_expect(netdev_features_sums(&unknown, "ice").copy);
	cr_expect(netdev_features_sums(&unknown, "").copy);
	cr_expect_not(netdev_features_sums(&able, "virtio_net").copy);
}

Test(preflight, judges_interfaces)
{
	static const struct preflight_host host = { .kernel = "6.1.0" };
	struct {
		struct preflight_interface interface;
		enum settings_mode mode;
		size_t errors, warnings;
		const char *says;
	} cases[] = {
		{ FINE, SETTINGS_MODE_NATIVE, 0, 0, "" },
		{ FINE, SETTINGS_MODE_GENERIC, 0, 1, "mode: generic" },
		{ FINE, SETTINGS_MODE_HARDWARE, 1, 0, "in hardware" },
		{ FINE, SETTINGS_MODE_NATIVE, 0, 1, "down" },
		{ FINE, SETTINGS_MODE_NATIVE, 0, 1, "VLAN" },
		{ FINE, SETTINGS_MODE_NATIVE, 0, 1, "bond" },
		{ FINE, SETTINGS_MODE_NATIVE, 0, 1, "port of a bond" },
		{ FINE, SETTINGS_MODE_NATIVE, 0, 1, "XDP fragments" },
		{ FINE, SETTINGS_MODE_NATIVE, 0, 0, "" },
		{ FINE, SETTINGS_MODE_NATIVE, 0, 1, "does not tell" },
		{ FINE, SETTINGS_MODE_NATIVE, 0, 1, "LRO" },
		{ FINE, SETTINGS_MODE_NATIVE, 0, 1, "single RX queue" },
		{ FINE, SETTINGS_MODE_NATIVE, 1, 0, "no native XDP" },
		{ FINE, SETTINGS_MODE_NATIVE, 0, 0, "" },
	};
	size_t n = 3;

	cases[n++].interface.up = false;
	strcpy(cases[n++].interface.kind, "vlan");
	strcpy(cases[n++].interface.kind, "bond");
	strcpy(cases[n++].interface.master_kind, "bond");
	cases[n].interface.mtu = 9000;
	cases[n++].interface.xdp_frags = false;
	cases[n++].interface.mtu = 9000;
	cases[n].interface.mtu = 9000;
	cases[n++].interface.features_known = false;
	cases[n++].interface.lro = true;
	cases[n++].interface.rx_queues = 1;
	cases[n++].interface.xdp_basic = false;
	cases[n++].interface.rx_queues = 0;
	cr_assert_eq(n, sizeof(cases) / sizeof(cases[0]));
	for (size_t i = 0; i < n; i++) {
		struct advice advice = judge(&cases[i].interface, cases[i].mode, &host);

		cr_assert_eq(advice.errors, cases[i].errors, "case %zu: %s", i, advice.text);
		cr_assert_eq(advice.warnings, cases[i].warnings, "case %zu: %s", i, advice.text);
		cr_assert_not_null(strstr(advice.text, cases[i].says), "case %zu: %s", i,
				   advice.text);
		if (advice.errors + advice.warnings)
			cr_assert(advice.line == 2 && advice.column == 14, "case %zu: at %u:%u", i,
				  advice.line, advice.column);
	}
}

Test(preflight, judges_the_kernel)
{
	const struct preflight_host old = { .kernel = "5.10.0" };
	const struct preflight_host realtime = { .kernel = "6.1.0-rt", .realtime = true };
	struct advice advice = judge(&fine, SETTINGS_MODE_NATIVE, &old);

	cr_assert_eq(advice.errors, 1);
	cr_assert_not_null(strstr(advice.text, "5.10.0"));
	advice = judge(&fine, SETTINGS_MODE_NATIVE, &realtime);
	cr_assert_eq(advice.warnings, 1);
	cr_assert_not_null(strstr(advice.text, "PREEMPT_RT"));
	cr_assert_eq(advice.line, 0, "that is nothing that the file could change");
}

/* The words are the start's. */
Test(preflight, knows_a_kernel_without_dispatchers)
{
	const struct {
		enum preflight_dispatcher found;
		bool shared;
		size_t errors, warnings;
		const char *said;
	} cases[] = {
		{ PREFLIGHT_DISPATCHER_MISSING, true, 1, 0,
		  "interface 'eth0': this kernel loads no program of type EXT, which libxdp's "
		  "dispatcher is made of; use attach: exclusive" },
		{ PREFLIGHT_DISPATCHER_UNTRIED, true, 0, 1, "only root can try" },
		{ PREFLIGHT_DISPATCHER_WORKS, true, 0, 0, "" },
		{ PREFLIGHT_DISPATCHER_NOT_ASKED, true, 0, 0, "" },
		{ PREFLIGHT_DISPATCHER_MISSING, false, 0, 0, "" },
		{ PREFLIGHT_DISPATCHER_UNTRIED, false, 0, 0, "" },
	};
	struct settings_interface interfaces[] = { { .name = "eth0", .line = 2, .column = 14 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct preflight_host host = { .kernel = "6.1.0",
						     .dispatcher = cases[i].found };
		const struct settings settings = { .interfaces = interfaces,
						   .n_interfaces = 1,
						   .shared = cases[i].shared };
		struct advice advice = { .text = "" };

		cr_expect_eq(preflight_judge(&settings, &host, &fine, collect, &advice),
			     cases[i].errors, "case %zu", i);
		cr_expect_eq(advice.warnings, cases[i].warnings, "case %zu", i);
		cr_expect_not_null(strstr(advice.text, cases[i].said), "case %zu: %s", i,
				   advice.text);
		cr_expect_eq(advice.line, cases[i].errors ? 2 : 0, "case %zu", i);
	}
}

Test(preflight, knows_what_keeps_the_start_away)
{
	const struct preflight_host host = { .kernel = "6.1.0" };
	const struct preflight_host away = { .kernel = "6.1.0",
					     .metrics = { .text = "metrics address '192.0.2.1'" } };
	struct preflight_interface taken = fine;
	struct advice advice;

	taken.stranger = 77;
	advice = judge(&taken, SETTINGS_MODE_NATIVE, &host);
	cr_expect_eq(advice.errors, 1);
	cr_expect_not_null(strstr(advice.text, "interface 'eth0': another XDP program (id 77)"));
	cr_expect_not_null(strstr(advice.text, "(-EBUSY)"), "%s", advice.text);
	advice = judge(&fine, SETTINGS_MODE_NATIVE, &away);
	cr_expect_eq(advice.errors, 1);
	cr_expect_not_null(strstr(advice.text, "'192.0.2.1'"));
}

Test(preflight, tries_the_metrics_address)
{
	const struct {
		const char *address;
		bool metrics, here;
	} cases[] = {
		{ "127.0.0.1", true, true },
		{ "0.0.0.0", true, true },
		{ "192.0.2.1", true, false },
		{ "192.0.2.1", false, true },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct settings settings = { .control = { .metrics = cases[i].metrics,
							  .metrics_port = 9815 } };
		struct preflight_host host = { .kernel = "6.1.0" };

		strcpy(settings.control.metrics_address, cases[i].address);
		preflight_gather_metrics(&settings, &host);
		cr_expect_eq(host.metrics.text[0] == '\0', cases[i].here, "case %zu: %s", i,
			     host.metrics.text);
	}
}

Test(preflight, wants_a_bpf_file_system_for_the_pins)
{
	const struct preflight_host foreign = { .kernel = "6.1.0", .pin_foreign = true };
	struct advice advice = judge(&fine, SETTINGS_MODE_NATIVE, &foreign);

	cr_assert_eq(advice.errors, 1);
	cr_assert_not_null(strstr(advice.text, "mount -t bpf"));
}

Test(preflight, warns_of_exempt_entries)
{
	static const struct preflight_host host = { .kernel = "6.1.0" };
	struct settings_allow allow[] = {
		{ .kind = SETTINGS_ALLOW_OWN },
		{ .kind = SETTINGS_ALLOW_GATEWAY, .exempt = true },
		{ .kind = SETTINGS_ALLOW_PREFIX,
		  .exempt = true,
		  .line = 7,
		  .column = 5,
		  .prefix = { .family = SLUICE_FAMILY_IPV4,
			      .prefix_len = 24,
			      .addr = { 192, 0, 2, 0 } } },
	};
	const struct settings settings = { .allow = allow, .n_allow = 3 };
	struct advice advice = { .text = "" };

	cr_assert_eq(preflight_judge(&settings, &host, NULL, collect, &advice), 0);
	cr_assert_eq(advice.warnings, 2);
	cr_assert_not_null(strstr(advice.text, "'gateway'"));
	cr_assert_not_null(strstr(advice.text, "'192.0.2.0/24'"));
	cr_assert(advice.line == 7 && advice.column == 5);
}

Test(preflight, gathers_facts_of_loopback)
{
	struct preflight_interface interface;
	struct preflight_host host;

	preflight_gather_host("/proc/sluice", &host);
	cr_assert_neq(host.kernel[0], '\0');
	cr_assert(host.pin_foreign);
	preflight_gather_interface("lo", &interface);
	cr_assert(interface.present);
	cr_assert_gt(interface.mtu, 0);
	preflight_gather_interface("no-such-if", &interface);
	cr_assert_not(interface.present);
}
