/* SPDX-License-Identifier: BSD-2-Clause */
/* See value_diff.h. */
#include "value_diff.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"

#include "value_text.h"
#include "value_tree.h"

#define PATH_SIZE 192

void value_diff_init(struct value_diff *diff)
{
	memset(diff, 0, sizeof(*diff));
	arena_init(&diff->arena);
}

void value_diff_fini(struct value_diff *diff)
{
	arena_fini(&diff->arena);
	memset(diff, 0, sizeof(*diff));
}

const char *value_change_name(enum value_change change)
{
	static const char *const names[] = { "added", "removed", "changed", "reordered" };

	return names[change];
}

static bool members_equal(const struct config_value *a, const struct config_value *b)
{
	const struct config_value *place = b->first;

	if (a->count != b->count)
		return false;
	for (const struct config_value *x = a->first; x; x = x->next, place = place->next)
		if (!value_equal(x, x->key ? config_value_get(b, x->key) : place))
			return false;
	return true;
}

bool value_equal(const struct config_value *a, const struct config_value *b)
{
	if (!a || !b || a->type != b->type)
		return a == b;
	switch (a->type) {
	case CONFIG_VALUE_BOOL:
		return a->boolean == b->boolean;
	case CONFIG_VALUE_U64:
		return a->number == b->number && a->unit == b->unit;
	case CONFIG_VALUE_DOUBLE:
		return a->real == b->real;
	case CONFIG_VALUE_STRING:
		return strcmp(a->text, b->text) == 0;
	case CONFIG_VALUE_KEY:
		return address_equal(&a->address, &b->address);
	case CONFIG_VALUE_LIST:
	case CONFIG_VALUE_MAP:
		return members_equal(a, b);
	case CONFIG_VALUE_OPAQUE:
		break;
	}
	return true;
}

/* NULL for NULL, and when memory is out, which `*failed` then says. */
static const char *keep_text(struct value_diff *diff, const struct config_value *value,
			     bool *failed)
{
	char text[VALUE_TEXT_SIZE];
	const char *kept;

	if (!value)
		return NULL;
	value_text(value, text);
	kept = arena_strndup(&diff->arena, text, strlen(text));
	*failed |= !kept;
	return kept;
}

/* NULL: no memory. */
static struct value_difference *append(struct value_diff *diff, enum value_change change,
				       const char *path)
{
	struct value_difference *difference = arena_alloc(&diff->arena, sizeof(*difference));

	if (!difference)
		return NULL;
	difference->change = change;
	difference->path = arena_strndup(&diff->arena, path, strlen(path));
	if (!difference->path)
		return NULL;
	if (diff->last)
		diff->last->next = difference;
	else
		diff->first = difference;
	diff->last = difference;
	diff->n++;
	return difference;
}

static int note(struct value_diff *diff, enum value_change change, const char *path,
		const struct config_value *before, const struct config_value *after)
{
	struct value_difference *difference = append(diff, change, path);
	bool failed = !difference;

	if (failed)
		return -ENOMEM;
	difference->before = keep_text(diff, before, &failed);
	difference->after = keep_text(diff, after, &failed);
	difference->before_is_default = before && !before->node;
	difference->after_is_default = after && !after->node;
	return failed ? -ENOMEM : 0;
}

static int compare_maps(struct value_diff *diff, const char *path,
			const struct config_value *before, const struct config_value *after)
{
	char member[PATH_SIZE];
	int result = 0;

	for (const struct config_value *a = before->first; a && !result; a = a->next) {
		snprintf(member, sizeof(member), "%s%s%s", path, *path ? "." : "", a->key);
		result = value_diff_add(diff, member, a, config_value_get(after, a->key));
	}
	for (const struct config_value *b = after->first; b && !result; b = b->next) {
		if (config_value_get(before, b->key))
			continue;
		snprintf(member, sizeof(member), "%s%s%s", path, *path ? "." : "", b->key);
		result = value_diff_add(diff, member, NULL, b);
	}
	return result;
}

/* By what an item of a list is told from the others; NULL if it has no name. */
static const char *item_name(const struct config_value *item)
{
	const struct config_value *name = config_value_get(item, "name");

	if (!name)
		name = config_value_get(item, "plugin");
	return name && name->type == CONFIG_VALUE_STRING ? name->text : NULL;
}

static bool has_names(const struct config_value *list)
{
	for (const struct config_value *item = list->first; item; item = item->next)
		if (!item_name(item))
			return false;
	return true;
}

static const struct config_value *find_item(const struct config_value *list, const char *name)
{
	for (const struct config_value *item = list->first; item; item = item->next)
		if (strcmp(item_name(item), name) == 0)
			return item;
	return NULL;
}

/* The next one, from `item` on, whose name `other` has too. */
static const struct config_value *next_shared(const struct config_value *item,
					      const struct config_value *other)
{
	while (item && !find_item(other, item_name(item)))
		item = item->next;
	return item;
}

static bool is_reordered(const struct config_value *before, const struct config_value *after)
{
	const struct config_value *a = next_shared(before->first, after);
	const struct config_value *b = next_shared(after->first, before);

	while (a && b && strcmp(item_name(a), item_name(b)) == 0) {
		a = next_shared(a->next, after);
		b = next_shared(b->next, before);
	}
	return a && b;
}

/* "a, b, c"; NULL: no memory. */
static const char *names_text(struct value_diff *diff, const struct config_value *list)
{
	char text[VALUE_TEXT_SIZE];
	size_t used = 0;

	text[0] = '\0';
	for (const struct config_value *item = list->first; item && used < sizeof(text);
	     item = item->next)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "",
					 item_name(item));
	return arena_strndup(&diff->arena, text, strlen(text));
}

static int note_order(struct value_diff *diff, const char *path, const struct config_value *before,
		      const struct config_value *after)
{
	struct value_difference *difference = append(diff, VALUE_REORDERED, path);

	if (!difference)
		return -ENOMEM;
	difference->before = names_text(diff, before);
	difference->after = names_text(diff, after);
	return difference->before && difference->after ? 0 : -ENOMEM;
}

static int compare_names(struct value_diff *diff, const char *path,
			 const struct config_value *before, const struct config_value *after)
{
	char item[PATH_SIZE];
	int result = 0;

	for (const struct config_value *a = before->first; a && !result; a = a->next) {
		snprintf(item, sizeof(item), "%s[%s]", path, item_name(a));
		result = value_diff_add(diff, item, a, find_item(after, item_name(a)));
	}
	for (const struct config_value *b = after->first; b && !result; b = b->next) {
		if (find_item(before, item_name(b)))
			continue;
		snprintf(item, sizeof(item), "%s[%s]", path, item_name(b));
		result = value_diff_add(diff, item, NULL, b);
	}
	if (!result && is_reordered(before, after))
		result = note_order(diff, path, before, after);
	return result;
}

struct set_item {
	const struct config_value *value;
	const char *text;
};

static int compare_items(const void *a, const void *b)
{
	return strcmp(((const struct set_item *)a)->text, ((const struct set_item *)b)->text);
}

/* Sorted by text, so that large sets are compared in one pass. */
static struct set_item *sort_items(struct value_diff *diff, const struct config_value *list)
{
	struct set_item *items = arena_calloc(&diff->arena, list->count + 1, sizeof(*items));
	bool failed = !items;
	size_t n = 0;

	for (const struct config_value *item = list->first; item && !failed; item = item->next)
		items[n++] = (struct set_item){ item, keep_text(diff, item, &failed) };
	if (failed)
		return NULL;
	qsort(items, n, sizeof(*items), compare_items);
	return items;
}

static int compare_sets(struct value_diff *diff, const char *path,
			const struct config_value *before, const struct config_value *after)
{
	struct set_item *a = sort_items(diff, before), *b = sort_items(diff, after);
	size_t i = 0, j = 0;
	bool is_same = true;
	int result = a && b ? 0 : -ENOMEM;

	while (!result && (i < before->count || j < after->count)) {
		int order = i == before->count	? 1
			    : j == after->count ? -1
						: compare_items(&a[i], &b[j]);

		if (order < 0)
			result = note(diff, VALUE_REMOVED, path, a[i].value, NULL);
		else if (order > 0)
			result = note(diff, VALUE_ADDED, path, NULL, b[j].value);
		is_same &= order == 0;
		i += order <= 0;
		j += order >= 0;
	}
	if (!result && is_same && diff->is_ordered && !value_equal(before, after))
		result = note(diff, VALUE_REORDERED, path, before, after);
	return result;
}

int value_diff_add(struct value_diff *diff, const char *path, const struct config_value *before,
		   const struct config_value *after)
{
	const struct config_value *some = before ? before : after;

	if (!some || some->type == CONFIG_VALUE_OPAQUE)
		return 0;
	if (!before || !after)
		return note(diff, before ? VALUE_REMOVED : VALUE_ADDED, path, before, after);
	if (before->type == CONFIG_VALUE_MAP && after->type == CONFIG_VALUE_MAP)
		return compare_maps(diff, path, before, after);
	if (before->type == CONFIG_VALUE_LIST && after->type == CONFIG_VALUE_LIST)
		return has_names(before) && has_names(after)
			       ? compare_names(diff, path, before, after)
			       : compare_sets(diff, path, before, after);
	return value_equal(before, after) ? 0 : note(diff, VALUE_CHANGED, path, before, after);
}
