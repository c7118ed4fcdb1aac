/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The walk from the root to a plugin, one checked file descriptor at a time; trust.h has the rules.
 */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

#define MAX_LINKS 40 /* As many as the kernel follows. */

static bool trusts_uid(const struct plugin_trust *trust, uid_t uid)
{
	for (size_t i = 0; i < trust->n_uids; i++)
		if (trust->uids[i] == uid)
			return true;
	return false;
}

static void add_uid(struct plugin_trust *trust, uid_t uid)
{
	if (!trusts_uid(trust, uid) && trust->n_uids < PLUGIN_TRUST_MAX_UIDS)
		trust->uids[trust->n_uids++] = uid;
}

static bool is_above_executable(const struct plugin_trust *trust, const struct stat *st)
{
	for (size_t i = 0; i < trust->n_folders; i++)
		if (trust->folders[i].dev == st->st_dev && trust->folders[i].ino == st->st_ino)
			return true;
	return false;
}

void plugin_trust_init_at(struct plugin_trust *trust, const char *path)
{
	char prefix[PATH_MAX];
	struct stat st;

	memset(trust, 0, sizeof(*trust));
	add_uid(trust, 0);
	add_uid(trust, geteuid());
	if (path[0] != '/' || strlen(path) >= sizeof(prefix))
		return;
	strcpy(prefix, path);
	/* The executable itself, then each folder above it, the root last. */
	for (;;) {
		char *slash = strrchr(prefix, '/');

		if (stat(prefix, &st) != 0)
			return;
		add_uid(trust, st.st_uid);
		if (S_ISDIR(st.st_mode) && trust->n_folders < PLUGIN_TRUST_MAX_FOLDERS)
			trust->folders[trust->n_folders++] =
				(struct plugin_trust_folder){ st.st_dev, st.st_ino };
		if (prefix[1] == '\0')
			return;
		slash[slash == prefix ? 1 : 0] = '\0';
	}
}

void plugin_trust_init(struct plugin_trust *trust)
{
	char path[PATH_MAX];
	ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (len < 0)
		len = 0;
	path[len] = '\0';
	plugin_trust_init_at(trust, path);
}

static int __attribute__((format(printf, 4, 5)))
refuse(struct sluice_err *err, const char *what, const char *next, const char *fmt, ...)
{
	char why[128];
	va_list args;

	va_start(args, fmt);
	vsnprintf(why, sizeof(why), fmt, args);
	va_end(args);
	err_set(err, NULL, "%s is not trusted: %s (-EPERM); %s", what, why, next);
	return -EPERM;
}

static int check_owner(const struct plugin_trust *trust, const struct stat *st, const char *what,
		       struct sluice_err *err)
{
	if (trusts_uid(trust, st->st_uid))
		return 0;
	return refuse(err, what, "give it to root (chown root)", "it belongs to uid %u",
		      st->st_uid);
}

static int check_mode(const struct stat *st, mode_t forbidden, const char *what,
		      struct sluice_err *err)
{
	unsigned int mode = st->st_mode & 07777;

	if (!(mode & forbidden))
		return 0;
	if (mode & forbidden & S_IWOTH)
		return refuse(err, what, "run chmod o-w on it",
			      "anybody may write to it (mode %04o)", mode);
	return refuse(err, what, "run chmod g-w on it", "its group may write to it (mode %04o)",
		      mode);
}

static int check_folder(const struct plugin_trust *trust, int fd, bool last, const char *what,
			struct sluice_err *err)
{
	mode_t forbidden = S_IWGRP | S_IWOTH;
	struct stat st;
	int rc;

	if (fstat(fd, &st) != 0) {
		rc = -errno;
		err_set(err, NULL, "%s: cannot look at it (%s)", what, err_name(rc));
		return rc;
	}
	rc = check_owner(trust, &st, what, err);
	if (rc != 0)
		return rc;
	if (!last && (st.st_mode & S_ISVTX))
		forbidden = 0;
	else if (!last && is_above_executable(trust, &st))
		forbidden = S_IWOTH;
	return check_mode(&st, forbidden, what, err);
}

/* A path under way: what is still to be walked, and where we are, for messages. */
struct walk {
	const struct plugin_trust *trust;
	const char *path;
	struct sluice_err *err;
	char todo[PATH_MAX], done[PATH_MAX];
	int fd;
	unsigned int links;
};

static int walk_fail(const struct walk *walk, const char *component, int rc)
{
	err_set(walk->err, NULL, "folder %s: cannot open %s (%s); check plugin_path", walk->path,
		component[0] != '\0' ? component : "/", err_name(rc));
	return rc;
}

/* Enters the root folder, for an absolute path or link. */
static int walk_root(struct walk *walk)
{
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return walk_fail(walk, "", -errno);
	if (walk->fd >= 0)
		close(walk->fd);
	walk->fd = fd;
	walk->done[0] = '\0';
	return 0;
}

/* Takes the first component off `todo`; false when there is none. */
static bool walk_next(struct walk *walk, char component[NAME_MAX + 1], int *rc)
{
	const char *start = walk->todo + strspn(walk->todo, "/");
	size_t len = strcspn(start, "/");

	*rc = 0;
	if (len == 0)
		return false;
	if (len > NAME_MAX) {
		*rc = walk_fail(walk, "a name in it", -ENAMETOOLONG);
		return false;
	}
	memcpy(component, start, len);
	component[len] = '\0';
	start += len;
	memmove(walk->todo, start, strlen(start) + 1);
	return true;
}

/* Puts the target of a trusted symbolic link in front of `todo`. */
static int walk_link(struct walk *walk, const char *component, const struct stat *st)
{
	char target[PATH_MAX], rest[PATH_MAX], what[PATH_MAX];
	ssize_t len;
	int rc;

	snprintf(what, sizeof(what), "symbolic link %s", component);
	rc = check_owner(walk->trust, st, what, walk->err);
	if (rc != 0)
		return rc;
	if (++walk->links > MAX_LINKS)
		return walk_fail(walk, component, -ELOOP);
	len = readlinkat(walk->fd, component, target, sizeof(target) - 1);
	if (len <= 0)
		return walk_fail(walk, component, len < 0 ? -errno : -EINVAL);
	target[len] = '\0';
	strcpy(rest, walk->todo);
	if ((size_t)snprintf(walk->todo, sizeof(walk->todo), "%s%s", target, rest) >=
	    sizeof(walk->todo))
		return walk_fail(walk, component, -ENAMETOOLONG);
	return target[0] == '/' ? walk_root(walk) : 0;
}

static int walk_step(struct walk *walk, const char *component)
{
	struct stat st;
	size_t len;
	int fd;

	if (fstatat(walk->fd, component, &st, AT_SYMLINK_NOFOLLOW) != 0)
		return walk_fail(walk, component, -errno);
	if (S_ISLNK(st.st_mode))
		return walk_link(walk, component, &st);
	fd = openat(walk->fd, component, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return walk_fail(walk, component, -errno);
	close(walk->fd);
	walk->fd = fd;
	len = strlen(walk->done);
	snprintf(walk->done + len, sizeof(walk->done) - len, "/%s", component);
	return 0;
}

/* True if nothing but slashes and dots is left, so that this is the folder that was asked for. */
static bool walk_is_last(const struct walk *walk)
{
	return walk->todo[strspn(walk->todo, "/.")] == '\0';
}

static int walk_run(struct walk *walk)
{
	char component[NAME_MAX + 1], what[PATH_MAX + 8];
	int rc = walk_root(walk);

	if (rc != 0)
		return rc;
	do {
		snprintf(what, sizeof(what), "folder %s", walk->done[0] ? walk->done : "/");
		rc = check_folder(walk->trust, walk->fd, walk_is_last(walk), what, walk->err);
		if (rc != 0)
			return rc;
		if (!walk_next(walk, component, &rc))
			return rc;
		rc = walk_step(walk, component);
	} while (rc == 0);
	return rc;
}

int plugin_trust_open_folder(const struct plugin_trust *trust, const char *path, int *fd,
			     struct sluice_err *err)
{
	struct walk walk = { .trust = trust, .path = path, .err = err, .fd = -1 };
	char here[PATH_MAX] = "";
	int rc;

	if (path[0] != '/' && getcwd(here, sizeof(here)) == NULL)
		return walk_fail(&walk, "the current folder", -errno);
	if ((size_t)snprintf(walk.todo, sizeof(walk.todo), "%s/%s", here, path) >=
	    sizeof(walk.todo))
		return walk_fail(&walk, "it", -ENAMETOOLONG);
	rc = walk_run(&walk);
	if (rc != 0) {
		if (walk.fd >= 0)
			close(walk.fd);
		return rc;
	}
	*fd = walk.fd;
	return 0;
}

int plugin_trust_open_file(const struct plugin_trust *trust, int folder_fd, const char *folder,
			   const char *file, int *fd, struct sluice_err *err)
{
	char what[PATH_MAX + NAME_MAX + 8];
	struct stat st;
	int rc;

	snprintf(what, sizeof(what), "file %s/%s", folder, file);
	/* Non-blocking, so that a FIFO put there cannot hold us up. */
	*fd = openat(folder_fd, file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (*fd < 0) {
		rc = -errno;
		if (rc == -ELOOP)
			err_set(err, NULL,
				"%s is a symbolic link (-ELOOP); put the file itself there", what);
		else
			err_set(err, NULL, "%s: cannot open it (%s)", what, err_name(rc));
		return rc;
	}
	if (fstat(*fd, &st) != 0) {
		rc = -errno;
		err_set(err, NULL, "%s: cannot look at it (%s)", what, err_name(rc));
	} else if (!S_ISREG(st.st_mode)) {
		rc = -EPERM;
		err_set(err, NULL, "%s is no regular file (-EPERM)", what);
	} else {
		rc = check_owner(trust, &st, what, err);
		if (rc == 0)
			rc = check_mode(&st, S_IWGRP | S_IWOTH, what, err);
	}
	if (rc != 0)
		close(*fd);
	return rc;
}
