// SPDX-License-Identifier: BSD-2-Clause
/* See wire.h. */
#include "wire.h"

#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/if_ether.h>
#include <linux/if_packet.h>

static void shell(const char *command)
{
	cr_assert_eq(system(command), 0, "%s", command);
}

/* Router solicitations and the like would be counted, too.  A kernel without IPv6 has no file. */
static void silence_ipv6(void)
{
	int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	cr_assert_eq(write(fd, "1", 1), 1, "%s", strerror(errno));
	close(fd);
}

void wire_add(const char *near, const char *far)
{
	char command[256];

	silence_ipv6();
	snprintf(command, sizeof(command),
		 "ip link add %s address 02:00:00:00:00:02 type veth peer name %s "
		 "address 02:00:00:00:00:01 && ip link set %s up && ip link set %s up",
		 near, far, near, far);
	shell(command);
}

void wire_del(const char *name)
{
	char command[128];

	snprintf(command, sizeof(command), "ip link del %s", name);
	shell(command);
}

int wire_open(const char *name)
{
	struct sockaddr_ll address = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = (int)if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL));
	int size = 8 << 20;

	cr_assert_geq(fd, 0, "%s", strerror(errno));
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0, "%s",
		     strerror(errno));
	(void)!setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	return fd;
}

void wire_send(int fd, const struct frame *frame)
{
	ssize_t sent = write(fd, frame->data, frame->size);

	cr_assert_eq(sent, (ssize_t)frame->size, "%s", strerror(errno));
}

unsigned int wire_count(int fd, const struct frame *frame, unsigned int wanted, int timeout_ms)
{
	static uint8_t heard[FRAME_MAX_SIZE];
	struct pollfd poller = { .fd = fd, .events = POLLIN };
	unsigned int n = 0;

	while (n < wanted && poll(&poller, 1, timeout_ms) > 0) {
		ssize_t size = recv(fd, heard, sizeof(heard), MSG_DONTWAIT);

		n += size == (ssize_t)frame->size && memcmp(heard, frame->data, frame->size) == 0;
	}
	return n;
}
