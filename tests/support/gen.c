// SPDX-License-Identifier: BSD-2-Clause
/*
 * sluice-gen: a packet generator for tests, demo and benchmarks, built on BPF_PROG_TEST_RUN with
 * live frames.  The kernel runs gen.bpf.c on recycled frames and redirects them into a device; this
 * program paces the calls and keeps exact count.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <systemd/sd-daemon.h>

#include "gen_options.h"
#include "gen_rates.h"
#include "link_stats.h"

/* Uses types of gen_shared.h. */
#include "gen.skel.h"

#define BATCH 64
#define FIFO_PRIORITY 50
#define LOOPBACK_IFINDEX 1
/* Without a cap: as many packets a call as take about this long. */
#define FREE_SLICE_SECONDS 0.25
#define FREE_SLICE_FIRST 200000

static volatile sig_atomic_t stopped;

static void stop(int signal)
{
	(void)signal;
	stopped = 1;
}

struct generator {
	const struct gen_options *options;
	struct gen *skel;
	struct bpf_link *in_use;
	int nowhere; /* A network namespace. */
	uint8_t frame[GEN_FRAME_MAX];
	size_t length;
	struct link_stats before, after;
	uint64_t requested;
	double started, seconds;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec * 1e-9;
}

/* Wakes early when a signal comes. */
static void sleep_until(double when)
{
	struct timespec ts = { .tv_sec = when, .tv_nsec = (when - floor(when)) * 1e9 };

	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static int fail(const struct gen_options *options, const char *what, int err)
{
	fprintf(stderr, "interface '%s': %s: %s (%d)\n", options->dev, what, strerror(-err), err);
	return err;
}

static int own_mac(const char *ifname, uint8_t *mac)
{
	struct ifreq request = { 0 };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), err = 0;

	if (fd < 0)
		return -errno;
	strncpy(request.ifr_name, ifname, IFNAMSIZ - 1);
	if (ioctl(fd, SIOCGIFHWADDR, &request))
		err = -errno;
	close(fd);
	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
	return err;
}

static int fill_cells(const struct generator *generator)
{
	const struct gen_options *options = generator->options;
	size_t n = options->packet.n_sources;
	struct bpf_map *map = generator->skel->maps.gen_cells;
	struct gen_cell *cells = calloc(n, sizeof(*cells));
	double *weights = calloc(n, sizeof(*weights));
	int err = cells && weights ? 0 : -ENOMEM;

	if (err)
		goto out;
	gen_rates_gaussian(weights, n, options->sigma);
	err = gen_rates_alias(weights, n, cells);
	for (uint32_t i = 0; !err && i < n; i++)
		err = bpf_map__update_elem(map, &i, sizeof(i), &cells[i], sizeof(cells[i]), 0);
out:
	free(weights);
	free(cells);
	return err;
}

/* Points the redirection at the device, through the emulated card if there is one. */
static int set_device(const struct generator *generator, unsigned int ifindex)
{
	const struct gen_options *options = generator->options;
	struct bpf_devmap_val value = { .ifindex = ifindex, .bpf_prog.fd = -1 };
	char path[512];
	uint32_t key = 0;
	int err;

	if (options->card) {
		snprintf(path, sizeof(path), "%s/egress", options->card);
		value.bpf_prog.fd = bpf_obj_get(path);
		if (value.bpf_prog.fd < 0) {
			err = -errno;
			fprintf(stderr,
				"card '%s': cannot open its program: %s (%d); make the card by "
				"`sluice-emu-card create --pin %s`\n",
				path, strerror(-err), err, options->card);
			return err;
		}
	}
	err = bpf_map__update_elem(generator->skel->maps.gen_device, &key, sizeof(key), &value,
				   sizeof(value), 0);
	if (value.bpf_prog.fd >= 0)
		close(value.bpf_prog.fd);
	return err ? fail(options, "cannot send frames into it", err) : 0;
}

static int load(struct generator *generator, struct gen_options *options)
{
	unsigned int ifindex = if_nametoindex(options->dev);
	const char *why;
	int err;

	if (!ifindex)
		return fail(options, "no such interface in this network namespace", -errno);
	if (!options->from_mac_given) {
		err = own_mac(options->dev, options->packet.from_mac);
		if (err)
			return fail(options, "cannot read its address", err);
	}
	generator->skel = gen__open();
	if (!generator->skel)
		return fail(options, "cannot open the BPF program", -errno);

	struct gen_config *config = (struct gen_config *)&generator->skel->rodata->gen_config;

	err = gen_packet_build(&options->packet, generator->frame, &generator->length, config,
			       &why);
	if (err) {
		fprintf(stderr, "sluice-gen: %s\n", why);
		return err;
	}
	config->order = options->order;
	generator->skel->bss->gen_next = 0;
	generator->skel->data->gen_state = options->seed;
	if (options->order == GEN_ORDER_WEIGHTED)
		bpf_map__set_max_entries(generator->skel->maps.gen_cells, config->n_sources);
	err = gen__load(generator->skel);
	if (err)
		return fail(options, "cannot load the BPF program (root is needed)", err);
	if (options->order == GEN_ORDER_WEIGHTED) {
		err = fill_cells(generator);
		if (err)
			return fail(options, "cannot fill the table of rates", err);
	}
	return set_device(generator, ifindex);
}

/*
 * The kernel makes a direct call of each XDP program that is in use (the BPF dispatcher), and waits for
 * two grace periods, 24 ms, when one begins or ends to be: around each test run.  A program that is
 * attached somewhere stays in use, here on the loopback device of a network namespace that nobody is in.
 * Without it short slices cost rate.
 */
static int stay_in_use(struct generator *generator)
{
	int here = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), err = 0;

	if (here < 0 || unshare(CLONE_NEWNET))
		err = -errno;
	if (!err) {
		/* Holds the namespace. */
		generator->nowhere = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
		generator->in_use = bpf_program__attach_xdp(generator->skel->progs.sluice_gen,
							    LOOPBACK_IFINDEX);
		if (generator->nowhere < 0 || !generator->in_use)
			err = -errno;
		if (setns(here, CLONE_NEWNET))
			err = -errno;
	}
	if (here >= 0)
		close(here);
	return err ? fail(generator->options, "cannot keep the BPF program in use", err) : 0;
}

static int go_real_time(const struct gen_options *options)
{
	struct sched_param param = { .sched_priority = FIFO_PRIORITY };
	cpu_set_t cpus;

	if (options->cpu >= 0) {
		CPU_ZERO(&cpus);
		CPU_SET(options->cpu, &cpus);
		if (sched_setaffinity(0, sizeof(cpus), &cpus)) {
			fprintf(stderr, "sluice-gen: --cpu %d: %s\n", options->cpu,
				strerror(errno));
			return -errno;
		}
	}
	if (options->fifo && sched_setscheduler(0, SCHED_FIFO, &param)) {
		fprintf(stderr, "sluice-gen: --fifo: %s\n", strerror(errno));
		return -errno;
	}
	return 0;
}

/* A signal, or the timer that ends a duration, cuts a system call short; the count stays exact. */
static int arm(double duration)
{
	struct sigaction action = { .sa_handler = stop };
	struct itimerval timer = {
		.it_value = { .tv_sec = duration,
			      .tv_usec = (duration - floor(duration)) * 1000000 },
	};

	if (sigaction(SIGINT, &action, NULL) || sigaction(SIGTERM, &action, NULL) ||
	    sigaction(SIGALRM, &action, NULL) || setitimer(ITIMER_REAL, &timer, NULL))
		return -errno;
	return 0;
}

static int send_slice(struct generator *generator, uint32_t packets)
{
	struct xdp_md ctx = { .data_end = generator->length };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = generator->frame,
		    .data_size_in = generator->length, .ctx_in = &ctx, .ctx_size_in = sizeof(ctx),
		    .repeat = packets, .batch_size = BATCH, .flags = BPF_F_TEST_XDP_LIVE_FRAMES);
	int err = bpf_prog_test_run_opts(bpf_program__fd(generator->skel->progs.sluice_gen), &opts);

	return err == -EINTR ? 0 : err;
}

/* How many packets the next call may send; 0: all are sent. */
static uint32_t next_slice(const struct generator *generator)
{
	const struct gen_options *options = generator->options;
	uint64_t sent = generator->skel->bss->gen_sent, slice = FREE_SLICE_FIRST;
	double elapsed = now() - generator->started;

	if (options->rate)
		slice = ceil(options->rate * options->slice);
	else if (sent && elapsed > 0)
		slice = sent / elapsed * FREE_SLICE_SECONDS + 1;
	if (options->count && slice > options->count - sent)
		slice = options->count - sent;
	if (slice > INT32_MAX)
		slice = INT32_MAX;
	return slice;
}

/* A last burst that came to its end late does not raise what was asked for. */
static uint64_t requested_by_rate(const struct generator *generator)
{
	const struct gen_options *options = generator->options;
	double seconds = generator->seconds;

	if (options->duration && seconds > options->duration)
		seconds = options->duration;
	return ceil(options->rate * seconds);
}

/*
 * A receiver that was too slow for a while is not made to pay for it later by more than the capped
 * rate: what is late by more than one burst is never sent.
 */
static double forgive(double planned, double elapsed, double slice)
{
	return planned < elapsed - slice ? elapsed - slice : planned;
}

static int run(struct generator *generator)
{
	const struct gen_options *options = generator->options;
	double planned = 0; /* Seconds of traffic handed to the kernel, at the capped rate. */
	uint32_t slice;
	int err = 0;

	generator->started = now();
	while (!stopped && !err) {
		slice = next_slice(generator);
		if (!slice)
			break;
		if (options->rate) {
			planned = forgive(planned, now() - generator->started, options->slice);
			sleep_until(generator->started + planned);
			planned += (double)slice / options->rate;
			if (stopped)
				break;
		}
		err = send_slice(generator, slice);
	}
	generator->seconds = now() - generator->started;
	if (options->rate)
		generator->requested = requested_by_rate(generator);
	else
		generator->requested = generator->skel->bss->gen_sent;
	if (options->count && (!options->rate || generator->requested > options->count))
		generator->requested = options->count;
	return err ? fail(options, "cannot send", err) : 0;
}

/* With veth the receiver's work up to its verdict is done in the sender's time. */
static double cpu_seconds(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_stime.tv_sec + usage.ru_stime.tv_usec / 1e6;
}

static void report(const struct generator *generator)
{
	const struct gen_options *options = generator->options;
	uint64_t sent = generator->skel->bss->gen_sent;
	uint64_t errors = generator->after.xmit_errors - generator->before.xmit_errors;
	uint64_t taken = generator->after.xmit - generator->before.xmit;
	uint64_t accepted = sent - errors;
	uint64_t missing = generator->after.present && taken < accepted ? accepted - taken : 0;

	if (missing && !options->card)
		fprintf(stderr,
			"interface '%s': %llu frames vanished: its peer has neither an XDP program nor "
			"GRO, or the link is down; try `ethtool -K PEER gro on`\n",
			options->dev, (unsigned long long)missing);
	printf("{\"requested\": %llu, \"sent\": %llu, \"xmit_errors\": %llu, \"accepted\": %llu, "
	       "\"card_dropped\": %llu, \"vanished\": %llu, \"seconds\": %.6f, \"pps\": %.0f, "
	       "\"offered_pps\": %.0f, \"cpu_seconds\": %.6f}\n",
	       (unsigned long long)generator->requested, (unsigned long long)sent,
	       (unsigned long long)errors, (unsigned long long)accepted,
	       (unsigned long long)(options->card ? missing : 0),
	       (unsigned long long)(options->card ? 0 : missing), generator->seconds,
	       sent / generator->seconds,
	       options->rate ? (double)options->rate : sent / generator->seconds, cpu_seconds());
}

int main(int argc, char **argv)
{
	struct gen_options options;
	struct generator generator = { .options = &options };
	int err = gen_options_parse(argc, argv, &options);

	if (err)
		return err < 0 ? 2 : 0;
	err = load(&generator, &options);
	if (!err)
		err = stay_in_use(&generator);
	if (!err)
		err = go_real_time(&options);
	if (!err) {
		err = link_stats_read(options.dev, &generator.before);
		if (err)
			fail(&options, "cannot read its counters", err);
	}
	if (!err)
		err = arm(options.duration);
	if (!err) {
		sd_notify(0, "READY=1");
		err = run(&generator);
		if (link_stats_read(options.dev, &generator.after))
			generator.after = generator.before;
		report(&generator);
	}
	bpf_link__destroy(generator.in_use);
	gen__destroy(generator.skel);
	return err ? 1 : 0;
}
