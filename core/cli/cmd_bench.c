/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice bench: measures the data plane on this machine, apart from any daemon.  See bench/. */
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
};
#define N_BENCHES (sizeof(benches) / sizeof(benches[0]))

static int run(const struct cli_args *args)
{
	const char *name = args->operands[0];
	struct sluice_err err = { .text = "" };
	struct bench_options options;
	size_t i = 0;
	int code = 0;

	while (i < N_BENCHES && strcmp(benches[i].name, name) != 0)
		i++;
	if (i == N_BENCHES) {
		fprintf(stderr, "sluice: bench: '%s': neither datapath nor snapshot\n", name);
		return CLI_EXIT_USAGE;
	}
	options = benches[i].defaults;
	options.json = args->json;
	if (args->rounds)
		code = options_parse_rounds(args->rounds, &options.n_rounds, &err);
	if (!code && args->entries)
		code = options_parse_entries(args->entries, &options, &err);
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
	.operands = "datapath|snapshot",
	.summary = "measure the data plane on this machine, beside references",
	.help = "In namespaces of its own, of which nothing stays; a running daemon is not touched,\n"
		"but shares the CPUs.  Needs root.\n"
		"\n"
		"datapath: ns per packet, and packets per second over a link, beside a bare XDP_DROP\n"
		"and XDP_PASS, the least that a table can cost, and hash maps.  A few minutes.\n"
		"snapshot: the read-out of a window's sources, beside system calls on a hash map, and\n"
		"the time to fill the blocklist.  A minute.\n"
		"\n"
		"With --json the document goes to stdout and the table to stderr.  Ratios hold across\n"
		"machines; times do not.\n"
		"\n"
		"  sluice bench datapath --entries 1K,128K --rounds 5\n",
	.options = CLI_OPTION_JSON | CLI_OPTION_ROUNDS | CLI_OPTION_ENTRIES,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
