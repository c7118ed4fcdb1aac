// SPDX-License-Identifier: BSD-2-Clause
/*
 * sluice-probe: attaches a counting or dropping program to an interface until it is told to stop,
 * then prints the counts as JSON.  SIGUSR1 prints them without stopping.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <net/if.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <systemd/sd-daemon.h>

#include <linux/if_link.h>

#include "probe_shared.h"

/* Uses types of probe_shared.h. */
#include "probe.skel.h"

static const char help[] =
	"Usage: sluice-probe --dev IF --sources FIRST-LAST [--drop] [--tc] [--seconds N]\n"
	"\n"
	"Counts the packets that IF receives, by whether their source lies in a range, until\n"
	"SIGINT, SIGTERM or N seconds; then detaches and prints the counts as JSON.  SIGUSR1 prints\n"
	"them and goes on.  Says READY=1 to $NOTIFY_SOCKET once attached.\n"
	"\n"
	"  --sources FIRST-LAST  two IPv4 addresses, or two IPv6 /64s by any address in them\n"
	"  --drop                drops what lies within the range\n"
	"  --tc                  counts behind XDP, at the tc ingress hook, instead of in XDP\n";

struct probe_options {
	const char *dev;
	struct probe_range range;
	bool range_given, tc;
	unsigned int seconds;
};

static int parse_address(const char *text, struct probe_range *range, uint64_t *value)
{
	struct in6_addr addr;

	range->ipv6 = strchr(text, ':') != NULL;
	if (inet_pton(range->ipv6 ? AF_INET6 : AF_INET, text, &addr) != 1)
		return -EINVAL;
	*value = ntohl(addr.s6_addr32[0]);
	if (range->ipv6)
		*value = *value << 32 | ntohl(addr.s6_addr32[1]);
	return 0;
}

static int parse_range(const char *text, struct probe_range *range)
{
	char first[INET6_ADDRSTRLEN];
	const char *dash = strchr(text, '-');
	uint64_t from, to;

	if (!dash || (size_t)(dash - text) >= sizeof(first))
		return -EINVAL;
	memcpy(first, text, dash - text);
	first[dash - text] = '\0';
	if (parse_address(first, range, &from) || parse_address(dash + 1, range, &to) || to < from)
		return -EINVAL;
	range->first = from;
	range->last = to;
	return 0;
}

/* 0: go on; 1: helped; -EINVAL: said why. */
static int parse_options(int argc, char **argv, struct probe_options *options)
{
	static const struct option longs[] = {
		{ "dev", required_argument, NULL, 'i' },
		{ "sources", required_argument, NULL, 's' },
		{ "drop", no_argument, NULL, 'd' },
		{ "tc", no_argument, NULL, 't' },
		{ "seconds", required_argument, NULL, 'n' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (opt) {
		case 'i':
			options->dev = optarg;
			break;
		case 's':
			if (parse_range(optarg, &options->range)) {
				fprintf(stderr, "sluice-probe: --sources '%s': not a range\n",
					optarg);
				return -EINVAL;
			}
			options->range_given = true;
			break;
		case 'd':
			options->range.drop = 1;
			break;
		case 't':
			options->tc = true;
			break;
		case 'n':
			options->seconds = strtoul(optarg, NULL, 10);
			break;
		case 'h':
			fputs(help, stdout);
			return 1;
		default:
			return -EINVAL;
		}
	}
	if (!options->dev || !options->range_given || optind < argc) {
		fprintf(stderr, "sluice-probe: --dev and --sources are needed; see --help\n");
		return -EINVAL;
	}
	return 0;
}

static int read_counts(const struct probe *skel, uint64_t *counts)
{
	int n_cpus = libbpf_num_possible_cpus(), err = 0;
	uint64_t *values;

	if (n_cpus < 0)
		return n_cpus;
	values = calloc(n_cpus, sizeof(*values));
	if (!values)
		return -ENOMEM;
	for (uint32_t i = 0; !err && i < PROBE_N_COUNTS; i++) {
		err = bpf_map__lookup_elem(skel->maps.probe_counts, &i, sizeof(i), values,
					   n_cpus * sizeof(*values), 0);
		counts[i] = 0;
		for (int cpu = 0; cpu < n_cpus; cpu++)
			counts[i] += values[cpu];
	}
	free(values);
	return err;
}

static int print_counts(const struct probe *skel)
{
	uint64_t counts[PROBE_N_COUNTS];
	int err = read_counts(skel, counts);

	if (err)
		return err;
	printf("{\"within\": %llu, \"outside\": %llu, \"other\": %llu}\n",
	       (unsigned long long)counts[PROBE_COUNT_WITHIN],
	       (unsigned long long)counts[PROBE_COUNT_OUTSIDE],
	       (unsigned long long)counts[PROBE_COUNT_OTHER]);
	return fflush(stdout) ? -errno : 0;
}

static int attach_tc(const struct probe *skel, unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = bpf_program__fd(skel->progs.sluice_probe_tc),
		    .handle = 1, .priority = 1);
	int err = bpf_tc_hook_create(&hook);

	return err && err != -EEXIST ? err : bpf_tc_attach(&hook, &opts);
}

static void detach_tc(unsigned int ifindex)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS);
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = 1, .priority = 1);

	bpf_tc_detach(&hook, &opts);
}

/* Counts until a signal says stop; the XDP link goes away with its file descriptor. */
static int watch(const struct probe *skel, const sigset_t *signals, unsigned int seconds)
{
	int err = 0, number = SIGUSR1;

	sd_notify(0, "READY=1");
	alarm(seconds);
	while (!err && number == SIGUSR1) {
		number = sigwaitinfo(signals, NULL);
		err = print_counts(skel);
	}
	return err;
}

int main(int argc, char **argv)
{
	struct probe_options options = { 0 };
	struct bpf_link *link = NULL;
	struct probe *skel = NULL;
	unsigned int ifindex;
	sigset_t signals;
	int err = parse_options(argc, argv, &options);

	if (err)
		return err < 0 ? 2 : 0;
	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGALRM);
	sigaddset(&signals, SIGUSR1);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	ifindex = if_nametoindex(options.dev);
	err = ifindex ? 0 : -errno;
	if (!err) {
		skel = probe__open();
		err = skel ? 0 : -errno;
	}
	if (!err) {
		memcpy((void *)&skel->rodata->probe_range, &options.range, sizeof(options.range));
		err = probe__load(skel);
	}
	if (!err && options.tc) {
		err = attach_tc(skel, ifindex);
	} else if (!err) {
		link = bpf_program__attach_xdp(skel->progs.sluice_probe_xdp, ifindex);
		err = link ? 0 : -errno;
	}
	if (!err) {
		err = watch(skel, &signals, options.seconds);
		if (options.tc)
			detach_tc(ifindex);
	}
	if (err)
		fprintf(stderr, "interface '%s': cannot probe: %s (%d)\n", options.dev,
			strerror(-err), err);
	bpf_link__destroy(link);
	probe__destroy(skel);
	return err ? 1 : 0;
}
