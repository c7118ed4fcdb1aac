/* SPDX-License-Identifier: BSD-2-Clause */
/* See device.h. */
#include "device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/sockios.h>

static int ask(const struct device *device, void *command)
{
	struct ifreq request = { .ifr_data = command };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", device->ifname);
	return ioctl(device->fd, SIOCETHTOOL, &request) ? -errno : 0;
}

int device_open(const char *ifname, struct device *device)
{
	if (strlen(ifname) >= sizeof(device->ifname))
		return -ENODEV;
	snprintf(device->ifname, sizeof(device->ifname), "%s", ifname);
	device->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return device->fd < 0 ? -errno : 0;
}

void device_close(struct device *device)
{
	if (device->fd >= 0)
		close(device->fd);
	device->fd = -1;
}

int device_driver(const struct device *device, char driver[32])
{
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	int rc = ask(device, &info);

	snprintf(driver, 32, "%.31s", rc ? "" : info.driver);
	return rc;
}

/* The kernel takes the room from rule_cnt, which the caller made to fit. */
int device_ask(void *context, struct ethtool_rxnfc *nfc, size_t n_locations)
{
	if (nfc->cmd == ETHTOOL_GRXCLSRLALL && nfc->rule_cnt > n_locations)
		return -EINVAL;
	return ask(context, nfc);
}
