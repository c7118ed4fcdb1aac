/* SPDX-License-Identifier: BSD-2-Clause */
/* What came of a replay: as one JSON document, or for people. */
#ifndef SLUICE_EVALUATE_REPORT_H
#define SLUICE_EVALUATE_REPORT_H

#include <jansson.h>

struct case_result;

/* NULL: no memory. */
json_t *report_json(const struct case_result *result);
void report_print(const struct case_result *result);

#endif /* SLUICE_EVALUATE_REPORT_H */
