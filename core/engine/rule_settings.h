/* SPDX-License-Identifier: BSD-2-Clause */
/* The deployment file's signature rules as the data plane takes them. */
#ifndef SLUICE_ENGINE_RULE_SETTINGS_H
#define SLUICE_ENGINE_RULE_SETTINGS_H

struct dataplane_rule;
struct settings_rule;

/* What rules of the file say of where they come from. */
#define RULE_SETTINGS_ORIGIN "config"

void rule_settings_convert(const struct settings_rule *from, struct dataplane_rule *to);

#endif /* SLUICE_ENGINE_RULE_SETTINGS_H */
