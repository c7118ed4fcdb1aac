/* SPDX-License-Identifier: BSD-2-Clause */
/* The ledger: what dropped a packet, since when, and how it is summed up. */
#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "trial/ledger.h"

static const char *const names[] = { "threshold", "a_name_longer_than_15" };

static struct sluice_key key_of(const char *text)
{
	struct sluice_key key;

	cr_assert_eq(address_parse_prefix(text, ADDRESS_STRICT, &key, NULL), 0);
	return key;
}

static struct ledger *make(void)
{
	struct ledger *ledger;

	cr_assert_eq(ledger_new(names, 2, &ledger), 0);
	return ledger;
}

static void block(struct ledger *ledger, const char *text, const char *reason, uint64_t at)
{
	struct dataplane_block_record record = { .key = key_of(text), .detector = "threshold" };
	const struct score_cause mark = { .enforced_ns = at };

	snprintf(record.reason, sizeof(record.reason), "%s", reason);
	cr_assert_eq(ledger_block(ledger, &record, &mark), 0);
}

static const struct score_cause *drop_of(struct ledger *ledger, enum dataplane_reason reason,
					 const char *source, enum score_class class)
{
	const struct dataplane_replay_verdict verdict = { .drop = true, .reason = reason };
	const struct sluice_key key = key_of(source);

	return ledger_drop(ledger, &verdict, &key, class);
}

Test(ledger, sums_blocks_up_by_reason)
{
	struct ledger *ledger = make();
	const struct ledger_line *lines;
	size_t n;

	block(ledger, "192.0.2.1", "source_pps", 100);
	block(ledger, "192.0.2.2", "source_pps", 200);
	block(ledger, "192.0.2.3", "source_syn_pps", 300);
	cr_assert_eq(
		drop_of(ledger, DATAPLANE_REASON_BLOCKED, "192.0.2.2", SCORE_ATTACK)->enforced_ns,
		200);
	cr_assert_eq(drop_of(ledger, DATAPLANE_REASON_BLOCKED, "192.0.2.1", SCORE_BENIGN)->detector,
		     0);
	lines = ledger_lines(ledger, &n);
	cr_assert_eq(n, 2);
	cr_assert_str_eq(lines[0].reason, "source_pps");
	cr_assert_eq(lines[0].entries, 2);
	cr_assert_eq(lines[0].packets, 2);
	cr_assert_eq(lines[0].attack_packets, 1);
	cr_assert_eq(lines[0].benign_packets, 1);
	cr_assert_eq(lines[1].packets, 0);
	/* Blocked once more: since then, and still one source. */
	block(ledger, "192.0.2.1", "source_pps", 900);
	cr_assert_eq(
		drop_of(ledger, DATAPLANE_REASON_BLOCKED, "192.0.2.1", SCORE_ATTACK)->enforced_ns,
		900);
	cr_assert_eq(ledger_sources(ledger), 3);
	cr_assert_eq(ledger_rules_enforced(ledger), 0);
	ledger_free(ledger);
}

Test(ledger, the_filters_own_checks_are_nobodys)
{
	struct ledger *ledger = make();
	const struct score_cause *cause =
		drop_of(ledger, DATAPLANE_REASON_MALFORMED, "192.0.2.1", SCORE_ATTACK);
	const struct ledger_line *lines;
	size_t n;

	cr_assert_eq(cause->detector, -1);
	cr_assert_eq(cause->enforced_ns, 0);
	(void)drop_of(ledger, DATAPLANE_REASON_MALFORMED, "192.0.2.9", SCORE_ATTACK);
	lines = ledger_lines(ledger, &n);
	cr_assert_eq(n, 1);
	cr_assert_str_eq(lines[0].reason, "malformed");
	cr_assert_str_eq(lines[0].detector, "filter");
	cr_assert_eq(lines[0].packets, 2);
	cr_assert_eq(ledger_rules_enforced(ledger), 0);
	ledger_free(ledger);
}

static struct dataplane_rule rule_of(const char *name, const char *origin)
{
	struct dataplane_rule rule = { .match.fields = SLUICE_RULE_PROTOCOL, .match.protocol = 17 };

	snprintf(rule.name, sizeof(rule.name), "%s", name);
	snprintf(rule.origin, sizeof(rule.origin), "%s", origin);
	return rule;
}

static const struct score_cause *rule_drop(struct ledger *ledger, const struct dataplane_rule *rule)
{
	const struct dataplane_replay_verdict verdict = { .drop = true,
							  .reason = DATAPLANE_REASON_RULE,
							  .rule = rule };
	const struct sluice_key key = key_of("192.0.2.1");

	return ledger_drop(ledger, &verdict, &key, SCORE_ATTACK);
}

/* The file's rules go on when a detector's joins; what leaves and comes back is a new entry. */
Test(ledger, rules_keep_their_beginning)
{
	struct ledger *ledger = make();
	struct dataplane_rule set[2] = { rule_of("static", "config"), { .name = "" } };
	const struct score_cause first = { .enforced_ns = 0 }, second = { .enforced_ns = 50 },
				 third = { .enforced_ns = 90 };
	const struct ledger_line *lines;
	size_t n;

	cr_assert_eq(ledger_rules(ledger, set, 1, &first), 0);
	/* Records of detectors' names keep 15 letters. */
	set[1] = rule_of("auto-1", "a_name_longer_t");
	cr_assert_eq(ledger_rules(ledger, set, 2, &second), 0);
	cr_assert_eq(rule_drop(ledger, &set[0])->enforced_ns, 0);
	cr_assert_eq(rule_drop(ledger, &set[0])->detector, -1);
	cr_assert_eq(rule_drop(ledger, &set[1])->enforced_ns, 50);
	cr_assert_eq(rule_drop(ledger, &set[1])->detector, 1);
	cr_assert_eq(ledger_rules(ledger, set, 1, &third), 0);
	cr_assert_eq(ledger_rules(ledger, set, 2, &third), 0);
	cr_assert_eq(rule_drop(ledger, &set[0])->enforced_ns, 0);
	cr_assert_eq(rule_drop(ledger, &set[1])->enforced_ns, 90);
	lines = ledger_lines(ledger, &n);
	cr_assert_eq(n, 2);
	cr_assert_str_eq(lines[1].reason, "auto-1");
	cr_assert_str_eq(lines[1].match, "protocol: udp");
	cr_assert_eq(lines[1].entries, 2);
	cr_assert_eq(lines[1].packets, 3);
	cr_assert_eq(ledger_rules_enforced(ledger), 2, "the file's own do not count");
	ledger_free(ledger);
}

Test(ledger, the_longest_prefix_is_it)
{
	struct ledger *ledger = make();
	const struct sluice_key wide = key_of("10.0.0.0/8"), narrow = key_of("10.1.0.0/16");
	const struct score_cause first = { .enforced_ns = 1 }, second = { .enforced_ns = 2 };

	cr_assert_eq(ledger_prefix(ledger, &wide, &first), 0);
	cr_assert_eq(ledger_prefix(ledger, &narrow, &second), 0);
	/* A new expiry is no new block. */
	cr_assert_eq(ledger_prefix(ledger, &wide, &second), 0);
	cr_assert_eq(drop_of(ledger, DATAPLANE_REASON_BLOCKED_PREFIX, "10.2.0.1", SCORE_ATTACK)
			     ->enforced_ns,
		     1);
	cr_assert_eq(drop_of(ledger, DATAPLANE_REASON_BLOCKED_PREFIX, "10.1.0.1", SCORE_ATTACK)
			     ->enforced_ns,
		     2);
	cr_assert_eq(ledger_rules_enforced(ledger), 2);
	ledger_free(ledger);
}
