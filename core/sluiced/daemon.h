/* SPDX-License-Identifier: BSD-2-Clause */
/* The daemon: starts everything in the right order, waits for signals and requests, stops it. */
#ifndef SLUICE_SLUICED_DAEMON_H
#define SLUICE_SLUICED_DAEMON_H

struct logger;

/* Runs until told to stop.  Returns an exit code, enum sluiced_exit; has said why on the log. */
int daemon_run(const char *config, const struct logger *logger);

/* Loads `config` and its plugins and says what is wrong with them; attaches nothing. */
int daemon_check(const char *config, const struct logger *logger);

#endif /* SLUICE_SLUICED_DAEMON_H */
