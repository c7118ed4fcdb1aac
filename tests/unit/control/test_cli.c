/* SPDX-License-Identifier: BSD-2-Clause */
/* What the command line reads and how it prints figures. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <criterion/redirect.h>

#include "cli/args.h"
#include "cli/cli.h"
#include "cli/document.h"
#include "cli/human.h"

#define MAX_ARGS 8

/* Copies into memory that getopt may permute; terminated by NULL. */
static int copy_args(const char *const *from, char **to)
{
	int argc = 0;

	for (; argc < MAX_ARGS && from[argc]; argc++)
		to[argc] = strdup(from[argc]);
	to[argc] = NULL;
	return argc;
}

Test(cli, parses_arguments)
{
	static const struct {
		const char *argv[MAX_ARGS];
		int ret;
		const char *says;
	} cases[] = {
		{ { "block", "192.0.2.7" }, 0, "" },
		{ { "block", "192.0.2.7", "--for", "10m", "--json" }, 0, "" },
		{ { "block", "--for=10m", "192.0.2.7", "192.0.2.8" }, 0, "" },
		{ { "block", "--help" }, 0, "" },
		{ { "block" }, -EINVAL, "missing ADDRESS" },
		{ { "block", "192.0.2.7", "--for" }, -EINVAL, "wants a value" },
		{ { "block", "192.0.2.7", "--jsno" }, -EINVAL, "did you mean --json" },
		{ { "block", "192.0.2.7", "--follow" }, -EINVAL, "unknown option '--follow'" },
		{ { "status", "x" }, -EINVAL, "unexpected argument 'x'" },
		{ { "detach", "--pin-path", "/x" }, 0, "" },
		{ { "detach", "--socket", "/x" }, -EINVAL, "unknown option" },
		{ { "events", "--follow", "--socket", "/x" }, 0, "" },
		{ { "explain", "a", "b" }, -EINVAL, "unexpected argument 'b'" },
		{ { "bench", "datapath", "--rounds", "3", "--entries=1,1K" }, 0, "" },
		{ { "rules", "--by", "packets", "--json" }, 0, "" },
		{ { "rules", "--by" }, -EINVAL, "wants a value" },
		{ { "bench" }, -EINVAL, "missing datapath|snapshot" },
		{ { "status", "--rounds", "3" }, -EINVAL, "unknown option" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct cli_args args = { .socket = "default" };
		struct sluice_err err = { .text = "" };
		char *argv[MAX_ARGS + 1];
		int argc = copy_args(cases[i].argv, argv);
		int ret = args_parse(cli_find(argv[0]), argc, argv, &args, &err);

		cr_assert_eq(ret, cases[i].ret, "case %zu: %s", i, err.text);
		cr_assert_not_null(strstr(err.text, cases[i].says), "case %zu: %s", i, err.text);
		for (int j = 0; j < argc; j++)
			free(argv[j]);
	}
}

Test(cli, arguments_arrive)
{
	static const char *const from[] = { "block",	"1.2.3.4", "--for",   "10m",
					    "--socket", "/s",	   "5.6.7.8", NULL };
	struct cli_args args = { .socket = "default" };
	char *argv[MAX_ARGS + 1];
	int argc = copy_args(from, argv);

	cr_assert_eq(args_parse(&cli_block, argc, argv, &args, NULL), 0);
	cr_assert_str_eq(args.duration, "10m");
	cr_assert_str_eq(args.socket, "/s");
	cr_assert_eq(args.n_operands, 2);
	cr_assert_str_eq(args.operands[0], "1.2.3.4");
	cr_assert_str_eq(args.operands[1], "5.6.7.8");
	cr_assert_not(args.json);
	for (int j = 0; j < argc; j++)
		free(argv[j]);
}

Test(cli, suggests_the_nearest_command)
{
	static const struct {
		const char *given, *near;
	} cases[] = {
		{ "staus", "status" }, { "blokc", "block" },	 { "unblok", "unblock" },
		{ "event", "events" }, { "explian", "explain" }, { "xyzzy", NULL },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct cli_command *near = cli_nearest(cases[i].given);

		cr_assert_null(cli_find(cases[i].given));
		if (cases[i].near)
			cr_assert_str_eq(near ? near->name : "", cases[i].near);
		else
			cr_assert_null(near);
	}
}

static int run(const char *const *from)
{
	char *argv[MAX_ARGS + 1];
	int argc = copy_args(from, argv);
	int code = cli_main(argc, argv);

	for (int j = 0; j < argc; j++)
		free(argv[j]);
	return code;
}

Test(cli, exit_codes, .init = cr_redirect_stderr)
{
	static const struct {
		const char *argv[MAX_ARGS];
		int code;
	} cases[] = {
		{ { "sluice" }, CLI_EXIT_USAGE },
		{ { "sluice", "--version" }, CLI_EXIT_OK },
		{ { "sluice", "--help" }, CLI_EXIT_OK },
		{ { "sluice", "--nonsense" }, CLI_EXIT_USAGE },
		{ { "sluice", "staus" }, CLI_EXIT_USAGE },
		{ { "sluice", "block", "192.0.2.300" }, CLI_EXIT_USAGE },
		{ { "sluice", "block", "192.0.2.7/24" }, CLI_EXIT_USAGE },
		{ { "sluice", "block", "192.0.2.7", "--for", "soon" }, CLI_EXIT_USAGE },
		{ { "sluice", "explain", "192.0.2.300" }, CLI_EXIT_USAGE },
		{ { "sluice", "explain", "1::2::3" }, CLI_EXIT_USAGE },
		{ { "sluice", "explain", "a_rule.1", "--socket", "/nonexistent/s" },
		  CLI_EXIT_NO_DAEMON },
		{ { "sluice", "unblock", "192.0.2.300" }, CLI_EXIT_USAGE },
		{ { "sluice", "block", "a_rule.1" }, CLI_EXIT_USAGE },
		{ { "sluice", "reload", "--dry-run", "--socket", "/nonexistent/s" },
		  CLI_EXIT_NO_DAEMON },
		{ { "sluice", "completion", "fish" }, CLI_EXIT_USAGE },
		{ { "sluice", "bench", "everything" }, CLI_EXIT_USAGE },
		{ { "sluice", "bench", "datapath", "--rounds", "0" }, CLI_EXIT_USAGE },
		{ { "sluice", "bench", "snapshot", "--entries", "1,x" }, CLI_EXIT_USAGE },
		{ { "sluice", "bench", "offload", "--csv", "/nonexistent/x" }, CLI_EXIT_FAILED },
		{ { "sluice", "bench", "offload", "--svg", "/nonexistent/x" }, CLI_EXIT_FAILED },
		{ { "sluice", "rules", "--by", "colour" }, CLI_EXIT_USAGE },
		{ { "sluice", "rules", "--by", "dropped", "--socket", "/nonexistent/s" },
		  CLI_EXIT_NO_DAEMON },
		{ { "sluice", "--socket", "/nonexistent/s", "status" }, CLI_EXIT_NO_DAEMON },
		{ { "sluice", "block", "192.0.2.7", "--socket", "/nonexistent/s" },
		  CLI_EXIT_NO_DAEMON },
		{ { "sluice", "events", "--socket=/nonexistent/s" }, CLI_EXIT_NO_DAEMON },
		{ { "sluice", "check", "/nonexistent.yaml" }, CLI_EXIT_REFUSED },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_eq(run(cases[i].argv), cases[i].code, "case %zu", i);
}

Test(cli, says_how_to_start_a_daemon, .init = cr_redirect_stderr)
{
	static const char *const argv[] = { "sluice", "status", "--socket", "/nonexistent/s",
					    NULL };
	char text[512];
	FILE *err;

	run(argv);
	err = cr_get_redirected_stderr();
	cr_assert_not_null(fgets(text, sizeof(text), err));
	cr_assert_not_null(strstr(text, "sluice: no daemon answers at /nonexistent/s: "), "%s",
			   text);
	cr_assert_not_null(strstr(text, "; start it with "), "%s", text);
}

/* The script is a file of its own: it must not fall behind the table of commands. */
Test(cli, completion_knows_every_command, .init = cr_redirect_stdout)
{
	static const char *const argv[] = { "sluice", "completion", "bash", NULL };
	char text[8192];
	const struct cli_command *const *commands;
	size_t n, size;

	cr_assert_eq(run(argv), CLI_EXIT_OK);
	size = fread(text, 1, sizeof(text) - 1, cr_get_redirected_stdout());
	text[size] = '\0';
	commands = cli_commands(&n);
	cr_assert_gt(n, 5);
	for (size_t i = 0; i < n; i++)
		cr_assert_not_null(strstr(text, commands[i]->name), "%s", commands[i]->name);
	cr_assert_not_null(strstr(text, "complete -o filenames -F _sluice sluice\n"));
}

Test(human, counts)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 999, "999" },
		{ 1000, "1,000" },
		{ 1048576, "1,048,576" },
		{ UINT64_MAX, "18,446,744,073,709,551,615" },
	};
	char text[HUMAN_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_str_eq(human_count(cases[i].value, text), cases[i].text);
}

Test(human, rates)
{
	static const struct {
		uint64_t value;
		const char *text;
	} cases[] = {
		{ 0, "0 pps" },
		{ 999, "999 pps" },
		{ 1000, "1.00 kpps" },
		{ 1234, "1.23 kpps" },
		{ 9994, "9.99 kpps" },
		{ 9996, "10.0 kpps" },
		{ 12345, "12.3 kpps" },
		{ 99960, "100 kpps" },
		{ 123456, "123 kpps" },
		{ 999499, "999 kpps" },
		{ 999500, "1.00 Mpps" },
		{ 2100000, "2.10 Mpps" },
		{ UINT64_MAX, "18.4 Epps" },
	};
	char text[HUMAN_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_str_eq(human_pps(cases[i].value, text), cases[i].text, "%s, wanted %s",
				 text, cases[i].text);
	cr_assert_str_eq(human_bytes(1500, text), "1.50 kB");
	cr_assert_str_eq(human_bps(10000000000ull, text), "10.0 Gbit/s");
}

Test(human, durations)
{
	static const struct {
		uint64_t ns;
		const char *text;
	} cases[] = {
		{ 0, "0 s" },
		{ 999, "999 ns" },
		{ 1500, "1.5 us" },
		{ 1500000, "1.50 ms" },
		{ 1000000000ull, "1.0 s" },
		{ 59999999999ull, "59.9 s" },
		{ 60000000000ull, "1m 0s" },
		{ 3599000000000ull, "59m 59s" },
		{ 3600000000000ull, "1h 0m" },
		{ 90061000000000ull, "1d 1h" },
		{ UINT64_MAX, "213503d 23h" },
	};
	char text[HUMAN_TEXT_SIZE];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_assert_str_eq(human_duration(cases[i].ns, text), cases[i].text, "%s, wanted %s",
				 text, cases[i].text);
}

Test(document, reads_what_is_there)
{
	json_t *json = json_loads("{\"a\":{\"b\":{\"c\":7}},\"s\":\"x\",\"t\":true,\"r\":1.5,"
				  "\"n\":-1}",
				  0, NULL);

	cr_assert_eq(document_u64(json, "a.b.c"), 7);
	cr_assert_str_eq(document_string(json, "s"), "x");
	cr_assert(document_bool(json, "t"));
	cr_assert_eq(document_number(json, "r"), 1.5);
	cr_assert_eq(document_u64(json, "n"), 0);
	cr_assert_eq(document_u64(json, "a.b.x"), 0);
	cr_assert_eq(document_u64(json, "s.x"), 0);
	cr_assert_str_eq(document_string(json, "t"), "");
	cr_assert_str_eq(document_string(NULL, "t"), "");
	cr_assert_null(document_get(json, "no.such"));
	json_decref(json);
}
