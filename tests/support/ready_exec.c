// SPDX-License-Identifier: BSD-2-Clause
/*
 * ready-exec FILE PROGRAM [ARG...]: becomes PROGRAM, with NOTIFY_SOCKET set as systemd would, and
 * makes FILE when it says READY=1.  A script starts it in the background, knows the program's pid
 * and can wait for it, and need not guess when it is ready.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* An abstract socket: it leaves nothing behind. */
static int open_socket(char *name, size_t size)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	snprintf(name, size, "@sluice-ready-%d", getpid());
	memcpy(address.sun_path + 1, name + 1, strlen(name) - 1);
	if (bind(fd, (struct sockaddr *)&address,
		 offsetof(struct sockaddr_un, sun_path) + strlen(name))) {
		int err = -errno;

		close(fd);
		return err;
	}
	return fd;
}

static int mark(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	return fd < 0 || close(fd) ? -errno : 0;
}

/* Runs apart from the program, until that is ready or gone. */
static void listen_for(int fd, int pidfd, const char *path)
{
	struct pollfd fds[] = { { .fd = fd, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };
	char message[512];

	while (poll(fds, 2, -1) >= 0 || errno == EINTR) {
		if (fds[0].revents & POLLIN) {
			ssize_t size = recv(fd, message, sizeof(message) - 1, 0);

			message[size > 0 ? size : 0] = '\0';
			if (!strncmp(message, "READY=1", 7) || strstr(message, "\nREADY=1")) {
				mark(path);
				return;
			}
		} else if (fds[1].revents & POLLIN) {
			return;
		}
	}
}

int main(int argc, char **argv)
{
	char name[64];
	int fd, pidfd;
	pid_t pid;

	if (argc < 3) {
		fprintf(stderr, "Usage: ready-exec FILE PROGRAM [ARG...]\n");
		return 2;
	}
	unlink(argv[1]);
	fd = open_socket(name, sizeof(name));
	pidfd = syscall(SYS_pidfd_open, getpid(), 0);
	if (fd < 0 || pidfd < 0) {
		fprintf(stderr, "ready-exec: cannot listen for readiness: %s\n", strerror(errno));
		return 1;
	}
	/* Forked twice, so that the program gets no child that it does not know. */
	pid = fork();
	if (!pid) {
		if (!fork())
			listen_for(fd, pidfd, argv[1]);
		_exit(0);
	}
	if (pid < 0 || waitpid(pid, NULL, 0) < 0) {
		fprintf(stderr, "ready-exec: cannot fork: %s\n", strerror(errno));
		return 1;
	}
	close(fd);
	close(pidfd);
	setenv("NOTIFY_SOCKET", name, 1);
	execvp(argv[2], argv + 2);
	fprintf(stderr, "ready-exec: cannot run '%s': %s\n", argv[2], strerror(errno));
	return 127;
}
