/* SPDX-License-Identifier: BSD-2-Clause */
/* Entropies and distances against their defining sums, and what must hold for any distribution. */
#include <criterion/criterion.h>
#include <math.h>

#include "information.h"
#include "support/random.h"

#define N 40
#define ROUNDS 300

static void fill(struct random *random, double *count)
{
	for (int i = 0; i < N; i++)
		count[i] = random_below(random, 3) ? (double)random_below(random, 1000) : 0;
	count[random_below(random, N)] += 1; /* Never all 0. */
}

static void shuffle(struct random *random, double *count)
{
	for (size_t i = N; i > 1; i--) {
		size_t other = random_below(random, i);
		double value = count[i - 1];

		count[i - 1] = count[other];
		count[other] = value;
	}
}

static double used(const double *count)
{
	double n = 0;

	for (int i = 0; i < N; i++)
		n += count[i] > 0;
	return n;
}

Test(entropy_information, shannon_is_its_sum)
{
	struct random random = { 1 };
	double count[N];

	for (int round = 0; round < ROUNDS; round++) {
		double sum = 0, bits = 0;

		fill(&random, count);
		for (int i = 0; i < N; i++)
			sum += count[i];
		for (int i = 0; i < N; i++)
			bits += count[i] > 0 ? count[i] / sum * log2(sum / count[i]) : 0;
		cr_assert_float_eq(information_shannon(count, N), bits, 1e-9);
	}
}

Test(entropy_information, orders_meet_shannon)
{
	struct random random = { 2 };
	double count[N];

	for (int round = 0; round < ROUNDS; round++) {
		double bits;

		fill(&random, count);
		bits = information_shannon(count, N);
		cr_assert_float_eq(information_renyi(count, N, 1), bits, 1e-12);
		cr_assert_float_eq(information_renyi(count, N, 1 + 1e-4), bits, 1e-2);
		cr_assert_float_eq(information_renyi(count, N, 1 - 1e-4), bits, 1e-2);
		cr_assert_float_eq(information_tsallis(count, N, 1 + 1e-4), bits * M_LN2, 1e-2);
		cr_assert_float_eq(information_phi(count, N, 1e-3), bits, 1e-2);
		cr_assert_float_eq(information_renyi(count, N, 0), log2(used(count)), 1e-9);
	}
}

Test(entropy_information, renyi_falls_with_its_order_and_stays_in_bounds)
{
	static const double orders[] = { 0, 0.5, 1, 2, 5, 20 };
	struct random random = { 3 };
	double count[N];

	for (int round = 0; round < ROUNDS; round++) {
		double before = INFINITY, most;

		fill(&random, count);
		most = log2(used(count));
		for (size_t i = 0; i < sizeof(orders) / sizeof(orders[0]); i++) {
			double bits = information_renyi(count, N, orders[i]);

			cr_assert(bits >= 0 && bits <= most + 1e-9, "order %g", orders[i]);
			cr_assert(bits <= before + 1e-9, "order %g", orders[i]);
			before = bits;
		}
		/* Rare values weigh more in phi-entropy. */
		cr_assert(information_phi(count, N, 2) >= information_phi(count, N, 0.5) - 1e-9);
	}
}

Test(entropy_information, order_of_values_does_not_matter)
{
	struct random random = { 4 };
	double count[N];

	for (int round = 0; round < ROUNDS; round++) {
		double shannon, renyi, tsallis, phi;

		fill(&random, count);
		shannon = information_shannon(count, N);
		renyi = information_renyi(count, N, 3);
		tsallis = information_tsallis(count, N, 2);
		phi = information_phi(count, N, 1);
		shuffle(&random, count);
		cr_assert_float_eq(information_shannon(count, N), shannon, 1e-9);
		cr_assert_float_eq(information_renyi(count, N, 3), renyi, 1e-9);
		cr_assert_float_eq(information_tsallis(count, N, 2), tsallis, 1e-9);
		cr_assert_float_eq(information_phi(count, N, 1), phi, 1e-6 * (1 + phi));
	}
}

Test(entropy_information, known_values)
{
	const double even[] = { 5, 5, 5, 5 }, one[] = { 0, 9, 0, 0 }, none[4] = { 0 };

	cr_assert_float_eq(information_shannon(even, 4), 2, 1e-12);
	cr_assert_float_eq(information_renyi(even, 4, 7), 2, 1e-12);
	cr_assert_float_eq(information_tsallis(even, 4, 2), 0.75, 1e-12);
	/* -(1/sinh 1) sinh(-2). */
	cr_assert_float_eq(information_phi(even, 4, 1), sinh(2) / sinh(1), 1e-12);
	cr_assert_float_eq(information_shannon(one, 4), 0, 1e-12);
	cr_assert_float_eq(information_phi(one, 4, 1), 0, 1e-12);
	cr_assert_eq(information_shannon(none, 4), 0);
	cr_assert_eq(information_renyi(none, 4, 2), 0);
	cr_assert_eq(information_jensen_shannon(none, even, 4), 0);
	cr_assert_eq(information_hellinger(none, even, 4), 0);
}

Test(entropy_information, distances)
{
	const double left[] = { 1, 2, 0, 0 }, right[] = { 0, 0, 3, 4 };
	struct random random = { 5 };
	double a[N], b[N];

	cr_assert_float_eq(information_jensen_shannon(left, right, 4), 1, 1e-12);
	cr_assert_float_eq(information_hellinger(left, right, 4), 1, 1e-12);
	for (int round = 0; round < ROUNDS; round++) {
		double js, h;

		fill(&random, a);
		fill(&random, b);
		js = information_jensen_shannon(a, b, N);
		h = information_hellinger(a, b, N);
		cr_assert_float_eq(js, information_jensen_shannon(b, a, N), 1e-9);
		cr_assert_float_eq(information_jensen_shannon(a, a, N), 0, 1e-9);
		cr_assert_float_eq(information_hellinger(a, a, N), 0, 1e-7);
		/* Known bounds between the two. */
		cr_assert(js >= h * h - 1e-9 && js <= 2 * M_LOG2E * h * h + 1e-9);
		cr_assert_float_eq(information_generalised(a, b, N, 1 + 1e-4), js, 1e-2);
		cr_assert(information_generalised(a, b, N, 2) >= js - 1e-9);
	}
}
