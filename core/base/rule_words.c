/* SPDX-License-Identifier: BSD-2-Clause */
/* See rule_words.h. */
#include "rule_words.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text;
	uint8_t number;
} protocols[] = {
	{ "icmp", IPPROTO_ICMP }, { "igmp", IPPROTO_IGMP },	  { "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },	  { "dccp", IPPROTO_DCCP },	  { "gre", IPPROTO_GRE },
	{ "esp", IPPROTO_ESP },	  { "ah", IPPROTO_AH },		  { "icmpv6", IPPROTO_ICMPV6 },
	{ "sctp", IPPROTO_SCTP }, { "udplite", IPPROTO_UDPLITE },
};

/* By bit. */
static const char *const tcp_flags[] = { "fin", "syn", "rst", "psh", "ack", "urg", "ece", "cwr" };

static const char *const fragments[] = {
	[SLUICE_RULE_FRAGMENT_NONE] = "none",
	[SLUICE_RULE_FRAGMENT_FIRST] = "first",
	[SLUICE_RULE_FRAGMENT_LATER] = "later",
	[SLUICE_RULE_FRAGMENT_ANY] = "any",
};

#define LENGTH(list) (sizeof(list) / sizeof((list)[0]))

/* At most nine digits, so that nothing overflows; NULL if there are none, or more. */
static const char *digits(const char *text, uint32_t *number)
{
	size_t len = strspn(text, "0123456789");

	if (len == 0 || len > 9)
		return NULL;
	*number = (uint32_t)strtoul(text, NULL, 10);
	return text + len;
}

bool rule_words_protocol(const char *text, uint8_t *protocol)
{
	const char *end;
	uint32_t number;

	for (size_t i = 0; i < LENGTH(protocols); i++) {
		if (strcmp(protocols[i].text, text) == 0) {
			*protocol = protocols[i].number;
			return true;
		}
	}
	end = digits(text, &number);
	if (!end || *end || number > 255)
		return false;
	*protocol = (uint8_t)number;
	return true;
}

bool rule_words_range(const char *text, uint16_t most, struct sluice_rule_range *range)
{
	uint32_t from, to;
	const char *at = digits(text, &from);

	if (!at)
		return false;
	to = from;
	if (*at == '-')
		at = digits(at + 1, &to);
	if (!at || *at || from > to || to > most)
		return false;
	*range = (struct sluice_rule_range){ (uint16_t)from, (uint16_t)to };
	return true;
}

bool rule_words_fragment(const char *text, uint8_t *fragment)
{
	for (uint8_t i = 0; i < LENGTH(fragments); i++) {
		if (strcmp(fragments[i], text) == 0) {
			*fragment = i;
			return true;
		}
	}
	return false;
}

uint8_t rule_words_tcp_flag(const char *name, size_t len)
{
	for (size_t i = 0; i < LENGTH(tcp_flags); i++)
		if (strlen(tcp_flags[i]) == len && memcmp(tcp_flags[i], name, len) == 0)
			return (uint8_t)(1u << i);
	return 0;
}

const char *rule_words_tcp_flags(const char *text, uint8_t *value, uint8_t *mask)
{
	*value = *mask = 0;
	for (const char *at = text;; at++) {
		bool clear = *at == '!';
		uint8_t flag;
		size_t len;

		at += clear;
		len = strcspn(at, ",");
		flag = rule_words_tcp_flag(at, len);
		if (!flag || *mask & flag)
			return at;
		*mask |= flag;
		*value |= clear ? 0 : flag;
		at += len;
		if (!*at)
			return NULL;
	}
}

static int hex_digit(char c)
{
	static const char all[] = "0123456789abcdef";
	const char *at = c ? strchr(all, c >= 'A' && c <= 'F' ? c + ('a' - 'A') : c) : NULL;

	return at ? (int)(at - all) : -1;
}

uint8_t rule_words_bytes(const char *text, uint8_t bytes[SLUICE_RULE_PAYLOAD_MAX])
{
	uint8_t n = 0;

	while (*text) {
		int high, low;

		if (*text == ' ') {
			text++;
			continue;
		}
		high = hex_digit(text[0]);
		low = high < 0 ? -1 : hex_digit(text[1]);
		if (low < 0 || n == SLUICE_RULE_PAYLOAD_MAX)
			return 0;
		bytes[n++] = (uint8_t)(high << 4 | low);
		text += 2;
	}
	return n;
}

const char *rule_words_protocol_name(uint8_t protocol)
{
	for (size_t i = 0; i < LENGTH(protocols); i++)
		if (protocols[i].number == protocol)
			return protocols[i].text;
	return NULL;
}

const char *rule_words_fragment_name(uint8_t fragment)
{
	return fragments[fragment & SLUICE_RULE_FRAGMENT_ANY];
}

const char *rule_words_tcp_flag_name(unsigned int bit)
{
	return tcp_flags[bit & 7];
}

bool rule_words_has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_DCCP || protocol == IPPROTO_UDPLITE;
}
