/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines for the operator, on standard error.  Under systemd (JOURNAL_STREAM is set) each line
 * carries the journal's `<N>` priority; else the level's name, if it is worth naming.
 *
 * A line is written by one write(2), so that lines of several threads do not mix.  Whatever traffic
 * can cause must go through log_write_limited().
 */
#ifndef SLUICE_BASE_LOG_H
#define SLUICE_BASE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>

#include <sluice/plugin.h>

struct clock_source;

/* Where lines go.  Read-only once set up, so that threads may share it. */
struct logger {
	int fd;
	enum sluice_log_level level; /* The least important that is written. */
	bool journal;		     /* Prefix lines with `<N>`. */
	const struct clock_source *clock;
};

/*
 * A budget of lines, kept by the caller for one place in the code or one object.  Set `burst` and
 * `interval_ns`, and clear the rest.  Not thread-safe: one thread owns it.
 */
struct log_limit {
	uint32_t burst; /* Lines an interval. */
	uint64_t interval_ns;
	uint64_t start_ns; /* Of the interval going on. */
	uint32_t used;
	uint32_t suppressed; /* Lines held back since the last one that was written. */
};

#define LOG_LIMIT_DEFAULT                                 \
	{                                                 \
		.burst = 5, .interval_ns = 10000000000ull \
	}

/* Standard error, with `journal` as the environment says. */
void logger_init(struct logger *logger, enum sluice_log_level level,
		 const struct clock_source *clock);

/* A NULL logger is silent.  Control characters in the text are written as '?'. */
void log_write(const struct logger *logger, enum sluice_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void log_write_v(const struct logger *logger, enum sluice_log_level level, const char *fmt,
		 va_list args) __attribute__((format(printf, 3, 0)));

/* As log_write(), within the budget; says how many lines were held back before it. */
void log_write_limited(const struct logger *logger, struct log_limit *limit,
		       enum sluice_log_level level, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
void log_write_limited_v(const struct logger *logger, struct log_limit *limit,
			 enum sluice_log_level level, const char *fmt, va_list args)
	__attribute__((format(printf, 4, 0)));

/* "error", "warning", "notice", "info", "debug". */
const char *log_level_name(enum sluice_log_level level);
/* 0, or -EINVAL for an unknown name. */
int log_level_parse(const char *name, enum sluice_log_level *level)
	__attribute__((warn_unused_result));

#endif /* SLUICE_BASE_LOG_H */
