/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Plugins as the daemon uses them: a checked and loaded object (struct plugin), and configured uses
 * of it (struct sluice_instance) with the host services they run on.
 *
 * Order of checks: the folder, then the manifest (trust, form, kind, ABI), and only then the
 * object (trust, dlopen, descriptor against manifest).  An unfit plugin costs the daemon nothing:
 * the call fails, `err->text` is a whole message that names the file, the reason and the next step,
 * and nothing is left behind.
 *
 * One thread at a time may use a plugin and its instances; objects are not unloaded while they
 * have instances.
 */
#ifndef SLUICE_PLUGIN_PLUGIN_H
#define SLUICE_PLUGIN_PLUGIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/backend.h>
#include <sluice/detector.h>
#include <sluice/plugin.h>
#include <sluice/stack.h>

#include "base/patience.h"

struct clock_source;
struct config_errors;
struct config_node;
struct logger;
struct manifest;
struct plugin;
struct plugin_trust;

/* "detector", "backend" or "stack". */
const char *plugin_kind_name(enum sluice_plugin_kind kind);

#define PLUGIN_LIST_MAX 64
/*
 * The names of the manifests in `folder`, sorted; `*n` gets how many.  Looks into none of them.
 * 0, or what keeps the folder from being trusted or read.
 */
int plugin_list(const char *folder, char names[PLUGIN_LIST_MAX][32], size_t *n,
		struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * Reads and checks `<name>.plugin.yaml` in `folder` without touching the object: what `sluice
 * check` needs.  A `kind` of 0 is any.  `trust` may be NULL: as the process stands.  -ENOENT: no such plugin, and the
 * message names the nearest of those that are there.
 */
int plugin_manifest_load(const char *folder, const char *name, enum sluice_plugin_kind kind,
			 const struct plugin_trust *trust, struct manifest **out,
			 struct sluice_err *err) __attribute__((warn_unused_result));

/* Loads `<name>.so` of `folder`.  -ENOENT, -EPERM (not trusted), -EPROTO (another ABI), -EINVAL. */
int plugin_open(const char *folder, const char *name, enum sluice_plugin_kind kind,
		const struct plugin_trust *trust, struct plugin **out, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Free its instances first.  NULL is a no-op. */
void plugin_close(struct plugin *plugin);

/* How the files in a plugin's folder stand to what is loaded. */
enum plugin_standing {
	PLUGIN_CURRENT,
	PLUGIN_REPLACED, /* Other files are there, or none. */
	PLUGIN_OVERWRITTEN, /* The very file that is loaded has another content: no good can come of it. */
};

enum plugin_standing plugin_standing(const struct plugin *plugin);
/* True while it has instances. */
bool plugin_in_use(const struct plugin *plugin);

const char *plugin_name(const struct plugin *plugin);
const char *plugin_version(const struct plugin *plugin);
const struct manifest *plugin_manifest(const struct plugin *plugin);
/*
 * The operations, copied to this host's layout: members that the plugin is too old to have are
 * NULL.  NULL if the plugin is of another kind.
 */
const struct sluice_detector_ops *plugin_detector_ops(const struct plugin *plugin);
const struct sluice_backend_ops *plugin_backend_ops(const struct plugin *plugin);
const struct sluice_stack_ops *plugin_stack_ops(const struct plugin *plugin);

/* Where a detector's well-formed proposals go; the daemon hands them to engine_propose(). */
typedef int (*plugin_propose_fn)(void *ctx, struct sluice_instance *instance,
				 const struct sluice_proposal *proposal);

/* The same for rules: engine_propose_rule(). */
typedef int (*plugin_propose_rule_fn)(void *ctx, struct sluice_instance *instance,
				      const struct sluice_rule_proposal *proposal);

/* What an instance is made from.  The clock and the logger must outlive it. */
struct plugin_use {
	const struct config_node *options; /* A mapping, or NULL: defaults. */
	const char *key;		   /* Its path in the deployment file, for messages. */
	const struct clock_source *clock;
	const struct logger *logger;	     /* NULL: silent */
	plugin_propose_fn propose;	     /* Detectors; NULL: proposals get -EOPNOTSUPP. */
	plugin_propose_rule_fn propose_rule; /* The same. */
	void *propose_ctx;
};

/* How long create() and reconfigure() may take. */
#define PLUGIN_CREATE_LIMIT_NS 5000000000ull
#define PLUGIN_RECONFIGURE_LIMIT_NS 1000000000ull
/* How a call into a plugin is made that may not come back: as patience_run(). */
typedef bool (*plugin_run_fn)(void *ctx, const struct patience *call);

/*
 * Options as the manifest has them; `key` is their path in the deployment file, for messages.  What
 * it does not allow is listed in `errors` (which may be NULL), each with its place in the file;
 * `err` gets the first.  The caller frees `*out` by config_free().
 */
int plugin_config_new(const struct plugin *plugin, const struct config_node *options,
		      const char *key, struct config_errors *errors, struct sluice_config **out,
		      struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * A detector ready to observe; `errors` as in plugin_config_new().  -ETIMEDOUT: create() hangs, and
 * is left behind.
 */
int plugin_detector_new(struct plugin *plugin, const struct plugin_use *use,
			struct config_errors *errors, struct sluice_instance **out,
			struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * Offers new options to a running detector.  1: in force, what it learned is kept; 0: the caller
 * makes a new instance instead; negative: refused, the old options stay in force.  -ETIMEDOUT: it
 * hangs, and can only be freed.  `run` makes the call; NULL: on a thread for it alone.
 */
int plugin_detector_reconfigure(struct sluice_instance *instance, const struct plugin_use *use,
				plugin_run_fn run, void *run_ctx, struct sluice_err *err)
	__attribute__((warn_unused_result));

/*
 * A back end, open on the device that carries `ifname`.  Whoever takes it over calls
 * ops->close(plugin_instance_self()), as offload_free() does; after that the instance is freed.
 */
int plugin_backend_open(struct plugin *plugin, const struct plugin_use *use, const char *ifname,
			struct sluice_backend_caps *caps, struct config_errors *errors,
			struct sluice_instance **out, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* A stack on one queue; plugin_instance_free() closes it.  `ops` and `io` must outlive it. */
int plugin_stack_open(struct plugin *plugin, const struct plugin_use *use,
		      const struct sluice_io_ops *ops, struct sluice_io *io,
		      struct config_errors *errors, struct sluice_instance **out,
		      struct sluice_err *err) __attribute__((warn_unused_result));
/* What the stack's host has to wait for beside frames; -1: nothing. */
int plugin_stack_wake_fd(const struct sluice_instance *instance);

/*
 * A call into the plugin does not come back.  Its object stays loaded to the end of the process,
 * plugin_close() notwithstanding, and the host's services do nothing for the instance any more.  It
 * may still be freed should the call come back after all.
 */
void plugin_instance_retire(struct sluice_instance *instance);
/* The half of it that concerns the object. */
void plugin_pin(struct plugin *plugin);
/*
 * How many instances may be lost in calls before plugin_detector_new() refuses another (-EBUSY): each
 * keeps a thread, and one that spins keeps a CPU.
 */
#define PLUGIN_LOST_MAX 4
/* Instances count themselves in and out, on whatever thread. */
void plugin_hold(struct plugin *plugin);
void plugin_let_go(struct plugin *plugin);
/* The same for those that are lost in a call. */
void plugin_lose(struct plugin *plugin);
void plugin_find(struct plugin *plugin);
size_t plugin_n_lost(const struct plugin *plugin);

/* Only a detector's destroy(): what is left, and all of another kind, is plugin_instance_free()'s. */
void plugin_detector_end(struct sluice_instance *instance);
/*
 * Destroys a detector, closes a stack; only lets go of a back end.  NULL is a no-op.  One that hangs
 * in create() or reconfigure() goes when the call comes back.
 */
void plugin_instance_free(struct sluice_instance *instance);

/* The plugin's own `self`, first argument of its operations. */
void *plugin_instance_self(const struct sluice_instance *instance);
struct plugin *plugin_instance_plugin(const struct sluice_instance *instance);
const struct sluice_config *plugin_instance_config(const struct sluice_instance *instance);

/*
 * What the host does with a proposal first: checks it and copies it to its own layout.  -EINVAL if
 * it is malformed.
 */
int plugin_proposal_copy(const struct sluice_proposal *proposal, struct sluice_proposal *copy)
	__attribute__((warn_unused_result));
int plugin_rule_proposal_copy(const struct sluice_rule_proposal *proposal,
			      struct sluice_rule_proposal *copy, struct sluice_rule_match *match)
	__attribute__((warn_unused_result));

#endif /* SLUICE_PLUGIN_PLUGIN_H */
