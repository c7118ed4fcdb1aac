/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Log lines through a pipe, and their budget under a clock of our own.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"

static uint64_t fake_now_ns(void *ctx)
{
	return *(uint64_t *)ctx;
}

struct fixture {
	uint64_t now;
	struct clock_source clock;
	struct logger logger;
	int pipe[2];
	char text[4096];
};

static void setup(struct fixture *f, enum sluice_log_level level, bool journal)
{
	memset(f, 0, sizeof(*f));
	f->now = 1000;
	f->clock = (struct clock_source){ fake_now_ns, fake_now_ns, fake_now_ns, &f->now };
	cr_assert_eq(pipe(f->pipe), 0);
	f->logger = (struct logger){ f->pipe[1], level, journal, &f->clock };
}

/* All that was written so far. */
static const char *written(struct fixture *f)
{
	ssize_t size;

	close(f->pipe[1]);
	size = read(f->pipe[0], f->text, sizeof(f->text) - 1);
	cr_assert(size >= 0);
	f->text[size] = '\0';
	close(f->pipe[0]);
	return f->text;
}

Test(log, a_terminal_gets_level_names)
{
	struct fixture f;

	setup(&f, SLUICE_LOG_INFO, false);
	log_write(&f.logger, SLUICE_LOG_ERROR, "a %d", 1);
	log_write(&f.logger, SLUICE_LOG_WARNING, "b");
	log_write(&f.logger, SLUICE_LOG_NOTICE, "c");
	log_write(&f.logger, SLUICE_LOG_INFO, "d");
	log_write(&f.logger, SLUICE_LOG_DEBUG, "e");
	cr_assert_str_eq(written(&f), "error: a 1\nwarning: b\nc\nd\n");
}

Test(log, the_journal_gets_priorities)
{
	struct fixture f;

	setup(&f, SLUICE_LOG_DEBUG, true);
	log_write(&f.logger, SLUICE_LOG_ERROR, "a");
	log_write(&f.logger, SLUICE_LOG_DEBUG, "b");
	cr_assert_str_eq(written(&f), "<3>a\n<7>b\n");
}

Test(log, journal_stream_is_noticed)
{
	struct logger logger;

	setenv("JOURNAL_STREAM", "8:1", 1);
	logger_init(&logger, SLUICE_LOG_INFO, &clock_system);
	cr_assert(logger.journal);
	unsetenv("JOURNAL_STREAM");
	logger_init(&logger, SLUICE_LOG_INFO, &clock_system);
	cr_assert_not(logger.journal);
	cr_assert_eq(logger.fd, STDERR_FILENO);
}

Test(log, a_line_cannot_be_forged)
{
	struct fixture f;

	setup(&f, SLUICE_LOG_INFO, true);
	log_write(&f.logger, SLUICE_LOG_INFO, "%s", "x\n<3>forged\033[2J\t\x7f");
	cr_assert_str_eq(written(&f), "<6>x?<3>forged?[2J??\n");
}

Test(log, a_long_line_is_cut)
{
	struct fixture f;
	char line[3000];

	setup(&f, SLUICE_LOG_INFO, false);
	memset(line, 'a', sizeof(line) - 1);
	line[sizeof(line) - 1] = '\0';
	errno = EBADF;
	log_write(&f.logger, SLUICE_LOG_INFO, "%s", line);
	cr_assert_eq(errno, EBADF, "errno is kept");
	written(&f);
	cr_assert_eq(strlen(f.text), 1024);
	cr_assert_str_eq(f.text + 1019, "a...\n");
}

Test(log, a_budget_counts_what_it_holds_back)
{
	struct log_limit limit = { .burst = 2, .interval_ns = 100 };
	struct fixture f;

	setup(&f, SLUICE_LOG_INFO, false);
	for (int i = 0; i < 5; i++)
		log_write_limited(&f.logger, &limit, SLUICE_LOG_INFO, "%d", i);
	f.now += 99;
	log_write_limited(&f.logger, &limit, SLUICE_LOG_INFO, "early");
	f.now += 1;
	log_write_limited(&f.logger, &limit, SLUICE_LOG_INFO, "next");
	log_write_limited(&f.logger, &limit, SLUICE_LOG_INFO, "last");
	cr_assert_str_eq(written(&f), "0\n1\n4 similar messages suppressed\nnext\nlast\n");
}

Test(log, what_is_not_written_costs_no_budget)
{
	struct log_limit limit = { .burst = 1, .interval_ns = 100 };
	struct fixture f;

	setup(&f, SLUICE_LOG_INFO, false);
	log_write_limited(&f.logger, &limit, SLUICE_LOG_DEBUG, "x");
	log_write_limited(NULL, &limit, SLUICE_LOG_INFO, "x");
	log_write(NULL, SLUICE_LOG_ERROR, "x");
	log_write_limited(&f.logger, &limit, SLUICE_LOG_INFO, "y");
	cr_assert_str_eq(written(&f), "y\n");
}

Test(log, level_names)
{
	enum sluice_log_level level = SLUICE_LOG_ERROR;

	for (int i = SLUICE_LOG_ERROR; i <= SLUICE_LOG_DEBUG; i++) {
		cr_assert_eq(log_level_parse(log_level_name((enum sluice_log_level)i), &level), 0);
		cr_assert_eq((int)level, i);
	}
	cr_assert_eq(log_level_parse("loud", &level), -EINVAL);
	cr_assert_str_eq(log_level_name((enum sluice_log_level)99), "unknown");
}
