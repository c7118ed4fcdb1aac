/* SPDX-License-Identifier: BSD-2-Clause */
/* See veth.h. */
#include "veth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>

#include <bpf/libbpf.h>
#include <netlink/netlink.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>

#include "base/err.h"

/* veth has a dozen statistics per queue, and here one queue. */
#define MAX_STATS 256

static int fail(const struct veth *veth, const char *what, int code, struct sluice_err *err)
{
	err_set(err, NULL, "interface '%s': cannot %s: %s", veth->in, what, err_name(code));
	return code;
}

static int make_pair(const struct veth *veth)
{
	struct nl_sock *sock = nl_socket_alloc();
	int code = -ENOMEM;

	if (!sock)
		return code;
	code = nl_connect(sock, NETLINK_ROUTE);
	if (code == 0)
		code = rtnl_link_veth_add(sock, veth->out, veth->in, getpid());
	nl_socket_free(sock);
	if (code == 0)
		return 0;
	/* libnl has numbers of its own. */
	return code == -NLE_PERM ? -EPERM : code == -NLE_EXIST ? -EEXIST : -EIO;
}

static int set_up(const char *name)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), code = 0;

	if (fd < 0)
		return -errno;
	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	request.ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &request))
		code = -errno;
	close(fd);
	return code;
}

int veth_open(struct veth *veth, const char *name, struct sluice_err *err)
{
	int code;

	snprintf(veth->out, sizeof(veth->out), "%.11sout", name);
	snprintf(veth->in, sizeof(veth->in), "%.12sin", name);
	code = make_pair(veth);
	if (code)
		return fail(veth, "make it", code, err);
	veth->out_index = if_nametoindex(veth->out);
	veth->in_index = if_nametoindex(veth->in);
	code = set_up(veth->out);
	if (code == 0)
		code = set_up(veth->in);
	if (code == 0)
		return 0;
	fail(veth, "set it up", code, err);
	veth_close(veth);
	return code;
}

void veth_close(struct veth *veth)
{
	struct rtnl_link *link = rtnl_link_alloc();
	struct nl_sock *sock = nl_socket_alloc();

	/* What fails here is made good by the end of the namespace. */
	if (link && sock && veth->out_index && nl_connect(sock, NETLINK_ROUTE) == 0) {
		rtnl_link_set_ifindex(link, (int)veth->out_index);
		(void)rtnl_link_delete(sock, link);
	}
	rtnl_link_put(link);
	nl_socket_free(sock);
	veth->out_index = veth->in_index = 0;
}

int veth_attach(const struct veth *veth, int prog_fd, struct sluice_err *err)
{
	int code = bpf_xdp_attach((int)veth->in_index, prog_fd, XDP_FLAGS_DRV_MODE, NULL);

	return code ? fail(veth, "attach a program to it", code, err) : 0;
}

static int ethtool(const struct veth *veth, int fd, void *command)
{
	struct ifreq request = { .ifr_data = command };

	memcpy(request.ifr_name, veth->in, IFNAMSIZ);
	return ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
}

int veth_drops(const struct veth *veth, uint64_t *drops, struct sluice_err *err)
{
	static const char wanted[] = "_xdp_drops";
	struct {
		struct ethtool_gstrings head;
		char name[MAX_STATS][ETH_GSTRING_LEN];
	} names = { .head = { .cmd = ETHTOOL_GSTRINGS, .string_set = ETH_SS_STATS } };
	struct {
		struct ethtool_stats head;
		uint64_t value[MAX_STATS];
	} stats = { .head = { .cmd = ETHTOOL_GSTATS } };
	struct ethtool_drvinfo info = { .cmd = ETHTOOL_GDRVINFO };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), code;

	if (fd < 0)
		return fail(veth, "read its statistics", -errno, err);
	*drops = 0;
	code = ethtool(veth, fd, &info);
	if (code == 0 && info.n_stats > MAX_STATS)
		code = -E2BIG;
	names.head.len = stats.head.n_stats = info.n_stats;
	if (code == 0)
		code = ethtool(veth, fd, &names);
	if (code == 0)
		code = ethtool(veth, fd, &stats);
	close(fd);
	if (code)
		return fail(veth, "read its statistics", code, err);
	for (uint32_t i = 0; i < info.n_stats; i++) {
		size_t len = strnlen(names.name[i], ETH_GSTRING_LEN);

		if (len >= sizeof(wanted) - 1 && memcmp(names.name[i] + len - (sizeof(wanted) - 1),
							wanted, sizeof(wanted) - 1) == 0)
			*drops += stats.value[i];
	}
	return 0;
}
