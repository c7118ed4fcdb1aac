/* SPDX-License-Identifier: BSD-2-Clause */
/* See dispatcher_object.h. */
#include "dispatcher_object.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xdp/prog_dispatcher.h>

#include "base/err.h"

/* Uses types of prog_dispatcher.h. */
#include "dispatcher.skel.h"

/* What libxdp asks the environment for, and the file that it then looks for there. */
#define LIBXDP_FOLDER "LIBXDP_OBJECT_PATH"
#define LIBXDP_FILE "xdp-dispatcher.o"

/* Nobody else can have made it: mkdtemp() made it first, and mkdir() refuses what exists. */
static char folder[] = "/tmp/sluice-XXXXXX";
static bool is_named;

static int make_folder(void)
{
	if (is_named)
		return mkdir(folder, 0700) ? -errno : 0;
	if (!mkdtemp(folder))
		return -errno;
	is_named = true;
	return setenv(LIBXDP_FOLDER, folder, 1) ? -errno : 0;
}

static void file_path(char path[sizeof(folder) + sizeof(LIBXDP_FILE)])
{
	snprintf(path, sizeof(folder) + sizeof(LIBXDP_FILE), "%s/" LIBXDP_FILE, folder);
}

static int write_file(const char *path)
{
	size_t size;
	const void *bytes = dispatcher__elf_bytes(&size);
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int code = 0;

	if (fd < 0)
		return -errno;
	ssize_t written = write(fd, bytes, size);

	if (written < 0)
		code = -errno;
	else if ((size_t)written != size)
		code = -ENOSPC;
	if (close(fd) && !code)
		code = -errno;
	return code;
}

int dispatcher_object_offer(struct sluice_err *err)
{
	char path[sizeof(folder) + sizeof(LIBXDP_FILE)];
	int code = make_folder();

	if (!code) {
		file_path(path);
		code = write_file(path);
	}
	if (code) {
		err_set(err, "attach", "cannot write a dispatcher for libxdp below '/tmp': %s",
			err_name(code));
		dispatcher_object_withdraw();
	}
	return code;
}

void dispatcher_object_withdraw(void)
{
	char path[sizeof(folder) + sizeof(LIBXDP_FILE)];

	if (!is_named)
		return;
	file_path(path);
	unlink(path);
	rmdir(folder);
}
