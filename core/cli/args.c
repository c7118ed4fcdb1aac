/* SPDX-License-Identifier: BSD-2-Clause */
/* One table of options for all subcommands; each says which it takes.  See args.h. */
#include "args.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "base/nearest.h"
#include "control/fail.h"

#include "cli.h"

static const struct {
	enum cli_option option;
	const char *name, *value, *help;
} table[] = {
	{ CLI_OPTION_FOR, "for", "DURATION", "release it after this time, as 10m or 1h" },
	{ CLI_OPTION_FOLLOW, "follow", NULL, "go on with what happens, until interrupted" },
	{ CLI_OPTION_PIN_PATH, "pin-path", "FOLDER", "where it is pinned (/sys/fs/bpf/sluice)" },
	{ CLI_OPTION_ROUNDS, "rounds", "N", "measure so often, in turns (11)" },
	{ CLI_OPTION_ENTRIES, "entries", "LIST", "for these table sizes, as 1,1K,128K,1M" },
	{ CLI_OPTION_CSV, "csv", "FILE", "write the rows there as well, comma-separated" },
	{ CLI_OPTION_SVG, "svg", "FILE", "draw a picture of them there" },
	{ CLI_OPTION_ATTACK, "attack", "LIST", "another attack, as seed=7,exponent=1.3" },
	{ CLI_OPTION_BY, "by", "ORDER", "place (how they are tried), packets or dropped" },
	{ CLI_OPTION_PLUGIN_PATH, "plugin-path", "FOLDER", "where plugins are" },
	{ CLI_OPTION_OPTIONS, "options", "FILE", "test with these options, a YAML mapping" },
	{ CLI_OPTION_INTERFACE, "interface", "NAME", "open a back end on this one (lo)" },
	{ CLI_OPTION_SEED, "seed", "N", "of the random windows (1)" },
	{ CLI_OPTION_DRY_RUN, "dry-run", NULL, "only tell what would change" },
	{ CLI_OPTION_JSON, "json", NULL, "for programs: JSON instead of text" },
	{ CLI_OPTION_SOCKET, "socket", "PATH", "of the daemon (/run/sluice/control.sock)" },
};
#define TABLE_SIZE (sizeof(table) / sizeof(table[0]))

/* What getopt_long() returns for row `i` of the table. */
#define ROW_VALUE(i) (256 + (int)(i))

static int refuse_option(const struct cli_command *command, const char *given,
			 struct sluice_err *err)
{
	const char *names[TABLE_SIZE + 1] = { "help" };
	const char *dashes = strncmp(given, "--", 2) == 0 ? given + 2 : given;
	const char *near;
	size_t n = 1;

	for (size_t i = 0; i < TABLE_SIZE; i++) {
		if (command->options & table[i].option)
			names[n++] = table[i].name;
	}
	near = nearest_name(dashes, names, n);
	if (near)
		return fail_with(err, -EINVAL, "%s: unknown option '%s'; did you mean --%s?",
				 command->name, given, near);
	return fail_with(err, -EINVAL, "%s: unknown option '%s'; see `sluice %s --help`",
			 command->name, given, command->name);
}

static void take(enum cli_option option, struct cli_args *args)
{
	switch (option) {
	case CLI_OPTION_SOCKET:
		args->socket = optarg;
		break;
	case CLI_OPTION_JSON:
		args->json = true;
		break;
	case CLI_OPTION_FOR:
		args->duration = optarg;
		break;
	case CLI_OPTION_FOLLOW:
		args->follow = true;
		break;
	case CLI_OPTION_PIN_PATH:
		args->pin_path = optarg;
		break;
	case CLI_OPTION_DRY_RUN:
		args->dry_run = true;
		break;
	case CLI_OPTION_ROUNDS:
		args->rounds = optarg;
		break;
	case CLI_OPTION_PLUGIN_PATH:
		args->plugin_path = optarg;
		break;
	case CLI_OPTION_OPTIONS:
		args->options = optarg;
		break;
	case CLI_OPTION_INTERFACE:
		args->interface = optarg;
		break;
	case CLI_OPTION_SEED:
		args->seed = optarg;
		break;
	case CLI_OPTION_ENTRIES:
		args->entries = optarg;
		break;
	case CLI_OPTION_CSV:
		args->csv = optarg;
		break;
	case CLI_OPTION_SVG:
		args->svg = optarg;
		break;
	case CLI_OPTION_ATTACK:
		args->attack = optarg;
		break;
	case CLI_OPTION_BY:
		args->by = optarg;
		break;
	}
}

static void make_long_options(const struct cli_command *command, struct option *list)
{
	size_t n = 0;

	for (size_t i = 0; i < TABLE_SIZE; i++) {
		if (!(command->options & table[i].option))
			continue;
		list[n++] = (struct option){
			.name = table[i].name,
			.has_arg = table[i].value ? required_argument : no_argument,
			.val = ROW_VALUE(i),
		};
	}
	list[n++] = (struct option){ .name = "help", .val = 'h' };
	list[n] = (struct option){ .name = NULL };
}

int args_parse(const struct cli_command *command, int argc, char *argv[], struct cli_args *args,
	       struct sluice_err *err)
{
	struct option long_options[TABLE_SIZE + 2];
	int option;

	make_long_options(command, long_options);
	optind = 0; /* GNU: start anew. */
	while ((option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1) {
		if (option == 'h')
			args->help = true;
		else if (option == ':')
			return fail_with(err, -EINVAL, "%s: option '%s' wants a value",
					 command->name, argv[optind - 1]);
		else if (option == '?')
			return refuse_option(command, argv[optind - 1], err);
		else
			take(table[option - ROW_VALUE(0)].option, args);
	}
	args->operands = argv + optind;
	args->n_operands = (size_t)(argc - optind);
	if (args->help)
		return 0;
	if (args->n_operands < command->min_operands)
		return fail_with(err, -EINVAL, "%s: missing %s; see `sluice %s --help`",
				 command->name, command->operands, command->name);
	if (args->n_operands > command->max_operands)
		return fail_with(err, -EINVAL,
				 "%s: unexpected argument '%s'; see `sluice %s --help`",
				 command->name, args->operands[command->max_operands],
				 command->name);
	return 0;
}

void args_help(const struct cli_command *command, FILE *out)
{
	fprintf(out, "Usage: sluice %s", command->name);
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		if (command->options & table[i].option)
			fprintf(out, " [--%s%s%s]", table[i].name, table[i].value ? " " : "",
				table[i].value ? table[i].value : "");
	}
	fprintf(out, "%s%s\n\n%s\n", command->operands[0] ? " " : "", command->operands,
		command->help);
	for (size_t i = 0; i < TABLE_SIZE; i++) {
		char name[32];

		if (!(command->options & table[i].option))
			continue;
		snprintf(name, sizeof(name), "--%s%s%s", table[i].name, table[i].value ? " " : "",
			 table[i].value ? table[i].value : "");
		fprintf(out, "  %-20s %s\n", name, table[i].help);
	}
	fprintf(out, "  %-20s %s\n", "-h, --help", "this text");
}
