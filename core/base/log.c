/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line, one write(2); and the budget that keeps packets from filling the log.
 */
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define LINE_SIZE 1024

static const struct {
	enum sluice_log_level level;
	const char *name;
} level_names[] = {
	{ SLUICE_LOG_ERROR, "error" },	 { SLUICE_LOG_WARNING, "warning" },
	{ SLUICE_LOG_NOTICE, "notice" }, { SLUICE_LOG_INFO, "info" },
	{ SLUICE_LOG_DEBUG, "debug" },
};

#define N_LEVELS (sizeof(level_names) / sizeof(level_names[0]))

const char *log_level_name(enum sluice_log_level level)
{
	for (size_t i = 0; i < N_LEVELS; i++)
		if (level_names[i].level == level)
			return level_names[i].name;
	return "unknown";
}

int log_level_parse(const char *name, enum sluice_log_level *level)
{
	for (size_t i = 0; i < N_LEVELS; i++) {
		if (!strcmp(level_names[i].name, name)) {
			*level = level_names[i].level;
			return 0;
		}
	}
	return -EINVAL;
}

void logger_init(struct logger *logger, enum sluice_log_level level,
		 const struct clock_source *clock)
{
	*logger = (struct logger){
		.fd = STDERR_FILENO,
		.level = level,
		.journal = getenv("JOURNAL_STREAM") != NULL,
		.clock = clock,
	};
}

/* The journal reads the number; a person at a terminal wants to see only what is not routine. */
static size_t prefix_format(const struct logger *logger, enum sluice_log_level level, char *line)
{
	if (logger->journal)
		return (size_t)snprintf(line, LINE_SIZE, "<%d>", (int)level);
	if (level == SLUICE_LOG_NOTICE || level == SLUICE_LOG_INFO)
		return 0;
	return (size_t)snprintf(line, LINE_SIZE, "%s: ", log_level_name(level));
}

static void line_write(int fd, const char *line, size_t size)
{
	ssize_t done;

	/* A log that cannot be written has nobody to be told. */
	do {
		done = write(fd, line, size);
	} while (done < 0 && errno == EINTR);
}

void log_write_v(const struct logger *logger, enum sluice_log_level level, const char *fmt,
		 va_list args)
{
	char line[LINE_SIZE + 1];
	size_t start, size;
	int saved = errno, len;

	if (!logger || level > logger->level)
		return;
	start = prefix_format(logger, level, line);
	len = vsnprintf(line + start, LINE_SIZE - start, fmt, args);
	if (len < 0)
		return;
	size = start + (size_t)len;
	if (size > LINE_SIZE - 1) {
		size = LINE_SIZE - 1;
		memcpy(line + size - 3, "...", 3);
	}
	/* Names from files and sockets must not forge lines or move the terminal's cursor. */
	for (size_t i = start; i < size; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = '?';
	line[size++] = '\n';
	line_write(logger->fd, line, size);
	errno = saved;
}

void log_write(const struct logger *logger, enum sluice_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_write_v(logger, level, fmt, args);
	va_end(args);
}

/* True if the budget has a line left. */
static bool limit_take(struct log_limit *limit, uint64_t now)
{
	if (!limit->start_ns || now - limit->start_ns >= limit->interval_ns) {
		limit->start_ns = now;
		limit->used = 0;
	}
	if (limit->used >= limit->burst) {
		if (limit->suppressed < UINT32_MAX)
			limit->suppressed++;
		return false;
	}
	limit->used++;
	return true;
}

void log_write_limited_v(const struct logger *logger, struct log_limit *limit,
			 enum sluice_log_level level, const char *fmt, va_list args)
{
	if (!logger || level > logger->level)
		return;
	if (!limit_take(limit, clock_monotonic_ns(logger->clock)))
		return;
	if (limit->suppressed) {
		log_write(logger, level, "%u similar messages suppressed", limit->suppressed);
		limit->suppressed = 0;
	}
	log_write_v(logger, level, fmt, args);
}

void log_write_limited(const struct logger *logger, struct log_limit *limit,
		       enum sluice_log_level level, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	log_write_limited_v(logger, limit, level, fmt, args);
	va_end(args);
}
