/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the C checker says of the files that standard input names, one a line: "ok FILE" or
 * "refused FILE", and then, indented, each message without the file's name.  *.plugin.yaml are
 * manifests.  For schemas.py, which asks a JSON Schema validator the same.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/errors.h"
#include "config/manifest.h"
#include "config/settings.h"

static int load(const char *path, struct config_errors *errors)
{
	struct manifest *manifest = NULL;
	struct settings *settings = NULL;
	int result;

	if (strstr(path, ".plugin.yaml"))
		result = manifest_load(path, errors, &manifest);
	else
		result = settings_load(path, errors, &settings);
	manifest_free(manifest);
	settings_free(settings);
	return result;
}

int main(void)
{
	char path[1024], text[CONFIG_ERROR_TEXT_SIZE];

	while (fgets(path, sizeof(path), stdin)) {
		struct config_errors errors;

		path[strcspn(path, "\n")] = '\0';
		config_errors_init(&errors);
		printf("%s %s\n", load(path, &errors) ? "refused" : "ok", path);
		for (size_t i = 0; i < config_errors_kept(&errors); i++)
			printf("  %s\n",
			       config_error_format(&errors.list[i], text) + strlen(path) + 1);
	}
	return ferror(stdin) ? EXIT_FAILURE : EXIT_SUCCESS;
}
