/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A plugin folder of a test's own, under /tmp, with a manifest and a fixture's object.
 */
#ifndef SLUICE_TESTS_ABI_FOLDER_H
#define SLUICE_TESTS_ABI_FOLDER_H

#include <limits.h>

struct folder {
	char path[64];
	char manifest[128], object[128];
};

/* What a good manifest of the fixture says. */
extern const char folder_good_manifest[];

/* Makes the folder with `fixture` (NULL: none) and `manifest` (NULL: none) as plugin "fixture". */
void folder_make(struct folder *folder, const char *fixture, const char *manifest);
void folder_remove(const struct folder *folder);

/* The good manifest with the first `from` replaced by `to`. */
const char *folder_edit_manifest(const char *from, const char *to, char text[2048]);

void folder_write(const char *path, const char *text);
void folder_copy(const char *from, const char *to);

#endif /* SLUICE_TESTS_ABI_FOLDER_H */
