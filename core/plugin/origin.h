/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two files that a plugin comes from, as they stood at one moment: so that a newer build is told
 * from the one that is loaded.
 */
#ifndef SLUICE_PLUGIN_ORIGIN_H
#define SLUICE_PLUGIN_ORIGIN_H

#include <sys/types.h>
#include <time.h>

#include "plugin.h"

/* All zero: there is no such file. */
struct origin_file {
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
};

struct plugin_origin {
	struct origin_file manifest, object;
};

void origin_note(const char *folder, const char *name, struct plugin_origin *origin);
enum plugin_standing origin_compare(const struct plugin_origin *then,
				    const struct plugin_origin *now);

#endif /* SLUICE_PLUGIN_ORIGIN_H */
