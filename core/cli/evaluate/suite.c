/* SPDX-License-Identifier: BSD-2-Clause */
/* See suite.h. */
#include "suite.h"

#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "bar.h"
#include "case.h"
#include "evaluate.h"
#include "progress.h"
#include "report.h"

#define NAME_SIZE 120
/* What a mix has of ordinary traffic, so that a large folder becomes several mixes. */
#define GROUP_SIZE 8
#define MAX_FOLDS 4
#define WINDOW_NS 100000000ull
#define CROWD_SPEED 4

struct suite {
	const struct evaluate_options *options;
	struct evaluate_list attack, benign;
	struct bar_check check;
	struct progress progress;
	const char *row;
	unsigned int done, total;   /* Cases. */
	struct score_result pooled; /* Benign shares of all mixes with an attack. */
	json_t *rows, *missed;
};

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

static void free_list(struct evaluate_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->items[i]);
	free(list->items);
}

static void note_missed(void *ctx, const char *row, const char *text)
{
	struct suite *suite = ctx;

	json_array_append_new(suite->missed, json_sprintf("%s: %s", row, text));
}

static void tell_progress(void *ctx, unsigned int run, uint64_t now_ns, uint64_t end_ns)
{
	struct suite *suite = ctx;
	double part = end_ns ? (double)now_ns / (double)end_ns : 1;

	progress_tell(&suite->progress, suite->row,
		      (suite->done + ((double)run + part) / suite->options->phases) / suite->total);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? (double)part * 100 / (double)whole : 0;
}

static void add_clients(struct score_clients *to, const struct score_clients *from)
{
	to->clients += from->clients;
	to->harmed += from->harmed;
}

/* Benign shares are too few to judge a mix by: they are added up. */
static void pool(struct score_result *pooled, const struct score_result *score)
{
	pooled->benign.packets += score->benign.packets;
	pooled->benign.dropped += score->benign.dropped;
	add_clients(&pooled->known, &score->known);
	add_clients(&pooled->fresh, &score->fresh);
}

static void print_row(const struct suite *suite, const struct case_result *result)
{
	const struct score_result *score = &result->worst;
	char windows[24] = "-";

	if (suite->options->json)
		return;
	if (score->all.windows != SCORE_NEVER)
		snprintf(windows, sizeof(windows), "%" PRIu64, score->all.windows);
	printf("%-58.58s %7s %7.2f %7.2f %7.3f %5" PRIu64 "/%-5" PRIu64 " %5" PRIu64 "/%-5" PRIu64
	       " %6" PRIu64 " %5" PRIu64 "\n",
	       suite->row, result->has_attack ? windows : "",
	       percent(score->attack.dropped, score->attack.packets),
	       percent(score->attack_after.dropped, score->attack_after.packets),
	       percent(score->benign.dropped, score->benign.packets), score->known.harmed,
	       score->known.clients, score->fresh.harmed, score->fresh.clients,
	       result->sources_blocked, result->rules_enforced);
	fflush(stdout);
}

static int run_case(struct suite *suite, struct case_options *one, struct case_result *result)
{
	int ret;

	one->progress = tell_progress;
	one->ctx = suite;
	one->skip_known_bad = true;
	ret = case_run(one, result);
	suite->done++;
	if (ret)
		return ret;
	print_row(suite, result);
	if (suite->options->json) {
		json_t *json = report_json(result);

		json_object_set_new(json, "row", json_string(suite->row));
		json_array_append_new(suite->rows, json);
	}
	return 0;
}

/* Every `n_groups`-th file from `group` on, at most GROUP_SIZE of them; nothing is copied. */
static struct evaluate_list group_of(const struct evaluate_list *all, size_t group, size_t n_groups,
				     char *items[GROUP_SIZE])
{
	struct evaluate_list list = { .items = items };

	for (size_t i = group; i < all->n && list.n < GROUP_SIZE; i += n_groups)
		items[list.n++] = all->items[i];
	return list;
}

static size_t count_groups(const struct suite *suite)
{
	size_t n = (suite->benign.n + GROUP_SIZE - 1) / GROUP_SIZE;

	/* A and B are different clients, so there are two at least. */
	return n < 2 && suite->benign.n > 1 ? 2 : n;
}

static size_t count_folds(const struct suite *suite)
{
	size_t n = count_groups(suite);

	return n < MAX_FOLDS ? n : MAX_FOLDS;
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

static int run_attack(struct suite *suite, size_t i, enum mix_role role, size_t fold)
{
	char *warmup_items[GROUP_SIZE], *benign_items[GROUP_SIZE], name[NAME_SIZE];
	size_t n_groups = count_groups(suite);
	struct evaluate_list warmup =
		group_of(&suite->benign, (fold + 1) % n_groups, n_groups, warmup_items);
	struct evaluate_list benign = group_of(&suite->benign, fold, n_groups, benign_items);
	struct evaluate_list attack = { .items = &suite->attack.items[i], .n = 1 };
	struct case_options one;
	struct case_result result;
	int ret;

	case_options_init(&one, suite->options);
	one.attack = &attack;
	one.benign = &benign;
	one.warmup = &warmup;
	one.phases = suite->options->phases;
	one.mix.role = role;
	one.mix.overlay = true;
	one.mix.trim = true;
	snprintf(name, sizeof(name), "%s %zu %s", role_name(role), fold + 1,
		 base_name(attack.items[0]));
	suite->row = name;
	if (!one.window_ns)
		one.window_ns = WINDOW_NS;
	ret = run_case(suite, &one, &result);
	if (ret)
		return ret;
	bar_check_attack(&suite->check, name, &result.worst);
	pool(&suite->pooled, &result.worst);
	case_result_fini(&result);
	return 0;
}

/* `benign` alone; a crowd is judged by its clients, a single one by what was put in force. */
static int run_benign(struct suite *suite, const struct evaluate_list *benign, enum mix_role role,
		      uint64_t speed, const char *what)
{
	char name[NAME_SIZE];
	struct case_options one;
	struct case_result result;
	int ret;

	case_options_init(&one, suite->options);
	one.attack = NULL;
	one.warmup = NULL;
	one.benign = benign;
	one.phases = 1;
	one.mix.role = role;
	one.mix.overlay = true;
	one.mix.speed_ppm = speed * 1000000;
	if (!one.window_ns)
		one.window_ns = WINDOW_NS;
	snprintf(name, sizeof(name), "%s %s", role_name(role), what);
	suite->row = name;
	ret = run_case(suite, &one, &result);
	if (ret)
		return ret;
	if (benign->n > 1) {
		bar_check(&suite->check, name, BAR_crowd_harmed_percent,
			  percent(result.worst.known.harmed + result.worst.fresh.harmed,
				  result.worst.known.clients + result.worst.fresh.clients));
	} else {
		bar_check(&suite->check, name, BAR_benign_sources_blocked,
			  (double)result.sources_blocked);
		bar_check(&suite->check, name, BAR_benign_rules_enforced,
			  (double)result.rules_enforced);
	}
	case_result_fini(&result);
	return 0;
}

static int run_role(struct suite *suite, enum mix_role role)
{
	char what[NAME_SIZE];
	int ret = 0;

	for (size_t i = 0; !ret && i < suite->attack.n; i++)
		for (size_t fold = 0; !ret && fold < count_folds(suite); fold++)
			ret = run_attack(suite, i, role, fold);
	for (size_t i = 0; !ret && i < suite->benign.n; i++) {
		const struct evaluate_list one = { .items = &suite->benign.items[i], .n = 1 };

		ret = run_benign(suite, &one, role, 1, base_name(one.items[0]));
	}
	if (!ret)
		ret = run_benign(suite, &suite->benign, role, 1, "crowd");
	snprintf(what, sizeof(what), "crowd at %dx", CROWD_SPEED);
	return ret ? ret : run_benign(suite, &suite->benign, role, CROWD_SPEED, what);
}

static void conclude(struct suite *suite)
{
	const char *text;
	size_t i;

	bar_check_benign(&suite->check, "pooled", &suite->pooled);
	if (suite->options->json) {
		json_t *json =
			json_pack("{s:O, s:O}", "rows", suite->rows, "missed", suite->missed);

		json_dumpf(json, stdout, JSON_COMPACT | JSON_REAL_PRECISION(9));
		putchar('\n');
		json_decref(json);
		return;
	}
	printf("\nPooled: benign dropped %.3f %%, known clients harmed %.2f %%, new %.2f %%\n",
	       percent(suite->pooled.benign.dropped, suite->pooled.benign.packets),
	       percent(suite->pooled.known.harmed, suite->pooled.known.clients),
	       percent(suite->pooled.fresh.harmed, suite->pooled.fresh.clients));
	for (i = 0; i < json_array_size(suite->missed); i++) {
		text = json_string_value(json_array_get(suite->missed, i));
		printf("missed: %s\n", text ? text : "");
	}
}

int suite_run(const struct evaluate_options *options, const struct bar *bar)
{
	static const struct bar no_bar;
	struct suite suite = { .options = options, .rows = json_array(), .missed = json_array() };
	int ret;

	suite.check = (struct bar_check){ .bar = bar ? bar : &no_bar,
					  .missed = note_missed,
					  .ctx = &suite };
	progress_init(&suite.progress);
	ret = list_folder(options->suite, "attack", &suite.attack);
	if (!ret)
		ret = list_folder(options->suite, "benign", &suite.benign);
	if (!ret) {
		suite.total = (unsigned int)(2 * (suite.attack.n * count_folds(&suite) +
						  suite.benign.n + 2));
		if (!options->json)
			printf("%-58s %7s %7s %7s %7s %11s %11s %6s %5s\n", "role, mix", "windows",
			       "att. %", "after %", "ben. %", "known", "new", "blocks", "rules");
		ret = run_role(&suite, MIX_ROLE_SERVER);
	}
	if (!ret)
		ret = run_role(&suite, MIX_ROLE_CLIENT);
	progress_fini(&suite.progress);
	if (!ret)
		conclude(&suite);
	free_list(&suite.attack);
	free_list(&suite.benign);
	json_decref(suite.rows);
	json_decref(suite.missed);
	if (ret)
		return evaluate_exit_code(ret);
	return suite.check.n_missed ? EVALUATE_EXIT_MISSED : EVALUATE_EXIT_OK;
}
