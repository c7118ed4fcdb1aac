/* SPDX-License-Identifier: BSD-2-Clause */
/* See memory.h. */
#include "memory.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* More maps than all programs of Sluice have together. */
#define MAX_MAPS 512

struct maps {
	uint32_t ids[MAX_MAPS];
	size_t n;
	uint64_t bytes;
};

/* The number behind `name` in a file of lines "name: number"; false if there is none. */
static bool read_field(const char *path, const char *name, uint64_t *value)
{
	FILE *file = fopen(path, "re");
	size_t length = strlen(name);
	char line[256];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strncmp(line, name, length) == 0 &&
			sscanf(line + length, "%" SCNu64, value) == 1;
	if (file)
		fclose(file);
	return found;
}

static int add_map(struct maps *maps, uint32_t id, uint64_t bytes)
{
	for (size_t i = 0; i < maps->n; i++) {
		if (maps->ids[i] == id)
			return 0;
	}
	if (maps->n == MAX_MAPS)
		return -ENOSPC;
	maps->ids[maps->n++] = id;
	maps->bytes += bytes;
	return 0;
}

static int read_maps(struct maps *maps)
{
	DIR *folder = opendir("/proc/self/fdinfo");
	const struct dirent *entry;
	int code = folder ? 0 : -errno;

	while (!code && (entry = readdir(folder))) {
		uint64_t id, bytes;
		char path[300];

		snprintf(path, sizeof(path), "/proc/self/fdinfo/%s", entry->d_name);
		if (read_field(path, "map_id:", &id) && read_field(path, "memlock:", &bytes))
			code = add_map(maps, (uint32_t)id, bytes);
	}
	if (folder)
		closedir(folder);
	return code;
}

int memory_read(struct memory_use *use)
{
	struct maps maps = { .n = 0 };
	uint64_t kib;
	int code = read_maps(&maps);

	if (code)
		return code;
	/* What was freed is not in use. */
	malloc_trim(0);
	if (!read_field("/proc/self/status", "RssAnon:", &kib))
		return -ENODATA;
	*use = (struct memory_use){ .map_bytes = maps.bytes, .process_bytes = kib * 1024 };
	return 0;
}
