/* SPDX-License-Identifier: BSD-2-Clause */
/* A signature rule as the deployment file states it; settings_rules.c reads it. */
#ifndef SLUICE_CONFIG_SETTINGS_RULE_H
#define SLUICE_CONFIG_SETTINGS_RULE_H

#include <stdbool.h>
#include <stdint.h>

#include <sluice/rule.h>

enum settings_rule_action {
	SETTINGS_RULE_DROP,
	SETTINGS_RULE_PASS,
	SETTINGS_RULE_LIMIT,	    /* Of all packets together that match... */
	SETTINGS_RULE_LIMIT_SOURCE, /* ... or of each source's. */
};

struct settings_rule {
	char name[SLUICE_RULE_NAME_SIZE];
	struct sluice_rule_match match; /* All but SLUICE_RULE_SOURCE. */
	enum settings_rule_action action;
	bool is_by_byte;    /* The limit counts bytes, not packets. */
	uint64_t rate;	    /* A second. */
	uint64_t burst;	    /* Packets or bytes at once. */
	bool exempts_known; /* Known clients pass what it would drop. */
	unsigned int line, column;
};

#endif /* SLUICE_CONFIG_SETTINGS_RULE_H */
