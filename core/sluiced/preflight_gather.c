/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts about the host: rtnetlink by libnl, two ethtool ioctls, and netdev_features.h.  What cannot be found
 * out is left unknown.
 */
#include "preflight.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/genetlink.h>
#include <linux/magic.h>
#include <linux/sockios.h>

#include <cap-ng.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>

#include "base/err.h"
#include "config/settings.h"
#include "control/metrics.h"
#include "dataplane/dataplane.h"

#include "netdev_features.h"

/* Looks at the nearest folder above that exists and may be looked at. */
static bool is_foreign(const char *pin_path)
{
	char path[PATH_MAX];
	struct statfs fs;

	snprintf(path, sizeof(path), "%s", pin_path);
	while (statfs(path, &fs) != 0) {
		char *slash = strrchr(path, '/');

		if (!slash || slash == path)
			return true;
		*slash = '\0';
	}
	return fs.f_type != BPF_FS_MAGIC;
}

void preflight_gather_host(const char *pin_path, struct preflight_host *host)
{
	struct utsname kernel;
	FILE *file;

	*host = (struct preflight_host){ .pin_foreign = is_foreign(pin_path) };
	if (uname(&kernel) == 0) {
		snprintf(host->kernel, sizeof(host->kernel), "%s", kernel.release);
		host->realtime = strstr(kernel.version, "PREEMPT_RT") != NULL;
	}
	file = fopen("/sys/kernel/realtime", "re");
	if (file) {
		host->realtime = host->realtime || fgetc(file) == '1';
		fclose(file);
	}
}

void preflight_gather_metrics(const struct settings *settings, struct preflight_host *host)
{
	const struct settings_control *control = &settings->control;

	err_init(&host->metrics);
	if (control->metrics)
		(void)!metrics_try_address(control->metrics_address, control->metrics_port,
					   &host->metrics);
}

enum preflight_dispatcher preflight_try_dispatcher(void)
{
	int rc;

	if (capng_get_caps_process() != 0 || !capng_have_capability(CAPNG_EFFECTIVE, CAP_SYS_ADMIN))
		return PREFLIGHT_DISPATCHER_UNTRIED;
	rc = dataplane_try_dispatcher(NULL);
	if (rc == 0)
		return PREFLIGHT_DISPATCHER_WORKS;
	return rc == -EOPNOTSUPP ? PREFLIGHT_DISPATCHER_MISSING : PREFLIGHT_DISPATCHER_UNTRIED;
}

static bool ethtool(int fd, const char *name, void *command)
{
	struct ifreq request = { .ifr_data = command };

	snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	return ioctl(fd, SIOCETHTOOL, &request) == 0;
}

static void gather_ethtool(struct preflight_interface *interface)
{
	struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };
	struct ethtool_value flags = { .cmd = ETHTOOL_GFLAGS };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return;
	if (ethtool(fd, interface->name, &channels) &&
	    channels.rx_count + channels.combined_count > 0)
		interface->rx_queues = channels.rx_count + channels.combined_count;
	if (ethtool(fd, interface->name, &flags))
		interface->lro = flags.data & ETH_FLAG_LRO;
	close(fd);
}

static void copy_kind(struct rtnl_link *link, char *kind, size_t size)
{
	const char *type = rtnl_link_get_type(link);

	snprintf(kind, size, "%s", type ? type : "");
}

static void gather_link(struct nl_sock *socket, struct preflight_interface *interface, int *ifindex)
{
	struct rtnl_link *link = NULL, *master = NULL;

	if (rtnl_link_get_kernel(socket, 0, interface->name, &link) != 0)
		return;
	interface->present = true;
	*ifindex = rtnl_link_get_ifindex(link);
	interface->up = rtnl_link_get_flags(link) & IFF_UP;
	interface->mtu = rtnl_link_get_mtu(link);
	interface->rx_queues = rtnl_link_get_num_rx_queues(link);
	copy_kind(link, interface->kind, sizeof(interface->kind));
	if (rtnl_link_get_master(link) > 0 &&
	    rtnl_link_get_kernel(socket, rtnl_link_get_master(link), NULL, &master) == 0) {
		copy_kind(master, interface->master_kind, sizeof(interface->master_kind));
		rtnl_link_put(master);
	}
	rtnl_link_put(link);
}

static void gather_features(struct preflight_interface *interface, int ifindex)
{
	struct netdev_features features = netdev_features_read(ifindex);

	interface->features_known = features.known;
	interface->xdp_basic = features.xdp & NETDEV_FEATURES_XDP_BASIC;
	interface->xdp_frags = features.xdp & NETDEV_FEATURES_XDP_RX_SG;
	interface->xdp_hardware = features.xdp & NETDEV_FEATURES_XDP_HW_OFFLOAD;
}

void preflight_gather_interface(const char *name, struct preflight_interface *interface)
{
	struct nl_sock *socket = nl_socket_alloc();
	int ifindex = 0;

	*interface = (struct preflight_interface){ .present = false };
	snprintf(interface->name, sizeof(interface->name), "%s", name);
	if (socket && nl_connect(socket, NETLINK_ROUTE) == 0)
		gather_link(socket, interface, &ifindex);
	nl_socket_free(socket);
	if (!interface->present)
		return;
	gather_ethtool(interface);
	gather_features(interface, ifindex);
}
