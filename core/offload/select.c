/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Quickselect and quicksort over plan entries, with the pivot taken from a sample, and heap sort
 * as the way out when pivots turn out badly.  Own code because qsort() may allocate and sorts
 * everything.
 */
#include "select.h"

enum {
	SELECT_SMALL = 24,  /* From here on insertion sort is faster. */
	SELECT_LARGE = 600, /* From here on a pivot from a larger sample pays. */
};

static void swap_entries(struct plan_entry *a, struct plan_entry *b)
{
	struct plan_entry tmp = *a;

	*a = *b;
	*b = tmp;
}

static void sort_small(struct plan_entry *entries, size_t n)
{
	for (size_t i = 1; i < n; i++) {
		struct plan_entry entry = entries[i];
		size_t at = i;

		for (; at > 0 && select_before(&entry, &entries[at - 1]); at--)
			entries[at] = entries[at - 1];
		entries[at] = entry;
	}
}

/* Restores the heap below `at`; the root is the lightest. */
static void heap_sink(struct plan_entry *heap, size_t n, size_t at)
{
	struct plan_entry entry = heap[at];

	for (size_t child; (child = 2 * at + 1) < n; at = child) {
		if (child + 1 < n && select_before(&heap[child], &heap[child + 1]))
			child++;
		if (!select_before(&entry, &heap[child]))
			break;
		heap[at] = heap[child];
	}
	heap[at] = entry;
}

static void sort_heap(struct plan_entry *entries, size_t n)
{
	for (size_t i = n / 2; i-- > 0;)
		heap_sink(entries, n, i);
	for (size_t end = n; end-- > 1;) {
		swap_entries(&entries[0], &entries[end]);
		heap_sink(entries, end, 0);
	}
}

/* The index of the middle one of three. */
static size_t median3(const struct plan_entry *e, size_t a, size_t b, size_t c)
{
	if (select_before(&e[a], &e[b])) {
		if (select_before(&e[b], &e[c]))
			return b;
		return select_before(&e[a], &e[c]) ? c : a;
	}
	if (select_before(&e[a], &e[c]))
		return a;
	return select_before(&e[b], &e[c]) ? c : b;
}

/*
 * Where to split `n` entries so that the cut lands near `k`: the entry of that rank in a sample
 * of 33 spread over the range, so that a small k of a large n discards most in the first pass.
 */
static size_t pivot_near(const struct plan_entry *entries, size_t n, size_t k)
{
	enum { SAMPLE = 33 };
	size_t sample[SAMPLE];
	size_t step = n / SAMPLE;

	if (n < SELECT_LARGE)
		return median3(entries, 0, n / 2, n - 1);
	for (size_t i = 0; i < SAMPLE; i++) {
		size_t candidate = i * step + step / 2;
		size_t at = i;

		for (; at > 0 && select_before(&entries[candidate], &entries[sample[at - 1]]); at--)
			sample[at] = sample[at - 1];
		sample[at] = candidate;
	}
	/* One rank to the safe side: a cut just outside k is worth more than one just inside. */
	size_t rank = (size_t)((double)k / (double)n * SAMPLE) + 1;

	return sample[rank < SAMPLE ? rank : SAMPLE - 1];
}

/*
 * Splits at entries[pivot]; returns where it ends up: before it are only entries ahead of it.  For
 * a pivot near one end, where the branches are guessed right and little is moved.
 */
static size_t partition(struct plan_entry *entries, size_t n, size_t pivot)
{
	struct plan_entry value = entries[pivot];
	size_t left = 0, right = n - 1;

	swap_entries(&entries[pivot], &entries[n - 1]);
	for (;;) {
		while (left < right && select_before(&entries[left], &value))
			left++;
		while (left < right && !select_before(&entries[right - 1], &value))
			right--;
		if (left >= right)
			break;
		swap_entries(&entries[left], &entries[right - 1]);
		left++;
		right--;
	}
	swap_entries(&entries[left], &entries[n - 1]);
	return left;
}

/*
 * The same for a pivot near the middle, where no branch could be guessed: every entry is moved, and
 * only by how much depends on the comparison.
 */
static size_t partition_evenly(struct plan_entry *entries, size_t n, size_t pivot)
{
	struct plan_entry value = entries[pivot];
	size_t left = 0;

	swap_entries(&entries[pivot], &entries[n - 1]);
	for (size_t i = 0; i < n - 1; i++) {
		struct plan_entry entry = entries[i];

		entries[i] = entries[left];
		entries[left] = entry;
		left += select_before(&entry, &value);
	}
	swap_entries(&entries[left], &entries[n - 1]);
	return left;
}

/* Twice the base-2 logarithm: how many bad pivots are bad luck. */
static unsigned int patience(size_t n)
{
	unsigned int bits = 0;

	for (; n > 0; n >>= 1)
		bits += 2;
	return bits;
}

/* Whether a cut near `k` is far enough from both ends for branches to be guessed wrong often. */
static bool is_central(size_t n, size_t k)
{
	return k > n / 16 && n - k > n / 16;
}

void select_heaviest(struct plan_entry *entries, size_t n, size_t k)
{
	unsigned int left = patience(n);

	while (k > 0 && k < n) {
		size_t cut;

		if (n <= SELECT_SMALL) {
			sort_small(entries, n);
			return;
		}
		if (left-- == 0) {
			sort_heap(entries, n);
			return;
		}
		cut = (is_central(n, k) ? partition_evenly : partition)(entries, n,
									pivot_near(entries, n, k));
		if (cut >= k) {
			n = cut;
		} else {
			entries += cut + 1;
			n -= cut + 1;
			k -= cut + 1;
		}
	}
}

static void sort_patiently(struct plan_entry *entries, size_t n, unsigned int left)
{
	while (n > SELECT_SMALL) {
		size_t cut;

		if (left-- == 0) {
			sort_heap(entries, n);
			return;
		}
		cut = partition_evenly(entries, n, pivot_near(entries, n, n / 2));
		/* Recursion on the shorter side keeps the stack logarithmic. */
		if (cut < n - cut - 1) {
			sort_patiently(entries, cut, left);
			entries += cut + 1;
			n -= cut + 1;
		} else {
			sort_patiently(entries + cut + 1, n - cut - 1, left);
			n = cut;
		}
	}
	sort_small(entries, n);
}

void select_sort(struct plan_entry *entries, size_t n)
{
	sort_patiently(entries, n, patience(n));
}
