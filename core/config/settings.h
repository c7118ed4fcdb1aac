/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A deployment file as the daemon uses it: checked, defaults filled in, typed and immutable.
 * schemas/config.schema.yaml is the authority on keys, types, ranges and defaults.
 */
#ifndef SLUICE_CONFIG_SETTINGS_H
#define SLUICE_CONFIG_SETTINGS_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

#include "settings_rule.h"

struct config_errors;
struct config_node;
struct value_diff;

/* In libxdp's dispatcher, unless the file says another; what libxdp gives everybody. */
#define SETTINGS_DEFAULT_PRIORITY 50

enum settings_mode {
	SETTINGS_MODE_NATIVE,
	SETTINGS_MODE_GENERIC,
	SETTINGS_MODE_HARDWARE,
};

struct settings_interface {
	char name[IFNAMSIZ];
	enum settings_mode mode;
	unsigned int line, column; /* Where the file names it, for messages. */
};

enum settings_allow_kind {
	SETTINGS_ALLOW_OWN,	 /* All addresses of this network namespace. */
	SETTINGS_ALLOW_GATEWAY,	 /* The default gateways. */
	SETTINGS_ALLOW_RESOLVER, /* The name servers of /etc/resolv.conf. */
	SETTINGS_ALLOW_PREFIX,
};

struct settings_allow {
	enum settings_allow_kind kind;
	struct sluice_key prefix; /* SETTINGS_ALLOW_PREFIX only. */
	bool exempt;		  /* `exempt: all`: skips rules and limits too. */
	unsigned int line, column;
};

/* One use of a plugin: a detector or the back end. */
struct settings_plugin {
	const char *name;
	bool enforce;			   /* false: its proposals are reported, not enforced. */
	double weight;			   /* Of its vote, with policy.combine: weighted. */
	uint64_t budget_ns;		   /* Of a detector's call; 0 = a quarter of the window. */
	const struct config_node *options; /* A mapping, or NULL: defaults.  Owned by settings. */
	unsigned int line, column;	   /* 0: a default. */
};

/* How many detectors a proposal needs behind it. */
enum settings_combine {
	SETTINGS_COMBINE_ANY,
	SETTINGS_COMBINE_ALL,
	SETTINGS_COMBINE_WEIGHTED,
};

/* What is enforced against a flood of forged senders. */
enum settings_spoofed {
	SETTINGS_SPOOFED_RULES,
	SETTINGS_SPOOFED_SOURCES,
	SETTINGS_SPOOFED_BOTH,
};

struct settings_policy {
	enum settings_combine combine;
	double votes;		     /* The weight that a proposal needs, if weighted. */
	uint32_t max_blocked;	     /* Automatic and manual, both families together. */
	uint32_t max_new_per_window; /* Automatic. */
	double min_pass;	     /* Share of the learned peace level, 0 = off. */
	bool min_pass_withdraw;	     /* Withdraw the newest automatic blocks, or only say so. */
	uint64_t ttl_ns;	     /* Of a first automatic block. */
	double backoff;		     /* A repeater's TTL grows by this factor each time. */
	uint8_t v6_prefix_len;
	uint32_t max_rules_auto, max_new_rules_per_window;
	uint64_t rule_quiet_ns; /* An automatic rule leaves when it has been quiet so long. */
	enum settings_spoofed spoofed;
	bool protect_known; /* Never block a known client automatically. */
};

/* Bounds of what is measured beside sources, if a detector needs it. */
struct settings_features {
	uint32_t flows, destinations; /* Tracked per window and family. */
	uint32_t samples_per_second;
};

enum settings_egress {
	SETTINGS_EGRESS_OFF,
	SETTINGS_EGRESS_AUTO,
	SETTINGS_EGRESS_TCX,
	SETTINGS_EGRESS_CLSACT,
};

/* Who counts as known, beside those with a connection right now. */
struct settings_known {
	enum settings_egress egress; /* How first words of this server are seen. */
	uint32_t max;
	uint64_t keep_ns;
};

struct settings_rate_monitor {
	bool quiet_learned; /* true: the highest rate of one source in peace, else quiet_pps. */
	uint64_t quiet_pps;
	uint32_t windows; /* A source must stay under it this many windows. */
};

/* Where the daemon runs, and whether a card's table is used. */
enum settings_placement {
	SETTINGS_PLACEMENT_HOST,
	SETTINGS_PLACEMENT_HYBRID,
	SETTINGS_PLACEMENT_SMARTNIC,
};

/* "host" etc. */
const char *settings_placement_name(enum settings_placement placement);

struct settings_offload {
	bool enabled;
	struct settings_plugin backend;
	const char *interface;		     /* Whose card; NULL: the first of `interfaces`. */
	uint32_t capacity;		     /* 0 = auto: what the back end says. */
	uint32_t updates_per_second;	     /* 0 = auto: from the back end's update cost. */
	uint64_t max_rate_pps;		     /* 0 = auto: the highest total seen, decaying. */
	double threshold_min, threshold_max; /* Bounds of the swap threshold. */
	double churn;		    /* Swaps a second at full volume, as a share of the table. */
	uint32_t residency_windows; /* An offloaded entry stays at least this long. */
	bool flush_on_exit;	    /* SIGTERM leaves the table empty. */
};

struct settings_port_range {
	uint16_t from, to; /* Both included. */
};

/* What goes to AF_XDP sockets. */
struct settings_deliver {
	uint8_t protocol; /* IPPROTO_TCP or IPPROTO_UDP. */
	struct settings_port_range *ports;
	size_t n_ports;
	struct sluice_key *destinations; /* None: all. */
	size_t n_destinations;
};

enum settings_poll {
	SETTINGS_POLL_WAIT,
	SETTINGS_POLL_BUSY, /* The kernel looks at the card in the thread's time. */
	SETTINGS_POLL_SPIN,
};

#define SETTINGS_STACK_INTERFACES 16 /* As the schema has it. */

struct settings_stack_interface {
	char name[IFNAMSIZ];		   /* One of `interfaces`. */
	const struct config_node *options; /* The plugin's there; a mapping, or NULL: defaults. */
};

struct settings_stack {
	bool enabled;
	struct settings_plugin plugin; /* Its options are those that all interfaces share. */
	struct settings_stack_interface interfaces[SETTINGS_STACK_INTERFACES];
	size_t n_interfaces;
	const char *socket;
	const char *group; /* That may use the socket; NULL: root only. */
	unsigned int group_line, group_column;
	uint32_t frames; /* A power of two. */
	bool copy;	 /* Never zero copy. */
	bool software_sums;
	enum settings_poll poll;
};

struct settings_control {
	const char *socket; /* Path of the Unix socket. */
	const char *group;  /* Group that may use it; NULL: root only. */
	unsigned int group_line, group_column;
	bool metrics;		  /* false: no HTTP listener. */
	char metrics_address[64]; /* Numeric. */
	uint16_t metrics_port;	  /* Host byte order. */
};

struct settings {
	struct settings_interface *interfaces;
	size_t n_interfaces;
	bool shared;	   /* Through libxdp's dispatcher, */
	uint32_t priority; /* where programs with a lower one run first. */
	uint64_t window_ns;
	bool enforce;
	struct settings_allow *allow;
	size_t n_allow;
	struct settings_rule *rules; /* In the order in which they are tried. */
	size_t n_rules;
	struct settings_plugin *detectors;
	size_t n_detectors;
	bool pass_malformed;
	uint32_t max_sources;	 /* IPv4 sources that are tracked per window. */
	uint32_t max_sources_v6; /* 0 = by max_sources */
	bool dual_map;		 /* The sides swap by map, not by program. */
	struct settings_features features;
	uint64_t on_death_expire_ns; /* 0 = keep */
	const char *pin_path;
	const char *plugin_path;			   /* Folder with the plugins. */
	unsigned int plugin_path_line, plugin_path_column; /* 0: the file does not name it. */
	struct settings_policy policy;
	struct settings_known known;
	struct settings_rate_monitor rate_monitor;
	enum settings_placement placement;
	struct settings_offload offload;
	struct settings_deliver *deliver;
	size_t n_deliver;
	struct settings_stack stack;
	struct settings_control control;
};

/*
 * Reads and checks a deployment file.  All that is wrong with it is added to `errors`; nothing is
 * given back unless nothing is.  0, -EINVAL, -ENOMEM, or what open() and read() say.
 */
int settings_load(const char *path, struct config_errors *errors, struct settings **out)
	__attribute__((warn_unused_result));
/* The same from memory; `file` is what messages call it. */
int settings_parse(const char *file, const char *text, size_t size, struct config_errors *errors,
		   struct settings **out) __attribute__((warn_unused_result));
void settings_free(struct settings *settings);

/*
 * Appends what differs, by key path, but for the options of plugins, which config_diff() compares.
 * 0 or -ENOMEM.
 */
int settings_diff(const struct settings *before, const struct settings *after,
		  struct value_diff *diff) __attribute__((warn_unused_result));

/* Where plugins are if `plugin_path` does not say. */
void settings_plugin_path(char *path, size_t size);

#endif /* SLUICE_CONFIG_SETTINGS_H */
