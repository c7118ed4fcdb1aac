/* SPDX-License-Identifier: BSD-2-Clause */
/* See words.h. */
#include "words.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

struct word {
	const char *text;
	uint8_t number;
};

static const struct word protocols[] = {
	{ "tcp", IPPROTO_TCP },		{ "udp", IPPROTO_UDP },	  { "icmp", IPPROTO_ICMP },
	{ "icmpv6", IPPROTO_ICMPV6 },	{ "igmp", IPPROTO_IGMP }, { "gre", IPPROTO_GRE },
	{ "esp", IPPROTO_ESP },		{ "sctp", IPPROTO_SCTP }, { "dccp", IPPROTO_DCCP },
	{ "udplite", IPPROTO_UDPLITE },
};

static const struct word tcp_flags[] = {
	{ "fin", 1 },  { "syn", 2 },  { "rst", 4 },  { "psh", 8 },
	{ "ack", 16 }, { "urg", 32 }, { "ece", 64 }, { "cwr", 128 },
};

static const struct word fragments[] = {
	{ "none", SLUICE_RULE_FRAGMENT_NONE },
	{ "first", SLUICE_RULE_FRAGMENT_FIRST },
	{ "later", SLUICE_RULE_FRAGMENT_LATER },
	{ "any", SLUICE_RULE_FRAGMENT_ANY },
};

#define ALL(list) list, sizeof(list) / sizeof((list)[0])

static const struct word *find(const struct word *list, size_t n, const char *text, size_t length)
{
	for (size_t i = 0; i < n; i++)
		if (strlen(list[i].text) == length && memcmp(list[i].text, text, length) == 0)
			return &list[i];
	return NULL;
}

/* At most nine digits, so that nothing overflows. */
static const char *digits(const char *text, uint64_t *number)
{
	size_t length = strspn(text, "0123456789");

	if (length == 0 || length > 9)
		return NULL;
	*number = strtoull(text, NULL, 10);
	return text + length;
}

bool words_number(const char *text, uint64_t most, uint64_t *number)
{
	const char *at = digits(text, number);

	if (!at)
		return false;
	if (*at == 'k' || *at == 'M')
		*number *= *at++ == 'k' ? 1000u : 1000000u;
	return *at == '\0' && *number <= most;
}

bool words_range(const char *text, uint16_t most, struct sluice_rule_range *range)
{
	uint64_t from, to;
	const char *at = digits(text, &from);

	to = from;
	if (at && *at == '-')
		at = digits(at + 1, &to);
	if (!at || *at || from > to || to > most)
		return false;
	*range = (struct sluice_rule_range){ (uint16_t)from, (uint16_t)to };
	return true;
}

bool words_protocol(const char *text, uint8_t *protocol)
{
	const struct word *word = find(ALL(protocols), text, strlen(text));
	uint64_t number;

	if (!word && !words_number(text, 255, &number))
		return false;
	*protocol = word ? word->number : (uint8_t)number;
	return true;
}

bool words_tcp_flags(const char *text, uint8_t *value, uint8_t *mask)
{
	*value = *mask = 0;
	for (const char *at = text;; at++) {
		bool clear = *at == '!';
		size_t length;
		const struct word *word;

		at += clear;
		length = strcspn(at, ",");
		word = find(ALL(tcp_flags), at, length);
		if (!word || *mask & word->number)
			return false;
		*mask |= word->number;
		*value |= clear ? 0 : word->number;
		at += length;
		if (!*at)
			return true;
	}
}

bool words_fragment(const char *text, uint8_t *fragment)
{
	const struct word *word = find(ALL(fragments), text, strlen(text));

	if (word)
		*fragment = word->number;
	return word != NULL;
}

static int hex_digit(char c)
{
	static const char all[] = "0123456789abcdef";
	const char *at = c ? strchr(all, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

	return at ? (int)(at - all) : -1;
}

uint8_t words_bytes(const char *text, uint8_t bytes[SLUICE_RULE_PAYLOAD_MAX])
{
	uint8_t n = 0;

	while (*text) {
		if (*text == ' ') {
			text++;
			continue;
		}
		int high = hex_digit(text[0]), low = high < 0 ? -1 : hex_digit(text[1]);

		if (low < 0 || n == SLUICE_RULE_PAYLOAD_MAX)
			return 0;
		bytes[n++] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return n;
}

const char *words_protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < sizeof(protocols) / sizeof(protocols[0]); i++)
		if (protocols[i].number == protocol)
			return protocols[i].text;
	return NULL;
}

bool words_has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}
