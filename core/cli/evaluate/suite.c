/* SPDX-License-Identifier: BSD-2-Clause */
/* Running the rows of a suite and judging them.  See suite.h. */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "bar.h"
#include "exit.h"
#include "jobs.h"
#include "progress.h"
#include "report.h"
#include "suite_rows.h"
#include "suite_table.h"
#include "trial/trial.h"

struct suite {
	const struct evaluate_options *options;
	struct suite_captures captures;
	struct evaluate_list detectors;
	struct suite_rows rows;
	size_t first; /* Of the rows that run now. */
	struct bar_check check;
	size_t *control_missed; /* Of each file of --control. */
	struct score_result *control_pooled;
	/* Benign shares are too few to judge a mix by: they are added up. */
	struct score_result pooled, variants;
	struct progress progress;
	json_t *json, *missed;
};

static void note_missed(void *ctx, const char *row, const char *text)
{
	struct suite *suite = ctx;

	json_array_append_new(suite->missed, json_sprintf("%s: %s", row, text));
}

/* That a control misses the bar is what is wanted. */
static void forget_missed(void *ctx, const char *row, const char *text)
{
	(void)ctx;
	(void)row;
	(void)text;
}

static void add_clients(struct score_clients *to, const struct score_clients *from)
{
	to->clients += from->clients;
	to->harmed += from->harmed;
}

static void pool(struct score_result *pooled, const struct score_result *score)
{
	pooled->benign.packets += score->benign.packets;
	pooled->benign.dropped += score->benign.dropped;
	add_clients(&pooled->known, &score->known);
	add_clients(&pooled->fresh, &score->fresh);
}

static bool is_volumetric(const struct suite *suite, const struct suite_row *row)
{
	/* At another rate than its own every attack would be. */
	for (size_t i = 0; row->part == EVALUATE_PART_RATE && i < suite->rows.n; i++) {
		const struct suite_row *other = &suite->rows.list[i];

		if (other->part == EVALUATE_PART_NATIVE && other->attack == row->attack)
			return other->outcome.worst.onset;
	}
	return row->outcome.worst.onset;
}

static void judge_benign(struct bar_check *check, const struct suite_row *row)
{
	bar_check(check, row->name, BAR_benign_sources_blocked,
		  (double)row->outcome.sources_blocked);
	bar_check(check, row->name, BAR_benign_rules_enforced, (double)row->outcome.rules_enforced);
}

static void judge_control(struct suite *suite, const struct suite_row *row)
{
	struct bar_check check = { .bar = suite->check.bar, .missed = forget_missed };

	if (row->attack) {
		bar_check_attack(&check, row->name, &row->outcome.worst);
		pool(&suite->control_pooled[row->control], &row->outcome.worst);
	} else {
		judge_benign(&check, row);
	}
	suite->control_missed[row->control] += check.n_missed;
}

static void judge(struct suite *suite, const struct suite_row *row)
{
	const struct score_result *worst = &row->outcome.worst;
	struct bar_check *check = &suite->check;

	switch (row->part) {
	case EVALUATE_PART_NATIVE:
		pool(&suite->pooled, worst);
		bar_check_attack(check, row->name, worst);
		break;
	case EVALUATE_PART_SECOND:
		/* A window of a second is a tenth of the attack: the total is told and not judged. */
		pool(&suite->pooled, worst);
		bar_check_enforced(check, row->name, worst);
		break;
	case EVALUATE_PART_RATE:
		pool(&suite->pooled, worst);
		if (is_volumetric(suite, row))
			bar_check_attack(check, row->name, worst);
		break;
	case EVALUATE_PART_PORT:
	case EVALUATE_PART_STEALTH:
		pool(&suite->variants, worst);
		break;
	case EVALUATE_PART_BENIGN:
		judge_benign(check, row);
		break;
	case EVALUATE_PART_CROWD:
		bar_check(check, row->name, BAR_crowd_harmed_percent,
			  score_percent(worst->known.harmed + worst->fresh.harmed,
					worst->known.clients + worst->fresh.clients));
		break;
	case EVALUATE_PART_WITHOUT:
		if (worst->onset)
			bar_check(check, row->name, BAR_without_signature_percent,
				  score_percent(worst->attack_after.dropped,
						worst->attack_after.packets));
		break;
	case EVALUATE_PART_CONTROL:
		judge_control(suite, row);
		break;
	default:
		break;
	}
}

/* In a child: a row's outcome, and its JSON behind it if that is wanted. */
static int work(void *ctx, size_t job, int fd)
{
	const struct suite *suite = ctx;
	const struct suite_row *row = &suite->rows.list[suite->first + job];
	struct suite_outcome outcome;
	struct case_result result;
	int ret = suite_row_run(row, suite->options, &suite->captures, &result);

	if (ret)
		return ret;
	suite_row_conclude(&result, &outcome);
	ret = jobs_write(fd, &outcome, sizeof(outcome));
	if (!ret && suite->options->json) {
		char *text =
			json_dumps(report_json(&result), JSON_COMPACT | JSON_REAL_PRECISION(9));

		ret = text ? jobs_write(fd, text, strlen(text)) : -ENOMEM;
		free(text);
	}
	case_result_fini(&result);
	return ret;
}

static int done(void *ctx, size_t job, int code, const char *result, size_t size)
{
	struct suite *suite = ctx;
	struct suite_row *row = &suite->rows.list[suite->first + job];
	json_t *json;

	if (code || size < sizeof(row->outcome)) {
		fprintf(stderr, "sluice: replay: row '%s' failed\n", row->name);
		return code ? code : -EIO;
	}
	memcpy(&row->outcome, result, sizeof(row->outcome));
	judge(suite, row);
	if (!suite->options->json) {
		progress_clear(&suite->progress);
		suite_table_row(row);
		return 0;
	}
	json = json_loadb(result + sizeof(row->outcome), size - sizeof(row->outcome), 0, NULL);
	if (!json)
		return -ENOMEM;
	json_object_set_new(json, "row", json_string(row->name));
	json_object_set_new(json, "part", json_string(evaluate_part_name(row->part)));
	return json_array_append_new(suite->json, json) ? -ENOMEM : 0;
}

static void tell_progress(void *ctx, size_t n_ended)
{
	struct suite *suite = ctx;
	size_t n = suite->rows.n, ended = suite->first + n_ended;
	char what[64];

	snprintf(what, sizeof(what), "%zu of %zu rows", ended, n);
	progress_tell(&suite->progress, what, n ? (double)ended / (double)n : 1);
}

static bool is_wanted(const struct evaluate_options *options, enum evaluate_part part)
{
	/* Leaving signatures out begins with what stops the attacks. */
	return options->parts >> part & 1 ||
	       (part == EVALUATE_PART_NATIVE && options->parts >> EVALUATE_PART_WITHOUT & 1);
}

/* Parts of which nothing depends on another run at once; WITHOUT looks at what NATIVE was. */
static int run_parts(struct suite *suite, bool (*now)(enum evaluate_part part))
{
	const struct jobs_plan plan = {
		.work = work,
		.done = done,
		.waiting = tell_progress,
		.ctx = suite,
		.at_once = suite->options->jobs,
	};
	struct jobs_plan these = plan;
	int ret = 0;

	suite->first = suite->rows.n;
	for (int part = 0; !ret && part < EVALUATE_N_PARTS; part++)
		if (now(part) && is_wanted(suite->options, part))
			ret = suite_rows_add(&suite->rows, part, suite->options, &suite->captures,
					     &suite->detectors);
	these.n = suite->rows.n - suite->first;
	return ret ? ret : jobs_run(&these);
}

static bool is_first(enum evaluate_part part)
{
	return part != EVALUATE_PART_WITHOUT;
}

static bool is_last(enum evaluate_part part)
{
	return part == EVALUATE_PART_WITHOUT;
}

/* A bar that a detector reaches which is none is no bar. */
static void judge_controls(struct suite *suite)
{
	for (size_t i = 0; i < suite->options->control.n; i++) {
		struct bar_check check = { .bar = suite->check.bar, .missed = forget_missed };
		const char *name = suite->options->control.items[i];

		bar_check_benign(&check, name, &suite->control_pooled[i]);
		check.n_missed += suite->control_missed[i];
		if (!suite->options->json)
			printf("Control %s: misses %zu limits%s\n", name, check.n_missed,
			       check.n_missed ? ", as it must" : "");
		if (check.n_missed)
			continue;
		note_missed(suite, name, "a control reaches the bar, which says nothing then");
		suite->check.n_missed++;
	}
}

static void conclude(struct suite *suite)
{
	if (suite->pooled.benign.packets)
		bar_check_benign(&suite->check, "pooled", &suite->pooled);
	bar_check(&suite->check, "variants pooled", BAR_variant_known_harmed_percent,
		  score_percent(suite->variants.known.harmed, suite->variants.known.clients));
	if (!suite->options->json) {
		putchar('\n');
		suite_table_pooled("Pooled", &suite->pooled);
		suite_table_pooled("Variants", &suite->variants);
	}
	if (suite->options->bar && suite->options->parts >> EVALUATE_PART_CONTROL & 1)
		judge_controls(suite);
	if (suite->options->json) {
		json_t *json =
			json_pack("{s:O, s:O}", "rows", suite->json, "missed", suite->missed);

		json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		putchar('\n');
		json_decref(json);
		return;
	}
	for (size_t i = 0; i < json_array_size(suite->missed); i++)
		printf("missed: %s\n", json_string_value(json_array_get(suite->missed, i)));
	if (suite->options->bar)
		printf("%s\n",
		       suite->check.n_missed ? "The bar is missed." : "The bar is reached.");
	progress_tell_total(&suite->progress, suite->rows.n);
}

static int open_suite(struct suite *suite)
{
	const struct evaluate_options *options = suite->options;
	size_t n = options->control.n;
	int ret = suite_captures_list(options->suite, &suite->captures);

	suite->control_missed = calloc(n + 1, sizeof(*suite->control_missed));
	suite->control_pooled = calloc(n + 1, sizeof(*suite->control_pooled));
	if (!suite->control_missed || !suite->control_pooled)
		return -ENOMEM;
	if (!ret && options->parts >> EVALUATE_PART_ALONE & 1)
		ret = case_detectors(options->config, &suite->detectors);
	return ret;
}

static void close_suite(struct suite *suite)
{
	suite_captures_free(&suite->captures);
	suite_rows_free(&suite->rows);
	evaluate_list_fini(&suite->detectors);
	free(suite->control_missed);
	free(suite->control_pooled);
	json_decref(suite->json);
	json_decref(suite->missed);
}

int suite_run(const struct evaluate_options *options, const struct bar *bar)
{
	static const struct bar no_bar;
	struct suite suite = { .options = options, .json = json_array(), .missed = json_array() };
	int ret;

	suite.check = (struct bar_check){ .bar = bar ? bar : &no_bar,
					  .missed = note_missed,
					  .ctx = &suite };
	progress_init(&suite.progress);
	ret = open_suite(&suite);
	if (!ret && !options->json)
		suite_table_header();
	if (!ret)
		ret = run_parts(&suite, is_first);
	if (!ret)
		ret = run_parts(&suite, is_last);
	progress_fini(&suite.progress);
	if (!ret)
		conclude(&suite);
	close_suite(&suite);
	if (ret)
		return evaluate_exit_code(ret);
	return suite.check.n_missed ? EVALUATE_EXIT_MISSED : EVALUATE_EXIT_OK;
}
