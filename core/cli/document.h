/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading the daemon's answers, which may be of another version: what is missing or of another
 * type reads as zero, false or "".  A path is names joined by dots.
 */
#ifndef SLUICE_CLI_DOCUMENT_H
#define SLUICE_CLI_DOCUMENT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

const json_t *document_get(const json_t *document, const char *path);
uint64_t document_u64(const json_t *document, const char *path);
double document_number(const json_t *document, const char *path);
bool document_bool(const json_t *document, const char *path);
const char *document_string(const json_t *document, const char *path);

#endif /* SLUICE_CLI_DOCUMENT_H */
