/* SPDX-License-Identifier: BSD-2-Clause */
/* See window_copy.h. */
#include "window_copy.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <sluice/detector.h>

enum { N_PORTS = 65536 };

struct array {
	void *items;
	size_t size, capacity; /* Bytes. */
};

struct window_copy {
	atomic_uint holders;
	struct sluice_window window;
	struct array sources, blocked, flows, destinations, samples, rules, port_bins;
};

static void copy_free(struct window_copy *copy)
{
	struct array *arrays[] = { &copy->sources,	&copy->blocked, &copy->flows,
				   &copy->destinations, &copy->samples, &copy->rules,
				   &copy->port_bins };

	for (size_t i = 0; i < sizeof(arrays) / sizeof(arrays[0]); i++)
		free(arrays[i]->items);
	free(copy);
}

/* Makes room for `size` bytes; what was there is forgotten. */
static int array_room(struct array *array, size_t size)
{
	array->size = size;
	if (size <= array->capacity)
		return 0;
	free(array->items);
	array->capacity = size + size / 4;
	array->items = malloc(array->capacity);
	if (array->items)
		return 0;
	array->capacity = 0;
	return -ENOMEM;
}

/* `n` items of `size` bytes that lie `*stride` apart; in the copy they lie close together. */
static int array_copy(struct array *array, const void *items, size_t n, size_t size, size_t *stride)
{
	const char *from = items;
	char *to;

	if (array_room(array, n * size))
		return -ENOMEM;
	to = array->items;
	if (n && *stride == size) {
		memcpy(to, from, n * size);
	} else {
		for (size_t i = 0; i < n; i++, from += *stride, to += size)
			memcpy(to, from, size);
	}
	*stride = size;
	return 0;
}

static int copy_fill(struct window_copy *copy, const struct sluice_window *window)
{
	struct sluice_window *to = &copy->window;
	size_t byte = 1;
	int rc;

	*to = *window;
	rc = array_copy(&copy->sources, window->sources, window->n_sources,
			sizeof(struct sluice_source), &to->source_size);
	if (!rc)
		rc = array_copy(&copy->blocked, window->blocked, window->n_blocked,
				sizeof(struct sluice_blocked_source), &to->blocked_size);
	if (!rc)
		rc = array_copy(&copy->flows, window->flows, window->n_flows,
				sizeof(struct sluice_flow), &to->flow_size);
	if (!rc)
		rc = array_copy(&copy->destinations, window->destinations, window->n_destinations,
				sizeof(struct sluice_destination), &to->destination_size);
	if (!rc)
		rc = array_copy(&copy->samples, window->samples, window->n_samples,
				sizeof(struct sluice_sample), &to->sample_size);
	if (!rc)
		rc = array_copy(&copy->rules, window->rules, window->n_rules,
				sizeof(struct sluice_window_rule), &to->rule_size);
	if (!rc)
		rc = array_copy(&copy->port_bins, window->port_bins,
				window->port_bins ? N_PORTS : 0, 1, &byte);
	if (rc)
		return rc;
	to->sources = copy->sources.items;
	to->blocked = copy->blocked.items;
	to->flows = copy->flows.items;
	to->destinations = copy->destinations.items;
	to->samples = copy->samples.items;
	to->rules = copy->rules.items;
	to->port_bins = window->port_bins ? copy->port_bins.items : NULL;
	return 0;
}

int window_copy_make(struct window_copy **copy, const struct sluice_window *window)
{
	int rc;

	/* Nobody else can begin to hold it now, for only its maker hands it out. */
	if (*copy && atomic_load(&(*copy)->holders) > 1) {
		window_copy_drop(*copy);
		*copy = NULL;
	}
	if (!*copy) {
		*copy = calloc(1, sizeof(**copy));
		if (!*copy)
			return -ENOMEM;
		atomic_init(&(*copy)->holders, 1);
	}
	rc = copy_fill(*copy, window);
	if (rc) {
		window_copy_drop(*copy);
		*copy = NULL;
	}
	return rc;
}

struct window_copy *window_copy_hold(struct window_copy *copy)
{
	atomic_fetch_add(&copy->holders, 1);
	return copy;
}

void window_copy_drop(struct window_copy *copy)
{
	if (copy && atomic_fetch_sub(&copy->holders, 1) == 1)
		copy_free(copy);
}

const struct sluice_window *window_copy_view(const struct window_copy *copy)
{
	return &copy->window;
}
