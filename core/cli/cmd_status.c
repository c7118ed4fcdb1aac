/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice status: the daemon's document as a page for people. */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "document.h"
#include "human.h"

/* Where the text begins behind the label of a line. */
#define INDENT 12

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

/* One line of the page, or several: see human_print(). */
static void say(const char *label, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void say(const char *label, const char *fmt, ...)
{
	char text[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	human_print(label, INDENT, text);
}

static void print_daemon(const json_t *status)
{
	char uptime[HUMAN_TEXT_SIZE];

	say("sluiced", "%s, pid %llu, kernel %s, up %s%s",
	    document_string(status, "daemon.version"),
	    (unsigned long long)document_u64(status, "daemon.pid"),
	    document_string(status, "daemon.kernel"),
	    human_duration((uint64_t)(document_number(status, "daemon.uptime_seconds") * 1e9),
			   uptime),
	    document_bool(status, "daemon.adopted") ? ", took over a running filter" : "");
	say("config", "%s", document_string(status, "daemon.config"));
}

static void print_interfaces(const json_t *status, const struct style *style)
{
	char text[2048] = "";
	const json_t *interface;
	size_t i, used = 0;

	json_array_foreach((json_t *)document_get(status, "interfaces"), i, interface) {
		const char *state = document_string(interface, "state");
		bool attached = strcmp(state, "attached") == 0;

		if (used < sizeof(text))
			used += (size_t)snprintf(text + used, sizeof(text) - used,
						 "%s%s (%s, %s%s%s)", i ? ", " : "",
						 document_string(interface, "name"),
						 document_string(interface, "mode"),
						 attached ? "" : style->alarm, state,
						 attached ? "" : style->end);
	}
	say("interfaces", "%s; placement %s", text, document_string(status, "placement"));
}

static void print_attack(const json_t *status, const struct style *style)
{
	unsigned long long count = document_u64(status, "attack.count");
	const char *mode = document_bool(status, "enforce") ? ""
							    : "; observe mode: nothing is dropped";
	char duration[HUMAN_TEXT_SIZE];

	if (document_bool(status, "attack.active"))
		say("attack", "%sUNDER ATTACK%s for %s, since %s (%llu since start)%s",
		    style->alarm, style->end,
		    human_duration(document_u64(status, "attack.duration_ns"), duration),
		    document_string(status, "attack.started"), count, mode);
	else
		say("attack", "%snone%s (%llu since start)%s", style->good, style->end, count,
		    mode);
}

static void print_traffic(const json_t *status)
{
	char offered[HUMAN_TEXT_SIZE], passed[HUMAN_TEXT_SIZE], dropped[HUMAN_TEXT_SIZE];
	char bits[HUMAN_TEXT_SIZE], hw[HUMAN_TEXT_SIZE], in_nic[80] = "";

	if (document_bool(status, "offload.enabled"))
		snprintf(in_nic, sizeof(in_nic), " and %s in the NIC",
			 human_pps(document_u64(status, "traffic.hw_pps"), hw));
	say("traffic", "offered %s (%s), passed %s, dropped %s in XDP%s",
	    human_pps(document_u64(status, "traffic.offered_pps"), offered),
	    human_bps(document_u64(status, "traffic.offered_bps"), bits),
	    human_pps(document_u64(status, "traffic.passed_pps"), passed),
	    human_pps(document_u64(status, "traffic.dropped_pps"), dropped), in_nic);
}

static void print_features(const json_t *status)
{
	char distinct[HUMAN_TEXT_SIZE], tracked[HUMAN_TEXT_SIZE], loaded[128] = "", share[48] = "";
	double error = document_number(status, "features.sources.error");
	const json_t *name;
	size_t i, used = 0;

	json_array_foreach((json_t *)document_get(status, "features.loaded"), i, name) {
		if (used < sizeof(loaded))
			used += (size_t)snprintf(loaded + used, sizeof(loaded) - used, "%s%s",
						 i ? ", " : "", json_string_value(name));
	}
	if (error > 0)
		snprintf(share, sizeof(share), " (estimated, standard error %.1f %%)", error * 100);
	say("sources", "%s in the last window%s, %s of them tracked; measured by %s",
	    human_count(document_u64(status, "features.sources.distinct"), distinct), share,
	    human_count(document_u64(status, "features.sources.tracked"), tracked), loaded);
}

/* One receive queue: who serves it, and its packets and frames. */
static void print_stack(const json_t *stack)
{
	char in[HUMAN_TEXT_SIZE], out[HUMAN_TEXT_SIZE], dropped[HUMAN_TEXT_SIZE];

	say("stack", "queue %llu of %s: process %llu, %s mode, checksums %s%s",
	    (unsigned long long)document_u64(stack, "queue"), document_string(stack, "interface"),
	    (unsigned long long)document_u64(stack, "pid"), document_string(stack, "mode"),
	    strcmp(document_string(stack, "checksums"), "software") ? "offloaded" : "in software",
	    document_bool(stack, "ready") ? "" : ", which is not ready");
	if (!json_is_object(document_get(stack, "counts")))
		return;
	say("",
	    "%s packets received, %s dropped for want of a frame, %s sent; refused %llu, "
	    "no buffer %llu",
	    human_count(document_u64(stack, "counts.received"), in),
	    human_count(document_u64(stack, "counts.dropped"), dropped),
	    human_count(document_u64(stack, "counts.sent"), out),
	    (unsigned long long)document_u64(stack, "counts.refused"),
	    (unsigned long long)document_u64(stack, "counts.no_buffer"));
	say("",
	    "of %llu frames to receive %llu kernel, %llu stack, %llu free; to send %llu kernel, "
	    "%llu written, %llu free",
	    (unsigned long long)document_u64(stack, "n_frames"),
	    (unsigned long long)document_u64(stack, "counts.frames.receive.kernel"),
	    (unsigned long long)document_u64(stack, "counts.frames.receive.stack"),
	    (unsigned long long)document_u64(stack, "counts.frames.receive.free"),
	    (unsigned long long)document_u64(stack, "counts.frames.send.kernel"),
	    (unsigned long long)document_u64(stack, "counts.frames.send.written"),
	    (unsigned long long)document_u64(stack, "counts.frames.send.free"));
}

/* Nothing where everything goes to Linux. */
static void print_deliver(const json_t *status)
{
	char socket[HUMAN_TEXT_SIZE], alone[HUMAN_TEXT_SIZE], fragment[HUMAN_TEXT_SIZE],
		other[HUMAN_TEXT_SIZE];
	const json_t *stack;
	size_t i;

	if (!json_is_object(document_get(status, "deliver")))
		return;
	say("deliver",
	    "%s packets to AF_XDP; to Linux: %s without a socket, %s fragments, %s others",
	    human_count(document_u64(status, "deliver.socket"), socket),
	    human_count(document_u64(status, "deliver.no_socket"), alone),
	    human_count(document_u64(status, "deliver.fragment"), fragment),
	    human_count(document_u64(status, "deliver.other"), other));
	json_array_foreach((json_t *)document_get(status, "stacks"), i, stack) {
		print_stack(stack);
	}
}

static void print_blocked(const json_t *status, const struct style *style)
{
	uint64_t n = document_u64(status, "blocked.total");
	char total[HUMAN_TEXT_SIZE], offloaded[HUMAN_TEXT_SIZE], capacity[HUMAN_TEXT_SIZE];
	char manual[HUMAN_TEXT_SIZE], prefixes[HUMAN_TEXT_SIZE], in_nic[80] = "";
	uint64_t by_hand = document_u64(status, "allow.by_hand");

	if (document_bool(status, "offload.enabled"))
		snprintf(in_nic, sizeof(in_nic), ", %s in the NIC too",
			 human_count(document_u64(status, "blocked.by_state.offloaded"),
				     offloaded));
	say("blocked", "%s%s%s source%s of %s%s; %s by hand; and %s prefix%s", style->bold,
	    human_count(n, total), style->end, human_plural(n),
	    human_count(document_u64(status, "blocked.capacity"), capacity), in_nic,
	    human_count(document_u64(status, "blocked.manual"), manual),
	    human_count(document_u64(status, "blocked.prefixes"), prefixes),
	    document_u64(status, "blocked.prefixes") == 1 ? "" : "es");
	say("", "since start %s blocked, %s released, %s refused",
	    human_count(document_u64(status, "blocked.blocks_total"), total),
	    human_count(document_u64(status, "blocked.released_total"), offloaded),
	    human_count(document_u64(status, "blocked.refused_total"), capacity));
	say("", "proposed but spared: %s known clients, %s allow-listed, %s only observed",
	    human_count(document_u64(status, "blocked.not_enforced.known"), total),
	    human_count(document_u64(status, "blocked.not_enforced.allow"), offloaded),
	    human_count(document_u64(status, "blocked.not_enforced.observe"), capacity));
	if (by_hand)
		say("allowed", "%s prefix%s by hand, until the next reload",
		    human_count(by_hand, total), by_hand == 1 ? "" : "es");
}

static void print_rules(const json_t *status, const struct style *style)
{
	uint64_t n = document_u64(status, "rules.automatic");
	char automatic[HUMAN_TEXT_SIZE], config[HUMAN_TEXT_SIZE], enforced[HUMAN_TEXT_SIZE];
	char released[HUMAN_TEXT_SIZE], refused[HUMAN_TEXT_SIZE];

	say("rules",
	    "%s%s%s by detectors, %s by the file; since start %s enforced, %s released, %s "
	    "refused",
	    style->bold, human_count(n, automatic), style->end,
	    human_count(document_u64(status, "rules.config"), config),
	    human_count(document_u64(status, "rules.enforced_total"), enforced),
	    human_count(document_u64(status, "rules.released_total"), released),
	    human_count(document_u64(status, "rules.refused_total"), refused));
	if (document_bool(status, "spoofed.active"))
		say("", "sources are many and new, as forged ones are (policy.spoofed)");
}

static void print_known(const json_t *status)
{
	char total[HUMAN_TEXT_SIZE], established[HUMAN_TEXT_SIZE], spoken[HUMAN_TEXT_SIZE];
	char capacity[HUMAN_TEXT_SIZE], exempted[HUMAN_TEXT_SIZE];
	const char *egress = document_string(status, "known.egress");
	uint64_t told = document_u64(status, "known.by_stacks.connected") +
			document_u64(status, "known.by_stacks.spoken_first");

	say("known", "%s clients of %s: %s connected, %s spoken to first (%s%s); %s packets spared",
	    human_count(document_u64(status, "known.total"), total),
	    human_count(document_u64(status, "known.capacity"), capacity),
	    human_count(document_u64(status, "known.established"), established),
	    human_count(document_u64(status, "known.spoken_first"), spoken),
	    strcmp(egress, "off") ? "seen by " : "", egress,
	    human_count(document_u64(status, "known.exempted_packets"), exempted));
	if (told)
		say("", "stacks in user space name %s clients of theirs", human_count(told, total));
}

static void print_offload(const json_t *status, const struct style *style)
{
	char used[HUMAN_TEXT_SIZE], capacity[HUMAN_TEXT_SIZE], adds[HUMAN_TEXT_SIZE];
	char dels[HUMAN_TEXT_SIZE], lifted[HUMAN_TEXT_SIZE], probation[64] = "";
	const char *error = document_string(status, "offload.last_error");
	const char *driver = document_string(status, "offload.driver");
	bool healthy = document_bool(status, "offload.healthy");

	if (!document_bool(status, "offload.enabled")) {
		say("offload", "none");
		return;
	}
	if (!document_bool(status, "offload.counters"))
		snprintf(probation, sizeof(probation), " (no counters; %s on probation)",
			 human_count(document_u64(status, "offload.probation"), lifted));
	say("offload", "%s%s%s%s: %s of %s entries%s, %s added, %s removed, threshold %.2f%s%s%s",
	    document_string(status, "offload.backend"), driver[0] ? ", driver " : "", driver,
	    document_bool(status, "offload.emulated") ? " (emulated, no real card)" : "",
	    human_count(document_u64(status, "offload.entries"), used),
	    human_count(document_u64(status, "offload.capacity"), capacity), probation,
	    human_count(document_u64(status, "offload.adds"), adds),
	    human_count(document_u64(status, "offload.dels"), dels),
	    document_number(status, "offload.threshold"), healthy ? "" : style->alarm,
	    healthy ? "" : "; NOT ANSWERING", healthy ? "" : style->end);
	if (error[0])
		say("", "last error: %s", error);
}

static void print_window(const json_t *status)
{
	char length[HUMAN_TEXT_SIZE], work[HUMAN_TEXT_SIZE], text[HUMAN_TEXT_SIZE];
	char stages[512] = "";
	size_t used = 0;
	const char *name;
	json_t *stage;

	say("window", "%s, work %s; %llu window%s, %llu late",
	    human_duration(document_u64(status, "window.length_ns"), length),
	    human_duration(document_u64(status, "window.work_ns"), work),
	    (unsigned long long)document_u64(status, "window.count"),
	    human_plural(document_u64(status, "window.count")),
	    (unsigned long long)document_u64(status, "window.postponed"));
	json_object_foreach((json_t *)document_get(status, "window.stages"), name, stage) {
		if (used < sizeof(stages))
			used += (size_t)snprintf(
				stages + used, sizeof(stages) - used, "%s%s %s", used ? ", " : "",
				name, human_duration(document_u64(stage, "last_ns"), text));
	}
	say("", "%s", stages);
}

static void print_detectors(const json_t *status, const struct style *style)
{
	const json_t *detector;
	size_t i;

	printf("\n%s%-16s %-10s %8s  %s%s\n", style->dim, "DETECTOR", "VERDICT", "SCORE", "MODE",
	       style->end);
	json_array_foreach((json_t *)document_get(status, "detectors"), i, detector) {
		const char *evidence = document_string(detector, "evidence");
		bool attack = document_bool(detector, "attack");
		bool disabled = document_bool(detector, "disabled");

		printf("%-16s %s%-10s%s %8.2f  %s\n", document_string(detector, "name"),
		       attack || disabled ? style->alarm : style->good,
		       disabled ? "disabled"
		       : attack ? "attack"
				: "peace",
		       style->end, document_number(detector, "score"),
		       document_bool(detector, "enforce") ? "enforce" : "observe");
		if (evidence[0])
			human_print("", 4, evidence);
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

	print_daemon(status);
	print_interfaces(status, &style);
	print_attack(status, &style);
	print_traffic(status);
	print_features(status);
	print_deliver(status);
	print_blocked(status, &style);
	print_rules(status, &style);
	print_known(status);
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
