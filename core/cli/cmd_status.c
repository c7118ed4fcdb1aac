/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice status: the daemon's document as a page for people. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "document.h"
#include "human.h"

/* Colours on a terminal only, and not for those who have asked for none. */
struct style {
	const char *bold, *alarm, *good, *dim, *end;
};

static struct style choose_style(void)
{
	if (!isatty(STDOUT_FILENO) || getenv("NO_COLOR"))
		return (struct style){ "", "", "", "", "" };
	return (struct style){ "\033[1m", "\033[1;31m", "\033[32m", "\033[2m", "\033[0m" };
}

static void print_daemon(const json_t *status, const struct style *style)
{
	char uptime[HUMAN_TEXT_SIZE];

	printf("%ssluiced %s%s  pid %llu, kernel %s, up %s%s\n", style->bold,
	       document_string(status, "daemon.version"), style->end,
	       (unsigned long long)document_u64(status, "daemon.pid"),
	       document_string(status, "daemon.kernel"),
	       human_duration((uint64_t)(document_number(status, "daemon.uptime_seconds") * 1e9),
			      uptime),
	       document_bool(status, "daemon.adopted") ? ", took over a running filter" : "");
	printf("config      %s\n", document_string(status, "daemon.config"));
}

static void print_interfaces(const json_t *status, const struct style *style)
{
	const json_t *interface;
	size_t i;

	printf("interfaces ");
	json_array_foreach((json_t *)document_get(status, "interfaces"), i, interface) {
		const char *state = document_string(interface, "state");
		bool attached = strcmp(state, "attached") == 0;

		printf("%s %s (%s, %s%s%s)", i ? "," : "", document_string(interface, "name"),
		       document_string(interface, "mode"), attached ? "" : style->alarm, state,
		       attached ? "" : style->end);
	}
	putchar('\n');
}

static void print_attack(const json_t *status, const struct style *style)
{
	unsigned long long count = document_u64(status, "attack.count");
	bool active = document_bool(status, "attack.active");

	if (active)
		printf("attack      %sUNDER ATTACK%s since %s", style->alarm, style->end,
		       document_string(status, "attack.started"));
	else
		printf("attack      %snone%s", style->good, style->end);
	printf(" (%llu since start)%s\n", count,
	       document_bool(status, "enforce") ? "" : "; observe mode: nothing is dropped");
}

static void print_traffic(const json_t *status)
{
	char offered[HUMAN_TEXT_SIZE], passed[HUMAN_TEXT_SIZE], dropped[HUMAN_TEXT_SIZE];
	char hw[HUMAN_TEXT_SIZE];

	printf("traffic     offered %s, passed %s, dropped %s in XDP and %s in the NIC\n",
	       human_pps(document_u64(status, "traffic.offered_pps"), offered),
	       human_pps(document_u64(status, "traffic.passed_pps"), passed),
	       human_pps(document_u64(status, "traffic.dropped_pps"), dropped),
	       human_pps(document_u64(status, "traffic.hw_pps"), hw));
}

static void print_blocked(const json_t *status, const struct style *style)
{
	char total[HUMAN_TEXT_SIZE], offloaded[HUMAN_TEXT_SIZE], capacity[HUMAN_TEXT_SIZE];
	char manual[HUMAN_TEXT_SIZE], prefixes[HUMAN_TEXT_SIZE];

	printf("blocked     %s%s%s sources of %s, %s of them in the NIC too; %s by hand, %s "
	       "prefixes\n",
	       style->bold, human_count(document_u64(status, "blocked.total"), total), style->end,
	       human_count(document_u64(status, "blocked.capacity"), capacity),
	       human_count(document_u64(status, "blocked.by_state.offloaded"), offloaded),
	       human_count(document_u64(status, "blocked.manual"), manual),
	       human_count(document_u64(status, "blocked.prefixes"), prefixes));
	printf("            since start %s blocked, %s released, %s refused; not enforced: %s "
	       "known clients,",
	       human_count(document_u64(status, "blocked.blocks_total"), total),
	       human_count(document_u64(status, "blocked.released_total"), offloaded),
	       human_count(document_u64(status, "blocked.refused_total"), capacity),
	       human_count(document_u64(status, "blocked.not_enforced.known"), manual));
	printf(" %s allowed, %s observed\n",
	       human_count(document_u64(status, "blocked.not_enforced.allow"), total),
	       human_count(document_u64(status, "blocked.not_enforced.observe"), offloaded));
}

static void print_offload(const json_t *status, const struct style *style)
{
	char used[HUMAN_TEXT_SIZE], capacity[HUMAN_TEXT_SIZE], adds[HUMAN_TEXT_SIZE];
	char dels[HUMAN_TEXT_SIZE];
	const char *error = document_string(status, "offload.last_error");

	if (!document_bool(status, "offload.enabled")) {
		puts("offload     none");
		return;
	}
	printf("offload     %s%s: %s of %s entries, %s added, %s removed, threshold %.2f%s%s%s\n",
	       document_string(status, "offload.backend"),
	       document_bool(status, "offload.emulated") ? " (emulated, no real card)" : "",
	       human_count(document_u64(status, "offload.entries"), used),
	       human_count(document_u64(status, "offload.capacity"), capacity),
	       human_count(document_u64(status, "offload.adds"), adds),
	       human_count(document_u64(status, "offload.dels"), dels),
	       document_number(status, "offload.threshold"),
	       document_bool(status, "offload.healthy") ? "" : style->alarm,
	       document_bool(status, "offload.healthy") ? "" : "; NOT ANSWERING", style->end);
	if (error[0])
		printf("            last error: %s\n", error);
}

static void print_window(const json_t *status)
{
	char length[HUMAN_TEXT_SIZE], work[HUMAN_TEXT_SIZE], text[HUMAN_TEXT_SIZE];
	const char *name;
	json_t *stage;

	printf("window      %s, work %s (",
	       human_duration(document_u64(status, "window.length_ns"), length),
	       human_duration(document_u64(status, "window.work_ns"), work));
	name = "";
	json_object_foreach((json_t *)document_get(status, "window.stages"), name, stage) {
		printf("%s %s%s", name, human_duration(document_u64(stage, "last_ns"), text),
		       json_object_iter_next((json_t *)document_get(status, "window.stages"),
					     json_object_key_to_iter(name))
			       ? ", "
			       : "");
	}
	printf("); %llu windows, %llu late\n",
	       (unsigned long long)document_u64(status, "window.count"),
	       (unsigned long long)document_u64(status, "window.postponed"));
}

static void print_detectors(const json_t *status, const struct style *style)
{
	const json_t *detector;
	size_t i;

	printf("\n%s%-16s %-10s %8s  %-10s %s%s\n", style->dim, "DETECTOR", "VERDICT", "SCORE",
	       "MODE", "EVIDENCE", style->end);
	json_array_foreach((json_t *)document_get(status, "detectors"), i, detector) {
		bool attack = document_bool(detector, "attack");
		bool disabled = document_bool(detector, "disabled");

		printf("%-16s %s%-10s%s %8.2f  %-10s %s\n", document_string(detector, "name"),
		       attack || disabled ? style->alarm : style->good,
		       disabled ? "disabled"
		       : attack ? "attack"
				: "peace",
		       style->end, document_number(detector, "score"),
		       document_bool(detector, "enforce") ? "enforce" : "observe",
		       document_string(detector, "evidence"));
	}
}

/* Reasons that never occurred are left out: a new operator reads what is there. */
static void print_reasons(const json_t *reasons, const char *verdict)
{
	char packets[HUMAN_TEXT_SIZE], bytes[HUMAN_TEXT_SIZE], pps[HUMAN_TEXT_SIZE];
	const char *name;
	json_t *reason;

	json_object_foreach((json_t *)reasons, name, reason) {
		if (document_u64(reason, "packets") == 0)
			continue;
		printf("%-16s %-10s %20s %12s %12s\n", name, verdict,
		       human_count(document_u64(reason, "packets"), packets),
		       human_bytes(document_u64(reason, "bytes"), bytes),
		       human_pps(document_u64(reason, "pps"), pps));
	}
}

static void print_page(const json_t *status)
{
	struct style style = choose_style();

	print_daemon(status, &style);
	print_interfaces(status, &style);
	print_attack(status, &style);
	print_traffic(status);
	print_blocked(status, &style);
	print_offload(status, &style);
	print_window(status);
	print_detectors(status, &style);
	printf("\n%s%-16s %-10s %20s %12s %12s%s\n", style.dim, "REASON", "VERDICT", "PACKETS",
	       "BYTES", "NOW", style.end);
	print_reasons(document_get(status, "drops"), "dropped");
	print_reasons(document_get(status, "passes"), "passed");
}

static int run(const struct cli_args *args)
{
	json_t *status;
	int code;

	code = cli_call(args, "status", NULL, 0, &status);
	if (code != CLI_EXIT_OK)
		return code;
	if (args->json)
		code = cli_print_json(status);
	else
		print_page(status);
	json_decref(status);
	return code;
}

const struct cli_command cli_status = {
	.name = "status",
	.operands = "",
	.summary = "what goes on: attack, traffic, blocked sources, NIC table, detectors",
	.help = "Shows what the daemon knew after its last window.  With --json the whole\n"
		"document, whose names are stable: sluice(8) describes them.\n",
	.options = CLI_OPTION_SOCKET | CLI_OPTION_JSON,
	.run = run,
};
