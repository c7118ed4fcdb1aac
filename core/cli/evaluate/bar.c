/* SPDX-License-Identifier: BSD-2-Clause */
/* See bar.h. */
#include "bar.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/nearest.h"
#include "config/errors.h"
#include "config/node.h"

static const char *const names[] = {
#define X(key, direction) #key,
	BAR_LIMITS(X)
#undef X
};

enum { least, most };

static const int directions[] = {
#define X(key, direction) direction,
	BAR_LIMITS(X)
#undef X
};

static void refuse(const struct config_node *node, struct config_errors *errors, const char *what)
{
	const char *key = config_node_key(node);

	config_errors_add(errors, config_node_file(node), config_node_line(node),
			  config_node_column(node), key, "%s", what);
}

static void take(const struct config_node *node, struct bar *bar, struct config_errors *errors)
{
	const char *key = config_node_key(node), *near;
	enum config_node_type type = config_node_type(node);
	char text[BAR_TEXT_SIZE];
	int i = 0;

	while (i < BAR_N_LIMITS && strcmp(names[i], key) != 0)
		i++;
	if (i == BAR_N_LIMITS) {
		near = nearest_name(key, names, BAR_N_LIMITS);
		snprintf(text, sizeof(text), "no such limit%s%s%s", near ? "; did you mean '" : "",
			 near ? near : "", near ? "'?" : "");
		refuse(node, errors, text);
		return;
	}
	if (type != CONFIG_NODE_INTEGER && type != CONFIG_NODE_NUMBER) {
		refuse(node, errors, "a number is wanted here");
		return;
	}
	bar->is_set[i] = true;
	bar->limit[i] = strtod(config_node_text(node), NULL);
}

/* Frees the tree. */
static int read_tree(struct config_node *root, struct config_errors *errors, struct bar *bar)
{
	size_t before = errors->count;

	memset(bar, 0, sizeof(*bar));
	if (config_node_type(root) != CONFIG_NODE_MAPPING)
		refuse(root, errors, "a mapping from limits to numbers is wanted here");
	else
		for (const struct config_node *node = config_node_first(root); node;
		     node = config_node_next(node))
			take(node, bar, errors);
	config_node_free(root);
	return errors->count == before ? 0 : -EINVAL;
}

int bar_parse(const char *file, const char *text, size_t size, struct config_errors *errors,
	      struct bar *bar)
{
	struct config_node *root;
	int ret = config_node_parse(file, text, size, errors, &root);

	return ret ? ret : read_tree(root, errors, bar);
}

int bar_load(const char *path, struct config_errors *errors, struct bar *bar)
{
	struct config_node *root;
	int ret = config_node_load(path, errors, &root);

	return ret ? ret : read_tree(root, errors, bar);
}

void bar_check(struct bar_check *check, const char *row, enum bar_limit limit, double value)
{
	double wanted = check->bar->limit[limit];
	bool at_most = directions[limit] == most;
	char text[BAR_TEXT_SIZE];

	/* Not "worse than": what is no number misses, too. */
	if (!check->bar->is_set[limit] || (at_most ? value <= wanted : value >= wanted))
		return;
	snprintf(text, sizeof(text), "%s: %.10g, wanted at %s %.10g", names[limit], value,
		 at_most ? "most" : "least", wanted);
	check->n_missed++;
	check->missed(check->ctx, row, text);
}

void bar_check_enforced(struct bar_check *check, const char *row, const struct score_result *score)
{
	if (!score->onset)
		bar_check(check, row, BAR_low_rate_clients_harmed,
			  (double)(score->known.harmed + score->fresh.harmed));
	else
		bar_check(check, row, BAR_after_enforcement_percent,
			  score_percent(score->attack_after.dropped, score->attack_after.packets));
}

void bar_check_attack(struct bar_check *check, const char *row, const struct score_result *score)
{
	/* Never is later than any window. */
	double windows = score->all.windows == SCORE_NEVER ? 1e9 : (double)score->all.windows;

	if (score->onset)
		bar_check(check, row, BAR_windows_to_enforce, windows);
	bar_check_enforced(check, row, score);
	if (score->onset)
		bar_check(check, row, BAR_attack_dropped_percent,
			  score_percent(score->attack.dropped, score->attack.packets));
}

void bar_check_benign(struct bar_check *check, const char *row, const struct score_result *score)
{
	bar_check(check, row, BAR_benign_dropped_percent,
		  score_percent(score->benign.dropped, score->benign.packets));
	bar_check(check, row, BAR_known_harmed_percent,
		  score_percent(score->known.harmed, score->known.clients));
	bar_check(check, row, BAR_new_harmed_percent,
		  score_percent(score->fresh.harmed, score->fresh.clients));
}
