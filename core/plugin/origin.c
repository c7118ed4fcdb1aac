/* SPDX-License-Identifier: BSD-2-Clause */
/* See origin.h. */
#include "origin.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static void note(const char *folder, const char *name, const char *suffix, struct origin_file *file)
{
	char path[PATH_MAX];
	struct stat st;

	memset(file, 0, sizeof(*file));
	if (snprintf(path, sizeof(path), "%s/%s%s", folder, name, suffix) >= (int)sizeof(path) ||
	    stat(path, &st) != 0)
		return;
	file->device = st.st_dev;
	file->inode = st.st_ino;
	file->size = st.st_size;
	file->changed = st.st_mtim;
}

void origin_note(const char *folder, const char *name, struct plugin_origin *origin)
{
	note(folder, name, ".plugin.yaml", &origin->manifest);
	note(folder, name, ".so", &origin->object);
}

static bool same_inode(const struct origin_file *a, const struct origin_file *b)
{
	return a->device == b->device && a->inode == b->inode;
}

static bool same_content(const struct origin_file *a, const struct origin_file *b)
{
	return a->size == b->size && a->changed.tv_sec == b->changed.tv_sec &&
	       a->changed.tv_nsec == b->changed.tv_nsec;
}

enum plugin_standing origin_compare(const struct plugin_origin *then,
				    const struct plugin_origin *now)
{
	if (!same_inode(&then->object, &now->object))
		return PLUGIN_REPLACED;
	if (!same_content(&then->object, &now->object))
		return PLUGIN_OVERWRITTEN;
	return same_inode(&then->manifest, &now->manifest) &&
			       same_content(&then->manifest, &now->manifest)
		       ? PLUGIN_CURRENT
		       : PLUGIN_REPLACED;
}
