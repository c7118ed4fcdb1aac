/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The words in which people write what a rule asks of a packet: protocols, TCP flags, fragments, ranges
 * and bytes.  The deployment file, the texts of rules and the signatures of the detector `signature`
 * (which compiles this file too) have them from here, so that one rule reads alike everywhere.
 *
 * Needs nothing but the public headers.
 */
#ifndef SLUICE_BASE_RULE_WORDS_H
#define SLUICE_BASE_RULE_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/rule.h>

/* Each reads the whole of `text`; false: it is not that, and what it would have set is undefined. */
bool rule_words_protocol(const char *text, uint8_t *protocol); /* "udp", "47" */
bool rule_words_range(const char *text, uint16_t most,
		      struct sluice_rule_range *range); /* "1-20" */
bool rule_words_fragment(const char *text, uint8_t *fragment);
/* "17 00 03 2a" or "1700032a"; how many bytes, or 0. */
uint8_t rule_words_bytes(const char *text, uint8_t bytes[SLUICE_RULE_PAYLOAD_MAX]);
/*
 * "syn,!ack": those named are set, those with a ! are not.  NULL if it is well written; else where the
 * name begins, up to the next comma, that is no flag's or stands there twice.
 */
const char *rule_words_tcp_flags(const char *text, uint8_t *value, uint8_t *mask);
/* The bit of a flag's name of `len` characters; 0: there is none. */
uint8_t rule_words_tcp_flag(const char *name, size_t len);

const char *rule_words_protocol_name(uint8_t protocol); /* NULL: it has none. */
const char *rule_words_fragment_name(uint8_t fragment); /* enum sluice_rule_fragment */
const char *rule_words_tcp_flag_name(unsigned int bit); /* 0 to 7 */

bool rule_words_has_ports(uint8_t protocol);

#endif /* SLUICE_BASE_RULE_WORDS_H */
