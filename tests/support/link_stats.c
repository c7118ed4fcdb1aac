// SPDX-License-Identifier: BSD-2-Clause
/*
 * Driver statistics by the ethtool ioctl; veth names them tx_queue_N_xdp_xmit and
 * tx_queue_N_xdp_xmit_errors on the sending side.
 */
#include "link_stats.h"

#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <linux/ethtool.h>
#include <linux/sockios.h>

static int ethtool(int fd, const char *ifname, void *command)
{
	struct ifreq request = { 0 };

	strncpy(request.ifr_name, ifname, IFNAMSIZ - 1);
	request.ifr_data = command;
	return ioctl(fd, SIOCETHTOOL, &request) ? -errno : 0;
}

static int count_stats(int fd, const char *ifname, uint32_t *count)
{
	struct {
		struct ethtool_sset_info info;
		uint32_t value;
	} sset = { .info = { .cmd = ETHTOOL_GSSET_INFO, .sset_mask = 1ull << ETH_SS_STATS } };
	int err = ethtool(fd, ifname, &sset);

	*count = !err && sset.info.sset_mask ? sset.value : 0;
	return err == -EOPNOTSUPP ? 0 : err;
}

static bool ends_with(const char *text, const char *end)
{
	size_t text_len = strlen(text), end_len = strlen(end);

	return text_len >= end_len && !strcmp(text + text_len - end_len, end);
}

static void sum_stats(const struct ethtool_gstrings *names, const struct ethtool_stats *values,
		      uint32_t count, struct link_stats *stats)
{
	char name[ETH_GSTRING_LEN + 1] = "";

	for (uint32_t i = 0; i < count; i++) {
		memcpy(name, names->data + (size_t)i * ETH_GSTRING_LEN, ETH_GSTRING_LEN);
		/* On the receiving side veth counts its own XDP_TX under similar names. */
		if (strncmp(name, "tx_queue_", strlen("tx_queue_")))
			continue;
		if (ends_with(name, "_xdp_xmit"))
			stats->xmit += values->data[i];
		else if (ends_with(name, "_xdp_xmit_errors"))
			stats->xmit_errors += values->data[i];
		else
			continue;
		stats->present = true;
	}
}

int link_stats_read(const char *ifname, struct link_stats *stats)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err;
	struct ethtool_gstrings *names = NULL;
	struct ethtool_stats *values = NULL;
	uint32_t count = 0;

	memset(stats, 0, sizeof(*stats));
	if (fd < 0)
		return -errno;
	err = count_stats(fd, ifname, &count);
	if (err || !count)
		goto out;
	names = calloc(1, sizeof(*names) + (size_t)count * ETH_GSTRING_LEN);
	values = calloc(1, sizeof(*values) + (size_t)count * sizeof(values->data[0]));
	if (!names || !values) {
		err = -ENOMEM;
		goto out;
	}
	names->cmd = ETHTOOL_GSTRINGS;
	names->string_set = ETH_SS_STATS;
	names->len = count;
	values->cmd = ETHTOOL_GSTATS;
	values->n_stats = count;
	err = ethtool(fd, ifname, names);
	if (!err)
		err = ethtool(fd, ifname, values);
	if (!err)
		sum_stats(names, values, count, stats);
out:
	free(names);
	free(values);
	close(fd);
	return err;
}
