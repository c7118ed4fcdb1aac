/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Manifest by trusted descriptor, then kind, name and ABI; see manifest_check.h.
 */
#include "manifest_check.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "available.h"
#include "base/err.h"
#include "config/errors.h"
#include "config/manifest.h"
#include "descriptor.h"
#include "plugin.h"
#include "trust.h"

#define MAX_MANIFEST_SIZE (64 * 1024)
#define MAX_NAME_LEN 15 /* As schemas/manifest.schema.yaml has it. */

/* The name becomes part of a path, so it must not be able to leave the folder. */
static int check_name(const char *name, struct sluice_err *err)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	if (len > 0 && len <= MAX_NAME_LEN && name[len] == '\0')
		return 0;
	err_set(err, NULL,
		"no plugin can have this name (-EINVAL); use a-z, 0-9, _ and -, at most "
		"%d characters",
		MAX_NAME_LEN);
	return -EINVAL;
}

static int read_all(int fd, char *text, size_t size, size_t *used)
{
	*used = 0;
	while (*used < size) {
		ssize_t n = read(fd, text + *used, size - *used);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (n == 0)
			return 0;
		*used += (size_t)n;
	}
	return -EFBIG;
}

static int parse(int fd, const char *path, struct manifest **out, struct sluice_err *err)
{
	struct config_errors *errors = malloc(sizeof(*errors));
	char *text = malloc(MAX_MANIFEST_SIZE);
	size_t size;
	int rc = -ENOMEM;

	if (!errors || !text) {
		err_set(err, NULL, "%s: cannot read it: out of memory (-ENOMEM)", path);
		goto out;
	}
	rc = read_all(fd, text, MAX_MANIFEST_SIZE, &size);
	if (rc != 0) {
		err_set(err, NULL, "%s: cannot read it (%s)", path, err_name(rc));
		goto out;
	}
	config_errors_init(errors);
	rc = manifest_parse(path, text, size, errors, out);
	if (rc != 0) {
		err_set(err, NULL, "%s is no manifest (%s)", path, err_name(rc));
		if (errors->count > 0)
			config_errors_to_err(errors, err);
	}
out:
	free(text);
	free(errors);
	return rc;
}

static int check(const struct manifest *manifest, const char *path, const char *name,
		 enum sluice_plugin_kind kind, struct sluice_err *err)
{
	if (strcmp(manifest_name(manifest), name) != 0) {
		err_set(err, NULL,
			"%s describes a plugin '%s' (-EINVAL); rename the file or ask for "
			"'%s'",
			path, manifest_name(manifest), manifest_name(manifest));
		return -EINVAL;
	}
	if (kind != 0 && manifest_kind(manifest) != kind) {
		err_set(err, NULL, "it is a %s, not a %s (-EINVAL); name it under %s",
			plugin_kind_name(manifest_kind(manifest)), plugin_kind_name(kind),
			manifest_kind(manifest) == SLUICE_PLUGIN_DETECTOR ? "detectors"
									  : "offload.backend");
		return -EINVAL;
	}
	return descriptor_check_abi(path, manifest_abi_major(manifest),
				    manifest_abi_minor(manifest), err);
}

static int open_manifest(const struct plugin_trust *trust, int folder_fd, const char *folder,
			 const char *name, const char *file, int *fd, struct sluice_err *err)
{
	char there[128];
	int rc = plugin_trust_open_file(trust, folder_fd, folder, file, fd, err);

	if (rc == -ENOENT) {
		available_describe(folder_fd, name, there, sizeof(there));
		err_set(err, NULL, "no %s in %s (-ENOENT); %s", file, folder, there);
	}
	return rc;
}

int manifest_check_load(const struct plugin_trust *trust, int folder_fd, const char *folder,
			const char *name, enum sluice_plugin_kind kind, struct manifest **out,
			struct sluice_err *err)
{
	char file[MAX_NAME_LEN + sizeof(".plugin.yaml")], path[PATH_MAX];
	struct manifest *manifest = NULL;
	int rc = check_name(name, err);
	int fd;

	if (rc != 0)
		return rc;
	snprintf(file, sizeof(file), "%s.plugin.yaml", name);
	snprintf(path, sizeof(path), "%s/%s", folder, file);
	rc = open_manifest(trust, folder_fd, folder, name, file, &fd, err);
	if (rc != 0)
		return rc;
	rc = parse(fd, path, &manifest, err);
	close(fd);
	if (rc == 0)
		rc = check(manifest, path, name, kind, err);
	if (rc != 0) {
		manifest_free(manifest);
		return rc;
	}
	*out = manifest;
	return 0;
}
