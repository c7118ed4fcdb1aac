/* SPDX-License-Identifier: BSD-2-Clause */
/* The file's signature rules, handed to the data plane. */
#ifndef SLUICE_SLUICED_RULES_H
#define SLUICE_SLUICED_RULES_H

struct dataplane;
struct settings;
struct sluice_err;

/* All at once in place of those in force; those stay if it fails. */
int rules_apply(struct dataplane *dp, const struct settings *settings, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_SLUICED_RULES_H */
