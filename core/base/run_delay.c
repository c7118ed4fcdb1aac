/* SPDX-License-Identifier: BSD-2-Clause */
/* See run_delay.h. */
#include "run_delay.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

int run_delay_open(void)
{
	int fd = open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

uint64_t run_delay_ns(int fd)
{
	uint64_t ran_ns, waited_ns;
	char text[96];
	ssize_t length = fd < 0 ? -1 : pread(fd, text, sizeof(text) - 1, 0);

	if (length < 0)
		return 0;
	text[length] = '\0';
	return sscanf(text, "%" SCNu64 " %" SCNu64, &ran_ns, &waited_ns) == 2 ? waited_ns : 0;
}
