/* SPDX-License-Identifier: BSD-2-Clause */
/* See plugin_shelf.h. */
#include "plugin_shelf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "control/fail.h"
#include "plugin/plugin.h"

struct place {
	struct place *next;
	char *folder, *name;
	enum sluice_plugin_kind kind;
	struct plugin *plugin;
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

int plugin_shelf_get(struct plugin_shelf *shelf, const char *folder, const char *name,
		     enum sluice_plugin_kind kind, struct plugin **out, struct sluice_err *err)
{
	struct place *place;
	int ret;

	for (place = shelf->first; place; place = place->next) {
		if (place->kind == kind && strcmp(place->folder, folder) == 0 &&
		    strcmp(place->name, name) == 0) {
			*out = place->plugin;
			return 0;
		}
	}
	place = calloc(1, sizeof(*place));
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
	*out = place->plugin;
	return 0;
}
