/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a path to the bytes that node_parse.c reads.
 */
#include "node.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#include "errors.h"

static int file_refuse(const char *path, struct config_errors *errors, const char *what, int error)
{
	config_errors_add(errors, path, 0, 0, NULL, "%s: %s (%s)", what, strerror(error),
			  err_name(error));
	return -error;
}

/* Reads up to `size` bytes; how many goes to `*done`. */
static int read_all(int fd, char *buffer, size_t size, size_t *done)
{
	*done = 0;
	while (*done < size) {
		ssize_t got = read(fd, buffer + *done, size - *done);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return errno;
		if (!got)
			break;
		*done += (size_t)got;
	}
	return 0;
}

int config_node_load(const char *path, struct config_errors *errors, struct config_node **out)
{
	struct stat status;
	char *buffer = NULL;
	size_t size;
	int fd, result;

	/* A fifo or a terminal must not hold up a daemon that reloads. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return file_refuse(path, errors, "cannot be opened", errno);
	if (fstat(fd, &status)) {
		result = file_refuse(path, errors, "cannot be read", errno);
		goto out;
	}
	if (!S_ISREG(status.st_mode)) {
		result = file_refuse(path, errors, "is not a regular file",
				     S_ISDIR(status.st_mode) ? EISDIR : EINVAL);
		goto out;
	}
	/* One byte more than is allowed shows that a file is too large, even if it is growing. */
	buffer = malloc(CONFIG_MAX_FILE_SIZE + 1);
	if (!buffer) {
		result = -ENOMEM;
		goto out;
	}
	result = read_all(fd, buffer, CONFIG_MAX_FILE_SIZE + 1, &size);
	if (result)
		result = file_refuse(path, errors, "cannot be read", result);
	else
		result = config_node_parse(path, buffer, size, errors, out);
out:
	free(buffer);
	close(fd);
	return result;
}
