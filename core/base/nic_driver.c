/* SPDX-License-Identifier: BSD-2-Clause */
/* See nic_driver.h. */
#include "nic_driver.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

void nic_driver_name(const char *ifname, char driver[NIC_DRIVER_SIZE])
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	struct ifreq request = { .ifr_data = (void *)&info };
	int fd = -1;

	driver[0] = '\0';
	if (strlen(ifname) < sizeof(request.ifr_name))
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return;
	strcpy(request.ifr_name, ifname);
	if (ioctl(fd, SIOCETHTOOL, &request) == 0)
		snprintf(driver, NIC_DRIVER_SIZE, "%.31s", info.driver);
	close(fd);
}

bool nic_driver_is_simulation(const char *driver)
{
	/* Ours, of tests/vm, and the kernel's own. */
	return strcmp(driver, "simnic") == 0 || strcmp(driver, "netdevsim") == 0;
}
