/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of subcommands, the general help, and the call to the daemon.  See cli.h. */
#include "cli.h"

#include <errno.h>
#include <string.h>

#include "base/nearest.h"
#include "control/client.h"

#include "args.h"
#include "sluiced/version.h"

static const struct cli_command *const commands[] = {
	&cli_status, &cli_top,	   &cli_events, &cli_explain, &cli_rules,
	&cli_block,  &cli_unblock, &cli_allow,	&cli_check,   &cli_plugins,
	&cli_reload, &cli_detach,  &cli_replay, &cli_bench,   &cli_completion,
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

const struct cli_command *const *cli_commands(size_t *n)
{
	*n = COMMANDS;
	return commands;
}

const struct cli_command *cli_find(const char *name)
{
	for (size_t i = 0; i < COMMANDS; i++) {
		if (strcmp(commands[i]->name, name) == 0)
			return commands[i];
	}
	return NULL;
}

const struct cli_command *cli_nearest(const char *name)
{
	const char *names[COMMANDS];
	const char *near;

	for (size_t i = 0; i < COMMANDS; i++)
		names[i] = commands[i]->name;
	near = nearest_name(name, names, COMMANDS);
	return near ? cli_find(near) : NULL;
}

static void help(FILE *out)
{
	fputs("Usage: sluice [--socket PATH] COMMAND [...]\n"
	      "\n"
	      "Looks into and steers sluiced, which protects this host from floods.\n"
	      "\n",
	      out);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-12s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\n"
	      "  --socket PATH  of the daemon (" SLUICE_DEFAULT_SOCKET ")\n"
	      "  --json         for programs: JSON instead of text\n"
	      "  -h, --help     this text; `sluice COMMAND --help` says more\n"
	      "  -V, --version  the version\n"
	      "\n"
	      "First steps: `sluice check FILE`, start sluiced, `sluice status`; then `sluice\n"
	      "events --follow`, and `sluice explain ADDRESS` for why a source is blocked.\n"
	      "\n"
	      "Exit codes: 0 done; 1 refused, or the file is unfit; 2 wrong usage; 3 no daemon\n"
	      "answers, or it may not be asked; 4 failed otherwise.  Manual: sluice(8).\n",
	      out);
}

static int usage(const char *text, const char *given, const char *near)
{
	fprintf(stderr, "sluice: %s '%s'", text, given);
	if (near)
		fprintf(stderr, "; did you mean `%s`?\n", near);
	else
		fputs("; see `sluice --help`\n", stderr);
	return CLI_EXIT_USAGE;
}

/*
 * Options in front of the subcommand.  Returns the index of the subcommand, 0 if there is nothing
 * more to do, or a negative number for wrong usage; `*code` gets the exit code of the last two.
 */
static int leading_options(int argc, char *argv[], struct cli_args *args, int *code)
{
	static const char *const names[] = { "--socket", "--json", "--help", "--version" };
	int i = 1;

	*code = CLI_EXIT_OK;
	for (; i < argc && argv[i][0] == '-'; i++) {
		if (strcmp(argv[i], "--json") == 0) {
			args->json = true;
		} else if (strcmp(argv[i], "--socket") == 0 && i + 1 < argc) {
			args->socket = argv[++i];
		} else if (strcmp(argv[i], "--socket") == 0) {
			fputs("sluice: option '--socket' wants a value\n", stderr);
			*code = CLI_EXIT_USAGE;
			return -EINVAL;
		} else if (strncmp(argv[i], "--socket=", 9) == 0) {
			args->socket = argv[i] + 9;
		} else if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
			help(stdout);
			return 0;
		} else if (strcmp(argv[i], "--version") == 0 || strcmp(argv[i], "-V") == 0) {
			puts("sluice " SLUICE_VERSION);
			return 0;
		} else {
			*code = usage("unknown option", argv[i],
				      nearest_name(argv[i], names,
						   sizeof(names) / sizeof(names[0])));
			return -EINVAL;
		}
	}
	if (i == argc) {
		help(stderr);
		*code = CLI_EXIT_USAGE;
		return -EINVAL;
	}
	return i;
}

/* A full disk or a closed pipe must not look like success. */
static int finish(int code)
{
	if (fflush(stdout) != 0 && code == CLI_EXIT_OK) {
		fprintf(stderr, "sluice: cannot write: %s\n", strerror(errno));
		return CLI_EXIT_FAILED;
	}
	return code;
}

int cli_main(int argc, char *argv[])
{
	struct cli_args args = { .socket = SLUICE_DEFAULT_SOCKET };
	const struct cli_command *command;
	struct sluice_err err;
	int code, first;

	first = leading_options(argc, argv, &args, &code);
	if (first <= 0)
		return code;
	if (strcmp(argv[first], "help") == 0) {
		help(stdout);
		return CLI_EXIT_OK;
	}
	command = cli_find(argv[first]);
	if (!command) {
		const struct cli_command *near = cli_nearest(argv[first]);

		return usage("unknown command", argv[first], near ? near->name : NULL);
	}
	if (command->main)
		return finish(command->main(argc - first, argv + first));
	if (args_parse(command, argc - first, argv + first, &args, &err) != 0) {
		fprintf(stderr, "sluice: %s\n", err.text);
		return CLI_EXIT_USAGE;
	}
	if (args.help) {
		args_help(command, stdout);
		return CLI_EXIT_OK;
	}
	return finish(command->run(&args));
}

int cli_fail(int error, const struct sluice_err *err)
{
	fprintf(stderr, "sluice: %s\n", err->text);
	switch (error) {
	case -ECONNREFUSED:
	case -ECONNRESET:
	case -ETIMEDOUT:
	case -EACCES:
		return CLI_EXIT_NO_DAEMON;
	case -EPROTO:
	case -ENOMEM:
	case -EIO:
		return CLI_EXIT_FAILED;
	default:
		return CLI_EXIT_REFUSED;
	}
}

int cli_call(const struct cli_args *args, const char *command, const char *const *operands,
	     size_t n_operands, json_t **result)
{
	struct client *client;
	struct sluice_err err;
	int ret;

	ret = client_open(args->socket, &client, &err);
	if (ret) {
		cli_fail(ret, &err);
		return CLI_EXIT_NO_DAEMON;
	}
	ret = client_call(client, command, operands, n_operands, result, &err);
	client_close(client);
	return ret ? cli_fail(ret, &err) : CLI_EXIT_OK;
}

int cli_print_json(const json_t *json)
{
	if (json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) != 0 ||
	    putchar('\n') == EOF) {
		fprintf(stderr, "sluice: cannot write\n");
		return CLI_EXIT_FAILED;
	}
	return CLI_EXIT_OK;
}
