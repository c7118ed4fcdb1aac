/* SPDX-License-Identifier: BSD-2-Clause */
/* Taking Sluice off a machine: links, programs and maps, whatever layout pinned them. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/err.h"
#include "dataplane.h"
#include "state.h"

/* Folders are named v<layout>; an older layout's state goes the same way. */
static int detach_layout(const char *pin_path, const char *name, struct sluice_err *err)
{
	char folder[PATH_MAX];
	int code;

	snprintf(folder, sizeof(folder), "%s/%s", pin_path, name);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (flock(fd, LOCK_EX | LOCK_NB)) {
		err_set(err, "pin_path", "a sluiced is running on '%s'; stop it first", folder);
		code = -EBUSY;
	} else {
		code = state_remove(folder, err);
	}
	close(fd);
	return code;
}

/* The folder may be shared with others: theirs stay. */
static bool is_layout(const char *name)
{
	size_t digits = name[0] == 'v' ? strspn(name + 1, "0123456789") : 0;

	return digits > 0 && !name[1 + digits];
}

int dataplane_live_detach(const char *pin_path, struct sluice_err *err)
{
	DIR *directory = opendir(pin_path);
	struct dirent *entry;
	int code = -ENOENT;

	if (!directory && (errno == EACCES || errno == EPERM)) {
		err_set(err, "pin_path", "cannot look there: permission denied; become root");
		return -EACCES;
	}
	err_set(err, "pin_path", "nothing of Sluice is pinned under '%s'", pin_path);
	if (!directory)
		return -ENOENT;
	while ((entry = readdir(directory))) {
		if (!is_layout(entry->d_name))
			continue;
		code = detach_layout(pin_path, entry->d_name, err);
		if (code)
			break;
		rewinddir(directory);
	}
	closedir(directory);
	if (!code)
		(void)!rmdir(pin_path);
	return code;
}
