/* SPDX-License-Identifier: BSD-2-Clause */
/* The judgement on facts.  See preflight.h. */
#include "preflight.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "config/settings.h"
#include "dataplane/dataplane.h"

#include "privileges.h"

/*
 * The largest MTU whose frame fits into one 4-KiB page beside XDP's headroom (256) and the space
 * that the kernel keeps behind it (320), with Ethernet and two VLAN tags (22).
 */
#define SINGLE_PAGE_MTU 3498u

struct reporter {
	preflight_report_fn fn;
	void *ctx;
	unsigned int line, column; /* Of what is judged now. */
	size_t errors;
};

static void report(struct reporter *reporter, enum preflight_severity severity, const char *fmt,
		   ...) __attribute__((format(printf, 3, 4)));

static void report(struct reporter *reporter, enum preflight_severity severity, const char *fmt,
		   ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (severity == PREFLIGHT_ERROR)
		reporter->errors++;
	reporter->fn(reporter->ctx, severity, reporter->line, reporter->column, text);
}

static void judge_host(struct reporter *reporter, const struct settings *settings,
		       const struct preflight_host *host)
{
	struct sluice_err why;

	if (privileges_check_kernel(host->kernel, &why) != 0)
		report(reporter, PREFLIGHT_ERROR, "%s", why.text);
	if (host->realtime)
		report(reporter, PREFLIGHT_WARNING,
		       "kernel %s is PREEMPT_RT: packet work can be preempted there, and the swap "
		       "once per window takes longer; watch sluice_window_stage_seconds",
		       host->kernel);
	if (host->pin_foreign)
		report(reporter, PREFLIGHT_ERROR,
		       "pin_path '%s' is not in a BPF file system; mount one: `mount -t bpf bpf "
		       "/sys/fs/bpf`, or choose a folder in one",
		       settings->pin_path);
	if (host->metrics.text[0])
		report(reporter, PREFLIGHT_ERROR, "%s", host->metrics.text);
	if (settings->shared && host->dispatcher == PREFLIGHT_DISPATCHER_UNTRIED)
		report(reporter, PREFLIGHT_WARNING,
		       "attach: dispatcher: only root can try whether this kernel has what it takes; "
		       "check as root, too");
}

static void judge_mtu(struct reporter *reporter, const struct preflight_interface *interface,
		      enum settings_mode mode)
{
	if (mode == SETTINGS_MODE_GENERIC || interface->mtu <= 1500)
		return;
	if (interface->features_known && !interface->xdp_frags)
		report(reporter, PREFLIGHT_WARNING,
		       "interface '%s': MTU %u, and its driver has no XDP fragments: frames larger "
		       "than one page may be refused or the attach may fail; set the MTU to 1500 "
		       "or use mode: generic",
		       interface->name, interface->mtu);
	else if (!interface->features_known && interface->mtu > SINGLE_PAGE_MTU)
		report(reporter, PREFLIGHT_WARNING,
		       "interface '%s': MTU %u does not fit one page, and this kernel does not tell "
		       "whether the driver has XDP fragments; if attaching fails, set the MTU to "
		       "%u or less",
		       interface->name, interface->mtu, SINGLE_PAGE_MTU);
}

static void judge_kind(struct reporter *reporter, const struct preflight_interface *interface)
{
	if (strcmp(interface->kind, "vlan") == 0)
		report(reporter, PREFLIGHT_WARNING,
		       "interface '%s' is a VLAN: XDP on it runs after the packet became a socket "
		       "buffer, at a fraction of the speed; protect the device under it instead, "
		       "the filter looks into VLAN tags",
		       interface->name);
	else if (strcmp(interface->kind, "bond") == 0 || strcmp(interface->kind, "team") == 0)
		report(reporter, PREFLIGHT_WARNING,
		       "interface '%s' is a %s: XDP there depends on the mode and on every port's "
		       "driver; check `sluice status` after a port has joined or left",
		       interface->name, interface->kind);
	else if (strcmp(interface->master_kind, "bond") == 0 ||
		 strcmp(interface->master_kind, "team") == 0)
		report(reporter, PREFLIGHT_WARNING,
		       "interface '%s' is a port of a %s: traffic that comes by its other ports is "
		       "not filtered; name the %s itself",
		       interface->name, interface->master_kind, interface->master_kind);
}

static void judge_mode(struct reporter *reporter, const struct preflight_interface *interface,
		       enum settings_mode mode)
{
	if (mode == SETTINGS_MODE_GENERIC)
		report(reporter, PREFLIGHT_WARNING,
		       "interface '%s': mode: generic runs after the packet became a socket buffer, "
		       "at a fraction of the speed; use it for trying things out",
		       interface->name);
	else if (mode == SETTINGS_MODE_NATIVE && interface->features_known && !interface->xdp_basic)
		report(reporter, PREFLIGHT_ERROR,
		       "interface '%s': its driver has no native XDP; use mode: generic",
		       interface->name);
	else if (mode == SETTINGS_MODE_HARDWARE && interface->features_known &&
		 !interface->xdp_hardware)
		report(reporter, PREFLIGHT_ERROR,
		       "interface '%s': its driver cannot run XDP in hardware; use mode: native",
		       interface->name);
}

/* As the start would say it. */
static void judge_attach(struct reporter *reporter, const struct settings *settings,
			 const struct preflight_host *host,
			 const struct preflight_interface *interface)
{
	if (settings->shared && host->dispatcher == PREFLIGHT_DISPATCHER_MISSING)
		report(reporter, PREFLIGHT_ERROR, "interface '%s': " DATAPLANE_NO_DISPATCHER,
		       interface->name);
	if (!settings->shared && interface->stranger)
		report(reporter, PREFLIGHT_ERROR, DATAPLANE_STRANGER, interface->name,
		       interface->stranger, err_name(-EBUSY));
}

static void judge_interface(struct reporter *reporter, const struct preflight_interface *interface,
			    enum settings_mode mode)
{
	/* That one is missing, generation_check_host() says with its line. */
	if (!interface->present)
		return;
	if (!interface->up)
		report(reporter, PREFLIGHT_WARNING, "interface '%s' is down", interface->name);
	judge_kind(reporter, interface);
	judge_mode(reporter, interface, mode);
	judge_mtu(reporter, interface, mode);
	if (interface->lro && mode != SETTINGS_MODE_GENERIC)
		report(reporter, PREFLIGHT_WARNING,
		       "interface '%s': LRO is on, and most drivers refuse XDP with it; `ethtool -K "
		       "%s lro off`",
		       interface->name, interface->name);
	if (interface->rx_queues == 1)
		report(reporter, PREFLIGHT_WARNING,
		       "interface '%s' has a single RX queue: one CPU does all the dropping; more "
		       "queues, if the device has them: `ethtool -L %s combined N`",
		       interface->name, interface->name);
}

static void judge_allow(struct reporter *reporter, const struct settings *settings)
{
	char text[ADDRESS_TEXT_SIZE];

	for (size_t i = 0; i < settings->n_allow; i++) {
		const struct settings_allow *allow = &settings->allow[i];
		static const char *const names[] = { "own", "gateway", "resolver" };

		if (!allow->exempt)
			continue;
		reporter->line = allow->line;
		reporter->column = allow->column;
		report(reporter, PREFLIGHT_WARNING,
		       "allow '%s' is exempt from everything: whoever forges such a sender passes "
		       "unmeasured; leave `exempt: all` out unless you must have it",
		       allow->kind == SETTINGS_ALLOW_PREFIX ? address_format(&allow->prefix, text)
							    : names[allow->kind]);
	}
}

size_t preflight_judge(const struct settings *settings, const struct preflight_host *host,
		       const struct preflight_interface *interfaces, preflight_report_fn fn,
		       void *ctx)
{
	struct reporter reporter = { .fn = fn, .ctx = ctx };

	judge_host(&reporter, settings, host);
	for (size_t i = 0; i < settings->n_interfaces; i++) {
		reporter.line = settings->interfaces[i].line;
		reporter.column = settings->interfaces[i].column;
		judge_interface(&reporter, &interfaces[i], settings->interfaces[i].mode);
		judge_attach(&reporter, settings, host, &interfaces[i]);
	}
	judge_allow(&reporter, settings);
	return reporter.errors;
}

int preflight_run(const struct settings *settings, bool is_start, preflight_report_fn fn, void *ctx,
		  size_t *errors)
{
	struct preflight_interface *interfaces =
		calloc(settings->n_interfaces ? settings->n_interfaces : 1, sizeof(*interfaces));
	struct preflight_host host;

	if (!interfaces)
		return -ENOMEM;
	preflight_gather_host(settings->pin_path, &host);
	if (!is_start)
		preflight_gather_metrics(settings, &host);
	if (settings->shared && !is_start)
		host.dispatcher = preflight_try_dispatcher();
	for (size_t i = 0; i < settings->n_interfaces; i++) {
		preflight_gather_interface(settings->interfaces[i].name, &interfaces[i]);
		if (!settings->shared && !is_start)
			interfaces[i].stranger = dataplane_stranger(settings->pin_path,
								    settings->interfaces[i].name);
	}
	*errors = preflight_judge(settings, &host, interfaces, fn, ctx);
	free(interfaces);
	return 0;
}
