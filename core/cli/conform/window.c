/* SPDX-License-Identifier: BSD-2-Clause */
/* Making windows: see window.h. */
#include "window.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* splitmix64 */
uint64_t window_random(uint64_t *state)
{
	uint64_t z = (*state += 0x9e3779b97f4a7c15ull);

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* `size` bytes, a multiple of 8, that end at a page that cannot be touched. */
static void *guarded(struct window_memory *memory, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t whole = (size + page - 1) / page * page;
	char *map = mmap(NULL, whole + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			 -1, 0);

	if (map == MAP_FAILED)
		return NULL;
	memory->map[memory->n] = map;
	memory->map_size[memory->n++] = whole + page;
	if (mprotect(map + whole, page, PROT_NONE) != 0)
		return NULL;
	return map + whole - size;
}

static uint64_t count(const struct window_shape *shape, uint64_t *state)
{
	uint64_t any = window_random(state);

	if (!shape->wild)
		return 1 + any % 5000;
	/* As often nothing, the most there can be, or anything between, by magnitude. */
	switch (any % 4) {
	case 0:
		return 0;
	case 1:
		return UINT64_MAX;
	default:
		return window_random(state) >> (any >> 8) % 64;
	}
}

static struct sluice_key make_key(uint64_t *state)
{
	struct sluice_key key = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };
	uint64_t low = window_random(state), high = window_random(state);

	if (high % 4 == 0) {
		key.family = SLUICE_FAMILY_IPV6;
		key.prefix_len = 64;
		memcpy(key.addr, &low, 8);
	} else {
		memcpy(key.addr, &low, 4);
	}
	return key;
}

static void fill_source(const struct window_shape *shape, uint64_t *state, void *at)
{
	struct sluice_source *source = at;

	source->key = make_key(state);
	source->packets = count(shape, state);
	source->bytes = shape->wild ? count(shape, state) : source->packets * 600;
	source->tcp_syn = (uint32_t)(source->packets / 10);
	source->udp = (uint32_t)(source->packets / 3);
	source->icmp = (uint32_t)(source->packets / 100);
	source->flags = window_random(state) % 8 == 0 ? SLUICE_SOURCE_KNOWN : 0;
}

static void fill_blocked(const struct window_shape *shape, uint64_t *state, void *at)
{
	struct sluice_blocked_source *blocked = at;

	blocked->key = make_key(state);
	blocked->packets = count(shape, state);
	blocked->hw_packets = count(shape, state);
	blocked->hw_age_ns = count(shape, state);
}

static void fill_flow(const struct window_shape *shape, uint64_t *state, void *at)
{
	struct sluice_flow *flow = at;

	flow->source = make_key(state);
	flow->destination = make_key(state);
	flow->packets = count(shape, state);
	flow->bytes = count(shape, state);
	flow->udp = (uint32_t)flow->packets;
}

static void fill_destination(const struct window_shape *shape, uint64_t *state, void *at)
{
	struct sluice_destination *destination = at;

	destination->key = make_key(state);
	destination->packets = count(shape, state);
	destination->bytes = count(shape, state);
	destination->fragments = (uint32_t)count(shape, state);
	for (size_t i = 0; i < SLUICE_N_PROTOCOLS; i++)
		destination->protocol[i] = (uint32_t)count(shape, state);
	for (size_t i = 0; i < SLUICE_N_LENGTHS; i++)
		destination->length[i] = (uint32_t)count(shape, state);
	for (size_t i = 0; i < SLUICE_N_PORT_BINS; i++)
		destination->source_port[i] = destination->destination_port[i] =
			(uint32_t)count(shape, state);
	for (size_t i = 0; i < SLUICE_N_TCP_FLAGS; i++)
		destination->tcp_flags[i] = (uint32_t)count(shape, state);
}

/* An Ethernet frame's beginning of any length, behind it whatever comes. */
static void fill_sample(const struct window_shape *shape, uint64_t *state, void *at)
{
	struct sluice_sample *sample = at;

	sample->time_ns = count(shape, state);
	sample->size = (uint32_t)(window_random(state) % (SLUICE_SAMPLE_SIZE + 1));
	sample->frame_size = sample->size + (uint32_t)(window_random(state) % 1500);
	for (size_t i = 0; i < sample->size; i++)
		sample->data[i] = (uint8_t)window_random(state);
	if (sample->size >= 34) {
		sample->data[12] = 0x08;
		sample->data[13] = 0x00;
		sample->data[14] = (uint8_t)(0x40 | window_random(state) % 16);
		sample->data[23] = (uint8_t)(window_random(state) % 2 ? 17 : 6);
	}
}

static void fill_rule(const struct window_shape *shape, uint64_t *state, void *at)
{
	struct sluice_window_rule *rule = at;

	snprintf(rule->name, sizeof(rule->name), "auto-%u", (unsigned int)window_random(state));
	snprintf(rule->detector, sizeof(rule->detector), "another");
	snprintf(rule->reason, sizeof(rule->reason), "its_reason");
	rule->flags = SLUICE_WINDOW_RULE_AUTOMATIC;
	rule->match.size = sizeof(rule->match);
	rule->packets = rule->dropped_packets = count(shape, state);
	rule->bytes = rule->dropped_bytes = count(shape, state);
}

typedef void (*fill_fn)(const struct window_shape *shape, uint64_t *state, void *at);

static void *fill(const struct window_shape *shape, struct window_memory *memory, size_t n,
		  size_t size, fill_fn one, uint64_t *state)
{
	char *array = guarded(memory, n * size);

	for (size_t i = 0; array && i < n; i++) {
		memset(array + i * size, 0xff, size);
		memset(array + i * size, 0, size - shape->extra);
		one(shape, state, array + i * size);
	}
	return array;
}

static void set_totals(const struct window_shape *shape, struct sluice_window *window,
		       uint64_t *state)
{
	window->passed_packets = count(shape, state);
	window->passed_bytes = count(shape, state);
	window->blocked_packets = count(shape, state);
	window->hw_packets = count(shape, state);
	window->dropped_packets = count(shape, state);
	window->offered_packets = count(shape, state);
	window->offered_bytes = count(shape, state);
	window->distinct_sources = window->n_sources;
	for (size_t i = 0; !shape->wild && i < window->n_sources; i++) {
		const struct sluice_source *source = sluice_window_source(window, i);

		window->passed_packets += source->packets;
		window->passed_bytes += source->bytes;
	}
	if (!shape->wild)
		window->offered_packets = window->passed_packets + window->dropped_packets;
}

const struct sluice_window *window_new(const struct window_shape *shape,
				       struct window_memory *memory)
{
	struct sluice_window *window;
	uint64_t state = shape->seed;
	uint8_t *bins;
	bool whole;

	memory->n = 0;
	window = guarded(memory, sizeof(*window) + shape->extra);
	bins = guarded(memory, 65536);
	if (!window || !bins)
		return window_free(memory), NULL;
	for (size_t i = 0; i < 65536; i++)
		bins[i] = (uint8_t)(i % SLUICE_N_PORT_BINS);
	window->size = sizeof(*window) + shape->extra;
	window->sequence = shape->sequence;
	window->start_ns = 1000000000 + shape->sequence * 1000000000;
	window->length_ns = shape->length_ns;
	window->port_bins = bins;
#define ARRAY(member, n_member, member_size, type, one)           \
	window->n_member = shape->n_member;                       \
	window->member_size = sizeof(struct type) + shape->extra; \
	window->member = fill(shape, memory, shape->n_member, window->member_size, one, &state)
	ARRAY(sources, n_sources, source_size, sluice_source, fill_source);
	ARRAY(blocked, n_blocked, blocked_size, sluice_blocked_source, fill_blocked);
	ARRAY(flows, n_flows, flow_size, sluice_flow, fill_flow);
	ARRAY(destinations, n_destinations, destination_size, sluice_destination, fill_destination);
	ARRAY(samples, n_samples, sample_size, sluice_sample, fill_sample);
	ARRAY(rules, n_rules, rule_size, sluice_window_rule, fill_rule);
#undef ARRAY
	whole = window->sources && window->blocked && window->flows && window->destinations &&
		window->samples && window->rules;
	if (whole)
		set_totals(shape, window, &state);
	for (size_t i = 0; whole && i < memory->n; i++)
		whole = mprotect(memory->map[i],
				 memory->map_size[i] - (size_t)sysconf(_SC_PAGESIZE),
				 PROT_READ) == 0;
	if (!whole)
		return window_free(memory), NULL;
	return window;
}

void window_free(struct window_memory *memory)
{
	for (size_t i = 0; i < memory->n; i++)
		munmap(memory->map[i], memory->map_size[i]);
	memory->n = 0;
}
