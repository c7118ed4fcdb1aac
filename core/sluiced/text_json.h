/* SPDX-License-Identifier: BSD-2-Clause */
/* Texts that others have written, and times, for the daemon's documents. */
#ifndef SLUICE_SLUICED_TEXT_JSON_H
#define SLUICE_SLUICED_TEXT_JSON_H

#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

/*
 * Texts from plugins and pinned memory may hold any bytes, which JSON cannot: what is not printable
 * ASCII becomes '?'.  Ends at a NUL, at `size` or after 255 bytes.
 */
json_t *text_json(const char *text, size_t size);
/* RFC 3339, UTC; JSON null for 0. */
json_t *time_json(uint64_t realtime_ns);

#endif /* SLUICE_SLUICED_TEXT_JSON_H */
