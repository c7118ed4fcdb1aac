/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A host as a plugin under test sees it: records what the plugin says, and watches that it keeps to
 * the contract.  It defines struct sluice_instance for itself, which is opaque to plugins.
 */
#ifndef SLUICE_CLI_CONFORM_HOST_H
#define SLUICE_CLI_CONFORM_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/detector.h>

#include "conform.h"

struct sluice_instance {
	struct conform *conform;
	struct sluice_config *config;
	void *self;
	uint64_t now_ns; /* The virtual clock. */
	bool in_call;	 /* Inside an operation, where host services may be used. */
	bool may_propose;
	int answer;	  /* What proposals get; 0: noted. */
	size_t limit;	  /* Proposals a window, then -ENOSPC; 0: none. */
	size_t proposals; /* In this window, refused ones included. */
	size_t after_limit;
	uint64_t digest; /* Of all that it said. */
	int rc;		 /* What the last observe gave. */
};

extern const struct sluice_host conform_host;

/* Adds bytes to the digest. */
void host_digest(struct sluice_instance *instance, const void *bytes, size_t size);

/*
 * Options of an instance: a YAML mapping in `options`; NULL: those of the run.  Free with config_free().
 * 0, or negative after conform_fail().
 */
int host_config_new(struct conform *conform, const struct config_node *options,
		    struct sluice_config **config);
/* Whether both strings end inside of their arrays. */
bool host_err_is_whole(const struct sluice_err *err);

/*
 * Makes a detector with options as a YAML mapping in `options` (NULL: those of the run).  0 with
 * `*out`, or the plugin's refusal in `*refused` (a negative errno), or negative after conform_fail().
 */
int host_detector_new(struct conform *conform, const struct config_node *options,
		      struct sluice_instance **out, int *refused);
void host_detector_free(struct sluice_instance *instance);
/* One window; what the contract forbids is reported. */
int host_observe(struct sluice_instance *instance, const struct sluice_window *window);

#endif /* SLUICE_CLI_CONFORM_HOST_H */
