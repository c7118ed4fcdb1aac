/* SPDX-License-Identifier: BSD-2-Clause */
/* See offload_attack.h. */
#include "offload_attack.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

const struct sim_case attack_default = {
	.shape = { .spread = 0.25,
		   .exponent = 1.1,
		   .drift_ranks = 0.01,
		   .drift_rate = 0.1,
		   .pulse = 2 },
	.sources = 128 * 1024,
	.update_ns = 100000,
	.warm_up = 150,
	.windows = 150,
	.seed = 0x5eed0007u,
};

enum kind {
	KIND_COUNT, /* uint32_t */
	KIND_SEED,  /* uint64_t */
	KIND_SHARE, /* double */
};

static const struct key {
	const char *name;
	enum kind kind;
	size_t offset;
	double min, max;
} keys[] = {
	{ "sources", KIND_COUNT, offsetof(struct sim_case, sources), 100, 1 << 20 },
	{ "settle", KIND_COUNT, offsetof(struct sim_case, warm_up), 0, 100000 },
	{ "windows", KIND_COUNT, offsetof(struct sim_case, windows), 1, 100000 },
	{ "seed", KIND_SEED, offsetof(struct sim_case, seed), 0, 0x1p53 },
	{ "spread", KIND_SHARE, offsetof(struct sim_case, shape.spread), 0, 10 },
	{ "exponent", KIND_SHARE, offsetof(struct sim_case, shape.exponent), 0, 10 },
	{ "ranks", KIND_SHARE, offsetof(struct sim_case, shape.drift_ranks), 0, 1 },
	{ "rates", KIND_SHARE, offsetof(struct sim_case, shape.drift_rate), 0, 0.99 },
	{ "pulse", KIND_COUNT, offsetof(struct sim_case, shape.pulse), 1, 100000 },
};
#define N_KEYS (sizeof(keys) / sizeof(keys[0]))

static const struct key *find_key(const char *text, size_t size)
{
	for (size_t i = 0; i < N_KEYS; i++) {
		if (strlen(keys[i].name) == size && memcmp(keys[i].name, text, size) == 0)
			return &keys[i];
	}
	return NULL;
}

static int refuse(const char *at, const struct key *key, struct sluice_err *err)
{
	int size = (int)strcspn(at, ",");

	if (key)
		err_set(err, "attack", "--attack '%.*s': not %s from %g to %g", size, at,
			key->kind == KIND_SHARE ? "a number" : "a whole number", key->min,
			key->max);
	else
		err_set(err, "attack",
			"--attack '%.*s': not KEY=VALUE; keys are sources, settle, windows, seed, "
			"spread, exponent, ranks, rates and pulse",
			size, at);
	return -EINVAL;
}

static void put(struct sim_case *sim, const struct key *key, double value)
{
	void *at = (char *)sim + key->offset;

	if (key->kind == KIND_SHARE)
		*(double *)at = value;
	else if (key->kind == KIND_SEED)
		*(uint64_t *)at = (uint64_t)value;
	else
		*(uint32_t *)at = (uint32_t)value;
}

int attack_parse(const char *text, struct sim_case *sim, struct sluice_err *err)
{
	const char *at = text;

	for (;;) {
		size_t size = strcspn(at, "=,");
		const struct key *key = at[size] == '=' ? find_key(at, size) : NULL;
		double value;
		char *end;

		if (!key)
			return refuse(at, NULL, err);
		value = strtod(at + size + 1, &end);
		/* Written so that a NaN is refused as well. */
		if (end == at + size + 1 || (*end && *end != ',') ||
		    !(value >= key->min && value <= key->max) ||
		    (key->kind != KIND_SHARE && value != (double)(uint64_t)value))
			return refuse(at, key, err);
		put(sim, key, value);
		if (!*end)
			return 0;
		at = end + 1;
	}
}
