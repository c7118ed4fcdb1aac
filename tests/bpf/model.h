/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter's verdict in plain C, written from its description (docs/ARCHITECTURE.md) rather than
 * from its code: what the BPF program is compared with.
 */
#ifndef SLUICE_TESTS_BPF_MODEL_H
#define SLUICE_TESTS_BPF_MODEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dataplane/dataplane.h"

#define MODEL_MAX_KEYS 64

struct model_list {
	struct sluice_key keys[MODEL_MAX_KEYS];
	bool exempt[MODEL_MAX_KEYS]; /* Allow-list only. */
	size_t n;
};

struct model {
	struct model_list blocked, prefixes, allowed, own;
	bool observe, pass_malformed;
};

struct model_verdict {
	enum dataplane_reason reason;
	bool would_drop;
};

struct model_verdict model_judge(const struct model *model, const uint8_t *frame, uint32_t size);

#endif /* SLUICE_TESTS_BPF_MODEL_H */
