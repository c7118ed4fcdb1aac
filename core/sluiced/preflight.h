/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What in this host speaks against a deployment: judged from facts that were gathered apart, so
 * that every warning has a test.
 */
#ifndef SLUICE_SLUICED_PREFLIGHT_H
#define SLUICE_SLUICED_PREFLIGHT_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

struct settings;

enum preflight_severity {
	PREFLIGHT_ERROR,   /* The daemon would not start. */
	PREFLIGHT_WARNING, /* It would, and not do what one might expect. */
};

/* What the kernel says of an interface; `present` false: there is none of that name. */
struct preflight_interface {
	char name[IFNAMSIZ];
	bool present, up;
	char kind[16];		     /* "veth", "vlan", "bond", ...; empty for hardware. */
	char master_kind[16];	     /* Of the device it belongs to; empty if none. */
	unsigned int mtu, rx_queues; /* 0: unknown */
	bool lro;
	bool features_known; /* The kernel (6.3 and newer) tells the next three. */
	bool xdp_basic, xdp_frags, xdp_hardware;
	uint32_t stranger; /* Somebody else's XDP program, by number; 0: none that is known. */
};

enum preflight_dispatcher {
	PREFLIGHT_DISPATCHER_NOT_ASKED,
	PREFLIGHT_DISPATCHER_WORKS,
	PREFLIGHT_DISPATCHER_MISSING,
	PREFLIGHT_DISPATCHER_UNTRIED, /* Not allowed to. */
};

struct preflight_host {
	char kernel[66];
	bool realtime;	  /* PREEMPT_RT */
	bool pin_foreign; /* `pin_path` lies in another file system than a bpffs. */
	enum preflight_dispatcher dispatcher;
	struct sluice_err metrics; /* Why nobody can listen at that address; no text: one can. */
};

/* `line` and `column` of the entry in the file that it is about; 0: of none. */
typedef void (*preflight_report_fn)(void *ctx, enum preflight_severity severity, unsigned int line,
				    unsigned int column, const char *text);

/* Reports what an operator should know.  Returns how many errors there were. */
size_t preflight_judge(const struct settings *settings, const struct preflight_host *host,
		       const struct preflight_interface *interfaces, preflight_report_fn report,
		       void *ctx);

/* Asks the running system.  Needs no privileges. */
void preflight_gather_host(const char *pin_path, struct preflight_host *host);
void preflight_gather_metrics(const struct settings *settings, struct preflight_host *host);
/* Tries it, for which programs are loaded. */
enum preflight_dispatcher preflight_try_dispatcher(void);
void preflight_gather_interface(const char *name, struct preflight_interface *interface);

/*
 * All of the above for all interfaces of `settings`; `is_start`: what the start itself is about to try is
 * not tried.  -ENOMEM, or 0 and the count of errors.
 */
int preflight_run(const struct settings *settings, bool is_start, preflight_report_fn report,
		  void *ctx, size_t *errors) __attribute__((warn_unused_result));

#endif /* SLUICE_SLUICED_PREFLIGHT_H */
