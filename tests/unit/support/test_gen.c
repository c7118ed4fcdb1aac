// SPDX-License-Identifier: BSD-2-Clause
/*
 * The pure parts of sluice-gen: templates whose checksums come out right for any source, and an
 * alias table that gives each source its share.
 */
#include <criterion/criterion.h>

#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "gen_packet.h"
#include "gen_rates.h"

static struct gen_address address(const char *text)
{
	struct gen_address parsed = { .family = strchr(text, ':') ? AF_INET6 : AF_INET };

	cr_assert_eq(inet_pton(parsed.family, text, &parsed.v6), 1);
	return parsed;
}

static uint32_t sum_words(const uint8_t *data, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? data[i] : data[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

/* What gen.bpf.c does to the template, for the source numbered `n`. */
static void complete(uint8_t *frame, const struct gen_config *config, uint32_t n)
{
	uint32_t source = htonl(config->source_base + n), sum = config->l4_sum;
	uint32_t words = (source & 0xffff) + (source >> 16);
	uint16_t port = htons(4711), check;

	memcpy(frame + config->l3_offset + 12, &source, sizeof(source));
	if (!config->ipv6) {
		check = ~fold(config->ip_sum + words);
		memcpy(frame + config->l3_offset + 10, &check, sizeof(check));
	}
	if (config->l4_source)
		sum += words;
	if (config->random_port) {
		memcpy(frame + config->l4_offset, &port, sizeof(port));
		sum += port;
	}
	check = ~fold(sum);
	memcpy(frame + config->l4_check_offset, &check, sizeof(check));
}

/* As the IP header says. */
static size_t l4_size(const uint8_t *frame, const struct gen_config *config)
{
	const uint8_t *l3 = frame + config->l3_offset;

	return config->ipv6 ? (size_t)(l3[4] << 8 | l3[5]) : (size_t)(l3[2] << 8 | l3[3]) - 20;
}

/* Computed from the finished frame alone; a right checksum makes all ones. */
static uint16_t l4_checksum(const uint8_t *frame, const struct gen_config *config, uint8_t protocol)
{
	const uint8_t *l3 = frame + config->l3_offset, *l4 = frame + config->l4_offset;
	size_t size = l4_size(frame, config);
	uint32_t sum = sum_words(l4, size);

	if (config->ipv6)
		sum += sum_words(l3 + 8, 32) + size + protocol;
	else if (protocol != IPPROTO_ICMP)
		sum += sum_words(l3 + 12, 8) + size + protocol;
	return fold(sum);
}

Test(gen_packet, checksums_are_right_for_every_source)
{
	static const struct {
		const char *source, *to;
		enum gen_protocol protocol;
		uint8_t number;
		uint16_t vlan, from_port;
		size_t length, expected_length, expected_l4;
	} cases[] = {
		{ "198.18.0.0", "10.0.0.2", GEN_PROTOCOL_UDP, IPPROTO_UDP, 0, 0, 0, 60, 26 },
		{ "198.18.255.250", "10.0.0.2", GEN_PROTOCOL_UDP, IPPROTO_UDP, 5, 99, 61, 61, 23 },
		{ "198.18.0.0", "10.0.0.2", GEN_PROTOCOL_TCP_SYN, IPPROTO_TCP, 0, 0, 0, 60, 20 },
		{ "198.18.0.0", "10.0.0.2", GEN_PROTOCOL_ICMP, IPPROTO_ICMP, 0, 0, 1514, 1514,
		  1480 },
		{ "2001:db8::1", "fd00::2", GEN_PROTOCOL_UDP, IPPROTO_UDP, 0, 0, 0, 62, 8 },
		{ "2001:db8::1", "fd00::2", GEN_PROTOCOL_TCP_SYN, IPPROTO_TCP, 0, 7, 0, 74, 20 },
		{ "2001:db8:ffff:fff0::1", "fd00::2", GEN_PROTOCOL_ICMP, IPPROTO_ICMPV6, 9, 0, 99,
		  99, 41 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct gen_packet packet = {
			.protocol = cases[i].protocol,
			.source = address(cases[i].source),
			.to = address(cases[i].to),
			.n_sources = 10,
			.from_port = cases[i].from_port,
			.to_port = 80,
			.vlan = cases[i].vlan,
			.length = cases[i].length,
		};
		uint8_t frame[GEN_FRAME_MAX];
		struct gen_config config;
		const char *why = "";
		size_t length;

		cr_assert_eq(gen_packet_build(&packet, frame, &length, &config, &why), 0,
			     "case %zu: %s", i, why);
		cr_assert_eq(length, cases[i].expected_length, "case %zu: %zu", i, length);
		cr_assert_eq(l4_size(frame, &config), cases[i].expected_l4, "case %zu", i);
		for (uint32_t n = 0; n < 10; n++) {
			complete(frame, &config, n);
			if (!config.ipv6)
				cr_assert_eq(fold(sum_words(frame + config.l3_offset, 20)), 0xffff,
					     "case %zu, source %u: IPv4 header", i, n);
			cr_assert_eq(l4_checksum(frame, &config, cases[i].number), 0xffff,
				     "case %zu, source %u: L4", i, n);
		}
	}
}

Test(gen_packet, refuses_what_cannot_be_sent)
{
	static const struct {
		const char *source, *to;
		uint32_t n_sources;
		size_t length;
	} cases[] = {
		{ "198.18.0.0", "fd00::2", 1, 0 },
		{ "198.18.0.0", "10.0.0.2", 0, 0 },
		{ "255.255.255.250", "10.0.0.2", 7, 0 },
		{ "2001:db8:ffff:ffff::", "fd00::2", UINT32_MAX, 0 },
		{ "2001:db8::1", "fd00::2", 1, 61 },
		{ "198.18.0.0", "10.0.0.2", 1, GEN_FRAME_MAX + 1 },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct gen_packet packet = {
			.source = address(cases[i].source),
			.to = address(cases[i].to),
			.n_sources = cases[i].n_sources,
			.length = cases[i].length,
		};
		uint8_t frame[GEN_FRAME_MAX];
		struct gen_config config;
		const char *why = NULL;
		size_t length;

		cr_assert_eq(gen_packet_build(&packet, frame, &length, &config, &why), -EINVAL,
			     "case %zu", i);
		cr_assert_not_null(why, "case %zu", i);
	}
}

/* The share of each source, added up over the cells of the table. */
static void shares_of(const struct gen_cell *cells, size_t n, double *shares)
{
	memset(shares, 0, n * sizeof(*shares));
	for (size_t i = 0; i < n; i++) {
		double keep = cells[i].keep / (double)UINT32_MAX;

		shares[i] += keep / n;
		cr_assert_lt(cells[i].alias, n);
		shares[cells[i].alias] += (1 - keep) / n;
	}
}

Test(gen_rates, alias_table_gives_each_source_its_share)
{
	enum { N = 1000 };
	static double weights[N], wanted[N], shares[N];
	static struct gen_cell cells[N];
	double sum = 0;

	gen_rates_gaussian(weights, N, 1 / 6.0);
	memcpy(wanted, weights, sizeof(wanted));
	for (size_t i = 0; i < N; i++)
		sum += wanted[i];
	cr_assert_eq(gen_rates_alias(weights, N, cells), 0);
	shares_of(cells, N, shares);
	for (size_t i = 0; i < N; i++)
		cr_assert_float_eq(shares[i], wanted[i] / sum, 1e-9, "source %zu", i);
	cr_assert_float_eq(wanted[0], wanted[N - 1], 1e-12, "the density is symmetrical");
	cr_assert_gt(wanted[N / 2], 80 * wanted[0], "and three deviations wide on each side");
}

Test(gen_rates, alias_table_of_one_source)
{
	double weights[1] = { 0.25 };
	struct gen_cell cells[1];

	cr_assert_eq(gen_rates_alias(weights, 1, cells), 0);
	cr_assert_eq(cells[0].alias, 0);
}
