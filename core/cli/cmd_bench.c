/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice bench: measures the data plane on this machine, or simulates the offload manager, apart
 * from any daemon.  See bench/.
 */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "bench/bench.h"
#include "bench/options.h"

#include "cli.h"

static const struct {
	const char *name;
	int (*run)(const struct bench_options *options, struct sluice_err *err);
	struct bench_options defaults;
} benches[] = {
	{ "datapath",
	  bench_datapath,
	  { .n_rounds = 11,
	    .entries = { 1, 1u << 10, 16u << 10, 128u << 10, 1u << 20 },
	    .n_sizes = 5 } },
	{ "snapshot", bench_snapshot, { .n_rounds = 11 } },
	{ "offload", bench_offload, { .entries = { 512, 16u << 10 }, .n_sizes = 2 } },
	{ "stack", bench_stack, { .n_rounds = 1 } },
};
#define N_BENCHES (sizeof(benches) / sizeof(benches[0]))

/* What was asked for in words; 0 or a negative errno with the reason. */
static int read_options(const struct cli_args *args, const char *name,
			struct bench_options *options, struct sluice_err *err)
{
	bool simulated = strcmp(name, "offload") == 0;
	bool stack = strcmp(name, "stack") == 0;
	int rc = 0;

	options->json = args->json;
	options->csv = args->csv;
	options->svg = args->svg;
	options->attack = args->attack;
	if (!simulated && (args->csv || args->attack || (args->svg && !stack))) {
		err_set(err, "csv",
			"--csv and --attack are of offload, --svg of offload and stack");
		return -EINVAL;
	}
	if (stack && (args->rounds || args->entries)) {
		err_set(err, "rounds", "--rounds and --entries are not of stack");
		return -EINVAL;
	}
	if (simulated && args->rounds) {
		err_set(err, "rounds", "--rounds: offload is a simulation; one round says it all");
		return -EINVAL;
	}
	if (args->rounds)
		rc = options_parse_rounds(args->rounds, &options->n_rounds, err);
	if (!rc && args->entries)
		rc = options_parse_entries(args->entries, options, err);
	return rc;
}

static int run(const struct cli_args *args)
{
	const char *name = args->operands[0];
	struct sluice_err err = { .text = "" };
	struct bench_options options;
	size_t i = 0;
	int code;

	while (i < N_BENCHES && strcmp(benches[i].name, name) != 0)
		i++;
	if (i == N_BENCHES) {
		fprintf(stderr,
			"sluice: bench: '%s': not one of datapath, snapshot, offload and "
			"stack\n",
			name);
		return CLI_EXIT_USAGE;
	}
	options = benches[i].defaults;
	code = read_options(args, name, &options, &err);
	if (code) {
		fprintf(stderr, "sluice: bench: %s\n", err.text);
		return CLI_EXIT_USAGE;
	}
	code = benches[i].run(&options, &err);
	if (!code)
		return CLI_EXIT_OK;
	if (!err.text[0])
		err_set(&err, NULL, "%s (%s)", strerror(-code), err_name(code));
	fprintf(stderr, "sluice: bench: %s: %s\n", name, err.text);
	return CLI_EXIT_FAILED;
}

const struct cli_command cli_bench = {
	.name = "bench",
	.operands = "datapath|snapshot|offload|stack",
	.summary = "measure the data plane beside references; simulate offloading",
	.help = "datapath and snapshot work in namespaces of their own, of which nothing stays; a\n"
		"running daemon is not touched, but shares the CPUs.  They need root.\n"
		"\n"
		"datapath: ns per packet, and packets per second over a link, beside a bare XDP_DROP\n"
		"and XDP_PASS, the least that a table can cost, and hash maps.  A few minutes.\n"
		"snapshot: the read-out of a window's sources, beside system calls on a hash map, and\n"
		"the time to fill the blocklist, beside the least that it can take.  A minute.\n"
		"offload: how much of an attack the offload manager gets into a card's table of K\n"
		"rules, and at how many updates, beside the best possible.  A simulation: no root, no\n"
		"daemon, the same on every machine.  Some minutes; --entries are sizes of the table.\n"
		"--attack changes the attack: seed, sources, settle and windows (how many are left out\n"
		"and scored), spread (gaussian), exponent (zipf), ranks and rates (drift), pulse.\n"
		"\n"
		"stack: requests per second of nginx and of the stack lwip, on AF_XDP and, where it is, on\n"
		"DPDK, by cores, load, CPU time of a request, and under a flood.  From a clone, as root,\n"
		"ten minutes; namespaces of its own.  Of the environment SLUICE_BENCH_SECONDS (2) is the\n"
		"time of a measurement, SLUICE_BENCH_FIGURES which of '2 3 4 5' are made, and\n"
		"SLUICE_BENCH_RAW a file for each measurement as a line.\n"
		"\n"
		"With --json the document goes to stdout and the table to stderr.  Ratios hold across\n"
		"machines; times do not.\n"
		"\n"
		"  sluice bench datapath --entries 1K,128K --rounds 5\n"
		"  sluice bench offload --entries 512 --svg offload.svg\n"
		"  sluice bench offload --attack seed=7,exponent=1.3,ranks=0.02\n"
		"  sluice bench stack --json --svg stack.svg\n",
	.options = CLI_OPTION_JSON | CLI_OPTION_ROUNDS | CLI_OPTION_ENTRIES | CLI_OPTION_CSV |
		   CLI_OPTION_SVG | CLI_OPTION_ATTACK,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
