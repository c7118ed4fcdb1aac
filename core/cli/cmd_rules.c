/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice rules: the signature rules in force, and what each has done. */
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"

#include "cli.h"
#include "document.h"
#include "human.h"

/* Where what is told of a rule begins, below its name. */
#define INDENT 4

/* The member that each order goes by, the highest first; NULL: as they came, which is by place. */
static const struct {
	const char *name, *member;
} orders[] = {
	{ "place", NULL },
	{ "packets", "packets" },
	{ "dropped", "dropped_packets" },
};
#define N_ORDERS (sizeof(orders) / sizeof(orders[0]))

/* The index of an order, or -1, having said so. */
static int find_order(const char *given)
{
	const char *names[N_ORDERS], *near;

	for (size_t i = 0; i < N_ORDERS; i++) {
		names[i] = orders[i].name;
		if (strcmp(given, orders[i].name) == 0)
			return (int)i;
	}
	near = nearest_name(given, names, N_ORDERS);
	fprintf(stderr, "sluice: rules: there is no order '%s'; %s%s\n", given,
		near ? "did you mean --by " : "--by takes place, packets or dropped",
		near ? near : "");
	return -1;
}

struct row {
	json_t *rule;
	uint64_t key, place;
};

static int compare_rows(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	if (x->key != y->key)
		return x->key < y->key ? 1 : -1;
	return (x->place > y->place) - (x->place < y->place);
}

/* Puts a list of rules into another order.  false: no memory. */
static bool sort_rules(json_t *rules, const char *member)
{
	size_t n = json_array_size(rules);
	struct row *rows = calloc(n + 1, sizeof(*rows));

	if (!rows)
		return false;
	for (size_t i = 0; i < n; i++) {
		rows[i].rule = json_incref(json_array_get(rules, i));
		rows[i].key = document_u64(rows[i].rule, member);
		rows[i].place = i;
	}
	qsort(rows, n, sizeof(*rows), compare_rows);
	for (size_t i = 0; i < n; i++)
		json_array_set_new(rules, i, rows[i].rule);
	free(rows);
	return true;
}

/* "lets pass 1,000 packets/s, 200 at once, 180 of them left now" */
static void print_limit(const json_t *rule)
{
	char rate[HUMAN_TEXT_SIZE], burst[HUMAN_TEXT_SIZE], left[HUMAN_TEXT_SIZE];
	const json_t *available = document_get(rule, "limit.available");
	const char *unit = document_string(rule, "limit.unit");
	bool by_source = strcmp(document_string(rule, "limit.per"), "source") == 0;
	char text[200];
	int used;

	if (!json_is_object(document_get(rule, "limit")))
		return;
	used = snprintf(text, sizeof(text), "%s %s/s%s, %s at once",
			human_count(document_u64(rule, "limit.rate"), rate), unit,
			by_source ? " of each source" : "",
			human_count(document_u64(rule, "limit.burst"), burst));
	if (json_is_integer(available))
		snprintf(text + used, sizeof(text) - (size_t)used, ", %s of them left now",
			 human_count(document_u64(rule, "limit.available"), left));
	human_print("    lets pass ", INDENT, text);
}

/* As digits while the column holds them. */
static const char *short_count(uint64_t count, char *text)
{
	return count < 1000000000 ? human_count(count, text) : human_scaled(count, "", text);
}

static void print_rule(const json_t *rule)
{
	char packets[HUMAN_TEXT_SIZE], bytes[HUMAN_TEXT_SIZE];
	const char *match = document_string(rule, "match");
	uint64_t matched = document_u64(rule, "packets");

	printf("%3llu %-31s %-13s %-6s", (unsigned long long)document_u64(rule, "place"),
	       document_string(rule, "name"), document_string(rule, "origin"),
	       document_string(rule, "action"));
	printf(" %11s", short_count(matched, packets));
	printf(" %11s\n", short_count(document_u64(rule, "dropped_packets"), packets));
	human_print("    ", INDENT, match[0] ? match : "any packet");
	print_limit(rule);
	if (matched)
		printf("    matched %s, dropped %s\n",
		       human_bytes(document_u64(rule, "bytes"), bytes),
		       human_bytes(document_u64(rule, "dropped_bytes"), packets));
}

static void print_page(const json_t *rules)
{
	const json_t *rule;
	size_t i;

	if (json_array_size(rules) == 0) {
		puts("there are no signature rules; `rules` in sluice.yaml(5) states them");
		return;
	}
	printf("%3s %-31s %-13s %-6s %11s %11s\n", "#", "RULE", "ORIGIN", "ACTION", "PACKETS",
	       "DROPPED");
	json_array_foreach((json_t *)rules, i, rule)
		print_rule(rule);
}

static int run(const struct cli_args *args)
{
	int order = find_order(args->by ? args->by : "place");
	json_t *result, *rules;
	int code;

	if (order < 0)
		return CLI_EXIT_USAGE;
	code = cli_call(args, "rules", NULL, 0, &result);
	if (code != CLI_EXIT_OK)
		return code;
	rules = json_object_get(result, "rules");
	if (orders[order].member && !sort_rules(rules, orders[order].member)) {
		fputs("sluice: rules: no memory\n", stderr);
		code = CLI_EXIT_FAILED;
	} else if (args->json) {
		code = cli_print_json(result);
	} else {
		print_page(rules);
	}
	json_decref(result);
	return code;
}

const struct cli_command cli_rules = {
	.name = "rules",
	.operands = "",
	.summary = "the signature rules in force, and what each matched and dropped",
	.help = "Lists the rules in the order in which they are tried: the first that matches a\n"
		"packet decides.  PACKETS counts what a rule decided on, whatever it decided;\n"
		"DROPPED what it dropped, which for `limit` is what went beyond the rate, and in\n"
		"observe mode nothing.  ORIGIN is who wants the rule: `config`, the deployment\n"
		"file.  Counters are kept while a rule keeps its name, through reloads and restarts.\n"
		"What a packet must look like is written as in the deployment file: between braces\n"
		"it can go there as a `match`.\n"
		"\n"
		"Which rules are worth their place?  sluice rules --by packets\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON | CLI_OPTION_BY,
	.run = run,
};
