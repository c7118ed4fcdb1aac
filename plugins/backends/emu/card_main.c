/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-emu-card: makes, shows and destroys emulated NICs.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/libbpf.h>

#include "card.h"
#include "card_tool.h"

enum {
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	CAPACITY_MAX = 1 << 20,
};

static const char usage[] =
	"Usage: sluice-emu-card create  --pin DIR [--capacity K] [--no-counters]\n"
	"                               [--v6-prefix N] [--interface IF]\n"
	"       sluice-emu-card show    --pin DIR [--json]\n"
	"       sluice-emu-card destroy --pin DIR\n"
	"\n"
	"An emulated NIC for work without hardware: a table of at most K sources, whose packets\n"
	"are dropped one hop before the protected server.  It is an emulation in the kernel's XDP\n"
	"and tc hooks; it costs CPU time where a real card costs none, so its drop rates say\n"
	"nothing of a real card.  Like a real card it exists apart from sluiced, and keeps its\n"
	"rules when sluiced dies.\n"
	"\n"
	"create   loads the programs and pins the card under DIR:\n"
	"           DIR/buckets  the IPv4 rules, which the back end 'emu' fills in\n"
	"           DIR/hash     the IPv6 rules, and the IPv4 rules whose bucket is full\n"
	"           DIR/totals   what the card dropped\n"
	"           DIR/card     what the card is\n"
	"           DIR/egress   XDP program for an entry of a device map: put it there to pass\n"
	"                        redirected frames through the card (sluice-gen --card DIR does)\n"
	"           DIR/xdp      the same for an interface's own XDP hook\n"
	"           DIR/tc       the same for clsact egress\n"
	"show     prints the table, with hits, and the total dropped\n"
	"destroy  takes the card's filter off its interface and removes all of DIR; the clsact\n"
	"         qdisc stays, since others may use it\n"
	"\n"
	"  --pin DIR        folder in a BPF file system that does not exist yet,\n"
	"                   such as /sys/fs/bpf/card0\n"
	"  --capacity K     rules that fit, 1 to 1048576 (default 512)\n"
	"  --no-counters    rules without hit counters, as Intel's Flow Director has them\n"
	"  --v6-prefix N    IPv6 sources are matched by their first N bits, 1 to 128 (default 64);\n"
	"                   must be the policy's v6_prefix, or the card takes no IPv6 source\n"
	"  --interface IF   also filter what the stack sends through IF (clsact egress)\n"
	"  --json           for programs\n"
	"  --verbose        show what libbpf says\n"
	"\n"
	"Example: a card of 512 rules on the wire-side end of a veth pair, and a daemon using it\n"
	"  sluice-emu-card create --pin /sys/fs/bpf/card0 --capacity 512 --interface wire0\n"
	"  # in the deployment file:\n"
	"  #   offload: { backend: emu, options: { card: /sys/fs/bpf/card0 } }\n"
	"  sluice-emu-card show --pin /sys/fs/bpf/card0\n"
	"\n"
	"Needs root, or CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN.  Exit status: 0 done, 1 failed,\n"
	"2 misused.\n";

static int quiet(enum libbpf_print_level level, const char *fmt, va_list args)
{
	(void)level;
	(void)fmt;
	(void)args;
	return 0;
}

static int misuse(const char *what, const char *value)
{
	fprintf(stderr, "sluice-emu-card: %s '%s' (-EINVAL); see sluice-emu-card --help\n", what,
		value);
	return EXIT_USAGE;
}

/* A whole number within bounds, all of the text; false otherwise. */
static bool parse_number(const char *text, unsigned long min, unsigned long max, uint32_t *out)
{
	unsigned long value;
	char *end;

	if (text[0] < '0' || text[0] > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value < min || value > max)
		return false;
	*out = (uint32_t)value;
	return true;
}

struct arguments {
	struct card_tool_create create;
	bool json, verbose, help;
	unsigned int given; /* Bits of enum given. */
};

enum given {
	GIVEN_CREATE_ONLY = 1u << 0,
	GIVEN_SHOW_ONLY = 1u << 1,
};

static int parse_options(int argc, char **argv, struct arguments *arguments)
{
	static const struct option options[] = {
		{ "pin", required_argument, NULL, 'p' },
		{ "capacity", required_argument, NULL, 'k' },
		{ "no-counters", no_argument, NULL, 'n' },
		{ "v6-prefix", required_argument, NULL, '6' },
		{ "interface", required_argument, NULL, 'i' },
		{ "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ 0 },
	};
	struct card_tool_create *create = &arguments->create;
	int option;

	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		if (option == 'k' || option == 'n' || option == '6' || option == 'i')
			arguments->given |= GIVEN_CREATE_ONLY;
		switch (option) {
		case 'p':
			create->folder = optarg;
			break;
		case 'k':
			if (!parse_number(optarg, 1, CAPACITY_MAX, &create->capacity))
				return misuse("--capacity takes a number from 1 to 1048576, not",
					      optarg);
			break;
		case 'n':
			create->counters = false;
			break;
		case '6':
			if (!parse_number(optarg, 1, 128, &create->v6_prefix_len))
				return misuse("--v6-prefix takes a number from 1 to 128, not",
					      optarg);
			break;
		case 'i':
			create->interface = optarg;
			break;
		case 'j':
			arguments->json = true;
			arguments->given |= GIVEN_SHOW_ONLY;
			break;
		case 'v':
			arguments->verbose = true;
			break;
		case 'h':
			arguments->help = true;
			break;
		default:
			fputs("See sluice-emu-card --help\n", stderr);
			return EXIT_USAGE;
		}
	}
	return optind < argc ? misuse("unexpected argument", argv[optind]) : 0;
}

static int run(const char *command, const struct arguments *arguments, struct sluice_err *err)
{
	const struct card_tool_create *create = &arguments->create;
	char note[256] = "";
	int rc;

	if (strcmp(command, "create") == 0) {
		rc = card_create(create, err);
		if (rc == 0)
			printf("emulated NIC '%s': %u rules, %s, IPv6 by /%u\n", create->folder,
			       create->capacity, create->counters ? "hit counters" : "no counters",
			       create->v6_prefix_len);
		return rc;
	}
	if (strcmp(command, "show") == 0)
		return card_show(create->folder, arguments->json, err);
	rc = card_destroy(create->folder, note, sizeof(note), err);
	if (note[0])
		fprintf(stderr, "sluice-emu-card: %s\n", note);
	return rc;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {
		.create = { .capacity = 512, .v6_prefix_len = 64, .counters = true },
	};
	struct sluice_err err = { .text = "" };
	const char *command = argc > 1 ? argv[1] : "--help";
	unsigned int foreign;
	int rc;

	if (strcmp(command, "--help") == 0 || strcmp(command, "-h") == 0) {
		fputs(usage, stdout);
		return argc > 1 ? 0 : EXIT_USAGE;
	}
	if (strcmp(command, "create") != 0 && strcmp(command, "show") != 0 &&
	    strcmp(command, "destroy") != 0)
		return misuse("unknown command", command);
	rc = parse_options(argc - 1, argv + 1, &arguments);
	if (rc)
		return rc;
	if (arguments.help) {
		fputs(usage, stdout);
		return 0;
	}
	foreign = arguments.given;
	if (strcmp(command, "create") == 0)
		foreign &= ~(unsigned int)GIVEN_CREATE_ONLY;
	if (strcmp(command, "show") == 0)
		foreign &= ~(unsigned int)GIVEN_SHOW_ONLY;
	if (foreign)
		return misuse("an option was given that is not for command", command);
	if (!arguments.create.folder)
		return misuse("--pin DIR is missing for command", command);

	if (!arguments.verbose)
		libbpf_set_print(quiet);
	rc = run(command, &arguments, &err);
	if (rc) {
		const char *name = strerrorname_np(-rc);

		fprintf(stderr, "sluice-emu-card: %s (-%s)\n", err.text, name ? name : "E?");
		return EXIT_FAILED;
	}
	return 0;
}
