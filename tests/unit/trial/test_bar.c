/* SPDX-License-Identifier: BSD-2-Clause */
/* The bar: what the control detectors of the protocol would score must miss it. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/errors.h"
#include "evaluate/bar.h"

static const char usual[] = "windows_to_enforce: 2\n"
			    "after_enforcement_percent: 95\n"
			    "attack_dropped_percent: 80\n"
			    "benign_dropped_percent: 0.1\n"
			    "known_harmed_percent: 0.5\n"
			    "new_harmed_percent: 2\n"
			    "low_rate_clients_harmed: 0\n";

/* What a good defence scores. */
static const struct score_result good = {
	.all = { true, 100000000, 1 },
	.attack = { 10000, 9800 },
	.attack_after = { 9800, 9790 },
	.benign = { 100000, 10 },
	.known = { 1000, 0 },
	.fresh = { 1000, 3 },
	.onset = true,
};

static int load(const char *text, struct bar *bar, struct config_errors *errors)
{
	char path[] = "/tmp/sluice-bar-XXXXXX";
	int fd = mkstemp(path), ret;

	cr_assert_geq(fd, 0);
	cr_assert_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
	config_errors_init(errors);
	ret = bar_load(path, errors, bar);
	unlink(path);
	return ret;
}

struct missed {
	char texts[16][BAR_TEXT_SIZE];
	size_t n;
};

static void note(void *ctx, const char *row, const char *text)
{
	struct missed *missed = ctx;

	cr_assert_str_eq(row, "row");
	snprintf(missed->texts[missed->n++], BAR_TEXT_SIZE, "%s", text);
}

static struct missed judge(const struct score_result *score)
{
	struct config_errors errors;
	struct missed missed = { .n = 0 };
	struct bar bar;
	struct bar_check check = { .bar = &bar, .missed = note, .ctx = &missed };

	cr_assert_eq(load(usual, &bar, &errors), 0);
	bar_check_attack(&check, "row", score);
	bar_check_benign(&check, "row", score);
	cr_assert_eq(check.n_missed, missed.n);
	return missed;
}

Test(bar, a_good_score_reaches_it)
{
	cr_assert_eq(judge(&good).n, 0);
}

/* In long windows half an attack is over before anything can be in force. */
Test(bar, late_but_whole_reaches_the_bar_of_what_is_enforced)
{
	struct config_errors errors;
	struct missed missed = { .n = 0 };
	struct bar bar;
	struct bar_check check = { .bar = &bar, .missed = note, .ctx = &missed };
	struct score_result late = good;

	cr_assert_eq(load(usual, &bar, &errors), 0);
	late.attack.dropped = late.attack.packets / 2;
	late.all.windows = 9;
	bar_check_enforced(&check, "row", &late);
	cr_assert_eq(missed.n, 0);
	late.attack_after.dropped = late.attack_after.packets / 2;
	bar_check_enforced(&check, "row", &late);
	cr_assert_eq(missed.n, 1);
	cr_assert(strstr(missed.texts[0], "after_enforcement_percent"), "%s", missed.texts[0]);
}

/* Never blocks: nobody is harmed, and nothing is stopped. */
Test(bar, never_blocking_misses_it)
{
	struct score_result score = good;
	struct missed missed;

	score.all = (struct score_detector){ false, SCORE_NEVER, SCORE_NEVER };
	score.attack.dropped = 0;
	score.attack_after = (struct score_share){ 0, 0 };
	missed = judge(&score);
	cr_assert_eq(missed.n, 3);
	cr_assert_str_eq(missed.texts[0], "windows_to_enforce: 1000000000, wanted at most 2");
}

/* Blocks every source: repeated reflectors are stopped, and so is everybody else. */
Test(bar, blocking_everybody_misses_it)
{
	struct score_result score = good;

	score.benign.dropped = 95000;
	score.known.harmed = 1000;
	score.fresh.harmed = 900;
	cr_assert_eq(judge(&score).n, 3);
}

/* Drops every SYN: no new client gets in, few benign packets though that is. */
Test(bar, dropping_every_syn_misses_it)
{
	struct score_result score = good;

	score.fresh.harmed = 1000;
	score.benign.dropped = 90;
	cr_assert_eq(judge(&score).n, 1);
}

/* Drops one port: of an attack to another, nothing. */
Test(bar, dropping_a_port_misses_it)
{
	struct score_result score = good;

	score.attack.dropped = 7000;
	score.attack_after.dropped = 7000;
	cr_assert_eq(judge(&score).n, 2);
}

Test(bar, low_rate_attacks_may_be_missed_at_nobodys_cost)
{
	struct score_result score = good;

	score.onset = false;
	score.attack.dropped = score.attack_after.dropped = 0;
	score.fresh.harmed = 0;
	cr_assert_eq(judge(&score).n, 0);
	score.fresh.harmed = 1;
	cr_assert_eq(judge(&score).n, 1);
}

Test(bar, files_are_checked)
{
	struct config_errors errors;
	char text[CONFIG_ERROR_TEXT_SIZE];
	struct bar bar;

	cr_assert_eq(load("window_to_enforce: 2\n", &bar, &errors), -EINVAL);
	(void)config_error_format(&errors.list[0], text);
	cr_assert_not_null(strstr(text, "did you mean 'windows_to_enforce'?"), "%s", text);
	cr_assert_eq(load("windows_to_enforce: soon\n", &bar, &errors), -EINVAL);
	cr_assert_eq(load("[1, 2]\n", &bar, &errors), -EINVAL);
	cr_assert_eq(load("windows_to_enforce: {\n", &bar, &errors), -EINVAL);
}
