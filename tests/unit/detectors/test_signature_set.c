/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures as people and other networks write them. */
#include <criterion/criterion.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "builtin.h"
#include "set.h"

static int parse(struct signature_set *set, const char *text, struct sluice_err *err)
{
	cr_assert_eq(signature_set_init(set), 0);
	memset(err, 0, sizeof(*err));
	return signature_set_parse(set, text, strlen(text), "my.yaml", err);
}

Test(signature_set, what_is_built_in_is_sound)
{
	struct signature_set set;
	struct sluice_err err = { 0 };

	cr_assert_eq(signature_set_init(&set), 0);
	cr_assert_eq(signature_set_parse(&set, signature_builtin, signature_builtin_size, "builtin",
					 &err),
		     0, "%s", err.text);
	cr_assert_geq(set.n, 40);
	for (size_t i = 0; i < set.n; i++)
		cr_expect_gt(set.list[i].pps, 0, "%s", set.list[i].name);
	signature_set_fini(&set);
}

Test(signature_set, every_built_in_one_says_where_it_is_described)
{
	const char *at = signature_builtin;
	size_t n_names = 0, n_references = 0;

	while ((at = strstr(at, "- name:"))) {
		const char *next = strstr(at + 1, "- name:");
		const char *reference = strstr(at, "reference: https://");

		n_names++;
		n_references += reference && (!next || reference < next);
		at++;
	}
	cr_assert_gt(n_names, 0);
	cr_assert_eq(n_names, n_references);
}

Test(signature_set, reads_every_key)
{
	struct signature_set set;
	struct sluice_err err;
	int code = parse(
		&set,
		"signatures:\n"
		"  - name: all_of_it\n"
		"    help: h\n"
		"    reference: r\n"
		"    pps: 2k\n"
		"    match: { protocol: tcp, source_port: 80, destination_port: 1-1023,\n"
		"             tcp_flags: \"syn,!ack\", length: 40-60, ttl: 1-200, fragment: none,\n"
		"             family: ipv4,\n"
		"             payload: { mask: \"f0 ff\", bytes: \"40 01\", offset: 3 } }\n"
		"    action: limit\n"
		"    limit: { rate: 50, per: source }\n",
		&err);
	const struct signature *got = set.list;

	cr_assert_eq(code, 0, "%s", err.text);
	cr_assert_eq(set.n, 1);
	cr_expect_str_eq(got->name, "all_of_it");
	cr_expect_eq(got->pps, 2000);
	cr_expect_eq(got->match.fields, SLUICE_RULE_PROTOCOL | SLUICE_RULE_SOURCE_PORT |
						SLUICE_RULE_DESTINATION_PORT |
						SLUICE_RULE_TCP_FLAGS | SLUICE_RULE_LENGTH |
						SLUICE_RULE_TTL | SLUICE_RULE_FRAGMENT);
	cr_expect_eq(got->match.size, sizeof(got->match));
	cr_expect_eq(got->match.protocol, 6);
	cr_expect_eq(got->match.source_port.to, 80);
	cr_expect_eq(got->match.destination_port.from, 1);
	cr_expect_eq(got->match.destination_port.to, 1023);
	cr_expect_eq(got->match.tcp_value, 2);
	cr_expect_eq(got->match.tcp_mask, 18);
	cr_expect_eq(got->match.payload_offset, 3);
	cr_expect_eq(got->match.payload_size, 2);
	cr_expect_eq(got->match.payload_mask[0], 0xf0);
	cr_expect_eq(got->match.family, SLUICE_FAMILY_IPV4);
	cr_expect_eq(got->action, SLUICE_RULE_LIMIT);
	cr_expect(got->is_per_source);
	cr_expect_eq(got->rate, 50);
	signature_set_fini(&set);
}

#define ONE(text) "signatures:\n  - name: a\n    match: { " text " }\n"

Test(signature_set, names_the_place_of_what_is_wrong)
{
	static const struct {
		const char *text, *starts, *says;
	} rows[] = {
		{ "", "my.yaml:1:1: ", "one key 'signatures'" },
		{ "signatures: 7\n", "my.yaml:1:13: ", "not a list" },
		{ "others: []\n", "my.yaml:1:1: ", "'signatures'" },
		{ "signatures: [7]\n", "my.yaml:1:14: ", "not a mapping" },
		{ "signatures:\n  - {name: a, match: {protocol: udp}, mtch: 1}\n",
		  "my.yaml:2:39: ", "allowed: name, help" },
		{ "signatures:\n  - {match: {protocol: udp}}\n",
		  "my.yaml:2:5: ", "'name' is missing" },
		{ "signatures:\n  - {name: a}\n", "my.yaml:2:5: ", "'match' is missing" },
		{ "signatures:\n  - {name: A, match: {protocol: udp}}\n", "my.yaml:2:12: ", "a-z" },
		{ "signatures:\n  - {name: a, name: b, match: {protocol: udp}}\n",
		  "my.yaml:2:15: ", "twice" },
		{ ONE("protocol: udpp"), "my.yaml:3:24: ", "udpp" },
		{ ONE("source_port: 53"), "my.yaml:3:12: ", "ports need" },
		{ ONE("protocol: udp, source_port: 9-3"), "my.yaml:3:42: ", "range" },
		{ ONE("protocol: udp, source_port: 65536"), "my.yaml:3:42: ", "65535" },
		{ ONE("protocol: udp, tcp_flags: syn"), "my.yaml:3:12: ", "protocol: tcp" },
		{ ONE("protocol: tcp, tcp_flags: sin"), "my.yaml:3:40: ", "syn,!ack" },
		{ ONE("protocol: udp, payload: { bytes: \"0g\" }"),
		  "my.yaml:3:47: ", "hexadecimal" },
		{ ONE("protocol: udp, payload: { bytes: \"01\", mask: \"ff ff\" }"),
		  "my.yaml:3:38: ", "as long" },
		{ ONE("protocol: udp, payload: { bytes: \"45\", mask: \"f0\" }"),
		  "my.yaml:3:38: ", "bits set" },
		{ ONE("protocol: [udp]"), "my.yaml:3:24: ", "not a word" },
		{ ONE(""), "my.yaml:3:12: ", "every packet" },
		{ "signatures:\n  - {name: a, match: {protocol: udp}, action: limit}\n",
		  "my.yaml:2:5: ", "go together" },
		{ "signatures:\n  - {name: a, match: {protocol: udp}}\n"
		  "  - {name: a, match: {protocol: tcp}}\n",
		  "my.yaml:3:5: ", "another name" },
		{ "signatures: [\n", "my.yaml:2:1: ", "" },
		{ "signatures: \xff\n", "my.yaml:", "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signature_set set;
		struct sluice_err err;

		cr_expect_lt(parse(&set, rows[i].text, &err), 0, "row %zu", i);
		cr_expect_eq(strncmp(err.text, rows[i].starts, strlen(rows[i].starts)), 0,
			     "row %zu: %s", i, err.text);
		cr_expect_not_null(strstr(err.text, rows[i].says), "row %zu: %s", i, err.text);
		signature_set_fini(&set);
	}
}

Test(signature_set, an_alias_of_itself_ends)
{
	struct signature_set set;
	struct sluice_err err;

	cr_assert_lt(parse(&set, "signatures: &a\n  - *a\n", &err), 0);
	signature_set_fini(&set);
}

static const char dns_fingerprint[] =
	"{\"attack_vectors\": ["
	"  {\"service\": \"DNS\", \"protocol\": \"UDP\", \"fraction_of_attack\": 0.9,"
	"   \"source_port\": 53, \"destination_ports\": \"random\", \"tcp_flags\": null,"
	"   \"frame_len\": {\"1514\": 0.97}, \"ttl\": {\"56\": 1.0}},"
	"  {\"service\": \"HTTP\", \"protocol\": \"TCP\", \"source_port\": \"random\","
	"   \"destination_ports\": {\"80\": 0.99}, \"tcp_flags\": {\"......S.\": 0.98}},"
	"  {\"service\": \"Fragmented IP packets\", \"protocol\": \"UDP\", \"source_port\": null},"
	"  {\"service\": \"Unknown service\", \"protocol\": \"UDP\", \"source_port\": \"random\","
	"   \"destination_ports\": \"random\"}],"
	" \"target\": \"Anonymous\", \"key\": \"c0ffee00112233445566778899aabbcc\"}";

Test(signature_set, takes_a_fingerprint)
{
	struct signature_set set;
	struct sluice_err err = { 0 };
	size_t left_out;

	cr_assert_eq(signature_set_init(&set), 0);
	cr_assert_eq(signature_set_import(&set, dns_fingerprint, strlen(dns_fingerprint), "f.json",
					  &left_out, &err),
		     0, "%s", err.text);
	cr_assert_eq(set.n, 3);
	cr_expect_eq(left_out, 1);
	cr_expect_str_eq(set.list[0].name, "dns_c0ffee_0");
	cr_expect_eq(set.list[0].match.source_port.from, 53);
	cr_expect_eq(set.list[0].match.length.from, 1500);
	cr_expect_not(set.list[0].match.fields & SLUICE_RULE_TTL);
	cr_expect_eq(set.list[1].match.tcp_value, 2);
	cr_expect_eq(set.list[1].match.tcp_mask, 0xff);
	cr_expect_eq(set.list[1].match.destination_port.to, 80);
	cr_expect_eq(set.list[2].match.fragment, SLUICE_RULE_FRAGMENT_ANY);
	signature_set_fini(&set);
}

Test(signature_set, refuses_what_is_no_fingerprint)
{
	static const char *const rows[] = { "",
					    "{",
					    "[]",
					    "{\"attack_vectors\": 3}",
					    "{\"attack_vectors\": []}",
					    "{\"attack_vectors\": [], \"attack_vectors\": []}" };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signature_set set;
		struct sluice_err err = { 0 };
		size_t left_out;

		cr_assert_eq(signature_set_init(&set), 0);
		cr_expect_eq(signature_set_import(&set, rows[i], strlen(rows[i]), "f.json",
						  &left_out, &err),
			     -EINVAL, "row %zu", i);
		cr_expect_eq(strncmp(err.text, "f.json:", 7), 0, "row %zu: %s", i, err.text);
		signature_set_fini(&set);
	}
}

/* What is left of a vector without its damaged field must not become a broader rule. */
Test(signature_set, leaves_out_damaged_vectors)
{
	static const char form[] =
		"{\"attack_vectors\": [{\"protocol\": \"UDP\", \"source_port\": %s,"
		" \"destination_ports\": %s, \"frame_len\": %s}]}";
	static const struct {
		const char *source, *destinations, *lengths;
		size_t left_out;
	} rows[] = {
		{ "123", "{\"80\": 1}", "{\"482\": 1}", 0 },
		{ "-1", "{\"80\": 1}", "{\"482\": 1}", 0 },
		{ "\"random\"", "{\"80\": 1}", "{\"482\": 1}", 0 },
		{ "123", "null", "\"random\"", 0 },
		{ "65536", "{\"80\": 1}", "{\"482\": 1}", 1 },
		{ "-2", "{\"80\": 1}", "{\"482\": 1}", 1 },
		{ "[123]", "{\"80\": 1}", "{\"482\": 1}", 1 },
		{ "true", "{\"80\": 1}", "{\"482\": 1}", 1 },
		{ "123", "80", "{\"482\": 1}", 1 },
		{ "123", "{\"99999\": 1}", "{\"482\": 1}", 1 },
		{ "123", "{\"http\": 1}", "{\"482\": 1}", 1 },
		{ "123", "{\"80\": 1}", "[482]", 1 },
		{ "123", "{\"80\": 1}", "{\"9\": 1}", 1 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct signature_set set;
		struct sluice_err err = { 0 };
		size_t left_out = 9;
		char text[256];

		snprintf(text, sizeof(text), form, rows[i].source, rows[i].destinations,
			 rows[i].lengths);
		cr_assert_eq(signature_set_init(&set), 0);
		cr_expect_eq(signature_set_import(&set, text, strlen(text), "f.json", &left_out,
						  &err),
			     0, "row %zu: %s", i, err.text);
		cr_expect_eq(left_out, rows[i].left_out, "row %zu", i);
		cr_expect_eq(set.n, 1 - rows[i].left_out, "row %zu", i);
		signature_set_fini(&set);
	}
}

/* Any prefix of a fingerprint, and any byte of it changed: read or refused, never worse. */
Test(signature_set, survives_damaged_fingerprints)
{
	size_t size = strlen(dns_fingerprint);
	char copy[sizeof(dns_fingerprint)];

	for (size_t i = 0; i < 4 * size; i++) {
		struct signature_set set;
		struct sluice_err err = { 0 };
		size_t left_out, cut = i < size ? i : size;
		int code;

		memcpy(copy, dns_fingerprint, sizeof(copy));
		if (i >= size)
			copy[i % size] = (char)(copy[i % size] ^ (1 << (i / size)));
		cr_assert_eq(signature_set_init(&set), 0);
		code = signature_set_import(&set, copy, cut, "f.json", &left_out, &err);
		cr_expect(code == 0 || err.text[0], "%zu", i);
		cr_expect(code == 0 ? set.n + left_out == 4 || set.n + left_out > 0 : code < 0);
		signature_set_fini(&set);
	}
}

Test(signature_set, leaves_one_out)
{
	struct signature_set set;
	struct sluice_err err;

	cr_assert_eq(parse(&set,
			   "signatures:\n  - {name: a, match: {protocol: udp}}\n"
			   "  - {name: b, match: {protocol: tcp}}\n",
			   &err),
		     0);
	cr_expect(signature_set_drop(&set, "a"));
	cr_expect_not(signature_set_drop(&set, "a"));
	cr_assert_eq(set.n, 1);
	cr_expect_str_eq(set.list[0].name, "b");
	signature_set_fini(&set);
}

Test(signature_set, refuses_files_that_are_none)
{
	struct signature_set set;
	struct sluice_err err = { 0 };
	size_t left_out;

	cr_assert_eq(signature_set_init(&set), 0);
	cr_expect_eq(signature_set_read(&set, "/nonexistent.yaml", &left_out, &err), -ENOENT);
	cr_expect_not_null(strstr(err.text, "/nonexistent.yaml"));
	cr_expect_eq(signature_set_read(&set, "/dev/zero", &left_out, &err), -EFBIG);
	signature_set_fini(&set);
}
