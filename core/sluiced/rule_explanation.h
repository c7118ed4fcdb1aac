/* SPDX-License-Identifier: BSD-2-Clause */
/* The document of `sluice explain --json RULE`; described in sluice(8). */
#ifndef SLUICE_SLUICED_RULE_EXPLANATION_H
#define SLUICE_SLUICED_RULE_EXPLANATION_H

#include <jansson.h>

struct engine_rule_explanation;

/* NULL: no memory. */
json_t *rule_explanation_json(const struct engine_rule_explanation *explanation);

#endif /* SLUICE_SLUICED_RULE_EXPLANATION_H */
