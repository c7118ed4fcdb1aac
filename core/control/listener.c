/* SPDX-License-Identifier: BSD-2-Clause */
/* Binding the control socket and checking who connects.  See listener.h. */
#include "listener.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "fail.h"

#define BACKLOG 16
#define PEER_GROUPS_MAX 1024

int listener_find_group(const char *name, gid_t *gid, struct sluice_err *err)
{
	struct group entry, *found;
	char buffer[4096];
	int ret;

	*gid = LISTENER_NO_GROUP;
	if (!name)
		return 0;
	ret = getgrnam_r(name, &entry, buffer, sizeof(buffer), &found);
	/* A big group does not fit the buffer; its number is all we want of it. */
	if (ret == ERANGE) {
		const struct group *big = getgrnam(name);

		if (big) {
			*gid = big->gr_gid;
			return 0;
		}
	}
	if (!found)
		return fail_with(err, -ENOENT,
				 "control group '%s': no such group; create it with `groupadd "
				 "--system %s`, or leave control.group out for root only",
				 name, name);
	*gid = found->gr_gid;
	return 0;
}

static int make_folder(const char *path, struct sluice_err *err)
{
	char copy[PATH_MAX];
	const char *folder;

	strcpy(copy, path); /* Fits: it fits sun_path. */
	folder = dirname(copy);
	if (mkdir(folder, 0755) == 0 || errno == EEXIST)
		return 0;
	return fail_system(err, -errno, "control socket '%s': cannot make the folder '%s'", path,
			   folder);
}

/* Removes a socket that nobody listens on; anything else in its place is left alone. */
static int remove_stale(const struct sockaddr_un *address, struct sluice_err *err)
{
	const char *path = address->sun_path;
	struct stat st;
	int fd, ret;

	if (lstat(path, &st) != 0)
		return errno == ENOENT ? 0 : fail_system(err, -errno, "control socket '%s'", path);
	if (!S_ISSOCK(st.st_mode))
		return fail_with(
			err, -EEXIST,
			"control socket '%s': something that is no socket is there; remove "
			"it, or choose another control.socket",
			path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail_system(err, -errno, "control socket '%s'", path);
	ret = connect(fd, (const struct sockaddr *)address, sizeof(*address)) ? -errno : 0;
	close(fd);
	if (ret != -ECONNREFUSED)
		return fail_with(err, -EADDRINUSE,
				 "control socket '%s': another daemon answers there; stop it, or "
				 "choose another control.socket",
				 path);
	if (unlink(path) != 0 && errno != ENOENT)
		return fail_system(err, -errno, "control socket '%s': cannot remove the old one",
				   path);
	return 0;
}

/* Nobody can connect before the right group owns the socket: it is born with mode 0600. */
static int bind_and_listen(int fd, const struct sockaddr_un *address, gid_t gid,
			   struct sluice_err *err)
{
	const char *path = address->sun_path;
	int ret;

	if (fchmod(fd, 0600) != 0 || bind(fd, (const struct sockaddr *)address, sizeof(*address)))
		return fail_system(err, -errno, "control socket '%s': cannot bind", path);
	if (gid != LISTENER_NO_GROUP && chown(path, (uid_t)-1, gid) != 0) {
		ret = fail_system(err, -errno, "control socket '%s': cannot give it to its group",
				  path);
		goto out_unlink;
	}
	if (chmod(path, gid == LISTENER_NO_GROUP ? 0600 : 0660) != 0 || listen(fd, BACKLOG) != 0) {
		ret = fail_system(err, -errno, "control socket '%s': cannot listen", path);
		goto out_unlink;
	}
	return 0;

out_unlink:
	unlink(path);
	return ret;
}

int listener_open(const char *path, const char *group, int *out, gid_t *gid, struct sluice_err *err)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd, ret;

	if (strlen(path) >= sizeof(address.sun_path))
		return fail_with(
			err, -ENAMETOOLONG,
			"control socket '%s': longer than %zu characters; choose a shorter "
			"control.socket",
			path, sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	ret = listener_find_group(group, gid, err);
	if (!ret)
		ret = make_folder(path, err);
	if (!ret)
		ret = remove_stale(&address, err);
	if (ret)
		return ret;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return fail_system(err, -errno, "control socket '%s'", path);
	ret = bind_and_listen(fd, &address, *gid, err);
	if (ret) {
		close(fd);
		return ret;
	}
	*out = fd;
	return 0;
}

bool listener_admits(int fd, gid_t gid)
{
	gid_t groups[PEER_GROUPS_MAX];
	socklen_t size = sizeof(groups);
	struct ucred peer;
	socklen_t peer_size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &peer_size) != 0)
		return false;
	if (peer.uid == 0 || peer.uid == geteuid())
		return true;
	if (gid == LISTENER_NO_GROUP)
		return false;
	if (peer.gid == gid)
		return true;
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0)
		return false;
	for (size_t i = 0; i < size / sizeof(groups[0]); i++) {
		if (groups[i] == gid)
			return true;
	}
	return false;
}
