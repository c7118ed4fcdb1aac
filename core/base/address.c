/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses, prefixes, and the keyed hash over them.
 */
#include "address.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "err.h"
#include "siphash.h"

unsigned int address_width(uint8_t family)
{
	if (family == SLUICE_FAMILY_IPV4)
		return 32;
	return family == SLUICE_FAMILY_IPV6 ? 128 : 0;
}

/* Clears the bits of 16 bytes from `len` on. */
static void clear_bits_from(uint8_t addr[16], unsigned int len)
{
	unsigned int whole = len / 8;

	if (len >= 128)
		return;
	if (len % 8)
		addr[whole++] &= (uint8_t)(0xff00u >> (len % 8));
	memset(addr + whole, 0, 16 - whole);
}

/* Inlined with a constant size: it is called for every packet of a replay, mostly for whole addresses. */
static inline struct sluice_key key_make(uint8_t family, const void *addr, size_t size,
					 unsigned int len)
{
	struct sluice_key key = { .family = family, .prefix_len = (uint8_t)(size * 8) };

	memcpy(key.addr, addr, size);
	if (len < size * 8) {
		key.prefix_len = (uint8_t)len;
		clear_bits_from(key.addr, len);
	}
	return key;
}

struct sluice_key address_from_ipv4(const void *addr, unsigned int prefix_len)
{
	return key_make(SLUICE_FAMILY_IPV4, addr, 4, prefix_len);
}

struct sluice_key address_from_ipv6(const void *addr, unsigned int prefix_len)
{
	return key_make(SLUICE_FAMILY_IPV6, addr, 16, prefix_len);
}

bool address_is_meant(const char *text)
{
	return strpbrk(text, ":/") || text[strspn(text, "0123456789.")] == '\0';
}

/* The bits of one half of an address that lie behind a prefix of so many bits. */
static uint64_t bits_behind(unsigned int len)
{
	return len < 64 ? UINT64_MAX >> len : 0;
}

bool address_is_valid(const struct sluice_key *key)
{
	static const uint8_t zero[sizeof(key->reserved)];
	unsigned int width = address_width(key->family), len = key->prefix_len;
	uint64_t half[2];

	if (!width || len > width)
		return false;
	memcpy(half, key->addr, sizeof(half));
	return !(be64toh(half[0]) & bits_behind(len)) &&
	       !(be64toh(half[1]) & bits_behind(len > 64 ? len - 64 : 0)) &&
	       !memcmp(key->reserved, zero, sizeof(zero));
}

bool address_is_single(const struct sluice_key *key)
{
	return key->family && key->prefix_len == address_width(key->family);
}

struct sluice_key address_mask(const struct sluice_key *key, unsigned int prefix_len)
{
	struct sluice_key masked = *key;

	if (prefix_len < masked.prefix_len) {
		masked.prefix_len = (uint8_t)prefix_len;
		clear_bits_from(masked.addr, prefix_len);
	}
	return masked;
}

bool address_covers(const struct sluice_key *prefix, const struct sluice_key *key)
{
	unsigned int whole = prefix->prefix_len / 8, rest = prefix->prefix_len % 8;

	if (prefix->family != key->family || prefix->prefix_len > key->prefix_len ||
	    prefix->prefix_len > 128)
		return false;
	if (memcmp(prefix->addr, key->addr, whole))
		return false;
	return !rest || !((prefix->addr[whole] ^ key->addr[whole]) & (0xff00u >> rest) & 0xffu);
}

bool address_equal(const struct sluice_key *a, const struct sluice_key *b)
{
	return !memcmp(a, b, sizeof(*a));
}

int address_compare(const struct sluice_key *a, const struct sluice_key *b)
{
	int order;

	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	order = memcmp(a->addr, b->addr, sizeof(a->addr));
	if (order)
		return order < 0 ? -1 : 1;
	return (a->prefix_len > b->prefix_len) - (a->prefix_len < b->prefix_len);
}

/* Why `text` is no address, in the words that help most. */
static int address_refuse(const char *text, struct sluice_err *err)
{
	if (strchr(text, '%'))
		err_set(err, NULL, "'%s' has a zone; leave out '%s'", text, strchr(text, '%'));
	else if (strchr(text, '/'))
		err_set(err, NULL, "'%s' is a prefix; expected one address", text);
	else
		err_set(err, NULL, "'%s' is not an address such as 192.0.2.1 or 2001:db8::1", text);
	return -EINVAL;
}

int address_parse(const char *text, struct sluice_key *key, struct sluice_err *err)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	char plain[INET_ADDRSTRLEN];
	uint8_t addr[16];

	if (inet_pton(AF_INET, text, addr) == 1) {
		*key = address_from_ipv4(addr, 32);
		return 0;
	}
	if (inet_pton(AF_INET6, text, addr) != 1)
		return address_refuse(text, err);
	/* Such a source never appears on the wire: as a key it would silently match nothing. */
	if (!memcmp(addr, mapped, sizeof(mapped))) {
		inet_ntop(AF_INET, addr + 12, plain, sizeof(plain));
		err_set(err, NULL, "'%s' is an IPv4 address in IPv6 clothes; write %s", text,
			plain);
		return -EINVAL;
	}
	*key = address_from_ipv6(addr, 128);
	return 0;
}

/* Reads the length after the slash: one to three digits, nothing else. */
static int length_parse(const char *text, unsigned int width, unsigned int *len)
{
	char *end;
	unsigned long value;

	if (*text < '0' || *text > '9' || strlen(text) > 3)
		return -EINVAL;
	value = strtoul(text, &end, 10);
	if (*end || value > width)
		return -EINVAL;
	*len = (unsigned int)value;
	return 0;
}

int address_parse_prefix(const char *text, unsigned int flags, struct sluice_key *key,
			 struct sluice_err *err)
{
	char proper[ADDRESS_TEXT_SIZE], addr[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	struct sluice_key single, masked;
	unsigned int width, len;
	size_t addr_len;
	int result;

	if (!slash)
		return address_parse(text, key, err);
	addr_len = (size_t)(slash - text);
	if (addr_len >= sizeof(addr))
		goto refuse;
	memcpy(addr, text, addr_len);
	addr[addr_len] = '\0';
	result = address_parse(addr, &single, err);
	if (result)
		return result;
	width = address_width(single.family);
	if (length_parse(slash + 1, width, &len)) {
		err_set(err, NULL, "'%s' has no length from 0 to %u after the slash", text, width);
		return -EINVAL;
	}
	masked = address_mask(&single, len);
	if ((flags & ADDRESS_STRICT) && memcmp(masked.addr, single.addr, sizeof(masked.addr))) {
		err_set(err, NULL, "'%s' has bits set beyond its length; write %s", text,
			address_format(&masked, proper));
		return -EINVAL;
	}
	*key = masked;
	return 0;
refuse:
	err_set(err, NULL, "'%.64s' is not a prefix such as 192.0.2.0/24 or 2001:db8::/32", text);
	return -EINVAL;
}

const char *address_format(const struct sluice_key *key, char *text)
{
	int family = key->family == SLUICE_FAMILY_IPV4 ? AF_INET : AF_INET6;
	size_t len;

	if (!address_width(key->family))
		return memcpy(text, "-", 2);
	inet_ntop(family, key->addr, text, INET6_ADDRSTRLEN);
	if (!address_is_single(key)) {
		len = strlen(text);
		snprintf(text + len, ADDRESS_TEXT_SIZE - len, "/%u", key->prefix_len);
	}
	return text;
}

uint64_t address_hash(const struct sluice_key *key, const struct address_secret *secret)
{
	struct siphash s = siphash_begin(secret->k);
	uint64_t words[2];

	/* The last 12 bytes of an IPv4 key are zero and the family is hashed, so one word will do. */
	memcpy(words, key->addr, sizeof(words));
	siphash_word(&s, words[0], 1);
	if (key->family != SLUICE_FAMILY_IPV4)
		siphash_word(&s, words[1], 1);
	siphash_word(&s, (uint64_t)key->family << 8 | key->prefix_len, 1);
	return siphash_end(&s, 3);
}
