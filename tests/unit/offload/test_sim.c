/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The simulation of `sluice bench offload` on small cases, and what it proves of the manager: with
 * and without counters, beside the controls.  Deterministic: all chance is from the seed.
 */
#include <criterion/criterion.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/offload_attack.h"
#include "bench/offload_report.h"
#include "bench/offload_sim.h"
#include "bench/offload_world.h"

/* As many packets a source as in the large ones would make chance small; K / sources is theirs. */
static const struct sim_case small_case = {
	.shape = { .spread = 0.25,
		   .exponent = 1.1,
		   .drift_ranks = 0.01,
		   .drift_rate = 0.1,
		   .pulse = 2 },
	.sources = 16384,
	.k = 512,
	.counters = true,
	.load = 0.1,
	.update_ns = 100000,
	.warm_up = 100,
	.windows = 60,
	.seed = 0x5eed0008,
};

static struct sim_result run(const struct sim_case *sim)
{
	struct sluice_err err = { .text = "" };
	struct sim_result result;
	char name[48];

	cr_assert_eq(sim_run(sim, 1, NULL, NULL, &result, &err), 0, "%s", err.text);
	sim_case_name(sim, name, sizeof(name));
	printf("seed %#llx: %s, counters %d: %.4f of %.4f, %.1f updates/s, naive %.1f\n",
	       (unsigned long long)sim->seed, name, sim->counters, result.share,
	       result.oracle_share, result.updates_per_s, result.naive_updates_per_s);
	return result;
}

static void judge(const struct sim_case *sim, enum offload_verdict expected)
{
	struct offload_row row = { .sim = *sim, .result = run(sim) };

	cr_expect_eq(offload_judge(&row), expected);
	cr_expect_leq(row.result.share, row.result.oracle_share + 1e-9, "no better than the best");
}

Test(sim, sluice_reaches_its_targets)
{
	for (int d = WORLD_GAUSSIAN; d < WORLD_N_DISTRIBUTIONS; d++) {
		struct sim_case sim = small_case;

		sim.distribution = (enum world_distribution)d;
		judge(&sim, OFFLOAD_REACHED);
	}
}

Test(sim, the_controls_miss_them)
{
	static const enum world_distribution distributions[] = { WORLD_DRIFT, WORLD_PULSE };

	for (size_t i = 0; i < 2; i++) {
		struct sim_case sim = small_case;

		sim.distribution = distributions[i];
		sim.policy = SIM_NEVER_UPDATE;
		judge(&sim, OFFLOAD_MISSED);
		sim.policy = SIM_RANDOM;
		judge(&sim, OFFLOAD_MISSED);
	}
}

/* Static and drifting rates: probation finds out who has slowed down. */
Test(sim, without_counters_nine_tenths_remain)
{
	static const enum world_distribution distributions[] = { WORLD_GAUSSIAN, WORLD_ZIPF,
								 WORLD_DRIFT };

	for (size_t i = 0; i < 3; i++) {
		struct sim_case sim = small_case;
		struct sim_result with;
		struct sim_result without;

		sim.distribution = distributions[i];
		with = run(&sim);
		sim.counters = false;
		without = run(&sim);
		cr_expect_geq(without.share, 0.90 * with.share);
		cr_expect_leq(without.probation, 0.02, "%g of the table were lifted at a time",
			      without.probation);
		cr_expect_gt(without.probation, 0, "nobody was");
		cr_expect_eq(with.probation, 0);
	}
}

Test(sim, the_same_seed_gives_the_same_result)
{
	struct sim_case sim = small_case;
	struct sim_result first, second;

	sim.distribution = WORLD_DRIFT;
	sim.warm_up = sim.windows = 10;
	first = run(&sim);
	second = run(&sim);
	cr_expect_float_eq(first.share, second.share, 0);
	cr_expect_float_eq(first.updates_per_s, second.updates_per_s, 0);
}

/* Whoever plays beside it. */
Test(sim, a_case_does_not_depend_on_its_company)
{
	struct sim_case cases[3] = { small_case, small_case, small_case };
	struct sluice_err err = { .text = "" };
	struct sim_result together[3];

	for (size_t i = 0; i < 3; i++) {
		cases[i].distribution = WORLD_DRIFT;
		cases[i].warm_up = cases[i].windows = 10;
	}
	cases[1].policy = SIM_RANDOM;
	cases[2].counters = false;
	cr_assert_eq(sim_run(cases, 3, NULL, NULL, together, &err), 0);
	for (size_t i = 0; i < 3; i++) {
		struct sim_result alone = run(&cases[i]);

		cr_expect_float_eq(alone.share, together[i].share, 0);
		cr_expect_float_eq(alone.updates_per_s, together[i].updates_per_s, 0);
		cr_expect_float_eq(alone.naive_updates_per_s, together[i].naive_updates_per_s, 0);
	}
}

Test(sim, a_table_larger_than_the_attack_is_refused)
{
	struct sluice_err err = { .text = "" };
	struct sim_case sim = small_case;
	struct sim_result result;

	sim.k = sim.sources + 1;
	cr_expect_eq(sim_run(&sim, 1, NULL, NULL, &result, &err), -EINVAL);
	cr_expect_neq(err.text[0], '\0');
}

/* An attack that is told in words. */
Test(sim, attacks_in_words)
{
	static const char *const bad[] = {
		"",	     "seed",	  "seed=",	"seed=x",     "seed=1.5",   "seed=-1",
		"seed=1,",   ",seed=1",	  "speed=1",	"windows=0",  "rates=nan",  "rates=1",
		"sources=9", "ranks=1.1", "seed=1;k=2", "seed=1e300", "windows=1 ", "=1",
	};
	struct sluice_err err = { .text = "" };
	struct sim_case sim = attack_default;

	cr_assert_eq(attack_parse("seed=7,spread=0.5,exponent=1.3,ranks=0.02,rates=0.2,pulse=3,"
				  "sources=5000,settle=0,windows=9",
				  &sim, &err),
		     0, "%s", err.text);
	cr_expect_eq(sim.seed, 7);
	cr_expect_eq(sim.sources, 5000);
	cr_expect_eq(sim.warm_up, 0);
	cr_expect_eq(sim.windows, 9);
	cr_expect_eq(sim.shape.pulse, 3);
	cr_expect_float_eq(sim.shape.spread, 0.5, 0);
	cr_expect_float_eq(sim.shape.exponent, 1.3, 0);
	cr_expect_float_eq(sim.shape.drift_ranks, 0.02, 0);
	cr_expect_float_eq(sim.shape.drift_rate, 0.2, 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		err.text[0] = '\0';
		cr_expect_eq(attack_parse(bad[i], &sim, &err), -EINVAL, "'%s'", bad[i]);
		cr_expect_neq(err.text[0], '\0', "'%s'", bad[i]);
	}
}

Test(sim, rates_add_up_and_chance_has_its_mean)
{
	for (int d = 0; d < WORLD_N_DISTRIBUTIONS; d++) {
		struct world world;
		double sum = 0, packets = 0;

		cr_assert_eq(world_init(&world, (enum world_distribution)d, &small_case.shape, 1000,
					7),
			     0);
		for (int i = 0; i < 3; i++)
			world_next(&world);
		for (uint32_t i = 0; i < 1000; i++) {
			sum += world.pps[i];
			packets += (double)world_poisson(&world, world.pps[i] / 100);
		}
		cr_expect_float_eq(sum, WORLD_VOLUME, 1);
		cr_expect_float_eq(packets, WORLD_VOLUME / 100, 500, "%s", world_name(d));
		world_fini(&world);
	}
}

/* The document is a list of rows with exactly these members. */
Test(sim, json_rows)
{
	static const char *const members[] = {
		"distribution", "sources",	 "k",
		"counters",	"load",		 "share",
		"oracle_share", "updates_per_s", "naive_updates_per_s"
	};
	const struct sim_result result = { .share = 0.5, .oracle_share = 0.75 };
	FILE *out = tmpfile(), *text = tmpfile();
	struct offload_report report;
	struct sim_case sim = small_case;
	json_t *rows, *row;

	cr_assert(out && text);
	cr_assert_eq(offload_report_init(&report, &small_case, text), 0);
	sim.distribution = WORLD_DRIFT;
	cr_assert_eq(offload_report_add(&report, &sim, &result), 0);
	sim.policy = SIM_NEVER_UPDATE;
	cr_assert_eq(offload_report_add(&report, &sim, &result), 0);
	cr_assert_eq(offload_report_json(&report, out), 0);
	rewind(out);
	rows = json_loadf(out, 0, NULL);
	cr_assert_eq(json_array_size(rows), 2);
	row = json_array_get(rows, 0);
	cr_expect_eq(json_object_size(row), 9);
	for (size_t i = 0; i < 9; i++)
		cr_expect_not_null(json_object_get(row, members[i]), "%s", members[i]);
	cr_expect_str_eq(json_string_value(json_object_get(row, "distribution")), "drift");
	cr_expect_str_eq(
		json_string_value(json_object_get(json_array_get(rows, 1), "distribution")),
		"drift, never update");
	json_decref(rows);
	offload_report_fini(&report);
	fclose(out);
	fclose(text);
}
