/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the subcommands of `sluice` share: the table of them, their arguments, and the way to the
 * daemon.  One file per subcommand implements struct cli_command.run.
 */
#ifndef SLUICE_CLI_CLI_H
#define SLUICE_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>
#include <sluice/plugin.h>

/* What sluice(8) promises. */
enum cli_exit {
	CLI_EXIT_OK = 0,
	CLI_EXIT_REFUSED = 1, /* The file is unfit, or the daemon says no. */
	CLI_EXIT_USAGE = 2,
	CLI_EXIT_NO_DAEMON = 3, /* None answers, or it may not be asked. */
	CLI_EXIT_FAILED = 4,
};

enum cli_option {
	CLI_OPTION_SOCKET = 1u << 0,
	CLI_OPTION_JSON = 1u << 1,
	CLI_OPTION_FOR = 1u << 2,
	CLI_OPTION_FOLLOW = 1u << 3,
	CLI_OPTION_PIN_PATH = 1u << 4,
	CLI_OPTION_ROUNDS = 1u << 5,
	CLI_OPTION_ENTRIES = 1u << 6,
	CLI_OPTION_BY = 1u << 7,
	CLI_OPTION_PLUGIN_PATH = 1u << 8,
	CLI_OPTION_OPTIONS = 1u << 9,
	CLI_OPTION_INTERFACE = 1u << 10,
	CLI_OPTION_SEED = 1u << 11,
	CLI_OPTION_DRY_RUN = 1u << 12,
	CLI_OPTION_CSV = 1u << 13,
	CLI_OPTION_SVG = 1u << 14,
	CLI_OPTION_ATTACK = 1u << 15,
};

struct cli_args {
	const char *socket;	 /* The default, or --socket. */
	const char *duration;	 /* --for; NULL: none */
	const char *pin_path;	 /* --pin-path; NULL: none */
	const char *rounds;	 /* --rounds; NULL: none */
	const char *entries;	 /* --entries; NULL: none */
	const char *by;		 /* --by; NULL: none */
	const char *plugin_path; /* --plugin-path; NULL: the default */
	const char *options;	 /* --options; NULL: none */
	const char *interface;	 /* --interface; NULL: none */
	const char *seed;	 /* --seed; NULL: none */
	const char *csv, *svg;	 /* --csv, --svg; NULL: none */
	const char *attack;	 /* --attack; NULL: none */
	bool json, follow, dry_run, help;
	char *const *operands;
	size_t n_operands;
};

struct cli_command {
	const char *name;
	const char *operands; /* For the usage line; may be empty. */
	const char *summary;  /* One line. */
	const char *help;     /* What else to know: paragraphs, with an example. */
	unsigned int options; /* enum cli_option */
	size_t min_operands, max_operands;
	/* Returns an exit code, enum cli_exit, having said on stderr what failed. */
	int (*run)(const struct cli_args *args);
	/* Instead, for one with a command line of its own: `argv[0]` is its name. */
	int (*main)(int argc, char *argv[]);
};

extern const struct cli_command cli_allow, cli_bench, cli_block, cli_check, cli_completion,
	cli_detach, cli_events, cli_explain, cli_plugins, cli_reload, cli_replay, cli_rules,
	cli_status, cli_top, cli_unblock;

/* All subcommands, in the order of the help. */
const struct cli_command *const *cli_commands(size_t *n);
const struct cli_command *cli_find(const char *name);
/* The one that a misspelt name was probably meant to be, or NULL. */
const struct cli_command *cli_nearest(const char *name);

/* The whole program. */
int cli_main(int argc, char *argv[]);

/*
 * Asks the daemon one thing.  CLI_EXIT_OK with the result, which the caller frees, or another exit
 * code, having said why.
 */
int cli_call(const struct cli_args *args, const char *command, const char *const *operands,
	     size_t n_operands, json_t **result);
/* The exit code for what client_open() and client_call() return; says `err` on stderr. */
int cli_fail(int error, const struct sluice_err *err);

/* One line of JSON on stdout. */
int cli_print_json(const json_t *json);

#endif /* SLUICE_CLI_CLI_H */
