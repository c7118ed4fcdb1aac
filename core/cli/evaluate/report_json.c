/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The document of `sluice replay --json`.  Its names are stable and are described in
 * sluice-replay(1): members are added, never renamed.  Nothing in it depends on the real time,
 * unless that was asked for by --bench.
 */
#include "report.h"

#include "case.h"

static json_t *number_or_null(uint64_t value, uint64_t scale)
{
	return value == SCORE_NEVER ? json_null() : json_integer((json_int_t)(value / scale));
}

static json_t *detector_json(const char *name, const struct score_detector *detector)
{
	return json_pack("{s:s, s:b, s:o, s:o}", "name", name, "detected", detector->detected,
			 "enforced_ms", number_or_null(detector->enforced_ns, 1000000),
			 "windows_to_enforce", number_or_null(detector->windows, 1));
}

static json_t *detectors_json(const struct trial_report *names, const struct score_result *score)
{
	json_t *list = json_array();

	for (size_t i = 0; i < names->n_detectors && i < SCORE_MAX_DETECTORS; i++)
		json_array_append_new(list,
				      detector_json(names->detectors[i], &score->detectors[i]));
	return list;
}

static json_t *share_json(const struct score_share *share)
{
	return json_pack("{s:I, s:I}", "attack_packets", (json_int_t)share->packets,
			 "attack_dropped", (json_int_t)share->dropped);
}

static json_t *pps_json(double pps)
{
	return pps > 0 ? json_integer((json_int_t)pps) : json_null();
}

static json_t *total_json(const struct score_result *score, const struct trial_report *run,
			  uint64_t sources_blocked, uint64_t rules_enforced)
{
	struct trial_speed speed = trial_speed(run);
	json_t *total = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}",
		"attack_packets", (json_int_t)score->attack.packets, "attack_dropped",
		(json_int_t)score->attack.dropped, "attack_after_enforcement",
		(json_int_t)score->attack_after.packets, "attack_dropped_after_enforcement",
		(json_int_t)score->attack_after.dropped, "benign_packets",
		(json_int_t)score->benign.packets, "benign_dropped",
		(json_int_t)score->benign.dropped, "known_clients",
		(json_int_t)score->known.clients, "known_clients_harmed",
		(json_int_t)score->known.harmed, "new_clients", (json_int_t)score->fresh.clients,
		"new_clients_harmed", (json_int_t)score->fresh.harmed, "sources_blocked",
		(json_int_t)sources_blocked, "rules_enforced", (json_int_t)rules_enforced,
		"released_ms", number_or_null(score->released_ns, 1000000), "packets_per_s",
		pps_json(speed.pps));

	if (!total)
		return NULL;
	json_object_set_new(total, "bare_packets_per_s", pps_json(speed.bare_pps));
	json_object_set_new(total, "bare_ratio",
			    speed.bare_pps > 0 ? json_real(speed.pps / speed.bare_pps)
					       : json_null());
	json_object_set_new(total, "enforced_ms", number_or_null(score->all.enforced_ns, 1000000));
	json_object_set_new(total, "windows_to_enforce", number_or_null(score->all.windows, 1));
	json_object_set_new(total, "volumetric", json_boolean(score->onset));
	json_object_set_new(total, "first_pass", share_json(&score->attack_pass[0]));
	json_object_set_new(total, "later_passes", share_json(&score->attack_pass[1]));
	return total;
}

static json_t *rules_json(const struct trial_report *run)
{
	json_t *list = json_array();

	for (size_t i = 0; i < run->n_lines; i++) {
		const struct ledger_line *line = &run->lines[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:I}", "reason",
						line->reason, "detector", line->detector, "match",
						line->match, "packets", (json_int_t)line->packets,
						"attack_packets", (json_int_t)line->attack_packets,
						"benign_packets", (json_int_t)line->benign_packets,
						"entries", (json_int_t)line->entries));
	}
	return list;
}

static json_t *clock_json(const struct trial_report *run)
{
	return json_pack("{s:I, s:I}", "gaps_cut", (json_int_t)run->gaps_cut, "steps_back",
			 (json_int_t)run->steps_back);
}

static json_t *notes_json(const struct trial_report *run)
{
	json_t *list = json_array();

	for (size_t i = 0; i < run->n_notes; i++)
		json_array_append_new(list, json_string(run->notes[i]));
	return list;
}

static json_t *run_json(const struct trial_report *run)
{
	json_t *json = json_pack(
		"{s:I, s:I, s:I, s:I, s:I, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "attack_at_ms",
		(json_int_t)(run->attack_start_ns / 1000000), "window_ms",
		(json_int_t)(run->window_ns / 1000000), "windows", (json_int_t)run->windows,
		"length_ms", (json_int_t)(run->end_ns / 1000000), "packets",
		(json_int_t)run->packets, "enforce", run->enforces, "would_drop",
		(json_int_t)run->would_drop, "outbound", (json_int_t)run->outbound, "unrelated",
		(json_int_t)run->unrelated, "runt", (json_int_t)run->runts, "refused",
		(json_int_t)run->refused, "beyond_end", (json_int_t)run->beyond_end,
		"attack_packets_per_s", (json_int_t)run->attack_pps);

	if (!json)
		return NULL;
	json_object_set_new(json, "detectors", detectors_json(run, &run->score));
	json_object_set_new(json, "total",
			    total_json(&run->score, run, run->sources_blocked,
				       run->rules_enforced));
	json_object_set_new(json, "rules", rules_json(run));
	json_object_set_new(json, "clock", clock_json(run));
	json_object_set_new(json, "notes", notes_json(run));
	return json;
}

json_t *report_json(const struct case_result *result)
{
	const struct trial_report *worst = &result->runs[result->worst_run];
	json_t *runs = json_array(), *json;

	for (unsigned int i = 0; i < result->n_runs; i++)
		json_array_append_new(runs, run_json(&result->runs[i]));
	/* Only the first run is measured. */
	json = json_pack("{s:o, s:o, s:o, s:o, s:o}", "detectors",
			 detectors_json(worst, &result->worst), "total",
			 total_json(&result->worst, &result->runs[0], result->sources_blocked,
				    result->rules_enforced),
			 "rules", rules_json(worst), "clock", clock_json(worst), "runs", runs);
	return json;
}
