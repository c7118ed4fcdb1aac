/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The /metrics page over HTTP.  Bound to one numeric address, loopback by default; GET and HEAD
 * only; connections, their number and their memory are bounded.
 */
#ifndef SLUICE_CONTROL_METRICS_H
#define SLUICE_CONTROL_METRICS_H

#include <stdint.h>
#include <stdio.h>

#include <sluice/plugin.h>

struct metrics;

struct metrics_options {
	const char *address; /* Numeric, IPv4 or IPv6. */
	uint16_t port;	     /* 0: the kernel chooses; metrics_port() tells. */
	/* Writes the page, from what the daemon last published.  Called on the HTTP thread. */
	void (*render)(void *ctx, FILE *out);
	void *ctx;
};

/* Whether anybody can listen at that address now, whoever has the port; `err` as of metrics_open(). */
int metrics_try_address(const char *address, uint16_t port, struct sluice_err *err)
	__attribute__((warn_unused_result));

/* Binds and listens, without a thread, so that privileges may be dropped before metrics_start(). */
int metrics_open(const struct metrics_options *options, struct metrics **out,
		 struct sluice_err *err) __attribute__((warn_unused_result));
int metrics_start(struct metrics *metrics, struct sluice_err *err)
	__attribute__((warn_unused_result));
uint16_t metrics_port(const struct metrics *metrics);
/* NULL is a no-op. */
void metrics_close(struct metrics *metrics);

#endif /* SLUICE_CONTROL_METRICS_H */
