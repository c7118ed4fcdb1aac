/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The conformance run that `sluice plugins test` offers to authors: whether a plugin keeps to the
 * contract of docs/PLUGIN-ABI.md.  Each case runs in a process of its own, with a time limit, so
 * that a crash or a hang is that case's failure and the others still run.
 */
#ifndef SLUICE_CLI_CONFORM_H
#define SLUICE_CLI_CONFORM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/plugin.h>

struct config_node;
struct plugin;

enum conform_state {
	CONFORM_FAILED, /* Also that of a case that was killed before it could say anything. */
	CONFORM_PASSED,
	CONFORM_SKIPPED,
};

struct conform_result {
	enum conform_state state;
	char text[400]; /* Why it failed or was skipped, or what was measured; may be empty. */
};

/* What the cases work on. */
struct conform {
	struct plugin *plugin;
	const struct config_node *options; /* NULL: the manifest's defaults. */
	const char *ifname;		   /* For back ends. */
	uint64_t seed;
	struct conform_result *result; /* Of the case at hand. */
};

struct conform_case {
	const char *name, *what;
	/* 0, or negative after conform_fail(). */
	int (*run)(struct conform *conform);
};

/* The cases for a kind of plugin, ended by one without a name. */
extern const struct conform_case conform_detector_cases[], conform_backend_cases[],
	conform_stack_cases[];

/* Runs one case in a child; a result is always there. */
void conform_run(const struct conform *conform, const struct conform_case *one,
		 struct conform_result *result);

/* For cases.  Notes the reason and returns -EPROTO; the first one stays. */
int conform_fail(struct conform *conform, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
/* Notes why there is nothing to test, or what was measured; returns 0. */
int conform_skip(struct conform *conform, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
int conform_note(struct conform *conform, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif /* SLUICE_CLI_CONFORM_H */
