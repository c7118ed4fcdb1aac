/* SPDX-License-Identifier: BSD-2-Clause */
/* See netdev_features.h.  The libraries of Debian 12 do not know the family yet, hence libnl. */
#include "netdev_features.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/genetlink.h>

#include <netlink/attr.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>

/* Of linux/netdev.h, which the headers of Debian 12 do not have. */
#define NETDEV_GENL_NAME "netdev"
#define NETDEV_GENL_VERSION 1
#define NETDEV_GENL_CMD_DEV_GET 1
#define NETDEV_GENL_A_DEV_IFINDEX 1
#define NETDEV_GENL_A_DEV_XDP_FEATURES 3
#define NETDEV_GENL_A_DEV_XSK_FEATURES 6
#define NETDEV_GENL_A_DEV_MAX 16

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

static uint64_t get_bits(struct nlattr *attr)
{
	return attr && nla_len(attr) >= 8 ? nla_get_u64(attr) : 0;
}

struct netdev_features netdev_features_read(int ifindex)
{
	struct netdev_features features = { .known = false };
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
	features.known = attrs[NETDEV_GENL_A_DEV_XDP_FEATURES];
	features.xdp = get_bits(attrs[NETDEV_GENL_A_DEV_XDP_FEATURES]);
	features.xsk = get_bits(attrs[NETDEV_GENL_A_DEV_XSK_FEATURES]);
	free(answer);
out:
	nlmsg_free(request);
	nl_socket_free(socket);
	return features;
}

/*
 * In zero copy the driver tells.  When the kernel copies, it reads the metadata of all that it copies into one
 * piece; of virtio_net, for which it does not, only since 6.18, and it does not tell.
 */
struct netdev_sums netdev_features_sums(const struct netdev_features *features, const char *driver)
{
	return (struct netdev_sums){
		.zero_copy = features->xsk & NETDEV_FEATURES_XSK_TX_CHECKSUM,
		.copy = strcmp(driver, "virtio_net") != 0,
	};
}
