/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice explain: all that is known of one source, or of one rule. */
#include <string.h>

#include "base/address.h"

#include "cli.h"
#include "document.h"
#include "human.h"

static void print_field(const char *label, const char *text)
{
	char start[32];

	snprintf(start, sizeof(start), "  %s", label);
	if (text[0])
		human_print(start, 15, text);
}

static void print_rates(const json_t *what)
{
	char rate[HUMAN_TEXT_SIZE], hw[HUMAN_TEXT_SIZE], age[HUMAN_TEXT_SIZE];
	char count[HUMAN_TEXT_SIZE];

	if (strcmp(document_string(what, "verdict"), "dropped") != 0) {
		printf("  %-12s %s\n", "rate", human_pps(document_u64(what, "passed_pps"), rate));
		return;
	}
	printf("  %-12s %s", "rate", human_pps(document_u64(what, "pps"), rate));
	if (document_u64(what, "hw_pps"))
		printf(", %s of it in the NIC (%s ago)",
		       human_pps(document_u64(what, "hw_pps"), hw),
		       human_duration(document_u64(what, "hw_age_ns"), age));
	printf("\n  %-12s %s packets since it was blocked\n", "dropped",
	       human_count(document_u64(what, "dropped_packets"), count));
}

static void print_flags(const json_t *what)
{
	if (document_bool(what, "allowed"))
		print_field("allowed", "yes: the allow-list covers it");
	if (document_bool(what, "known"))
		print_field(
			"known",
			"yes: it has a connection with this host, or this host spoke to it first");
	if (document_bool(what, "prefix"))
		print_field("prefix", "yes: a blocked prefix covers it");
}

/* What stops it may be no block of it at all. */
static void print_rules(const json_t *what)
{
	uint64_t n = document_u64(what, "rules");
	char rate[HUMAN_TEXT_SIZE], text[200];

	if (n == 0 || strcmp(document_string(what, "verdict"), "dropped") == 0)
		return;
	snprintf(text, sizeof(text),
		 "%llu in force, which may drop its packets by what they look like (now %s, of all "
		 "sources); `sluice rules` lists them",
		 (unsigned long long)n, human_pps(document_u64(what, "rules_dropped_pps"), rate));
	print_field("rules", text);
}

static void print_page(const json_t *what)
{
	const char *state = document_string(what, "state");
	char left[HUMAN_TEXT_SIZE];

	if (strcmp(state, "none") == 0)
		printf("%s is not blocked\n", document_string(what, "source"));
	else
		printf("%s is %s (%s)\n", document_string(what, "source"),
		       document_string(what, "verdict"), state);
	print_flags(what);
	print_field("detector", document_string(what, "detector"));
	print_field("reason", document_string(what, "reason"));
	print_field("evidence", document_string(what, "evidence"));
	print_rates(what);
	print_rules(what);
	print_field("first seen", document_string(what, "first_seen"));
	print_field("last seen", document_string(what, "last_seen"));
	if (document_u64(what, "repeats"))
		printf("  %-12s blocked %llu time%s before\n", "repeats",
		       (unsigned long long)document_u64(what, "repeats"),
		       human_plural(document_u64(what, "repeats")));
	if (document_u64(what, "quiet_windows"))
		printf("  %-12s %llu window%s\n", "quiet for",
		       (unsigned long long)document_u64(what, "quiet_windows"),
		       human_plural(document_u64(what, "quiet_windows")));
	if (document_u64(what, "ttl_left_ns"))
		printf("  %-12s in %s\n", "expires",
		       human_duration(document_u64(what, "ttl_left_ns"), left));
	print_field("release", document_string(what, "release"));
}

static void print_who(const json_t *rule)
{
	const json_t *detectors = document_get(rule, "detectors"), *name;
	char text[128] = "";
	size_t used = 0, i;

	json_array_foreach((json_t *)detectors, i, name) {
		if (used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s",
						 i ? ", " : "", json_string_value(name));
	}
	print_field("detector", text);
	print_field("reason", document_string(rule, "reason"));
	print_field("evidence", document_string(rule, "evidence"));
}

static void print_counts(const json_t *rule)
{
	char rate[HUMAN_TEXT_SIZE], dropped_rate[HUMAN_TEXT_SIZE];
	char packets[HUMAN_TEXT_SIZE], bytes[HUMAN_TEXT_SIZE], dropped[HUMAN_TEXT_SIZE];

	printf("  %-12s matches %s, drops %s\n", "now", human_pps(document_u64(rule, "pps"), rate),
	       human_pps(document_u64(rule, "dropped_pps"), dropped_rate));
	printf("  %-12s matched %s packets (%s), dropped %s\n", "in all",
	       human_count(document_u64(rule, "packets"), packets),
	       human_bytes(document_u64(rule, "bytes"), bytes),
	       human_count(document_u64(rule, "dropped_packets"), dropped));
}

/* What a detector's rule has behind it and before it; nothing of this is told of the file's. */
static void print_life(const json_t *rule)
{
	const json_t *asked = document_get(rule, "windows_since_asked");
	uint64_t repeats = document_u64(rule, "repeats");
	bool in_force = strcmp(document_string(rule, "state"), "enforced") == 0 ||
			strcmp(document_string(rule, "state"), "probation") == 0;
	char left[HUMAN_TEXT_SIZE];

	print_field("first seen", document_string(rule, "first_seen"));
	print_field("state since", document_string(rule, "changed"));
	if (json_is_integer(asked) && json_integer_value(asked) == 0)
		print_field("asked for", "in the last window");
	else if (json_is_integer(asked))
		printf("  %-12s %llu window%s ago\n", "asked for",
		       (unsigned long long)json_integer_value(asked),
		       human_plural((uint64_t)json_integer_value(asked)));
	if (repeats)
		printf("  %-12s in force %llu time%s before\n", "repeats",
		       (unsigned long long)repeats, human_plural(repeats));
	if (in_force)
		printf("  %-12s once quiet for another %s\n", "leaves",
		       human_duration(document_u64(rule, "quiet_left_ns"), left));
	if (document_u64(rule, "ttl_left_ns"))
		printf("  %-12s in %s, unless it still matches\n", "expires",
		       human_duration(document_u64(rule, "ttl_left_ns"), left));
	if (document_u64(rule, "held_ns"))
		printf("  %-12s for %s: detectors may not have it back\n", "kept out",
		       human_duration(document_u64(rule, "held_ns"), left));
}

static void print_rule(const json_t *rule)
{
	const char *match = document_string(rule, "match");
	const char *verdict = document_string(rule, "verdict");

	printf("rule %s %s (%s)\n", document_string(rule, "rule"),
	       strcmp(verdict, "passes") == 0 ? "drops nothing now" : verdict,
	       document_string(rule, "state"));
	print_field("match", match[0] ? match : "any packet");
	print_field("action", document_string(rule, "action"));
	print_field("spares", document_bool(rule, "exempt_known")
				      ? "known clients, and sources with `exempt: all`"
				      : "sources with `exempt: all` alone");
	if (document_bool(rule, "automatic"))
		print_who(rule);
	else
		print_field("origin", "the deployment file");
	print_counts(rule);
	if (document_bool(rule, "automatic"))
		print_life(rule);
	print_field("release", document_string(rule, "release"));
}

static int run(const struct cli_args *args)
{
	struct sluice_key key;
	struct sluice_err err;
	json_t *what;
	int code;

	if (address_is_meant(args->operands[0]) &&
	    address_parse_prefix(args->operands[0], ADDRESS_STRICT, &key, &err) != 0) {
		fprintf(stderr, "sluice: explain: %s\n", err.text);
		return CLI_EXIT_USAGE;
	}
	code = cli_call(args, "explain", (const char *const *)args->operands, 1, &what);
	if (code != CLI_EXIT_OK)
		return code;
	if (args->json)
		code = cli_print_json(what);
	else if (document_get(what, "rule"))
		print_rule(what);
	else
		print_page(what);
	json_decref(what);
	return code;
}

const struct cli_command cli_explain = {
	.name = "explain",
	.operands = "ADDRESS[/LEN]|RULE",
	.summary = "why a source is blocked or a rule in force, and what would release it",
	.help = "Tells a source's state, the detector that accused it with its evidence, what it\n"
		"sends now, and what would release it.  The same of a rule by its name, as `sluice\n"
		"rules` and the events give it, also of an automatic one that was released.\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON,
	.min_operands = 1,
	.max_operands = 1,
	.run = run,
};
