/* SPDX-License-Identifier: BSD-2-Clause */
/* Advisory locks by flock().  See lock.h. */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/err.h"
#include "control/fail.h"

struct lock {
	int pin_fd, socket_fd;
	char *pin_path;
	bool made_pin;
};

/* Who holds the flock on the inode behind `fd`; 0 if /proc does not say. */
static int find_holder(int fd)
{
	char line[256];
	struct stat st;
	FILE *locks;
	int found = 0;

	if (fstat(fd, &st) != 0)
		return 0;
	locks = fopen("/proc/locks", "re");
	if (!locks)
		return 0;
	while (!found && fgets(line, sizeof(line), locks)) {
		unsigned int dev_major, dev_minor;
		unsigned long long inode;
		int pid;

		if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%llu", &pid, &dev_major, &dev_minor,
			   &inode) == 4 &&
		    inode == st.st_ino && makedev(dev_major, dev_minor) == st.st_dev)
			found = pid;
	}
	fclose(locks);
	return found;
}

static int refuse(const char *what, int fd, struct sluice_err *err)
{
	int pid = find_holder(fd);

	if (pid > 0)
		return fail_with(err, -EBUSY,
				 "another sluiced (pid %d) holds %s; stop it first, or give this "
				 "one its own pin_path, control.socket and control.metrics",
				 pid, what);
	return fail_with(err, -EBUSY,
			 "another sluiced holds %s; stop it first, or give this one its own "
			 "pin_path, control.socket and control.metrics",
			 what);
}

static int make_parents(const char *path)
{
	char copy[PATH_MAX];

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -ENAMETOOLONG;
	for (char *slash = strchr(copy + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		if (mkdir(copy, 0755) != 0 && errno != EEXIST)
			return -errno;
		*slash = '/';
	}
	return 0;
}

/*
 * `sluice detach` may remove the folder between our open() and our flock(): a lock on a folder that
 * no longer has a name keeps nobody out, so look again.
 */
static int lock_folder(struct lock *lock, const char *path, struct sluice_err *err)
{
	struct stat held, named;
	int ret;

	for (int attempt = 0; attempt < 3; attempt++) {
		ret = make_parents(path);
		if (ret)
			return fail_system(err, ret, "pin_path '%s': cannot make its folder", path);
		if (mkdir(path, 0700) == 0)
			lock->made_pin = true;
		else if (errno == EPERM || errno == ENOENT)
			/* What sysfs says of a mkdir() where no bpffs covers it. */
			return fail_with(err, -errno,
					 "pin_path '%s': cannot make it: no BPF file system there "
					 "(%s); mount one: `mount -t bpf bpf /sys/fs/bpf`",
					 path, err_name(errno));
		else if (errno != EEXIST)
			return fail_system(err, -errno, "pin_path '%s': cannot make it", path);
		lock->pin_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (lock->pin_fd < 0)
			return fail_system(err, -errno, "pin_path '%s'", path);
		if (flock(lock->pin_fd, LOCK_EX | LOCK_NB) != 0)
			return errno == EWOULDBLOCK
				       ? refuse(path, lock->pin_fd, err)
				       : fail_system(err, -errno, "pin_path '%s': cannot lock",
						     path);
		if (fstat(lock->pin_fd, &held) == 0 && stat(path, &named) == 0 &&
		    held.st_ino == named.st_ino && held.st_dev == named.st_dev)
			return 0;
		close(lock->pin_fd);
		lock->pin_fd = -1;
	}
	return fail_with(err, -EBUSY, "pin_path '%s': somebody keeps removing it", path);
}

static int lock_socket(struct lock *lock, const char *socket, struct sluice_err *err)
{
	char path[PATH_MAX];
	int ret;

	if (snprintf(path, sizeof(path), "%s.lock", socket) >= (int)sizeof(path))
		return fail_system(err, -ENAMETOOLONG, "control socket '%s'", socket);
	ret = make_parents(path);
	if (ret)
		return fail_system(err, ret, "control socket '%s': cannot make its folder", socket);
	/* The file stays when the daemon ends: removing it would let two daemons lock two files. */
	lock->socket_fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (lock->socket_fd < 0)
		return fail_system(err, -errno, "lock file '%s'", path);
	if (flock(lock->socket_fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? refuse(socket, lock->socket_fd, err)
					    : fail_system(err, -errno, "lock file '%s'", path);
	return 0;
}

int lock_take(const char *pin_path, const char *socket, struct lock **out, struct sluice_err *err)
{
	struct lock *lock = calloc(1, sizeof(*lock));
	int ret;

	if (!lock)
		return fail_system(err, -ENOMEM, "pin_path '%s'", pin_path);
	lock->pin_fd = lock->socket_fd = -1;
	lock->pin_path = strdup(pin_path);
	if (!lock->pin_path) {
		ret = fail_system(err, -ENOMEM, "pin_path '%s'", pin_path);
		goto out_release;
	}
	ret = lock_folder(lock, pin_path, err);
	if (!ret)
		ret = lock_socket(lock, socket, err);
	if (ret)
		goto out_release;
	*out = lock;
	return 0;

out_release:
	lock_release(lock);
	return ret;
}

void lock_release(struct lock *lock)
{
	if (!lock)
		return;
	/* A folder with pinned objects in it stays: rmdir() refuses it. */
	if (lock->made_pin && rmdir(lock->pin_path) != 0)
		lock->made_pin = false;
	if (lock->socket_fd >= 0)
		close(lock->socket_fd);
	if (lock->pin_fd >= 0)
		close(lock->pin_fd);
	free(lock->pin_path);
	free(lock);
}

bool lock_is_held(const char *pin_path, int *pid)
{
	int fd = open(pin_path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool held;

	*pid = 0;
	if (fd < 0)
		return false;
	held = flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
	if (held)
		*pid = find_holder(fd);
	close(fd);
	return held;
}
