/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice events: what happened, page by page, and what happens, as a stream. */
#include <inttypes.h>
#include <string.h>

#include "control/client.h"

#include "cli.h"
#include "document.h"

static int print_event(const json_t *event, bool json)
{
	const char *source = document_string(event, "source");
	const char *text = document_string(event, "text");

	if (json)
		return cli_print_json(event);
	printf("%s  %-18s ", document_string(event, "time"), document_string(event, "kind"));
	/* Most sentences name the source themselves. */
	if (source[0] && !strstr(text, source))
		printf("%s: ", source);
	fputs(text, stdout);
	putchar('\n');
	return CLI_EXIT_OK;
}

static int print_missed(uint64_t missed, bool json)
{
	if (missed && !json)
		fprintf(stderr, "sluice: %" PRIu64 " events are no longer kept\n", missed);
	return CLI_EXIT_OK;
}

/* All that is kept, in pages.  `*next` gets where the stream goes on. */
static int print_kept(struct client *client, bool json, uint64_t *next)
{
	struct sluice_err err;
	bool more = true;
	uint64_t cursor = 0;

	while (more) {
		char since[40];
		const char *operand = since;
		const json_t *event;
		json_t *page;
		size_t i;
		int ret;

		snprintf(since, sizeof(since), "since=%" PRIu64, cursor);
		ret = client_call(client, "events", &operand, 1, &page, &err);
		if (ret)
			return cli_fail(ret, &err);
		/* The first page tells of those that were overwritten long ago; that is normal. */
		if (cursor)
			print_missed(document_u64(page, "missed"), json);
		json_array_foreach((json_t *)document_get(page, "events"), i, event)
			print_event(event, json);
		more = i > 0;
		cursor = document_u64(page, "next");
		json_decref(page);
	}
	*next = cursor;
	return CLI_EXIT_OK;
}

static int print_line(const json_t *line, bool json)
{
	const json_t *event = document_get(line, "event");

	if (event)
		print_event(event, json);
	else
		print_missed(document_u64(line, "missed"), json);
	/* Whoever reads the stream by a pipe wants it now; a closed pipe ends us by SIGPIPE. */
	return fflush(stdout) == 0 ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}

static int follow(struct client *client, bool json, uint64_t next)
{
	char since[40];
	const char *operands[] = { since, "follow" };
	struct sluice_err err;
	json_t *line;
	int ret, code = CLI_EXIT_OK;

	snprintf(since, sizeof(since), "since=%" PRIu64, next);
	ret = client_call(client, "events", operands, 2, &line, &err);
	if (ret)
		return cli_fail(ret, &err);
	json_decref(line);
	while (code == CLI_EXIT_OK) {
		ret = client_receive(client, -1, &line, &err);
		if (ret)
			return cli_fail(ret, &err);
		code = print_line(line, json);
		json_decref(line);
	}
	return code;
}

static int run(const struct cli_args *args)
{
	struct client *client;
	struct sluice_err err;
	uint64_t next = 0;
	int code;

	if (client_open(args->socket, &client, &err) != 0) {
		fprintf(stderr, "sluice: %s\n", err.text);
		return CLI_EXIT_NO_DAEMON;
	}
	code = print_kept(client, args->json, &next);
	if (code == CLI_EXIT_OK && args->follow)
		code = fflush(stdout) == 0 ? follow(client, args->json, next) : CLI_EXIT_FAILED;
	client_close(client);
	return code;
}

const struct cli_command cli_events = {
	.name = "events",
	.operands = "",
	.summary = "what happened: attacks, blocks, releases, failures",
	.help = "Prints the events that the daemon keeps, oldest first.  With --json each event is\n"
		"one line with a JSON object.\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON | CLI_OPTION_FOLLOW,
	.run = run,
};
