/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as labels of a capture and as a bar.  Besides not crashing: an object is given exactly
 * when the result says so, a refusal has a reason, and labels that were taken tell what a packet is.
 */
#include <errno.h>
#include <math.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "cli/evaluate/bar.h"
#include "config/errors.h"
#include "replay/labels.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int holds)
{
	if (!holds)
		abort();
}

static void check_errors(int result, const struct config_errors *errors)
{
	char text[CONFIG_ERROR_TEXT_SIZE];

	require(result == 0 || result == -EINVAL || result == -EFBIG);
	require(!result == !errors->count);
	for (size_t i = 0; i < config_errors_kept(errors); i++)
		config_error_format(&errors->list[i], text);
}

/* Of a frame that is there in whole, cut short, and not at all. */
static void classify(const struct labels *labels)
{
	static const uint8_t frame[64] = { 2, 0, 0,  0, 0, 2, 2, 0,  0,	 0, 0, 1,   8, 0, 0x45,
					   0, 0, 40, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1 };

	for (uint32_t size = 0; size <= sizeof(frame); size++) {
		enum label_class class =
			labels_classify(labels, frame, size, sizeof(frame), LABEL_IGNORE);

		require(class == LABEL_BENIGN || class == LABEL_ATTACK || class == LABEL_IGNORE);
	}
}

static void try_labels(const char *text, size_t size)
{
	static struct config_errors errors;
	struct labels *labels = NULL;

	config_errors_init(&errors);
	check_errors(labels_parse("f", text, size, &errors, &labels), &errors);
	require(!labels == !!errors.count);
	if (labels)
		classify(labels);
	labels_free(labels);
}

static void forget(void *ctx, const char *row, const char *text)
{
	(void)ctx;
	(void)row;
	(void)text;
}

static void try_bar(const char *text, size_t size)
{
	static struct config_errors errors;
	struct bar bar;
	struct bar_check check = { .bar = &bar, .missed = forget };
	int ret;

	config_errors_init(&errors);
	ret = bar_parse("f", text, size, &errors, &bar);
	check_errors(ret, &errors);
	if (ret)
		return;
	/* A limit that is no number would be one that nothing misses, or everything. */
	for (int i = 0; i < BAR_N_LIMITS; i++) {
		require(!bar.is_set[i] || !isnan(bar.limit[i]));
		bar_check(&check, "row", i, NAN);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	try_labels(text, size);
	try_bar(text, size);
	return 0;
}
