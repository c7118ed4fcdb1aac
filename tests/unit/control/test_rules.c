/* SPDX-License-Identifier: BSD-2-Clause */
/* Signature rules from the deployment file to the data plane, and back into words. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>
#include <jansson.h>

#include "config/errors.h"
#include "config/settings.h"
#include "dataplane/dataplane.h"
#include "dataplane/rule_text.h"
#include "engine/rule_settings.h"
#include "sluiced/rules_list.h"

/* A data plane that keeps the rules that it was given, and tells them as the kernel's would. */
struct keeper {
	struct dataplane dp;
	struct dataplane_rule rules[DATAPLANE_MAX_RULES];
	size_t n;
	bool is_adopted; /* An earlier daemon set them. */
};

static int keep(struct dataplane *dp, const struct dataplane_rule *rules, size_t n,
		struct sluice_err *err)
{
	struct keeper *keeper = (struct keeper *)dp;

	(void)err;
	cr_assert_leq(n, DATAPLANE_MAX_RULES);
	memcpy(keeper->rules, rules, n * sizeof(*rules));
	keeper->n = n;
	return 0;
}

static void tell(const struct dataplane *dp, dataplane_rule_fn fn, void *ctx)
{
	const struct keeper *keeper = (const struct keeper *)dp;

	for (size_t i = 0; i < keeper->n; i++) {
		struct dataplane_rule_counters counters = {
			.action = keeper->rules[i].action,
			.packets = 1000 + i,
			.bytes = 64000,
			.dropped_packets = 7,
			.dropped_bytes = 448,
			.tokens = 180,
			.rule = keeper->is_adopted ? NULL : &keeper->rules[i],
		};

		memcpy(counters.name, keeper->rules[i].name, sizeof(counters.name));
		fn(ctx, &counters);
	}
}

static const struct dataplane_ops ops = { .rules_set = keep, .rules_read = tell };

static void apply(const char *rules, struct keeper *keeper)
{
	static struct dataplane_rule converted[DATAPLANE_MAX_RULES];
	char yaml[8192], text[CONFIG_ERROR_TEXT_SIZE] = "";
	struct config_errors errors;
	struct settings *settings;
	int len = snprintf(yaml, sizeof(yaml), "version: 1\ninterfaces: [eth0]\nrules:\n%s", rules);

	cr_assert_lt((size_t)len, sizeof(yaml));
	config_errors_init(&errors);
	if (settings_parse("f", yaml, (size_t)len, &errors, &settings))
		cr_assert_fail("%s in\n%s", config_error_format(&errors.list[0], text), yaml);
	*keeper = (struct keeper){ .dp = { .ops = &ops } };
	cr_assert_leq(settings->n_rules, DATAPLANE_MAX_RULES);
	for (size_t i = 0; i < settings->n_rules; i++)
		rule_settings_convert(&settings->rules[i], &converted[i]);
	cr_assert_eq(keep(&keeper->dp, converted, settings->n_rules, NULL), 0);
	settings_free(settings);
}

static const char *const matches[] = {
	"protocol: udp, source_port: 123, length: 200-65535",
	"protocol: 253",
	"protocol: icmpv6, family: ipv6, ttl: 0-254",
	"protocol: tcp, tcp_flags: \"!fin,syn,!rst,!ack,cwr\"",
	"fragment: any",
	"destination: \"192.0.2.0/24\", fragment: later",
	"destination: \"2001:db8::/32\"",
	"destination: \"::/0\", destination_port: 0",
	"protocol: udp, destination_port: 1024-65535, payload: { offset: 4, bytes: \"00 01 ff\" }",
	"payload: { offset: 1400, bytes: \"17 00 03 2a\", mask: \"ff 00 03 2a\" }",
	"protocol: udplite, family: ipv6, "
	"destination: \"2001:db8:4567:89ab:cdef:123:4567:89ab\", fragment: first, "
	"source_port: 10000-65535, destination_port: 10000-65534, length: 10000-65535, "
	"ttl: 100-255, payload: { offset: 1400, "
	"bytes: \"00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f\", "
	"mask: \"f0 f1 f2 f3 f4 f5 f6 f7 f8 f9 fa fb fc fd fe ff\" }",
};
#define N_MATCHES (sizeof(matches) / sizeof(matches[0]))

Test(rules, words_are_those_of_the_file)
{
	static struct keeper keeper;
	char yaml[6000] = "", text[RULE_TEXT_SIZE];
	size_t used = 0;

	for (size_t i = 0; i < N_MATCHES; i++)
		used += (size_t)snprintf(yaml + used, sizeof(yaml) - used,
					 "  - { name: r%zu, match: { %s }, action: drop }\n", i,
					 matches[i]);
	apply(yaml, &keeper);
	cr_assert_eq(keeper.n, N_MATCHES);
	for (size_t i = 0; i < N_MATCHES; i++) {
		cr_assert_str_eq(rule_text_match(&keeper.rules[i], text), matches[i]);
		cr_assert_str_eq(keeper.rules[i].origin, "config");
	}
}

Test(rules, any_packet_has_no_words)
{
	static struct keeper keeper;
	char text[RULE_TEXT_SIZE];

	apply("  - { name: all, match: {}, action: limit, limit: { rate: 1M } }\n", &keeper);
	cr_assert_str_eq(rule_text_match(&keeper.rules[0], text), "");
}

static const char *member(const json_t *rule, const char *name)
{
	const char *text = json_string_value(json_object_get(rule, name));

	return text ? text : "(none)";
}

static json_int_t number(const json_t *rule, const char *name)
{
	return json_integer_value(json_object_get(rule, name));
}

static json_t *document_of(const struct keeper *keeper)
{
	struct rules_list *list = calloc(1, sizeof(*list));
	json_t *json;

	cr_assert_not_null(list);
	rules_list_read(&keeper->dp, list);
	json = rules_list_json(list);
	free(list);
	cr_assert_not_null(json);
	return json;
}

static const char three_rules[] =
	"  - { name: ntp, match: { protocol: udp, source_port: 123 }, action: drop }\n"
	"  - { name: syn, match: { tcp_flags: syn }, action: limit, limit: { rate: 80kbit, burst: 128k, per: source } }\n"
	"  - { name: icmp, match: { protocol: icmp }, action: limit, limit: { rate: 1k, burst: 200 } }\n";

Test(rules, document_tells_what_each_did)
{
	static struct keeper keeper;
	json_t *json;
	const json_t *rules, *rule, *limit;

	apply(three_rules, &keeper);
	json = document_of(&keeper);
	rules = json_object_get(json, "rules");
	cr_assert_eq(json_integer_value(json_object_get(json, "schema")), 1);
	cr_assert_eq(json_array_size(rules), 3);
	rule = json_array_get(rules, 0);
	cr_assert_eq(number(rule, "place"), 1);
	cr_assert_str_eq(member(rule, "name"), "ntp");
	cr_assert_str_eq(member(rule, "origin"), "config");
	cr_assert_str_eq(member(rule, "action"), "drop");
	cr_assert_str_eq(member(rule, "match"), "protocol: udp, source_port: 123");
	cr_assert(json_is_null(json_object_get(rule, "limit")));
	cr_assert_eq(number(rule, "packets"), 1000);
	cr_assert_eq(number(rule, "bytes"), 64000);
	cr_assert_eq(number(rule, "dropped_packets"), 7);
	cr_assert_eq(number(rule, "dropped_bytes"), 448);
	limit = json_object_get(json_array_get(rules, 1), "limit");
	cr_assert_eq(number(limit, "rate"), 10000);
	cr_assert_eq(number(limit, "burst"), 128000);
	cr_assert_str_eq(member(limit, "unit"), "bytes");
	cr_assert_str_eq(member(limit, "per"), "source");
	cr_assert(json_is_null(json_object_get(limit, "available")));
	limit = json_object_get(json_array_get(rules, 2), "limit");
	cr_assert_eq(number(limit, "rate"), 1000);
	cr_assert_str_eq(member(limit, "unit"), "packets");
	cr_assert_str_eq(member(limit, "per"), "all");
	cr_assert_eq(number(limit, "available"), 180);
	json_decref(json);
}

/* What is in pinned memory is told; what only the daemon before knew is not made up. */
Test(rules, document_of_adopted_rules)
{
	static struct keeper keeper;
	const json_t *rule;
	json_t *json;

	apply(three_rules, &keeper);
	keeper.is_adopted = true;
	memcpy(keeper.rules[0].name, "\xff\x1b x", 5);
	json = document_of(&keeper);
	rule = json_array_get(json_object_get(json, "rules"), 0);
	cr_assert_str_eq(member(rule, "name"), "?? x");
	cr_assert_str_eq(member(rule, "origin"), "");
	cr_assert(json_is_null(json_object_get(rule, "match")));
	cr_assert(json_is_null(json_object_get(rule, "limit")));
	cr_assert_eq(number(rule, "packets"), 1000);
	json_decref(json);
}

Test(rules, document_of_no_rules)
{
	static struct keeper keeper = { .dp = { .ops = &ops } };
	json_t *json = document_of(&keeper);

	cr_assert_eq(json_array_size(json_object_get(json, "rules")), 0);
	json_decref(json);
}
