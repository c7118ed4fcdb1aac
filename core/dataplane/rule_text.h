/* SPDX-License-Identifier: BSD-2-Clause */
/* Signature rules in words, as the deployment file has them. */
#ifndef SLUICE_DATAPLANE_RULE_TEXT_H
#define SLUICE_DATAPLANE_RULE_TEXT_H

#include <stddef.h>

#include "rule.h"

/* Holds the longest match with its NUL. */
#define RULE_TEXT_SIZE 512

/*
 * What a packet must look like: `protocol: udp, source_port: 123`.  Between braces it is the `match`
 * of a rule in the deployment file.  Empty: any packet.  Returns `text`.
 */
const char *rule_text_match(const struct dataplane_rule *rule, char text[RULE_TEXT_SIZE]);

/* "drop", "pass" or "limit", which is also what limits by source are called. */
const char *rule_text_action(enum dataplane_rule_action action);

#endif /* SLUICE_DATAPLANE_RULE_TEXT_H */
