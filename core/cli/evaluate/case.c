/* SPDX-License-Identifier: BSD-2-Clause */
/* See case.h. */
#include "case.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "config/errors.h"
#include "config/settings.h"
#include "replay/capture.h"
#include "replay/labels.h"
#include "sluiced/generation.h"

struct run {
	const struct case_options *options;
	unsigned int number;
	struct mix *mix;
	/* Of each capture that was added; NULL if it has none. */
	struct labels **labels;
	size_t n_labels, n_benign;
};

void case_options_init(struct case_options *options, const struct evaluate_options *from)
{
	*options = (struct case_options){
		.config = from->config,
		.only = from->only,
		.attack = &from->attack,
		.benign = &from->benign,
		.warmup = from->warmup.n ? &from->warmup : &from->benign,
		.labels = from->labels,
		.attack_filter = from->attack_filter,
		.mix = from->mix,
		.phases = from->phases,
		.window_ns = from->window_ns,
		.max_gap_ns = from->max_gap_ns,
		.bench = from->bench,
		.settings = from->settings,
		.n_settings = from->n_settings,
	};
	if (from->attack.n)
		return;
	/* A dry run: one pass over the captures, as they are unless a role is given. */
	options->warmup = &from->warmup;
	if (!from->role_given)
		options->mix.role = MIX_ROLE_ASIS;
	if (!from->phase_given)
		options->phases = 1;
}

static void print_errors(const struct config_errors *errors)
{
	char text[CONFIG_ERROR_TEXT_SIZE];

	for (size_t i = 0; i < config_errors_kept(errors); i++)
		fprintf(stderr, "%s\n", config_error_format(&errors->list[i], text));
	if (errors->count > config_errors_kept(errors))
		fprintf(stderr, "%zu more errors\n", errors->count - config_errors_kept(errors));
}

/* What went wrong, unless it was said; returns `code`. */
static int complain(int code, const struct config_errors *errors, const struct sluice_err *err)
{
	print_errors(errors);
	if (err->text[0])
		fprintf(stderr, "sluice: replay: %s\n", err->text);
	else if (!errors->count)
		fprintf(stderr, "sluice: replay: %s (%s)\n", strerror(-code), err_name(code));
	return code;
}

static int load_labels(const struct case_options *options, const char *path, bool is_attack,
		       struct config_errors *errors, struct labels **out, struct sluice_err *err)
{
	int ret;

	*out = NULL;
	if (is_attack && options->labels)
		ret = labels_load(options->labels, errors, out);
	else
		ret = labels_load_beside(path, errors, out);
	if (ret < 0)
		return ret;
	if (!is_attack || !options->attack_filter)
		return 0;
	ret = *out ? 0 : labels_new(out);
	if (ret)
		return ret;
	ret = labels_set_attack(*out, options->attack_filter, err);
	if (ret)
		err_prefix(err, "--attack-filter");
	return ret;
}

static int add_file(struct run *run, enum mix_set set, const char *path,
		    struct config_errors *errors, struct sluice_err *err)
{
	const struct case_options *options = run->options;
	const struct capture_options capture_options = { .max_gap_ns = options->max_gap_ns };
	struct capture *capture;
	struct labels *labels;
	int ret = load_labels(options, path, set == MIX_SET_ATTACK, errors, &labels, err);

	run->labels[run->n_labels++] = labels;
	if (ret)
		return ret;
	if (set != MIX_SET_ATTACK && options->skip_known_bad && labels && labels_known_bad(labels))
		return 0;
	ret = capture_load(path, &capture_options, &capture, err);
	if (ret)
		return ret;
	/* Said once, not in every phase. */
	if (capture->warning[0] && run->number == 0)
		fprintf(stderr, "sluice: replay: %s\n", capture->warning);
	run->n_benign += set == MIX_SET_BENIGN;
	return mix_add(run->mix, set, capture, labels, err);
}

static int add_files(struct run *run, enum mix_set set, const struct evaluate_list *list,
		     struct config_errors *errors, struct sluice_err *err)
{
	int ret = 0;

	for (size_t i = 0; list && !ret && i < list->n; i++)
		ret = add_file(run, set, list->items[i], errors, err);
	return ret;
}

static size_t list_size(const struct evaluate_list *list)
{
	return list ? list->n : 0;
}

static int fill_mix(struct run *run, struct config_errors *errors, struct sluice_err *err)
{
	const struct case_options *options = run->options;
	struct mix_options mix = options->mix;
	size_t n = list_size(options->attack) + list_size(options->benign) +
		   list_size(options->warmup);
	int ret;

	/* Each phase is another draw. */
	mix.seed += run->number;
	run->labels = calloc(n + 1, sizeof(struct labels *));
	if (!run->labels)
		return -ENOMEM;
	ret = mix_new(&mix, &run->mix, err);
	if (!ret)
		ret = add_files(run, MIX_SET_WARMUP, options->warmup, errors, err);
	if (!ret)
		ret = add_files(run, MIX_SET_BENIGN, options->benign, errors, err);
	if (!ret)
		ret = add_files(run, MIX_SET_ATTACK, options->attack, errors, err);
	return ret ? ret : mix_start(run->mix, err);
}

static void run_fini(struct run *run)
{
	mix_free(run->mix);
	for (size_t i = 0; i < run->n_labels; i++)
		labels_free(run->labels[i]);
	free(run->labels);
}

static void tell_window(void *ctx, const struct trial_window *window)
{
	const struct run *run = ctx;

	if (run->options->window)
		run->options->window(run->options->ctx, run->number, window);
}

static void tell_progress(void *ctx, uint64_t now_ns, uint64_t end_ns)
{
	const struct run *run = ctx;

	if (run->options->progress)
		run->options->progress(run->options->ctx, run->number, now_ns, end_ns);
}

static int run_phase(const struct case_options *options, unsigned int number,
		     struct trial_report *report)
{
	struct run run = { .options = options, .number = number };
	struct generation_override overrides[EVALUATE_MAX_SETTINGS];
	const struct trial_options trial = {
		.config = options->config,
		.only = options->only,
		.window_ns = options->window_ns,
		.overrides = overrides,
		.n_overrides = options->n_settings,
		.seed = options->mix.seed + number,
		.bench = options->bench && number == 0,
		.window = tell_window,
		.progress = tell_progress,
		.ctx = &run,
	};
	struct config_errors errors;
	struct sluice_err err;
	int ret;

	for (size_t i = 0; i < options->n_settings; i++)
		overrides[i] = (struct generation_override){ options->settings[i].detector,
							     options->settings[i].options };
	config_errors_init(&errors);
	err_init(&err);
	ret = fill_mix(&run, &errors, &err);
	if (!ret)
		ret = trial_run(&trial, run.mix, &errors, report, &err);
	if (ret)
		(void)complain(ret, &errors, &err);
	run_fini(&run);
	return ret;
}

/* The run to show: that which dropped least of the attack; of equals, most of the benign. */
static bool is_worse(const struct trial_report *a, const struct trial_report *b)
{
	uint64_t a_ppm = score_ppm(a->score.attack.dropped, a->score.attack.packets);
	uint64_t b_ppm = score_ppm(b->score.attack.dropped, b->score.attack.packets);

	if (a_ppm != b_ppm)
		return a_ppm < b_ppm;
	return score_ppm(a->score.benign.dropped, a->score.benign.packets) >
	       score_ppm(b->score.benign.dropped, b->score.benign.packets);
}

static void merge(struct case_result *result)
{
	result->worst = result->runs[0].score;
	for (unsigned int i = 0; i < result->n_runs; i++) {
		const struct trial_report *run = &result->runs[i];

		score_worse(&result->worst, &run->score, run->n_detectors);
		if (is_worse(run, &result->runs[result->worst_run]))
			result->worst_run = i;
		if (run->sources_blocked > result->sources_blocked)
			result->sources_blocked = run->sources_blocked;
		if (run->rules_enforced > result->rules_enforced)
			result->rules_enforced = run->rules_enforced;
		result->has_attack |= run->attack_end_ns > run->attack_start_ns;
	}
}

int case_run(const struct case_options *options, struct case_result *result)
{
	int ret = 0;

	memset(result, 0, sizeof(*result));
	result->runs = calloc(options->phases, sizeof(*result->runs));
	if (!result->runs)
		return -ENOMEM;
	for (unsigned int i = 0; !ret && i < options->phases; i++) {
		ret = run_phase(options, i, &result->runs[i]);
		result->n_runs += !ret;
	}
	if (ret)
		case_result_fini(result);
	else
		merge(result);
	return ret;
}

int case_detectors(const char *config, struct evaluate_list *names)
{
	struct settings *settings;
	struct config_errors errors;
	struct sluice_err err;
	int ret;

	config_errors_init(&errors);
	err_init(&err);
	ret = settings_load(config, &errors, &settings);
	if (ret)
		return complain(ret, &errors, &err);
	*names = (struct evaluate_list){ .items = calloc(settings->n_detectors + 1,
							 sizeof(*names->items)) };
	for (size_t i = 0; names->items && i < settings->n_detectors; i++) {
		names->items[names->n] = strdup(settings->detectors[i].name);
		names->n += names->items[names->n] != NULL;
	}
	ret = names->items && names->n == settings->n_detectors ? 0 : -ENOMEM;
	settings_free(settings);
	return ret;
}

void case_result_fini(struct case_result *result)
{
	for (unsigned int i = 0; i < result->n_runs; i++)
		trial_report_fini(&result->runs[i]);
	free(result->runs);
	memset(result, 0, sizeof(*result));
}
