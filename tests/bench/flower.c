/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-bench-flower --interface IF [--rules N [--keep] | --packets ADDRESS | --flush]: how many rules
 * a second the back end `flower` puts into the kernel (skip_hw), takes out and reads back, as JSON.
 */
#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include <sluice/backend.h>

#include "support/flower_host.h"

#define MAX_RULES 131072u

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static const struct sluice_backend_ops *load(void)
{
	void *object = dlopen(FLOWER_PLUGIN, RTLD_NOW | RTLD_LOCAL);
	const struct sluice_plugin *plugin = object ? dlsym(object, "sluice_plugin") : NULL;

	if (!plugin)
		fprintf(stderr, "sluice-bench-flower: %s\n", dlerror());
	return plugin ? plugin->ops : NULL;
}

struct bench {
	const struct sluice_backend_ops *ops;
	void *self;
	struct sluice_backend_rule *rules;
	struct sluice_backend_counter *counters;
	int *results;
	struct sluice_err err;
};

static int complain(const struct bench *bench, const char *what, int rc)
{
	fprintf(stderr, "sluice-bench-flower: %s: %s: %s\n", what, strerror(-rc), bench->err.text);
	return 1;
}

static int check_results(const struct bench *bench, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (bench->results[i])
			return bench->results[i];
	return 0;
}

/* CPU time of this process, us: in itself and in the kernel. */
static void cpu_us(double us[2])
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	us[0] = (double)usage.ru_utime.tv_sec * 1e6 + (double)usage.ru_utime.tv_usec;
	us[1] = (double)usage.ru_stime.tv_sec * 1e6 + (double)usage.ru_stime.tv_usec;
}

static double per_second(size_t n, uint64_t ns)
{
	return (double)n * 1e9 / (double)(ns ? ns : 1);
}

static int measure(struct bench *bench, size_t n, bool keep)
{
	uint64_t begin = now_ns(), added, read, deleted;
	double before[2], after[2];
	size_t count = 0;
	int rc;

	for (size_t i = 0; i < n; i++)
		bench->rules[i].key = (struct sluice_key){
			.family = SLUICE_FAMILY_IPV4,
			.prefix_len = 32,
			.addr = { 198, (uint8_t)(18 + i / 65536), (uint8_t)(i / 256), (uint8_t)i },
		};
	cpu_us(before);
	begin = now_ns();
	rc = bench->ops->add(bench->self, bench->rules, n, bench->results, &bench->err);
	added = now_ns();
	cpu_us(after);
	rc = rc ? rc : check_results(bench, n);
	rc = rc ? rc
		: bench->ops->read(bench->self, bench->counters, MAX_RULES, &count, &bench->err);
	read = now_ns();
	if (rc || count != n)
		return complain(bench, "add and read", rc);
	if (!keep)
		rc = bench->ops->del(bench->self, bench->rules, n, bench->results, &bench->err);
	deleted = now_ns();
	rc = rc ? rc : check_results(bench, n);
	if (rc)
		return complain(bench, "del", rc);
	printf("{\"rules\": %zu, \"rules_per_s\": %.0f, \"user_us\": %.1f, \"kernel_us\": %.1f, "
	       "\"read_per_s\": %.0f",
	       n, per_second(n, added - begin), (after[0] - before[0]) / (double)n,
	       (after[1] - before[1]) / (double)n, per_second(n, read - added));
	if (!keep)
		printf(", \"deletions_per_s\": %.0f", per_second(n, deleted - read));
	puts("}");
	return 0;
}

static int show_packets(struct bench *bench, const char *address)
{
	uint8_t wanted[4];
	size_t count = 0;
	int rc = bench->ops->read(bench->self, bench->counters, MAX_RULES, &count, &bench->err);

	if (rc || inet_pton(AF_INET, address, wanted) != 1)
		return complain(bench, "read", rc ? rc : -EINVAL);
	for (size_t i = 0; i < count; i++)
		if (!memcmp(bench->counters[i].key.addr, wanted, sizeof(wanted))) {
			printf("%llu\n", (unsigned long long)bench->counters[i].packets);
			return 0;
		}
	return complain(bench, address, -ENOENT);
}

struct arguments {
	const char *ifname, *packets;
	size_t rules;
	bool keep, flush;
};

static int parse(int argc, char **argv, struct arguments *args)
{
	static const struct option options[] = {
		{ "interface", required_argument, NULL, 'i' },
		{ "rules", required_argument, NULL, 'n' },
		{ "packets", required_argument, NULL, 'p' },
		{ "keep", no_argument, NULL, 'k' },
		{ "flush", no_argument, NULL, 'f' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (option == 'i')
			args->ifname = optarg;
		else if (option == 'n')
			args->rules = strtoul(optarg, NULL, 10);
		else if (option == 'p')
			args->packets = optarg;
		else if (option == 'k')
			args->keep = true;
		else if (option == 'f')
			args->flush = true;
		else
			return -EINVAL;
	}
	return args->ifname && args->rules <= MAX_RULES ? 0 : -EINVAL;
}

static int run(struct bench *bench, const struct arguments *args)
{
	int rc;

	if (args->packets)
		return show_packets(bench, args->packets);
	if (args->rules)
		return measure(bench, args->rules, args->keep);
	if (!args->flush)
		return 0;
	rc = bench->ops->flush(bench->self, &bench->err);
	return rc ? complain(bench, "flush", rc) : 0;
}

int main(int argc, char **argv)
{
	struct arguments args = { 0 };
	struct bench bench = { 0 };
	struct sluice_backend_caps caps = { .size = sizeof(caps) };
	int rc;

	if (parse(argc, argv, &args)) {
		fputs("usage: sluice-bench-flower --interface IF [--rules N [--keep] | "
		      "--packets ADDRESS | --flush]\n",
		      stderr);
		return 2;
	}
	bench.ops = load();
	bench.rules = calloc(MAX_RULES, sizeof(*bench.rules));
	bench.counters = calloc(MAX_RULES, sizeof(*bench.counters));
	bench.results = calloc(MAX_RULES, sizeof(*bench.results));
	if (!bench.ops || !bench.rules || !bench.counters || !bench.results)
		return 1;
	rc = bench.ops->open(NULL, &flower_host, &(struct sluice_config){ .mode = "skip_hw" },
			     args.ifname, &caps, &bench.self, &bench.err);
	if (rc)
		return complain(&bench, "open", rc);
	rc = run(&bench, &args);
	bench.ops->close(bench.self);
	free(bench.rules);
	free(bench.counters);
	free(bench.results);
	return rc;
}
