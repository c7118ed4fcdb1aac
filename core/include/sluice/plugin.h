/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plugin ABI: what a plugin exports, and the services that the host lends it.
 *
 * A plugin is a shared object with one exported symbol, `sluice_plugin`, beside a manifest
 * `<name>.plugin.yaml`.  The manifest is read first; the object is loaded only when the manifest
 * fits, and its descriptor must then say the same as the manifest.  A plugin links to nothing of
 * Sluice: all it may call arrives in `struct sluice_host`.
 *
 * Growth rule: structures grow at the tail only, and each begins with its size.  A reader tests
 * `size` before it touches a member that is younger than ABI 1.0.
 */
#ifndef SLUICE_PLUGIN_H
#define SLUICE_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SLUICE_PLUGIN_MAGIC 0x534c5543u /* "SLUC" */
#define SLUICE_ABI_MAJOR 1
#define SLUICE_ABI_MINOR 6

#define SLUICE_EXPORT __attribute__((visibility("default")))

/* True if the structure behind `ptr`, which begins with its size, is long enough to hold `field`. */
#define SLUICE_HAS(ptr, field) \
	((ptr)->size >= offsetof(__typeof__(*(ptr)), field) + sizeof((ptr)->field))

/* One configured use of a plugin.  Owned by the host; a plugin only hands it back. */
struct sluice_instance;
/* The options of one instance, already valid against the manifest.  Lives as long as the instance. */
struct sluice_config;
struct sluice_proposal;
struct sluice_rule_proposal;

/* Why something failed, for the operator.  Owned by the caller; nothing in it is to be freed. */
struct sluice_err {
	char path[96]; /* The option or object at fault, "options.source_pps"; may be empty. */
	char text
		[256]; /* One clause; no capital, no full stop; ends with the next step if known. */
};

enum sluice_log_level {
	SLUICE_LOG_ERROR = 3, /* The numbers are syslog's. */
	SLUICE_LOG_WARNING = 4,
	SLUICE_LOG_NOTICE = 5,
	SLUICE_LOG_INFO = 6,
	SLUICE_LOG_DEBUG = 7,
};

/*
 * Host services.  Callable only from inside a call into the plugin and on its thread.
 *
 * The option readers copy out the value of an option that the manifest declares, or its default:
 * 0 on success, -ENOENT if the manifest does not declare it, -ENODATA if neither it nor the
 * deployment file gives a value, -EINVAL if it is of another type.
 * Durations are read as nanoseconds, rates as units per second, sizes as bytes (all u64).
 */
struct sluice_host {
	size_t size;
	/* Rate-limited per instance; `fmt` is printf's.  Never log a packet's bytes. */
	void (*log)(struct sluice_instance *instance, enum sluice_log_level level, const char *fmt,
		    ...) __attribute__((format(printf, 3, 4)));
	/* Monotonic time in ns; the virtual clock in a replay. */
	uint64_t (*now_ns)(struct sluice_instance *instance);
	int (*option_u64)(const struct sluice_config *config, const char *name, uint64_t *value);
	int (*option_double)(const struct sluice_config *config, const char *name, double *value);
	int (*option_bool)(const struct sluice_config *config, const char *name, bool *value);
	/* The string lives as long as `config`. */
	int (*option_string)(const struct sluice_config *config, const char *name,
			     const char **value);
	/*
	 * Detectors only, inside observe(): ask that a source be blocked.  The host copies it and
	 * decides; 0 means noted, not blocked.  -EINVAL for a malformed proposal, -ENOSPC when this
	 * window has had as many as it may.
	 */
	int (*propose)(struct sluice_instance *instance, const struct sluice_proposal *proposal);

	/* Since ABI 1.2: test `size`. */

	/*
	 * As propose(), for a rule of the filter: see <sluice/rule.h>.  -EOPNOTSUPP: this host takes
	 * none.  Ask in every window in which the rule is still wanted; several detectors that ask
	 * for the same match share one rule.
	 */
	int (*propose_rule)(struct sluice_instance *instance,
			    const struct sluice_rule_proposal *proposal);

	/* Since ABI 1.3: test `size`. */

	/* An address or a prefix that is already read. */
	int (*option_key)(const struct sluice_config *config, const char *name,
			  struct sluice_key *key);
	/*
	 * Options of the type list: how many items, and item `i` from 0 on as the reader of its
	 * type would give it; -ERANGE: there are fewer.
	 */
	int (*list_count)(const struct sluice_config *config, const char *name, size_t *n);
	int (*list_u64)(const struct sluice_config *config, const char *name, size_t i,
			uint64_t *value);
	int (*list_double)(const struct sluice_config *config, const char *name, size_t i,
			   double *value);
	int (*list_string)(const struct sluice_config *config, const char *name, size_t i,
			   const char **value);
	int (*list_key)(const struct sluice_config *config, const char *name, size_t i,
			struct sluice_key *key);
};

enum sluice_plugin_kind {
	SLUICE_PLUGIN_DETECTOR = 1,
	SLUICE_PLUGIN_BACKEND = 2,
	/* Reserved since ABI 1.3: it has no operations yet, and no host loads it. */
	SLUICE_PLUGIN_FEATURES = 3,
	SLUICE_PLUGIN_STACK = 4, /* Since ABI 1.4; loaded by sluice-stack alone. */
};

/* The exported descriptor.  The first four members never move. */
struct sluice_plugin {
	uint32_t magic; /* SLUICE_PLUGIN_MAGIC */
	uint16_t abi_major, abi_minor;
	size_t size;
	enum sluice_plugin_kind kind;
	const char *name, *version, *license;
	const void *ops; /* The operations of its `kind`. */
};

#ifdef __cplusplus
}
#endif

#endif /* SLUICE_PLUGIN_H */
