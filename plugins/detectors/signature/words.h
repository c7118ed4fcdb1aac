/* SPDX-License-Identifier: BSD-2-Clause */
/* How signatures write protocols, TCP flags, numbers and bytes: as the `rules` of a deployment file do. */
#ifndef SIGNATURE_WORDS_H
#define SIGNATURE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/rule.h>

/* Each reads the whole of `text`; false if it is not that. */
bool words_number(const char *text, uint64_t most, uint64_t *number); /* "500", "20k", "1M" */
bool words_range(const char *text, uint16_t most, struct sluice_rule_range *range); /* "1-20" */
bool words_protocol(const char *text, uint8_t *protocol); /* "udp", "47" */
/* "syn,!ack": those named are set, those with a ! are not. */
bool words_tcp_flags(const char *text, uint8_t *value, uint8_t *mask);
bool words_fragment(const char *text, uint8_t *fragment);
/* "17 00 03 2a"; how many bytes, or 0. */
uint8_t words_bytes(const char *text, uint8_t bytes[SLUICE_RULE_PAYLOAD_MAX]);

/* "tcp" or the like; NULL if it has no name. */
const char *words_protocol_name(uint8_t protocol);
bool words_has_ports(uint8_t protocol);

#endif /* SIGNATURE_WORDS_H */
