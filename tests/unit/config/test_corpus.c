/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Files that must be accepted, and files that must be refused with exactly the messages that their
 * first lines say: "# expect: LINE:COL: key: text".  *.plugin.yaml are manifests.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "support.h"

static int load(const char *path, struct config_errors *errors)
{
	struct manifest *manifest = NULL;
	struct settings *settings = NULL;
	int result;

	config_errors_init(errors);
	if (strstr(path, ".plugin.yaml"))
		result = manifest_load(path, errors, &manifest);
	else
		result = settings_load(path, errors, &settings);
	cr_assert_eq(result == 0, manifest || settings, "%s: object and result disagree", path);
	manifest_free(manifest);
	settings_free(settings);
	return result;
}

static void check_valid(const char *path)
{
	struct config_errors errors;
	char text[CONFIG_ERROR_TEXT_SIZE];

	cr_expect_eq(load(path, &errors), 0, "refused: %s",
		     errors.count ? config_error_format(&errors.list[0], text) : path);
	cr_expect_eq(errors.count, 0);
}

static void check_invalid(const char *path)
{
	static const char mark[] = "# expect: ";
	char line[1024], text[CONFIG_ERROR_TEXT_SIZE];
	struct config_errors errors;
	FILE *file = fopen(path, "r");
	size_t n = 0;

	cr_assert_not_null(file);
	cr_expect_eq(load(path, &errors), -EINVAL, "%s", path);
	for (; fgets(line, sizeof(line), file) && !strncmp(line, mark, strlen(mark)); n++) {
		line[strcspn(line, "\n")] = '\0';
		if (n >= config_errors_kept(&errors))
			continue;
		config_error_format(&errors.list[n], text);
		cr_expect_str_eq(text + strlen(path) + 1, line + strlen(mark), "%s", path);
	}
	fclose(file);
	cr_expect_gt(n, 0, "%s expects nothing", path);
	cr_expect_eq(n, config_errors_kept(&errors), "%s: %zu messages expected, %zu given", path,
		     n, errors.count);
}

static size_t each_file(const char *folder, void (*check)(const char *path))
{
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t n = 0;

	cr_assert_not_null(dir, "%s", folder);
	while ((entry = readdir(dir))) {
		char path[1024];

		if (!strstr(entry->d_name, ".yaml"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", folder, entry->d_name);
		check(path);
		n++;
	}
	closedir(dir);
	return n;
}

Test(corpus, valid)
{
	cr_assert_geq(each_file(CORPUS_PATH "/valid", check_valid), 8);
}

Test(corpus, invalid)
{
	cr_assert_geq(each_file(CORPUS_PATH "/invalid", check_invalid), 90);
}
