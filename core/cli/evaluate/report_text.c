/* SPDX-License-Identifier: BSD-2-Clause */
/* The report for people.  See report.h. */
#include "report.h"

#include <inttypes.h>
#include <stdio.h>

#include "case.h"
#include "cli/human.h"

/* "95.31 % (1,234 of 1,300)" */
static const char *share_text(uint64_t part, uint64_t whole, char text[120])
{
	char a[HUMAN_TEXT_SIZE], b[HUMAN_TEXT_SIZE];

	if (whole)
		snprintf(text, 120, "%6.2f %%  (%s of %s)", (double)part * 100 / (double)whole,
			 human_count(part, a), human_count(whole, b));
	else
		snprintf(text, 120, "     -    (none)");
	return text;
}

static void print_share(const char *label, uint64_t part, uint64_t whole)
{
	char text[120];

	printf("  %-28s %s\n", label, share_text(part, whole, text));
}

static const char *after_text(const struct score_detector *detector, char text[80])
{
	if (detector->enforced_ns == SCORE_NEVER)
		snprintf(text, 80, "nothing of its own hit the attack");
	else
		snprintf(text, 80,
			 "enforced %" PRIu64 " ms after the attack began, window %" PRIu64,
			 detector->enforced_ns / 1000000, detector->windows);
	return text;
}

static void print_detectors(const struct case_result *result)
{
	const struct trial_report *run = &result->runs[result->worst_run];
	char text[80];

	if (!result->has_attack)
		return;
	puts("\nDetectors");
	for (size_t i = 0; i < run->n_detectors; i++)
		printf("  %-14s %-12s %s\n", run->detectors[i],
		       result->worst.detectors[i].detected ? "detected" : "not detected",
		       after_text(&result->worst.detectors[i], text));
	printf("  %-14s %-12s %s\n", "all together",
	       result->worst.all.detected ? "detected" : "not detected",
	       after_text(&result->worst.all, text));
}

static void print_lines(const struct trial_report *run)
{
	char packets[HUMAN_TEXT_SIZE], entries[HUMAN_TEXT_SIZE];

	puts("\nWhat dropped");
	for (size_t i = 0; i < run->n_lines; i++) {
		const struct ledger_line *line = &run->lines[i];

		printf("  %-14s %-24s %12s packets", line->detector, line->reason,
		       human_count(line->packets, packets));
		if (!line->is_rule && !line->is_own)
			printf("  %s sources", human_count(line->entries, entries));
		else if (line->match[0])
			printf("  %s", line->match);
		putchar('\n');
	}
	if (!run->n_lines)
		puts("  nothing");
}

static void print_oddities(const struct trial_report *run)
{
	if (!run->enforces)
		printf("\nObserve mode: nothing is dropped; %" PRIu64 " packets would have been.\n",
		       run->would_drop);
	if (run->gaps_cut || run->steps_back || run->runts || run->refused || run->beyond_end)
		printf("\n%" PRIu64 " gaps cut, %" PRIu64 " steps back in time, %" PRIu64
		       " runts, %" PRIu64 " frames too long, %" PRIu64
		       " packets beyond the timeline\n",
		       run->gaps_cut, run->steps_back, run->runts, run->refused, run->beyond_end);
	for (size_t i = 0; i < run->n_notes; i++)
		printf("%s\n", run->notes[i]);
}

static void print_speed(const struct trial_report *run)
{
	struct trial_speed speed = trial_speed(run);
	char a[HUMAN_TEXT_SIZE], b[HUMAN_TEXT_SIZE];

	if (speed.bare_pps > 0)
		printf("\n%s packets/s; a bare loop over the same packets: %s; ratio %.2f\n",
		       human_count((uint64_t)speed.pps, a),
		       human_count((uint64_t)speed.bare_pps, b), speed.pps / speed.bare_pps);
}

void report_print(const struct case_result *result)
{
	const struct trial_report *run = &result->runs[result->worst_run];
	const struct score_result *worst = &result->worst;
	char packets[HUMAN_TEXT_SIZE], length[HUMAN_TEXT_SIZE];

	printf("%s packets judged, %s of virtual time, windows of %" PRIu64 " ms",
	       human_count(run->packets, packets), human_duration(run->end_ns, length),
	       run->window_ns / 1000000);
	if (result->n_runs > 1)
		printf("; each figure is the worst of %u phases", result->n_runs);
	puts("\n\nTotal");
	if (result->has_attack) {
		print_share("attack dropped", worst->attack.dropped, worst->attack.packets);
		print_share("  after enforcement", worst->attack_after.dropped,
			    worst->attack_after.packets);
		print_share("  first pass of captures", worst->attack_pass[0].dropped,
			    worst->attack_pass[0].packets);
	}
	print_share("benign dropped", worst->benign.dropped, worst->benign.packets);
	print_share("known clients harmed", worst->known.harmed, worst->known.clients);
	print_share("new clients harmed", worst->fresh.harmed, worst->fresh.clients);
	printf("  %-28s %" PRIu64 " sources, %" PRIu64 " rules\n", "put in force",
	       result->sources_blocked, result->rules_enforced);
	if (result->has_attack && worst->released_ns != SCORE_NEVER)
		printf("  %-28s %s after the attack\n", "released",
		       human_duration(worst->released_ns, length));
	print_detectors(result);
	print_lines(run);
	print_oddities(run);
	print_speed(&result->runs[0]);
}
