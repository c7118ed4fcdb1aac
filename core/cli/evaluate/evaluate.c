/* SPDX-License-Identifier: BSD-2-Clause */
/* See evaluate.h. */
#include "evaluate.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

#include "case.h"
#include "options.h"
#include "progress.h"
#include "report.h"
#include "windows.h"

struct session {
	const struct evaluate_options *options;
	struct windows *windows; /* NULL: nobody asked for them. */
	int code;		 /* Of keeping them. */
	struct progress progress;
	unsigned int phases;
};

static int evaluate_exit_code(int error)
{
	switch (error) {
	case 0:
		return EVALUATE_EXIT_OK;
	case -EPERM:
	case -ENOMEM:
	case -EIO:
	case -ENOSPC:
		return EVALUATE_EXIT_FAILED;
	default:
		return EVALUATE_EXIT_REFUSED;
	}
}

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

static int run_one(const struct evaluate_options *options)
{
	struct session session = { .options = options };
	struct case_options one;
	struct case_result result;
	int ret, code = EVALUATE_EXIT_OK;

	case_options_init(&one, options);
	if (options->csv || options->svg) {
		if (windows_new(one.phases, &session.windows) != 0)
			return evaluate_exit_code(-ENOMEM);
		one.window = keep_window;
	}
	one.progress = tell_progress;
	one.ctx = &session;
	session.phases = one.phases;
	progress_init(&session.progress);
	ret = case_run(&one, &result);
	progress_fini(&session.progress);
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
	windows_free(session.windows);
	case_result_fini(&result);
	return code;
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
	} else if (options.suite || options.bar || options.other_config) {
		fprintf(stderr, "sluice: replay: --suite, --bar and --diff are not there yet\n");
	} else {
		code = run_one(&options);
	}
	evaluate_options_fini(&options);
	return code;
}
