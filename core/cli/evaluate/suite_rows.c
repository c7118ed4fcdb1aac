/* SPDX-License-Identifier: BSD-2-Clause */
/* See suite_rows.h. */
#include "suite_rows.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/errors.h"
#include "config/node.h"
#include "replay/labels.h"

#define MAX_FOLDS 4
#define WINDOW_NS 100000000ull
#define LONG_WINDOW_NS 1000000000ull
#define RATE_PPS 20000u
#define CROWD_SPEED 4
#define SERVICE_PORT 443
#define SIGNATURES "signature"

static int is_capture(const struct dirent *entry)
{
	return fnmatch("*.pcap", entry->d_name, 0) == 0 ||
	       fnmatch("*.pcapng", entry->d_name, 0) == 0 ||
	       fnmatch("*.cap", entry->d_name, 0) == 0;
}

static int list_folder(const char *suite, const char *name, struct evaluate_list *list)
{
	struct dirent **entries;
	char path[512];
	int n, ret = 0;

	snprintf(path, sizeof(path), "%s/%s", suite, name);
	n = scandir(path, &entries, is_capture, alphasort);
	if (n <= 0) {
		fprintf(stderr, "sluice: replay: no captures (*.pcap, *.pcapng) in '%s'\n", path);
		if (n == 0)
			free(entries);
		return -EINVAL;
	}
	list->items = calloc((size_t)n, sizeof(*list->items));
	for (int i = 0; i < n; i++) {
		if (list->items &&
		    asprintf(&list->items[list->n], "%s/%s", path, entries[i]->d_name) >= 0)
			list->n++;
		else
			ret = -ENOMEM;
		free(entries[i]);
	}
	free(entries);
	return ret;
}

/* Whether labels are right is told when a row needs them. */
static bool is_spoofed(const char *path)
{
	struct config_errors errors;
	struct labels *labels = NULL;
	bool spoofed;

	config_errors_init(&errors);
	if (labels_load_beside(path, &errors, &labels) < 0)
		return false;
	spoofed = labels && labels_spoofed(labels);
	labels_free(labels);
	return spoofed;
}

int suite_captures_list(const char *folder, struct suite_captures *captures)
{
	int ret = list_folder(folder, "attack", &captures->attack);

	if (!ret)
		ret = list_folder(folder, "benign", &captures->benign);
	for (size_t i = 0; !ret && i < captures->attack.n && i < 32; i++)
		captures->spoofed |= (uint32_t)is_spoofed(captures->attack.items[i]) << i;
	return ret;
}

void suite_captures_free(struct suite_captures *captures)
{
	evaluate_list_fini(&captures->attack);
	evaluate_list_fini(&captures->benign);
}

static size_t count_groups(const struct evaluate_list *benign)
{
	size_t n = (benign->n + SUITE_GROUP_SIZE - 1) / SUITE_GROUP_SIZE;

	/* A and B are different clients, so there are two at least. */
	return n < 2 && benign->n > 1 ? 2 : n;
}

static size_t count_folds(const struct evaluate_list *benign)
{
	size_t n = count_groups(benign);

	return n < MAX_FOLDS ? n : MAX_FOLDS;
}

/* Every `n_groups`-th capture from `group` on, at most SUITE_GROUP_SIZE of them. */
static size_t take_group(const struct evaluate_list *all, size_t group, size_t n_groups,
			 const char **items)
{
	size_t n = 0;

	for (size_t i = group; i < all->n && n < SUITE_GROUP_SIZE; i += n_groups)
		items[n++] = all->items[i];
	return n;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static const char *role_name(enum mix_role role)
{
	return role == MIX_ROLE_SERVER ? "server" : "client";
}

/* A copy of `kind`, or NULL. */
static struct suite_row *append(struct suite_rows *rows, const struct suite_row *kind)
{
	if (rows->n == rows->room) {
		size_t room = rows->room ? rows->room * 2 : 64;
		struct suite_row *bigger = realloc(rows->list, room * sizeof(*bigger));

		if (!bigger)
			return NULL;
		rows->list = bigger;
		rows->room = room;
	}
	rows->list[rows->n] = *kind;
	return &rows->list[rows->n++];
}

static int add_attack(struct suite_rows *rows, const struct suite_row *kind,
		      const struct suite_captures *captures, size_t fold, const char *what)
{
	const struct evaluate_list *benign = &captures->benign;
	size_t n_groups = count_groups(benign);
	struct suite_row *row = append(rows, kind);

	if (!row)
		return -ENOMEM;
	row->n_warmup = take_group(benign, (fold + 1) % n_groups, n_groups, row->warmup);
	row->n_benign = take_group(benign, fold, n_groups, row->benign);
	snprintf(row->name, sizeof(row->name), "%s%s%s %zu %s", what, *what ? " " : "",
		 role_name(row->role), fold + 1, base_name(row->attack));
	return 0;
}

/* Every attack in both roles, over `n_folds` groups of benign captures. */
static int add_attacks(struct suite_rows *rows, struct suite_row kind,
		       const struct suite_captures *captures, size_t n_folds, const char *what)
{
	int ret = 0;

	for (kind.role = MIX_ROLE_SERVER; kind.role <= MIX_ROLE_CLIENT; kind.role++)
		for (size_t i = 0; i < captures->attack.n; i++) {
			if (kind.part == EVALUATE_PART_STEALTH &&
			    (i >= 32 || !(captures->spoofed >> i & 1)))
				continue;
			kind.attack = captures->attack.items[i];
			for (size_t fold = 0; !ret && fold < n_folds; fold++)
				ret = add_attack(rows, &kind, captures, fold, what);
		}
	return ret;
}

static int add_benign(struct suite_rows *rows, struct suite_row kind,
		      const struct suite_captures *captures, const char *what)
{
	kind.phases = 1;
	kind.speed = 1;
	for (kind.role = MIX_ROLE_SERVER; kind.role <= MIX_ROLE_CLIENT; kind.role++)
		for (size_t i = 0; i < captures->benign.n; i++) {
			struct suite_row *row = append(rows, &kind);

			if (!row)
				return -ENOMEM;
			row->benign[row->n_benign++] = captures->benign.items[i];
			snprintf(row->name, sizeof(row->name), "%s%s%s %s", what, *what ? " " : "",
				 role_name(row->role), base_name(row->benign[0]));
		}
	return 0;
}

static int add_crowd(struct suite_rows *rows, struct suite_row kind)
{
	kind.phases = 1;
	kind.crowd = true;
	for (kind.role = MIX_ROLE_SERVER; kind.role <= MIX_ROLE_CLIENT; kind.role++)
		for (kind.speed = 1; kind.speed <= CROWD_SPEED; kind.speed *= CROWD_SPEED) {
			struct suite_row *row = append(rows, &kind);

			if (!row)
				return -ENOMEM;
			snprintf(row->name, sizeof(row->name), "%s crowd at %dx",
				 role_name(row->role), (int)row->speed);
		}
	return 0;
}

static int add_alone(struct suite_rows *rows, struct suite_row kind,
		     const struct suite_captures *captures, const struct evaluate_list *detectors)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < detectors->n; i++) {
		kind.only = detectors->items[i];
		ret = add_attacks(rows, kind, captures, 1, kind.only);
	}
	return ret;
}

/* Only what stopped an attack makes a difference when it is left out. */
static int add_without(struct suite_rows *rows)
{
	size_t n = rows->n;

	for (size_t i = 0; i < n; i++) {
		for (size_t j = 0; j < rows->list[i].outcome.n_signatures; j++) {
			struct suite_row row = rows->list[i];
			char what[SUITE_NAME_SIZE];

			if (row.part != EVALUATE_PART_NATIVE)
				continue;
			row.part = EVALUATE_PART_WITHOUT;
			memcpy(row.without, row.outcome.signatures[j], sizeof(row.without));
			snprintf(what, sizeof(what), "-%.31s %.120s", row.without, row.name);
			memcpy(row.name, what, sizeof(row.name));
			memset(&row.outcome, 0, sizeof(row.outcome));
			if (!append(rows, &row))
				return -ENOMEM;
		}
	}
	return 0;
}

static int add_controls(struct suite_rows *rows, struct suite_row kind,
			const struct evaluate_options *options,
			const struct suite_captures *captures)
{
	int ret = 0;

	kind.phases = 1;
	for (size_t i = 0; !ret && i < options->control.n; i++) {
		kind.config = options->control.items[i];
		kind.control = i;
		ret = add_attacks(rows, kind, captures, 1, base_name(kind.config));
		if (!ret)
			ret = add_benign(rows, kind, captures, base_name(kind.config));
	}
	return ret;
}

int suite_rows_add(struct suite_rows *rows, enum evaluate_part part,
		   const struct evaluate_options *options, const struct suite_captures *captures,
		   const struct evaluate_list *detectors)
{
	const struct suite_row kind = { .part = part, .phases = options->phases, .speed = 1 };

	switch (part) {
	case EVALUATE_PART_BENIGN:
		return add_benign(rows, kind, captures, "");
	case EVALUATE_PART_CROWD:
		return add_crowd(rows, kind);
	case EVALUATE_PART_ALONE:
		return add_alone(rows, kind, captures, detectors);
	case EVALUATE_PART_WITHOUT:
		return add_without(rows);
	case EVALUATE_PART_CONTROL:
		return add_controls(rows, kind, options, captures);
	default:
		return add_attacks(rows, kind, captures, count_folds(&captures->benign),
				   part == EVALUATE_PART_NATIVE ? "" : evaluate_part_name(part));
	}
}

void suite_rows_free(struct suite_rows *rows)
{
	free(rows->list);
}

static struct evaluate_list borrow(const char *const *items, size_t n)
{
	/* Nobody changes them: a list is const where it is used. */
	return (struct evaluate_list){ .items = (char **)(uintptr_t)items, .n = n };
}

static void set_mix(const struct suite_row *row, struct mix_options *mix)
{
	mix->role = row->role;
	mix->overlay = true;
	mix->trim = row->attack;
	mix->speed_ppm = row->speed * 1000000;
	if (row->part == EVALUATE_PART_RATE)
		mix->attack_pps = RATE_PPS;
	if (row->part == EVALUATE_PART_PORT)
		mix->attack_port = SERVICE_PORT;
	mix->stealth = row->part == EVALUATE_PART_STEALTH;
}

/* The signature that is left out, as --set would say it. */
static int leave_out(const struct suite_row *row, struct evaluate_setting *setting)
{
	char text[sizeof(row->without) + 20];
	int n = snprintf(text, sizeof(text), "without: [%s]", row->without);

	*setting = (struct evaluate_setting){ .detector = SIGNATURES };
	return config_node_parse("--without", text, (size_t)n, NULL, &setting->options);
}

int suite_row_run(const struct suite_row *row, const struct evaluate_options *options,
		  const struct suite_captures *captures, struct case_result *result)
{
	struct evaluate_setting settings[EVALUATE_MAX_SETTINGS + 1];
	struct evaluate_list attack = borrow(&row->attack, row->attack ? 1 : 0);
	struct evaluate_list benign = borrow(row->benign, row->n_benign);
	struct evaluate_list warmup = borrow(row->warmup, row->n_warmup);
	struct case_options one;
	int ret = 0;

	case_options_init(&one, options);
	one.config = row->config ? row->config : options->config;
	one.only = row->only ? row->only : options->only;
	one.attack = &attack;
	one.benign = row->crowd ? &captures->benign : &benign;
	one.warmup = &warmup;
	one.phases = row->phases;
	one.skip_known_bad = true;
	set_mix(row, &one.mix);
	if (row->part == EVALUATE_PART_SECOND)
		one.window_ns = LONG_WINDOW_NS;
	else if (!one.window_ns)
		one.window_ns = WINDOW_NS;
	memcpy(settings, options->settings, options->n_settings * sizeof(settings[0]));
	one.settings = settings;
	/* A control has detectors of its own. */
	if (row->part == EVALUATE_PART_CONTROL)
		one.n_settings = 0;
	if (row->without[0])
		ret = leave_out(row, &settings[one.n_settings++]);
	if (!ret)
		ret = case_run(&one, result);
	if (row->without[0])
		config_node_free(settings[one.n_settings - 1].options);
	return ret;
}

/* A rule of a signature is named after it, with what makes it unique behind a point. */
static void note_signature(struct suite_outcome *outcome, const struct ledger_line *line)
{
	char name[LEDGER_NAME_SIZE];

	if (!line->is_rule || !line->attack_packets || strcmp(line->detector, SIGNATURES) != 0)
		return;
	snprintf(name, sizeof(name), "%.*s", (int)strcspn(line->reason, "."), line->reason);
	for (size_t i = 0; i < outcome->n_signatures; i++)
		if (strcmp(outcome->signatures[i], name) == 0)
			return;
	if (outcome->n_signatures < SUITE_MAX_SIGNATURES)
		memcpy(outcome->signatures[outcome->n_signatures++], name, sizeof(name));
}

void suite_row_conclude(const struct case_result *result, struct suite_outcome *outcome)
{
	memset(outcome, 0, sizeof(*outcome));
	outcome->worst = result->worst;
	outcome->sources_blocked = result->sources_blocked;
	outcome->rules_enforced = result->rules_enforced;
	outcome->has_attack = result->has_attack;
	for (unsigned int i = 0; i < result->n_runs; i++)
		for (size_t j = 0; j < result->runs[i].n_lines; j++)
			note_signature(outcome, &result->runs[i].lines[j]);
}
