/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts about the host: rtnetlink by libnl, two ethtool ioctls, and the `netdev` generic netlink
 * family (kernel 6.3), which libraries of Debian 12 do not know yet.  What cannot be found out is
 * left unknown.
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

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>

/* Of linux/netdev.h, which the headers of Debian 12 do not have. */
#define NETDEV_GENL_NAME "netdev"
#define NETDEV_GENL_VERSION 1
#define NETDEV_GENL_CMD_DEV_GET 1
#define NETDEV_GENL_A_DEV_IFINDEX 1
#define NETDEV_GENL_A_DEV_XDP_FEATURES 3
#define NETDEV_GENL_A_DEV_MAX 16
#define NETDEV_GENL_XDP_BASIC (1u << 0)
#define NETDEV_GENL_XDP_HW_OFFLOAD (1u << 4)
#define NETDEV_GENL_XDP_RX_SG (1u << 5)

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

/* One request, one answer: its payload behind the generic netlink header goes to `attrs`. */
static int ask(struct nl_sock *socket, struct nl_msg *request, struct nlattr **attrs, int max,
	       struct nlmsghdr **answer)
{
	struct sockaddr_nl from;
	unsigned char *data = NULL;
	int size;

	if (nl_send_auto(socket, request) < 0)
		return -EIO;
	size = nl_recv(socket, &from, &data, NULL);
	if (size <= 0)
		return -EIO;
	*answer = (struct nlmsghdr *)(void *)data;
	if (!nlmsg_ok(*answer, size) || (*answer)->nlmsg_type == NLMSG_ERROR ||
	    nlmsg_parse(*answer, GENL_HDRLEN, attrs, max, NULL) < 0) {
		free(data);
		return -EPROTO;
	}
	return 0;
}

static struct nl_msg *new_request(int family, int command, int version)
{
	const struct genlmsghdr header = { .cmd = (unsigned char)command,
					   .version = (unsigned char)version };
	struct nl_msg *request = nlmsg_alloc_simple(family, NLM_F_REQUEST);

	if (request && nlmsg_append(request, (void *)(uintptr_t)&header, sizeof(header), 4) != 0) {
		nlmsg_free(request);
		return NULL;
	}
	return request;
}

static int find_netdev_family(struct nl_sock *socket)
{
	struct nl_msg *request = new_request(GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	struct nlattr *attrs[CTRL_ATTR_MAX + 1];
	struct nlmsghdr *answer;
	int family = -ENOENT;

	if (!request)
		return -ENOMEM;
	if (nla_put_string(request, CTRL_ATTR_FAMILY_NAME, NETDEV_GENL_NAME) == 0 &&
	    ask(socket, request, attrs, CTRL_ATTR_MAX, &answer) == 0) {
		if (attrs[CTRL_ATTR_FAMILY_ID] && nla_len(attrs[CTRL_ATTR_FAMILY_ID]) >= 2)
			family = nla_get_u16(attrs[CTRL_ATTR_FAMILY_ID]);
		free(answer);
	}
	nlmsg_free(request);
	return family;
}

static void gather_features(struct preflight_interface *interface, int ifindex)
{
	struct nlattr *attrs[NETDEV_GENL_A_DEV_MAX + 1];
	struct nl_sock *socket = nl_socket_alloc();
	struct nl_msg *request = NULL;
	struct nlmsghdr *answer;
	int family;

	if (!socket || nl_connect(socket, NETLINK_GENERIC) != 0)
		goto out;
	nl_socket_disable_auto_ack(socket);
	family = find_netdev_family(socket);
	if (family < 0)
		goto out;
	request = new_request(family, NETDEV_GENL_CMD_DEV_GET, NETDEV_GENL_VERSION);
	if (!request || nla_put_u32(request, NETDEV_GENL_A_DEV_IFINDEX, (uint32_t)ifindex) != 0 ||
	    ask(socket, request, attrs, NETDEV_GENL_A_DEV_MAX, &answer) != 0)
		goto out;
	if (attrs[NETDEV_GENL_A_DEV_XDP_FEATURES] &&
	    nla_len(attrs[NETDEV_GENL_A_DEV_XDP_FEATURES]) >= 8) {
		uint64_t features = nla_get_u64(attrs[NETDEV_GENL_A_DEV_XDP_FEATURES]);

		interface->features_known = true;
		interface->xdp_basic = features & NETDEV_GENL_XDP_BASIC;
		interface->xdp_frags = features & NETDEV_GENL_XDP_RX_SG;
		interface->xdp_hardware = features & NETDEV_GENL_XDP_HW_OFFLOAD;
	}
	free(answer);
out:
	nlmsg_free(request);
	nl_socket_free(socket);
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
