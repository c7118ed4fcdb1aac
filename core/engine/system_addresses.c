/* SPDX-License-Identifier: BSD-2-Clause */
/* Own addresses, gateways and resolvers: see system_addresses.h. */
#include "system_addresses.h"

#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/route.h>

#include "base/address.h"

/* Enough for any host, and a router's full table does not hold up the window loop. */
#define FILE_MAX (256u * 1024)
#define LINE_SIZE 256

void system_addresses_init(struct system_addresses *addresses)
{
	memset(addresses, 0, sizeof(*addresses));
}

void system_addresses_fini(struct system_addresses *addresses)
{
	free(addresses->list);
	system_addresses_init(addresses);
}

int system_addresses_add(struct system_addresses *addresses, enum system_address_kind kind,
			 const struct sluice_key *key)
{
	for (size_t i = 0; i < addresses->n; i++) {
		if (addresses->list[i].kind == kind && address_equal(&addresses->list[i].key, key))
			return 0;
	}
	if (addresses->n == addresses->capacity) {
		size_t capacity = addresses->capacity ? addresses->capacity * 2 : 16;
		struct system_address *grown = realloc(addresses->list, capacity * sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		addresses->list = grown;
		addresses->capacity = capacity;
	}
	addresses->list[addresses->n++] = (struct system_address){ kind, *key };
	return 0;
}

/* Copies the next line, cut to fit; false at the end. */
static bool next_line(const char **text, char line[LINE_SIZE])
{
	size_t length = strcspn(*text, "\n");
	size_t kept = length < LINE_SIZE - 1 ? length : LINE_SIZE - 1;

	if (!**text)
		return false;
	memcpy(line, *text, kept);
	line[kept] = '\0';
	*text += length + ((*text)[length] == '\n');
	return true;
}

int system_addresses_parse_route(struct system_addresses *addresses, const char *text)
{
	char line[LINE_SIZE];
	int rc = 0;

	while (!rc && next_line(&text, line)) {
		unsigned int destination, gateway, flags, mask;
		struct sluice_key key;
		uint32_t addr;

		/* Addresses are words in memory order, so that the bytes of the word are right. */
		if (sscanf(line, "%*s %8x %8x %4x %*d %*u %*d %8x", &destination, &gateway, &flags,
			   &mask) != 4)
			continue;
		if (destination || mask || !gateway || !(flags & RTF_UP) || !(flags & RTF_GATEWAY))
			continue;
		addr = gateway;
		key = address_from_ipv4(&addr, 32);
		rc = system_addresses_add(addresses, SYSTEM_ADDRESS_GATEWAY, &key);
	}
	return rc;
}

static bool parse_hex(const char *text, uint8_t addr[16])
{
	for (unsigned int i = 0; i < 16; i++) {
		unsigned int byte;

		if (sscanf(text + 2 * (size_t)i, "%2x", &byte) != 1)
			return false;
		addr[i] = (uint8_t)byte;
	}
	return true;
}

int system_addresses_parse_ipv6_route(struct system_addresses *addresses, const char *text)
{
	static const uint8_t none[16];
	char line[LINE_SIZE];
	int rc = 0;

	while (!rc && next_line(&text, line)) {
		char destination[33], next_hop[33];
		uint8_t to[16], via[16];
		unsigned int length, flags;
		struct sluice_key key;

		if (sscanf(line,
			   "%32[0-9a-fA-F] %2x %*32[0-9a-fA-F] %*2x %32[0-9a-fA-F] %*8x %*8x "
			   "%*8x %8x",
			   destination, &length, next_hop, &flags) != 4 ||
		    strlen(destination) != 32 || strlen(next_hop) != 32 ||
		    !parse_hex(destination, to) || !parse_hex(next_hop, via))
			continue;
		if (length || memcmp(to, none, 16) || !memcmp(via, none, 16) || !(flags & RTF_UP) ||
		    !(flags & RTF_GATEWAY))
			continue;
		key = address_from_ipv6(via, 128);
		rc = system_addresses_add(addresses, SYSTEM_ADDRESS_GATEWAY, &key);
	}
	return rc;
}

int system_addresses_parse_resolv_conf(struct system_addresses *addresses, const char *text)
{
	char line[LINE_SIZE];
	int rc = 0;

	while (!rc && next_line(&text, line)) {
		char word[64];
		struct sluice_key key;

		if (sscanf(line, "nameserver %63s", word) != 1)
			continue;
		word[strcspn(word, "%")] = '\0'; /* fe80::1%eth0 */
		if (address_parse(word, &key, NULL))
			continue;
		rc = system_addresses_add(addresses, SYSTEM_ADDRESS_RESOLVER, &key);
	}
	return rc;
}

static int add_own(struct system_addresses *addresses)
{
	struct ifaddrs *list;
	int rc = 0;

	if (getifaddrs(&list))
		return -errno;
	for (const struct ifaddrs *entry = list; entry && !rc; entry = entry->ifa_next) {
		const void *addr = entry->ifa_addr;
		struct sluice_key key;

		if (!addr)
			continue;
		if (entry->ifa_addr->sa_family == AF_INET)
			key = address_from_ipv4(&((const struct sockaddr_in *)addr)->sin_addr, 32);
		else if (entry->ifa_addr->sa_family == AF_INET6)
			key = address_from_ipv6(&((const struct sockaddr_in6 *)addr)->sin6_addr,
						128);
		else
			continue;
		rc = system_addresses_add(addresses, SYSTEM_ADDRESS_OWN, &key);
	}
	freeifaddrs(list);
	return rc;
}

static int parse_file(struct system_addresses *addresses, const char *path,
		      int (*parse)(struct system_addresses *, const char *))
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), rc = 0;
	size_t length = 0;
	ssize_t got = 1;
	char *text;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	text = malloc(FILE_MAX + 1);
	if (!text) {
		close(fd);
		return -ENOMEM;
	}
	while (got > 0 && length < FILE_MAX) {
		got = read(fd, text + length, FILE_MAX - length);
		length += got > 0 ? (size_t)got : 0;
	}
	if (got < 0)
		rc = -errno;
	text[length] = '\0';
	if (!rc)
		rc = parse(addresses, text);
	free(text);
	close(fd);
	return rc;
}

int system_addresses_resolve(void *ctx, struct system_addresses *addresses)
{
	int rc = add_own(addresses);

	(void)ctx;
	if (!rc)
		rc = parse_file(addresses, "/proc/net/route", system_addresses_parse_route);
	if (!rc)
		rc = parse_file(addresses, "/proc/net/ipv6_route",
				system_addresses_parse_ipv6_route);
	if (!rc)
		rc = parse_file(addresses, "/etc/resolv.conf", system_addresses_parse_resolv_conf);
	return rc;
}
