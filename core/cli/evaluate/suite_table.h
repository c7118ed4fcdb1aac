/* SPDX-License-Identifier: BSD-2-Clause */
/* The table of a suite, for people, on standard output. */
#ifndef SLUICE_EVALUATE_SUITE_TABLE_H
#define SLUICE_EVALUATE_SUITE_TABLE_H

struct score_result;
struct suite_row;

void suite_table_header(void);
void suite_table_row(const struct suite_row *row);
/* What was harmed of all that `pooled` sums up. */
void suite_table_pooled(const char *name, const struct score_result *pooled);

#endif /* SLUICE_EVALUATE_SUITE_TABLE_H */
