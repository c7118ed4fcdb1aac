/* SPDX-License-Identifier: BSD-2-Clause */
/* See flower_host.h. */
#include "support/flower_host.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void log_line(struct sluice_instance *instance, enum sluice_log_level level, const char *fmt,
		     ...)
{
	va_list args;

	(void)instance;
	(void)level;
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

static int option_u64(const struct sluice_config *config, const char *name, uint64_t *value)
{
	(void)config;
	*value = strcmp(name, "priority") == 0 ? FLOWER_HOST_PRIORITY : 0;
	return 0;
}

static int option_string(const struct sluice_config *config, const char *name, const char **value)
{
	(void)name;
	*value = config->mode;
	return 0;
}

const struct sluice_host flower_host = {
	.size = sizeof(flower_host),
	.log = log_line,
	.option_u64 = option_u64,
	.option_string = option_string,
};
