/* SPDX-License-Identifier: BSD-2-Clause */
/* See evaluate.h. */
#include "evaluate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "config/errors.h"

#include "bar.h"
#include "case.h"
#include "exit.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "suite.h"
#include "windows.h"

struct session {
	const struct evaluate_options *options;
	struct windows *windows; /* NULL: nobody asked for them. */
	int code;		 /* Of keeping them. */
	struct progress progress;
	unsigned int phases;
};

static void tell_progress(void *ctx, unsigned int run, uint64_t now_ns, uint64_t end_ns)
{
	struct session *session = ctx;
	double part = end_ns ? (double)now_ns / (double)end_ns : 1;

	progress_tell(&session->progress, "replay", ((double)run + part) / session->phases);
}

static void keep_window(void *ctx, unsigned int run, const struct trial_window *window)
{
	struct session *session = ctx;

	if (!session->code)
		session->code = windows_add(session->windows, run, window);
}

/* The windows of the run that is shown. */
static int write_windows(const struct session *session, const struct case_result *result)
{
	const struct evaluate_options *options = session->options;
	unsigned int run = result->worst_run;
	const struct trial_report *report = &result->runs[run];
	struct sluice_err err;
	int ret = session->code;

	err_init(&err);
	if (!ret && options->csv)
		ret = windows_write_csv(session->windows, run, report, options->csv, &err);
	if (!ret && options->svg)
		ret = windows_write_svg(session->windows, run, report, options->svg, &err);
	if (ret)
		fprintf(stderr, "sluice: replay: %s\n", err.text[0] ? err.text : "no memory");
	return ret ? EVALUATE_EXIT_FAILED : EVALUATE_EXIT_OK;
}

static int print_json(json_t *json)
{
	int code = EVALUATE_EXIT_FAILED;

	if (json && json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9)) == 0 &&
	    putchar('\n') != EOF)
		code = EVALUATE_EXIT_OK;
	else
		fprintf(stderr, "sluice: replay: cannot write\n");
	json_decref(json);
	return code;
}

static void tell_missed(void *ctx, const char *row, const char *text)
{
	(void)ctx;
	fprintf(stderr, "sluice: replay: %s: %s\n", row, text);
}

/* An exit code: whether one mix reaches the bar. */
static int judge(const struct bar *bar, const struct case_result *result)
{
	struct bar_check check = { .bar = bar, .missed = tell_missed };

	if (result->has_attack) {
		bar_check_attack(&check, "attack", &result->worst);
	} else {
		bar_check(&check, "benign", BAR_benign_sources_blocked,
			  (double)result->sources_blocked);
		bar_check(&check, "benign", BAR_benign_rules_enforced,
			  (double)result->rules_enforced);
	}
	bar_check_benign(&check, "benign", &result->worst);
	return check.n_missed ? EVALUATE_EXIT_MISSED : EVALUATE_EXIT_OK;
}

static int run_case(const struct evaluate_options *options, const char *config,
		    struct session *session, struct case_result *result)
{
	struct case_options one;
	int ret;

	case_options_init(&one, options);
	one.config = config;
	if (options->csv || options->svg) {
		windows_free(session->windows);
		if (windows_new(one.phases, &session->windows) != 0)
			return -ENOMEM;
		one.window = keep_window;
	}
	one.progress = tell_progress;
	one.ctx = session;
	session->phases = one.phases;
	progress_init(&session->progress);
	ret = case_run(&one, result);
	progress_fini(&session->progress);
	return ret;
}

static int run_one(const struct evaluate_options *options, const struct bar *bar)
{
	struct session session = { .options = options };
	struct case_result result;
	int code = EVALUATE_EXIT_OK, ret = run_case(options, options->config, &session, &result);

	if (ret) {
		windows_free(session.windows);
		return evaluate_exit_code(ret);
	}
	if (options->json)
		code = print_json(report_json(&result));
	else
		report_print(&result);
	if (session.windows && code == EVALUATE_EXIT_OK)
		code = write_windows(&session, &result);
	if (bar && code == EVALUATE_EXIT_OK)
		code = judge(bar, &result);
	windows_free(session.windows);
	case_result_fini(&result);
	return code;
}

/* Two deployment files on the same packets, one below the other. */
static int run_diff(const struct evaluate_options *options)
{
	const char *const configs[] = { options->config, options->other_config };
	struct session session = { .options = options };
	json_t *json = json_object();
	int code = EVALUATE_EXIT_OK;

	for (int i = 0; i < 2 && code == EVALUATE_EXIT_OK; i++) {
		struct case_result result;

		code = evaluate_exit_code(run_case(options, configs[i], &session, &result));
		if (code != EVALUATE_EXIT_OK)
			break;
		if (options->json) {
			json_object_set_new(json, i ? "b" : "a", report_json(&result));
		} else {
			printf("%s%s: %s\n", i ? "\n" : "", i ? "B" : "A", configs[i]);
			report_print(&result);
		}
		case_result_fini(&result);
	}
	windows_free(session.windows);
	if (!options->json || code != EVALUATE_EXIT_OK) {
		json_decref(json);
		return code;
	}
	return print_json(json);
}

static int run(const struct evaluate_options *options)
{
	struct config_errors errors;
	struct bar bar;
	char text[CONFIG_ERROR_TEXT_SIZE];

	config_errors_init(&errors);
	if (options->bar && bar_load(options->bar, &errors, &bar) != 0) {
		for (size_t i = 0; i < config_errors_kept(&errors); i++)
			fprintf(stderr, "%s\n", config_error_format(&errors.list[i], text));
		return EVALUATE_EXIT_REFUSED;
	}
	if (options->suite)
		return suite_run(options, options->bar ? &bar : NULL);
	if (options->other_config)
		return run_diff(options);
	return run_one(options, options->bar ? &bar : NULL);
}

int evaluate_main(int argc, char *argv[])
{
	struct evaluate_options options;
	struct sluice_err err;
	int code = EVALUATE_EXIT_REFUSED;

	err_init(&err);
	if (evaluate_options_parse(argc, argv, &options, &err) != 0) {
		fprintf(stderr, "sluice: replay: %s\n", err.text[0] ? err.text : "no memory");
	} else if (options.help) {
		evaluate_options_help(stdout);
		code = EVALUATE_EXIT_OK;
	} else {
		code = run(&options);
	}
	evaluate_options_fini(&options);
	return code;
}
