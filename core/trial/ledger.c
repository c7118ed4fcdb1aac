/* SPDX-License-Identifier: BSD-2-Clause */
/* See ledger.h. */
#include "ledger.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/hash_table.h"

#define CONFIG_ORIGIN "config"

struct entry {
	struct score_cause cause;
	uint32_t line;
};

struct named_rule {
	char name[SLUICE_RULE_NAME_SIZE];
	uint32_t entry;
};

struct prefix {
	struct sluice_key key;
	uint32_t entry;
};

struct ledger {
	const char *const *detectors;
	size_t n_detectors;
	struct ledger_line *lines;
	size_t n_lines, lines_capacity;
	struct entry *entries;
	size_t n_entries, entries_capacity;
	struct hash_table *sources; /* To entries. */
	struct prefix *prefixes;
	size_t n_prefixes, prefixes_capacity;
	struct named_rule rules[DATAPLANE_MAX_RULES];
	size_t n_rules;
	/* The filter's own reasons, by number. */
	struct entry own[DATAPLANE_N_REASONS];
	/* The rule of the last drop: mostly that of the next, too. */
	const struct dataplane_rule *last_rule;
	uint32_t last_entry;
};

int ledger_new(const char *const *detectors, size_t n_detectors, struct ledger **out)
{
	const struct address_secret secret = { { 3, 4 } };
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	int ret;

	if (!ledger)
		return -ENOMEM;
	ledger->detectors = detectors;
	ledger->n_detectors = n_detectors;
	ret = hash_table_new(0, &secret, &ledger->sources);
	if (ret) {
		free(ledger);
		return ret;
	}
	*out = ledger;
	return 0;
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	hash_table_free(ledger->sources);
	free(ledger->prefixes);
	free(ledger->entries);
	free(ledger->lines);
	free(ledger);
}

/* Room for one more of `n`. */
static int grow(void **list, size_t size, size_t n, size_t *capacity)
{
	size_t more = *capacity ? *capacity * 2 : 64;
	void *bigger;

	if (n < *capacity)
		return 0;
	bigger = realloc(*list, more * size);
	if (!bigger)
		return -ENOMEM;
	*list = bigger;
	*capacity = more;
	return 0;
}

/* The line of that kind, made if there is none; or -ENOMEM. */
static int find_line(struct ledger *ledger, const struct ledger_line *wanted)
{
	for (size_t i = 0; i < ledger->n_lines; i++) {
		const struct ledger_line *line = &ledger->lines[i];

		if (line->is_rule == wanted->is_rule && strcmp(line->reason, wanted->reason) == 0 &&
		    strcmp(line->detector, wanted->detector) == 0 &&
		    strcmp(line->match, wanted->match) == 0)
			return (int)i;
	}
	if (grow((void **)&ledger->lines, sizeof(*ledger->lines), ledger->n_lines,
		 &ledger->lines_capacity))
		return -ENOMEM;
	ledger->lines[ledger->n_lines] = *wanted;
	return (int)ledger->n_lines++;
}

static int find_detector(const struct ledger *ledger, const char *name)
{
	for (size_t i = 0; i < ledger->n_detectors; i++)
		/* Pinned records keep the first 15 letters of a name. */
		if (strncmp(ledger->detectors[i], name, 15) == 0)
			return (int)i;
	return -1;
}

/* The index of a new entry on the line of that kind, or -ENOMEM. */
static int add_entry(struct ledger *ledger, const struct ledger_line *kind,
		     const struct score_cause *mark)
{
	int line = find_line(ledger, kind);
	struct entry *entry;

	if (line < 0 || grow((void **)&ledger->entries, sizeof(*ledger->entries), ledger->n_entries,
			     &ledger->entries_capacity))
		return -ENOMEM;
	ledger->lines[line].entries++;
	entry = &ledger->entries[ledger->n_entries];
	entry->cause = *mark;
	entry->cause.detector = find_detector(ledger, kind->detector);
	entry->line = (uint32_t)line;
	return (int)ledger->n_entries++;
}

int ledger_block(struct ledger *ledger, const struct dataplane_block_record *record,
		 const struct score_cause *mark)
{
	struct ledger_line kind = { .match = "source" };
	int entry;

	snprintf(kind.reason, sizeof(kind.reason), "%.23s", record->reason);
	snprintf(kind.detector, sizeof(kind.detector), "%.15s", record->detector);
	entry = add_entry(ledger, &kind, mark);
	if (entry < 0)
		return entry;
	/* Blocked once more after its release: from now on by this entry. */
	return hash_table_set(ledger->sources, &record->key, (uint32_t)entry) < 0 ? -ENOMEM : 0;
}

int ledger_prefix(struct ledger *ledger, const struct sluice_key *prefix,
		  const struct score_cause *mark)
{
	struct ledger_line kind = { .reason = "prefix", .is_rule = true };
	char text[ADDRESS_TEXT_SIZE];
	int entry;

	for (size_t i = 0; i < ledger->n_prefixes; i++)
		if (address_equal(&ledger->prefixes[i].key, prefix))
			return 0;
	snprintf(kind.match, sizeof(kind.match), "source: %s", address_format(prefix, text));
	if (grow((void **)&ledger->prefixes, sizeof(*ledger->prefixes), ledger->n_prefixes,
		 &ledger->prefixes_capacity))
		return -ENOMEM;
	entry = add_entry(ledger, &kind, mark);
	if (entry < 0)
		return entry;
	ledger->prefixes[ledger->n_prefixes++] =
		(struct prefix){ .key = *prefix, .entry = (uint32_t)entry };
	return 0;
}

static int find_rule(const struct named_rule *rules, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strncmp(rules[i].name, name, sizeof(rules[i].name)) == 0)
			return (int)i;
	return -1;
}

static int add_rule(struct ledger *ledger, const struct dataplane_rule *rule,
		    const struct score_cause *mark)
{
	struct ledger_line kind = { .is_rule = true };

	snprintf(kind.reason, sizeof(kind.reason), "%.31s", rule->name);
	snprintf(kind.detector, sizeof(kind.detector), "%.15s",
		 rule->origin[0] ? rule->origin : CONFIG_ORIGIN);
	(void)rule_text_match(rule, kind.match);
	return add_entry(ledger, &kind, mark);
}

int ledger_rules(struct ledger *ledger, const struct dataplane_rule *rules, size_t n,
		 const struct score_cause *mark)
{
	struct named_rule before[DATAPLANE_MAX_RULES];
	size_t n_before = ledger->n_rules;

	ledger->last_rule = NULL;
	memcpy(before, ledger->rules, sizeof(before));
	ledger->n_rules = 0;
	for (size_t i = 0; i < n && i < DATAPLANE_MAX_RULES; i++) {
		struct named_rule *named = &ledger->rules[ledger->n_rules];
		int old = find_rule(before, n_before, rules[i].name);
		int entry = old >= 0 ? (int)before[old].entry : add_rule(ledger, &rules[i], mark);

		if (entry < 0)
			return entry;
		memcpy(named->name, rules[i].name, sizeof(named->name));
		named->entry = (uint32_t)entry;
		ledger->n_rules++;
	}
	return 0;
}

static struct entry *entry_of_rule(struct ledger *ledger, const struct dataplane_rule *rule)
{
	int named;

	if (rule != ledger->last_rule) {
		named = find_rule(ledger->rules, ledger->n_rules, rule->name);
		if (named < 0)
			return NULL;
		ledger->last_rule = rule;
		ledger->last_entry = ledger->rules[named].entry;
	}
	return &ledger->entries[ledger->last_entry];
}

/* The longest that covers the source is the one that the filter found. */
static struct entry *entry_of_prefix(struct ledger *ledger, const struct sluice_key *source)
{
	const struct prefix *best = NULL;

	for (size_t i = 0; i < ledger->n_prefixes; i++) {
		const struct prefix *prefix = &ledger->prefixes[i];

		if (address_covers(&prefix->key, source) &&
		    (!best || prefix->key.prefix_len > best->key.prefix_len))
			best = prefix;
	}
	return best ? &ledger->entries[best->entry] : NULL;
}

/* In force since before the first packet. */
static struct entry *own_entry(struct ledger *ledger, enum dataplane_reason reason)
{
	struct entry *entry = &ledger->own[reason];
	struct ledger_line kind = { .detector = "filter", .is_own = true };
	int line;

	entry->cause = (struct score_cause){ .detector = -1 };
	snprintf(kind.reason, sizeof(kind.reason), "%s", dataplane_reason_name(reason));
	line = find_line(ledger, &kind);
	if (line < 0)
		return NULL;
	entry->line = (uint32_t)line;
	return entry;
}

static struct entry *find_entry(struct ledger *ledger,
				const struct dataplane_replay_verdict *verdict,
				const struct sluice_key *source)
{
	struct entry *entry = NULL;
	uint32_t index;

	if (verdict->rule)
		entry = entry_of_rule(ledger, verdict->rule);
	else if (verdict->reason == DATAPLANE_REASON_BLOCKED &&
		 hash_table_get(ledger->sources, source, &index))
		entry = &ledger->entries[index];
	else if (verdict->reason == DATAPLANE_REASON_BLOCKED_PREFIX)
		entry = entry_of_prefix(ledger, source);
	return entry ? entry : own_entry(ledger, verdict->reason);
}

const struct score_cause *ledger_drop(struct ledger *ledger,
				      const struct dataplane_replay_verdict *verdict,
				      const struct sluice_key *source, enum score_class class)
{
	static const struct score_cause nobody = { .detector = -1 };
	struct entry *entry = find_entry(ledger, verdict, source);
	struct ledger_line *line;

	if (!entry)
		return &nobody;
	line = &ledger->lines[entry->line];
	line->packets++;
	line->attack_packets += class == SCORE_ATTACK;
	line->benign_packets += class == SCORE_BENIGN;
	return &entry->cause;
}

const struct ledger_line *ledger_lines(const struct ledger *ledger, size_t *n)
{
	*n = ledger->n_lines;
	return ledger->lines;
}

uint64_t ledger_sources(const struct ledger *ledger)
{
	return hash_table_size(ledger->sources);
}

uint64_t ledger_rules_enforced(const struct ledger *ledger)
{
	uint64_t n = 0;

	for (size_t i = 0; i < ledger->n_lines; i++)
		if (ledger->lines[i].is_rule && strcmp(ledger->lines[i].detector, CONFIG_ORIGIN))
			n += ledger->lines[i].entries;
	return n;
}
