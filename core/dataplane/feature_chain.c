/* SPDX-License-Identifier: BSD-2-Clause */
/* See feature_chain.h. */
#include "feature_chain.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"
#include "chain_table.h"
#include "deliver_maps.h"
#include "destination_table.h"
#include "feature_slots.h"
#include "flow_table.h"
#include "libbpf_messages.h"
#include "port_bins.h"
#include "sample_ring.h"
#include "shared.h"
#include "state.h"
#include "xdp_frags.h"

/* These use types of shared.h. */
#include "features_destination.skel.h"
#include "features_flow.skel.h"
#include "features_sample.skel.h"

/* A skeleton is NULL if it is not loaded. */
struct feature_chain {
	const struct sluice_header *header;
	unsigned int side;
	struct features_flow *flow;
	struct flow_table flow_table;
	struct sluice_flow *flows;
	size_t max_flows;
	struct features_destination *destination;
	struct destination_table destination_table;
	struct sluice_destination *destinations;
	size_t max_destinations;
	uint8_t *port_bins;
	struct features_sample *sample;
	struct sample_ring ring;
};

/* The bit of enum dataplane_feature that stands for each slot. */
static const uint32_t feature_of_slot[FEATURE_N_SLOTS] = {
	[FEATURE_SLOT_FLOW] = DATAPLANE_FEATURE_FLOW,
	[FEATURE_SLOT_DESTINATION] = DATAPLANE_FEATURE_DESTINATION,
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

/* What a program with tables borrows, and the link to it; between open and load, and after. */
static int load_tables(const struct chain_table tables[2], struct bpf_object *object,
		       const struct feature_chain_options *options)
{
	int code = xdp_frags_prepare(object, options->shared);

	if (!code)
		code = deliver_maps_lend(options->deliver, object);
	if (!code)
		code = chain_table_size(&tables[0]);
	if (!code)
		code = chain_table_size(&tables[1]);
	if (!code)
		code = bpf_map__reuse_fd(bpf_object__find_map_by_name(object, "sluice_chain"),
					 options->chain_fd);
	/* The header's section is a map, too; its counters are the first program's alone. */
	if (!code)
		code = bpf_map__set_autocreate(
			bpf_object__find_map_by_name(object, "sluice_counters"), false);
	return code;
}

/* All that two tables can hold, so that no list is ever full; what is not used is not touched. */
static size_t most_keys(const struct chain_table tables[2])
{
	size_t n = 0;

	for (int i = 0; i < 2; i++)
		n += (size_t)tables[i].n_cpus * tables[i].n_buckets * tables[i].layout->n_ways;
	return n;
}

static int open_flow(struct feature_chain *chain, const struct feature_chain_options *options,
		     struct sluice_err *err)
{
	uint32_t n_cpus = options->header->n_cpus;
	uint32_t per_cpu = state_keys_per_cpu(options->features.max_flows, n_cpus);
	struct features_flow *skel = features_flow__open();
	uint64_t mask[2];
	int code = skel ? 0 : -errno;

	chain->flow = skel;
	if (code)
		goto fail;
	const struct chain_table tables[2] = {
		{ skel->maps.sluice_flow4, skel->maps.sluice_flow4_dirty,
		  skel->maps.sluice_flow4_other, &flow_table_layout4, &chain->flow_table.v4, n_cpus,
		  feature_buckets(&flow_table_layout4, per_cpu), "flow4" },
		{ skel->maps.sluice_flow6, skel->maps.sluice_flow6_dirty,
		  skel->maps.sluice_flow6_other, &flow_table_layout6, &chain->flow_table.v6, n_cpus,
		  feature_buckets(&flow_table_layout6, per_cpu / STATE_V6_SHARE), "flow6" },
	};

	state_v6_mask(options->header->v6_prefix_len, mask);
	skel->rodata->side = options->side;
	skel->rodata->n_cpus = n_cpus;
	skel->rodata->flow4_buckets = tables[0].n_buckets;
	skel->rodata->flow6_buckets = tables[1].n_buckets;
	skel->rodata->v6_mask_high = mask[0];
	skel->rodata->v6_mask_low = mask[1];
	skel->rodata->chain_next = slot_from(options->features.loaded, FEATURE_SLOT_FLOW + 1);
	deliver_maps_constants(options->deliver, skel->rodata);
	chain->flow_table.v6_prefix_len = (uint8_t)options->header->v6_prefix_len;
	code = load_tables(tables, skel->obj, options);
	if (!code)
		code = bpf_map__reuse_fd(skel->maps.data_header, options->header_fd);
	if (!code)
		code = features_flow__load(skel);
	if (!code)
		code = link_slot(options, FEATURE_SLOT_FLOW, skel->progs.sluice_features_flow);
	if (code)
		goto fail;
	chain->max_flows = most_keys(tables);
	chain->flows = calloc(chain->max_flows, sizeof(*chain->flows));
	code = chain->flows ? chain_table_open(&tables[0], err) : -ENOMEM;
	return code ? code : chain_table_open(&tables[1], err);
fail:
	libbpf_messages_explain(err, "the feature program 'flow'", code);
	return code;
}

static int open_destination(struct feature_chain *chain,
			    const struct feature_chain_options *options, struct sluice_err *err)
{
	/* Whatever the CPU, packets go to all destinations. */
	uint32_t n_cpus = options->header->n_cpus, max = options->features.max_destinations;
	struct features_destination *skel = features_destination__open();
	int code = skel ? 0 : -errno;

	chain->destination = skel;
	if (code)
		goto fail;
	const struct chain_table tables[2] = {
		{ skel->maps.sluice_destination4, skel->maps.sluice_destination4_dirty,
		  skel->maps.sluice_destination4_other, &destination_table_layout4,
		  &chain->destination_table.v4, n_cpus,
		  feature_buckets(&destination_table_layout4, max), "destination4" },
		{ skel->maps.sluice_destination6, skel->maps.sluice_destination6_dirty,
		  skel->maps.sluice_destination6_other, &destination_table_layout6,
		  &chain->destination_table.v6, n_cpus,
		  feature_buckets(&destination_table_layout6, max), "destination6" },
	};

	skel->rodata->side = options->side;
	skel->rodata->n_cpus = n_cpus;
	skel->rodata->destination4_buckets = tables[0].n_buckets;
	skel->rodata->destination6_buckets = tables[1].n_buckets;
	skel->rodata->chain_next =
		slot_from(options->features.loaded, FEATURE_SLOT_DESTINATION + 1);
	deliver_maps_constants(options->deliver, skel->rodata);
	port_bins_fill(skel->rodata->port_bins, options->header->hash_key);
	code = load_tables(tables, skel->obj, options);
	if (!code)
		code = bpf_map__reuse_fd(skel->maps.data_header, options->header_fd);
	if (!code)
		code = features_destination__load(skel);
	if (!code)
		code = link_slot(options, FEATURE_SLOT_DESTINATION,
				 skel->progs.sluice_features_destination);
	if (code)
		goto fail;
	/* What is read-only to the program is so to us, once it is loaded. */
	chain->port_bins = skel->rodata->port_bins;
	chain->max_destinations = most_keys(tables);
	chain->destinations = calloc(chain->max_destinations, sizeof(*chain->destinations));
	code = chain->destinations ? chain_table_open(&tables[0], err) : -ENOMEM;
	return code ? code : chain_table_open(&tables[1], err);
fail:
	libbpf_messages_explain(err, "the feature program 'destination'", code);
	return code;
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
	deliver_maps_constants(options->deliver, skel->rodata);
	skel->rodata->replays = options->replays;
	code = bpf_map__set_max_entries(skel->maps.sluice_samples, sample_ring_size(budget));
	if (!code)
		code = bpf_map__reuse_fd(skel->maps.sluice_chain, options->chain_fd);
	if (!code)
		code = bpf_map__reuse_fd(skel->maps.data_header, options->header_fd);
	/* Counts nothing by reason: that is the first program's. */
	if (!code)
		code = bpf_map__set_autocreate(skel->maps.sluice_counters, false);
	if (!code)
		code = deliver_maps_lend(options->deliver, skel->obj);
	if (!code)
		code = xdp_frags_prepare(skel->obj, options->shared);
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
	chain->header = options->header;
	chain->side = options->side;
	if (options->features.loaded & DATAPLANE_FEATURE_FLOW)
		code = open_flow(chain, options, err);
	if (!code && (options->features.loaded & DATAPLANE_FEATURE_DESTINATION))
		code = open_destination(chain, options, err);
	if (!code && (options->features.loaded & DATAPLANE_FEATURE_SAMPLE))
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
	feature_reader_close(&chain->flow_table.v4);
	feature_reader_close(&chain->flow_table.v6);
	features_flow__destroy(chain->flow);
	free(chain->flows);
	feature_reader_close(&chain->destination_table.v4);
	feature_reader_close(&chain->destination_table.v6);
	features_destination__destroy(chain->destination);
	free(chain->destinations);
	sample_ring_close(&chain->ring);
	features_sample__destroy(chain->sample);
	free(chain);
}

void feature_chain_begin(struct feature_chain *chain, uint64_t expected)
{
	if (chain->sample)
		sample_ring_begin(&chain->ring, expected);
}

void feature_chain_wipe(struct feature_chain *chain)
{
	if (chain->flow) {
		feature_reader_wipe(&chain->flow_table.v4, 0);
		feature_reader_wipe(&chain->flow_table.v6, 0);
	}
	if (chain->destination) {
		feature_reader_wipe(&chain->destination_table.v4, 0);
		feature_reader_wipe(&chain->destination_table.v6, 0);
	}
}

static void read_sample(struct feature_chain *chain, struct dataplane_features_read *read)
{
	/* Whatever libbpf says, what was copied before it is there. */
	(void)sample_ring_read(&chain->ring);
	read->samples = chain->ring.samples;
	read->n_samples = chain->ring.n;
	read->samples_lost = sample_ring_lost(&chain->ring);
}

void feature_chain_read(struct feature_chain *chain, struct dataplane_features_read *read)
{
	uint32_t epoch = chain->header->epoch[chain->side];

	if (chain->flow) {
		read->flows = chain->flows;
		read->n_flows = flow_table_read(&chain->flow_table, epoch, chain->flows,
						chain->max_flows, &read->untracked_flows);
	}
	if (chain->destination) {
		read->destinations = chain->destinations;
		read->n_destinations = destination_table_read(&chain->destination_table, epoch,
							      chain->destinations,
							      chain->max_destinations,
							      &read->untracked_destinations);
		read->port_bins = chain->port_bins;
	}
	if (chain->sample)
		read_sample(chain, read);
}
