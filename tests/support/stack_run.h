/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Runs a stack plugin without the daemon, on packet I/O that somebody else opens, until a signal comes.
 * It says what is wrong on stderr.  One a process, whose signals it blocks.
 */
#ifndef SLUICE_TESTS_STACK_RUN_H
#define SLUICE_TESTS_STACK_RUN_H

#include <poll.h>

#include <sluice/stack.h>

struct stack_run;

/* One kind of packet I/O; `ctx` is its own. */
struct stack_run_io {
	const struct sluice_io_ops *ops;
	struct sluice_io *io;
	void *ctx;
	/* Until a frame comes, or one of two others is ready, at most so long.  0, or a negative errno. */
	int (*wait)(void *ctx, struct pollfd others[2], int timeout_ms);
	/* Frames that the stack has not given back, or not sent. */
	unsigned int (*kept)(const void *ctx);
};

/* `program` goes before messages. */
int stack_run_new(const char *program, struct stack_run **out) __attribute__((warn_unused_result));
/* NULL is a no-op.  The packet I/O is to be closed after it. */
void stack_run_free(struct stack_run *run);

int stack_run_load(struct stack_run *run, const char *folder, const char *plugin,
		   const char *options_file) __attribute__((warn_unused_result));
/* Puts the plugin on `io`. */
int stack_run_open(struct stack_run *run, const struct stack_run_io *io)
	__attribute__((warn_unused_result));
/* From now on the end of a child ends stack_run_serve(), too; loading has children of its own. */
int stack_run_watch_children(struct stack_run *run) __attribute__((warn_unused_result));
/* Until SIGTERM or SIGINT, which are kept since stack_run_new(). */
int stack_run_serve(struct stack_run *run) __attribute__((warn_unused_result));
/* Prints what the stack says of itself; fails if it kept a frame. */
int stack_run_report(const struct stack_run *run) __attribute__((warn_unused_result));
/* For what the opener of the packet I/O has to say. */
void stack_run_complain(const struct stack_run *run, const char *text);

#endif /* SLUICE_TESTS_STACK_RUN_H */
