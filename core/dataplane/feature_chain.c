/* SPDX-License-Identifier: BSD-2-Clause */
/* See feature_chain.h. */
#include "feature_chain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"
#include "feature_slots.h"
#include "features_sample.skel.h"
#include "libbpf_messages.h"
#include "sample_ring.h"

struct feature_chain {
	struct features_sample *sample; /* NULL: not loaded. */
	struct sample_ring ring;
};

/* The bit of enum dataplane_feature that stands for each slot. */
static const uint32_t feature_of_slot[FEATURE_N_SLOTS] = {
	[FEATURE_SLOT_SAMPLE] = DATAPLANE_FEATURE_SAMPLE,
};

/* The next loaded slot from `slot` on. */
static uint32_t slot_from(uint32_t features, uint32_t slot)
{
	while (slot < FEATURE_N_SLOTS && !(features & feature_of_slot[slot]))
		slot++;
	return slot;
}

uint32_t feature_chain_first(uint32_t features)
{
	return slot_from(features, 0);
}

static int link_slot(const struct feature_chain_options *options, enum feature_slot slot,
		     const struct bpf_program *program)
{
	int fd = bpf_program__fd(program);
	__u32 key = slot;

	return bpf_map_update_elem(options->chain_fd, &key, &fd, BPF_ANY) ? -errno : 0;
}

static int open_sample(struct feature_chain *chain, const struct feature_chain_options *options,
		       struct sluice_err *err)
{
	uint32_t budget = options->features.samples_per_window;
	struct features_sample *skel = features_sample__open();
	int code;

	chain->sample = skel;
	if (!skel) {
		code = -errno;
		goto fail;
	}
	skel->rodata->chain_next = slot_from(options->features.loaded, FEATURE_SLOT_SAMPLE + 1);
	code = bpf_map__set_max_entries(skel->maps.sluice_samples, sample_ring_size(budget));
	if (!code)
		code = bpf_map__reuse_fd(skel->maps.sluice_chain, options->chain_fd);
	if (!code)
		code = features_sample__load(skel);
	if (!code)
		code = link_slot(options, FEATURE_SLOT_SAMPLE, skel->progs.sluice_features_sample);
	if (!code)
		return sample_ring_open(&chain->ring, bpf_map__fd(skel->maps.sluice_samples),
					bpf_map__fd(skel->maps.sluice_sampling), budget, err);
fail:
	libbpf_messages_explain(err, "the feature program 'sample'", code);
	return code;
}

int feature_chain_open(const struct feature_chain_options *options, struct feature_chain **out,
		       struct sluice_err *err)
{
	struct feature_chain *chain = calloc(1, sizeof(*chain));
	int code = 0;

	if (!chain)
		return -ENOMEM;
	if (options->features.loaded & DATAPLANE_FEATURE_SAMPLE)
		code = open_sample(chain, options, err);
	if (code) {
		feature_chain_free(chain);
		return code;
	}
	*out = chain;
	return 0;
}

void feature_chain_free(struct feature_chain *chain)
{
	if (!chain)
		return;
	sample_ring_close(&chain->ring);
	features_sample__destroy(chain->sample);
	free(chain);
}

void feature_chain_begin(struct feature_chain *chain, uint64_t expected)
{
	if (chain->sample)
		sample_ring_begin(&chain->ring, expected);
}

void feature_chain_read(struct feature_chain *chain, struct dataplane_features_read *read)
{
	if (!chain->sample)
		return;
	/* Whatever libbpf says, what was copied before it is there. */
	(void)sample_ring_read(&chain->ring);
	read->samples = chain->ring.samples;
	read->n_samples = chain->ring.n;
	read->samples_lost = sample_ring_lost(&chain->ring);
}
