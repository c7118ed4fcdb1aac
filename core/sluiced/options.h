/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon's command line. */
#ifndef SLUICE_SLUICED_OPTIONS_H
#define SLUICE_SLUICED_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include <sluice/plugin.h>

/* What sluiced(8) promises. */
enum sluiced_exit {
	SLUICED_EXIT_OK = 0,
	SLUICED_EXIT_CONFIG = 1, /* The file or a plugin is unfit; nothing was attached. */
	SLUICED_EXIT_USAGE = 2,
	SLUICED_EXIT_SYSTEM = 3,  /* Privileges, kernel, interface, another daemon. */
	SLUICED_EXIT_RUNTIME = 4, /* It ran and could not go on. */
};

enum options_action {
	OPTIONS_RUN,
	OPTIONS_CHECK,
	OPTIONS_HELP,
	OPTIONS_VERSION,
};

struct options {
	enum options_action action;
	const char *config;
	enum sluice_log_level log_level;
};

/* 0, or -EINVAL with the reason in `err`.  Prints nothing. */
int options_parse(int argc, char *const argv[], struct options *options, struct sluice_err *err)
	__attribute__((warn_unused_result));
void options_help(FILE *out);

#endif /* SLUICE_SLUICED_OPTIONS_H */
