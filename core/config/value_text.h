/* SPDX-License-Identifier: BSD-2-Clause */
/* A checked value as YAML on one line, without what is left to defaults. */
#ifndef SLUICE_CONFIG_VALUE_TEXT_H
#define SLUICE_CONFIG_VALUE_TEXT_H

#include <stddef.h>

struct config_value;

/* Long enough for a rule with all its keys; what is longer ends with "...". */
#define VALUE_TEXT_SIZE 640

/* Returns `text`.  Control characters, which a file cannot hold but its escapes can, become '?'. */
const char *value_text(const struct config_value *value, char text[VALUE_TEXT_SIZE]);

#endif /* SLUICE_CONFIG_VALUE_TEXT_H */
