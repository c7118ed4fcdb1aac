/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a driver answers to ethtool's ioctls, through the back end `flowdir`: the input is the answers,
 * one after the other, to a fixed round of use.  Whatever they are, what is read as a rule must be one
 * that could have been asked for, the driver is never told of more room than there is, and is not
 * asked without end.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "answers.h"
#include "rule.h"
#include "steer.h"

#define RULES 16u
#define ASKED_MOST 100000u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct driver {
	struct answers answers;
	uint32_t asked;
	struct ethtool_rx_flow_spec last; /* Inserted last, for a driver that does tell of it. */
};

/* Mostly a few, sometimes any number. */
static uint32_t number(struct answers *answers)
{
	uint32_t number;

	answers_take(answers, &number, sizeof(number));
	return number & 0x80000000u ? number : number % 64;
}

static int fuzz_ask(void *context, struct ethtool_rxnfc *nfc, size_t n_locations)
{
	struct driver *driver = context;
	struct answers *answers = &driver->answers;
	uint8_t honest;

	if (++driver->asked > ASKED_MOST)
		abort();
	switch (nfc->cmd) {
	case ETHTOOL_GRXCLSRLCNT:
		nfc->rule_cnt = number(answers);
		break;
	case ETHTOOL_GRXCLSRLALL:
		if (nfc->rule_cnt != n_locations)
			abort();
		for (size_t i = 0; i < n_locations; i++)
			nfc->rule_locs[i] = number(answers);
		nfc->rule_cnt = number(answers);
		answers_take(answers, &nfc->data, sizeof(nfc->data));
		break;
	case ETHTOOL_GRXCLSRULE:
		answers_take(answers, &honest, 1);
		if (honest % 4)
			nfc->fs = driver->last;
		else
			answers_take(answers, &nfc->fs, sizeof(nfc->fs));
		break;
	case ETHTOOL_SRXCLSRLINS:
		driver->last = nfc->fs;
		nfc->fs.location = number(answers);
		break;
	default:
		break;
	}
	return answers_errno(answers);
}

static void check_list(struct steer *steer, const struct rule_shape *shape)
{
	struct sluice_backend_rule rules[RULES];
	struct ethtool_rx_flow_spec rule;
	size_t n = RULES + 1;
	int rc = steer_list(steer, rules, RULES, &n);

	if (rc > 0 || n > RULES || (rc && n))
		abort();
	for (size_t i = 0; i < n; i++)
		if (rule_from_key(shape, &rules[i].key, 0, &rule))
			abort();
}

static void use(struct steer *steer, const struct rule_shape *shape)
{
	struct sluice_key key = { .family = 4, .prefix_len = 32, .addr = { 198, 18, 0, 1 } };

	check_list(steer, shape);
	for (int i = 0; i < 4; i++, key.addr[3]++)
		if (steer_add(steer, &key) > 0)
			abort();
	key.addr[3] = 2;
	if (steer_del(steer, &key) > 0)
		abort();
	check_list(steer, shape);
	if (steer_flush(steer) > 0)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct driver driver = { .answers = { data, size } };
	struct steer_options options = {
		.shape = { .action = RX_CLS_FLOW_DISC, .v6_prefix_len = 64, .ipv6 = true },
	};
	struct steer *steer;
	uint8_t choice;

	answers_take(&driver.answers, &choice, 1);
	options.driver_chooses = choice & 1;
	options.adopt = choice & 2;
	options.shape.whole_masks = choice & 4;
	options.first_location = choice >> 4;
	if (steer_new(&options, fuzz_ask, &driver, &steer))
		return 0;
	use(steer, &options.shape);
	use(steer, &options.shape);
	steer_free(steer);
	return 0;
}
