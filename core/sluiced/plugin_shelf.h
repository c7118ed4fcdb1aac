/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plugins that this process has loaded, each once.  A reload makes new instances of the same
 * object, unless a newer build of a detector has taken the place of its files: that is loaded beside
 * it, and the old one goes when its last instance has.  Nothing is unloaded or exchanged under a
 * running instance.  A newer build of a back end takes effect with a restart, as do its options.
 */
#ifndef SLUICE_SLUICED_PLUGIN_SHELF_H
#define SLUICE_SLUICED_PLUGIN_SHELF_H

#include <sluice/plugin.h>

struct plugin;
struct plugin_shelf;

int plugin_shelf_new(struct plugin_shelf **out) __attribute__((warn_unused_result));
/* Free all instances first.  NULL is a no-op. */
void plugin_shelf_free(struct plugin_shelf *shelf);

/* As plugin_open(); the plugin belongs to the shelf.  One thread at a time. */
int plugin_shelf_get(struct plugin_shelf *shelf, const char *folder, const char *name,
		     enum sluice_plugin_kind kind, struct plugin **out, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_SLUICED_PLUGIN_SHELF_H */
