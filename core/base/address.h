/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses and prefixes as `struct sluice_key`: text in and out, masks, cover, order, hash.
 * Every function keeps the rule that bits beyond the prefix length are zero.
 */
#ifndef SLUICE_BASE_ADDRESS_H
#define SLUICE_BASE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <sluice/key.h>
#include <sluice/plugin.h>

/* Holds any formatted address or prefix with its NUL. */
#define ADDRESS_TEXT_SIZE 50

enum address_flag {
	/* Refuse 192.0.2.1/24, and name 192.0.2.0/24, instead of clearing the stray bits. */
	ADDRESS_STRICT = 1u << 0,
};

/* The key that a secret makes unpredictable: nobody can aim at one bucket of a hash table. */
struct address_secret {
	uint64_t k[2];
};

/* One address without a length: "192.0.2.1", "2001:db8::1".  0 or -EINVAL. */
int address_parse(const char *text, struct sluice_key *key, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* An address with or without "/LEN"; `flags` are enum address_flag.  0 or -EINVAL. */
int address_parse_prefix(const char *text, unsigned int flags, struct sluice_key *key,
			 struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * Writes "192.0.2.1", or "192.0.2.0/24" if the prefix is shorter than an address.  `text` must hold
 * ADDRESS_TEXT_SIZE bytes; returned for use in a call.  A key of no family is written as "-".
 */
const char *address_format(const struct sluice_key *key, char *text);

/* From bytes in network order.  `prefix_len` above the family's width is taken as the width. */
struct sluice_key address_from_ipv4(const void *addr, unsigned int prefix_len);
struct sluice_key address_from_ipv6(const void *addr, unsigned int prefix_len);

/* 32 or 128; 0 for any other family. */
unsigned int address_width(uint8_t family);
/* True if the key keeps its own rules.  For keys from pinned memory, sockets and plugins. */
/* What is meant as an address, well written or not: it has a colon, a slash, or digits and dots only. */
bool address_is_meant(const char *text);
bool address_is_valid(const struct sluice_key *key);
/* True for a whole address, no prefix. */
bool address_is_single(const struct sluice_key *key);
/* Shortens to `prefix_len` bits; a length that is not shorter changes nothing. */
struct sluice_key address_mask(const struct sluice_key *key, unsigned int prefix_len);
/* True if all of `key` lies in `prefix`; false across families. */
bool address_covers(const struct sluice_key *prefix, const struct sluice_key *key);
bool address_equal(const struct sluice_key *a, const struct sluice_key *b);
/* Order by family, then address, then length; as strcmp(). */
int address_compare(const struct sluice_key *a, const struct sluice_key *b);
/* SipHash-1-3 of the key under `secret`. */
uint64_t address_hash(const struct sluice_key *key, const struct address_secret *secret);

#endif /* SLUICE_BASE_ADDRESS_H */
