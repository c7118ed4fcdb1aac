/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lists manifests in a folder; see available.h.
 */
#include "available.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/nearest.h"

#define SUFFIX ".plugin.yaml"
#define MAX_NAMES 64
#define NAME_SIZE 32

struct names {
	char name[MAX_NAMES][NAME_SIZE];
	const char *sorted[MAX_NAMES];
	size_t n;
};

static void add_name(struct names *names, const char *file)
{
	size_t len = strlen(file), suffix_len = strlen(SUFFIX);

	if (len <= suffix_len || strcmp(file + len - suffix_len, SUFFIX) != 0)
		return;
	len -= suffix_len;
	if (len >= NAME_SIZE || names->n == MAX_NAMES)
		return;
	memcpy(names->name[names->n], file, len);
	names->name[names->n][len] = '\0';
	names->sorted[names->n] = names->name[names->n];
	names->n++;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void read_names(int folder_fd, struct names *names)
{
	/* A descriptor of its own: the caller's may be O_PATH. */
	int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct dirent *entry;
	DIR *dir;

	names->n = 0;
	if (fd < 0)
		return;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return;
	}
	while ((entry = readdir(dir)) != NULL)
		add_name(names, entry->d_name);
	closedir(dir);
	qsort(names->sorted, names->n, sizeof(names->sorted[0]), compare_names);
}

void available_describe(int folder_fd, const char *name, char *text, size_t size)
{
	struct names names;
	const char *nearest;
	size_t len;

	read_names(folder_fd, &names);
	nearest = nearest_name(name, names.sorted, names.n);
	if (nearest) {
		snprintf(text, size, "did you mean '%s'?", nearest);
		return;
	}
	if (names.n == 0) {
		snprintf(text, size, "no plugin is there, check plugin_path");
		return;
	}
	len = (size_t)snprintf(text, size, "there are");
	for (size_t i = 0; i < names.n && len < size; i++)
		len += (size_t)snprintf(text + len, size - len, "%s %s", i > 0 ? "," : "",
					names.sorted[i]);
}

size_t available_names(int folder_fd, char names[64][32])
{
	struct names found;

	read_names(folder_fd, &found);
	for (size_t i = 0; i < found.n; i++)
		memcpy(names[i], found.sorted[i], NAME_SIZE);
	return found.n;
}
