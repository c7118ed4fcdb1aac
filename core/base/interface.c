/* SPDX-License-Identifier: BSD-2-Clause */
/* See interface.h. */
#include "interface.h"

#include <stdio.h>
#include <stdlib.h>

#include "nearest.h"

static size_t count(const struct if_nameindex *list)
{
	size_t n = 0;

	while (list[n].if_name)
		n++;
	return n;
}

bool interface_nearest(const char *name, char nearest[IFNAMSIZ])
{
	struct if_nameindex *list = if_nameindex();
	const char **names, *found = NULL;

	if (!list)
		return false;
	size_t n = count(list);

	names = calloc(n + 1, sizeof(*names));
	for (size_t i = 0; names && i < n; i++)
		names[i] = list[i].if_name;
	if (names)
		found = nearest_name(name, names, n);
	if (found)
		snprintf(nearest, IFNAMSIZ, "%s", found);
	free(names);
	if_freenameindex(list);
	return found;
}
