/* SPDX-License-Identifier: BSD-2-Clause */
/* See plugin_shelf.h. */
#include "plugin_shelf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "control/fail.h"
#include "plugin/plugin.h"

struct place {
	struct place *next;
	char *folder, *name;
	enum sluice_plugin_kind kind;
	struct plugin *plugin;
	bool superseded; /* By a newer build. */
};

struct plugin_shelf {
	struct place *first;
};

int plugin_shelf_new(struct plugin_shelf **out)
{
	*out = calloc(1, sizeof(**out));
	return *out ? 0 : -ENOMEM;
}

static void free_place(struct place *place)
{
	if (!place)
		return;
	plugin_close(place->plugin);
	free(place->folder);
	free(place->name);
	free(place);
}

void plugin_shelf_free(struct plugin_shelf *shelf)
{
	if (!shelf)
		return;
	while (shelf->first) {
		struct place *place = shelf->first;

		shelf->first = place->next;
		free_place(place);
	}
	free(shelf);
}

/* Old builds that nobody uses any more. */
static void sweep(struct plugin_shelf *shelf)
{
	struct place **link = &shelf->first;

	while (*link) {
		struct place *place = *link;

		if (!place->superseded || plugin_in_use(place->plugin)) {
			link = &place->next;
			continue;
		}
		*link = place->next;
		free_place(place);
	}
}

static struct place *find(const struct plugin_shelf *shelf, const char *folder, const char *name,
			  enum sluice_plugin_kind kind)
{
	struct place *place = shelf->first;

	while (place && (place->superseded || place->kind != kind ||
			 strcmp(place->folder, folder) != 0 || strcmp(place->name, name) != 0))
		place = place->next;
	return place;
}

static enum plugin_standing standing(const struct place *place)
{
	return place->kind == SLUICE_PLUGIN_DETECTOR ? plugin_standing(place->plugin)
						     : PLUGIN_CURRENT;
}

static int refuse_overwritten(const struct place *place, struct sluice_err *err)
{
	return fail_with(
		err, -ETXTBSY,
		"plugin '%s': %s/%s.so was written over while it is loaded (-ETXTBSY); put "
		"the new build beside it and rename it, as install(1) does, and reload",
		place->name, place->folder, place->name);
}

static int add(struct plugin_shelf *shelf, const char *folder, const char *name,
	       enum sluice_plugin_kind kind, struct place **out, struct sluice_err *err)
{
	struct place *place = calloc(1, sizeof(*place));
	int ret;

	if (!place)
		return fail_system(err, -ENOMEM, "plugin '%s'", name);
	place->kind = kind;
	place->folder = strdup(folder);
	place->name = strdup(name);
	if (place->folder && place->name)
		ret = plugin_open(folder, name, kind, NULL, &place->plugin, err);
	else
		ret = fail_system(err, -ENOMEM, "plugin '%s'", name);
	if (ret) {
		free_place(place);
		return ret;
	}
	place->next = shelf->first;
	shelf->first = place;
	*out = place;
	return 0;
}

int plugin_shelf_get(struct plugin_shelf *shelf, const char *folder, const char *name,
		     enum sluice_plugin_kind kind, struct plugin **out, struct sluice_err *err)
{
	struct place *old, *place;
	enum plugin_standing old_standing;
	int ret;

	sweep(shelf);
	place = old = find(shelf, folder, name, kind);
	old_standing = old ? standing(old) : PLUGIN_REPLACED;
	if (old_standing == PLUGIN_OVERWRITTEN)
		return refuse_overwritten(old, err);
	if (old_standing == PLUGIN_REPLACED) {
		ret = add(shelf, folder, name, kind, &place, err);
		if (ret)
			return ret;
		if (old)
			old->superseded = true;
	}
	*out = place->plugin;
	return 0;
}
