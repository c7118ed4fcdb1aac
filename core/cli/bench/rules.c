/* SPDX-License-Identifier: BSD-2-Clause */
/* See rules.h. */
#include "rules.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "dataplane/dataplane.h"

#include "harness.h"
#include "plane.h"

#define PACKETS 1000000
#define N_SOURCES 131072
#define FRAME_TTL 64

const uint32_t rules_sizes[RULES_N_SIZES] = { 0, 1, 16, 64, 256 };

/*
 * Nested ranges, so that most rules are still left after the ports and the length of a random packet,
 * and all fall at the time to live.  One in eight asks for TCP flags, one in eight for a destination.
 */
static void make_rule(struct dataplane_rule *rule, uint32_t i)
{
	uint16_t step = (uint16_t)(i * 100);

	*rule = (struct dataplane_rule){
		.match.fields = SLUICE_RULE_PROTOCOL | SLUICE_RULE_DESTINATION_PORT |
				SLUICE_RULE_SOURCE_PORT | SLUICE_RULE_LENGTH | SLUICE_RULE_TTL,
		.match.family = SLUICE_FAMILY_IPV4,
		.match.protocol = 17,
		.match.destination_port = { step, UINT16_MAX },
		.match.source_port = { 0, (uint16_t)(UINT16_MAX - step) },
		.match.length = { 20, (uint16_t)(1000 + i) },
		.match.ttl = { FRAME_TTL + 1, (uint16_t)(FRAME_TTL + 1 + i % 128) },
		.action = DATAPLANE_RULE_DROP,
	};
	snprintf(rule->name, sizeof(rule->name), "bench%u", i);
	if (i % 8 == 6) {
		rule->match.fields |= SLUICE_RULE_TCP_FLAGS;
		rule->match.protocol = 6;
		rule->match.tcp_value = 0x02;
		rule->match.tcp_mask = (uint8_t)(0x12 | (i & 0x2d));
		rule->match.tcp_value &= rule->match.tcp_mask;
	} else if (i % 8 == 7) {
		const uint8_t destination[4] = { 10, (uint8_t)i, 0, 0 };

		rule->match.fields |= SLUICE_RULE_DESTINATION;
		rule->match.destination = address_from_ipv4(destination, 16);
	}
}

static int measure_round(struct plane *plane, struct harness *harness,
			 const struct dataplane_rule *rules, struct rules_series *series,
			 size_t round, struct sluice_err *err)
{
	for (size_t turn = 0; turn < RULES_N_SIZES; turn++) {
		size_t i = round % 2 ? RULES_N_SIZES - 1 - turn : turn;
		int code = plane->dp->ops->rules_set(plane->dp, rules, rules_sizes[i], err);

		if (code)
			return code;
		code = harness_run_ports(harness, PACKETS, &series->ns[i][round]);
		if (code) {
			err_set(err, NULL, "cannot run a program on test packets: %s",
				err_name(code));
			return code;
		}
	}
	return 0;
}

static int measure(struct plane *plane, struct harness *harness, struct rules_series *series,
		   struct sluice_err *err)
{
	struct dataplane_rule *rules =
		calloc(rules_sizes[RULES_N_SIZES - 1], sizeof(struct dataplane_rule));
	int code = rules ? plane_without_features(plane, err) : -ENOMEM;

	for (uint32_t i = 0; !code && i < rules_sizes[RULES_N_SIZES - 1]; i++)
		make_rule(&rules[i], i);
	if (!code)
		code = harness_set_target(harness, plane->filter_fd, NULL);
	for (size_t round = 0; !code && round < series->n_rounds; round++)
		code = measure_round(plane, harness, rules, series, round, err);
	free(rules);
	return code;
}

int rules_measure(size_t n_rounds, struct rules_series *series, struct sluice_err *err)
{
	struct harness *harness = NULL;
	struct plane plane;
	int code = plane_open(&plane, 1, NULL, err);

	memset(series, 0, sizeof(*series));
	series->n_rounds = n_rounds;
	if (code)
		return code;
	code = harness_open(N_SOURCES, 1, &harness, err);
	if (!code)
		code = measure(&plane, harness, series, err);
	harness_close(harness);
	plane_close(&plane);
	return code;
}

static double over_none(const struct rules_series *series, size_t i)
{
	return stats_median_difference(series->ns[i], series->ns[0], series->n_rounds);
}

/* A tenth of a ns: more digits would say nothing. */
static double rounded(double ns)
{
	return round(ns * 10) / 10;
}

int rules_add_rows(json_t *rows, const struct rules_series *series)
{
	for (size_t i = 1; i < RULES_N_SIZES; i++) {
		double median = stats_median(series->ns[i], series->n_rounds);
		double best = stats_lowest(series->ns[i], series->n_rounds);
		json_t *row = json_pack("{s:s, s:s, s:i, s:f, s:f, s:n, s:n, s:f}", "case", "rules",
					"design", "sluice", "entries", (int)rules_sizes[i],
					"ns_median", rounded(median), "ns_best", rounded(best),
					"mpps_median", "mpps_best", "over_none_ns_median",
					rounded(over_none(series, i)));

		if (!row || json_array_append_new(rows, row))
			return -ENOMEM;
	}
	return 0;
}

void rules_print(FILE *out, const struct rules_series *series)
{
	fputs("\nSignature rules, of which none matches: ns per packet over the filter without rules\n",
	      out);
	for (size_t i = 1; i < RULES_N_SIZES; i++)
		fprintf(out, "%10u rules: %.1f\n", rules_sizes[i], over_none(series, i));
}
