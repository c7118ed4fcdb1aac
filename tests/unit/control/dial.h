/* SPDX-License-Identifier: BSD-2-Clause */
/* The client's end of a listener's Unix socket. */
#ifndef SLUICE_TESTS_UNIT_CONTROL_DIAL_H
#define SLUICE_TESTS_UNIT_CONTROL_DIAL_H

#include <criterion/criterion.h>

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

/* `flags` of socket(); the caller's to close. */
static inline int dial(const char *path, int flags)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | flags, 0);

	cr_assert_lt(strlen(path), sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

#endif /* SLUICE_TESTS_UNIT_CONTROL_DIAL_H */
