/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a name to a loaded and checked object; see plugin.h for the order of checks.
 */
#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <limits.h>
#include <link.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "available.h"
#include "base/err.h"
#include "config/manifest.h"
#include "descriptor.h"
#include "manifest_check.h"
#include "origin.h"
#include "plugin.h"
#include "probe.h"
#include "trust.h"

#define SYMBOL "sluice_plugin"

struct plugin {
	struct manifest *manifest;
	/*
	 * Open for as long as the object is loaded: it is known to the dynamic linker by the name
	 * /proc/self/fd/N, and a second object under the same N would be taken for this one.
	 */
	int fd;
	void *handle;
	bool pinned; /* Code of it may still be running. */
	atomic_size_t instances;
	atomic_size_t lost; /* Of these, in calls that do not come back. */
	char *folder;
	struct plugin_origin origin;
	union descriptor_ops ops;
};

static int prefix_name(struct sluice_err *err, const char *name, int rc)
{
	if (rc != 0)
		err_prefix(err, "plugin '%.64s'", name);
	return rc;
}

static int load_manifest(const char *folder, const char *name, enum sluice_plugin_kind kind,
			 const struct plugin_trust *trust, int *folder_fd, struct manifest **out,
			 struct sluice_err *err)
{
	int rc = plugin_trust_open_folder(trust, folder, folder_fd, err);

	if (rc != 0)
		return rc;
	rc = manifest_check_load(trust, *folder_fd, folder, name, kind, out, err);
	if (rc != 0)
		close(*folder_fd);
	return rc;
}

int plugin_manifest_load(const char *folder, const char *name, enum sluice_plugin_kind kind,
			 const struct plugin_trust *trust, struct manifest **out,
			 struct sluice_err *err)
{
	struct plugin_trust own;
	int folder_fd;
	int rc;

	if (!trust) {
		plugin_trust_init(&own);
		trust = &own;
	}
	rc = load_manifest(folder, name, kind, trust, &folder_fd, out, err);
	if (rc == 0)
		close(folder_fd);
	return prefix_name(err, name, rc);
}

int plugin_list(const char *folder, char names[PLUGIN_LIST_MAX][32], size_t *n,
		struct sluice_err *err)
{
	struct plugin_trust trust;
	int folder_fd, rc;

	plugin_trust_init(&trust);
	rc = plugin_trust_open_folder(&trust, folder, &folder_fd, err);
	if (rc != 0)
		return rc;
	*n = available_names(folder_fd, names);
	close(folder_fd);
	return 0;
}

/* The exported descriptor and how many bytes its symbol has; NULL if there is no such object. */
static const struct sluice_plugin *find_descriptor(void *handle, size_t *size)
{
	const struct sluice_plugin *descriptor = dlsym(handle, SYMBOL);
	const ElfW(Sym) *symbol = NULL;
	Dl_info info;

	if (!descriptor || dladdr1(descriptor, &info, (void **)&symbol, RTLD_DL_SYMENT) == 0 ||
	    !symbol || ELF64_ST_TYPE(symbol->st_info) != STT_OBJECT)
		return NULL;
	*size = symbol->st_size;
	return descriptor;
}

/* The linker's handle of the object behind `fd`; NULL: dlerror() has the reason. */
static void *load_handle(int fd, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", fd);
	return dlopen(path, RTLD_NOW | RTLD_LOCAL);
}

static int refuse_handle(const char *path, const char *file, struct sluice_err *err)
{
	const char *reason = dlerror();
	size_t len = strlen(path);

	/* The linker puts our path in front, which would tell the reader nothing. */
	if (reason && strncmp(reason, path, len) == 0 && reason[len] == ':')
		reason += len + 1 + strspn(reason + len + 1, " ");
	err_set(err, NULL, "%s: cannot load it: %s (-ENOEXEC); rebuild it for this system", file,
		reason ? reason : "no reason given");
	return -ENOEXEC;
}

/* Each operation must lie in something that is loaded; what it does there nobody can know. */
static int check_code(const union descriptor_ops *ops, const char *file, struct sluice_err *err)
{
	/* Behind their size they are pointers to functions, whatever the kind. */
	for (size_t at = sizeof(size_t); at + sizeof(void *) <= sizeof(*ops);
	     at += sizeof(void *)) {
		Dl_info info;
		void *code;

		memcpy(&code, (const char *)ops + at, sizeof(code));
		if (!code || dladdr(code, &info) != 0)
			continue;
		err_set(err, NULL,
			"%s: its operation at byte %zu of ops points to no code (-EINVAL); point it "
			"to a function, or to NULL where the header allows it",
			file, at);
		return -EINVAL;
	}
	return 0;
}

static int check_handle(void *handle, const struct manifest *manifest, const char *file,
			union descriptor_ops *ops, struct sluice_err *err)
{
	size_t size;
	const struct sluice_plugin *descriptor = find_descriptor(handle, &size);
	int rc;

	if (!descriptor) {
		err_set(err, NULL,
			"%s exports no object '" SYMBOL "' (-EPROTO); define one with "
			"SLUICE_EXPORT, see <sluice/plugin.h>",
			file);
		return -EPROTO;
	}
	rc = descriptor_check(descriptor, size, manifest, file, ops, err);
	return rc == 0 ? check_code(ops, file, err) : rc;
}

struct trial {
	const struct plugin *plugin;
	const char *file;
};

/* All that the host is going to do with the object before it calls an operation. */
static void try_object(void *ctx, volatile enum probe_step *step)
{
	const struct trial *trial = ctx;
	union descriptor_ops ops;
	struct sluice_err err;
	char path[32];
	void *handle = load_handle(trial->plugin->fd, path);
	int rc;

	if (!handle)
		return;
	*step = PROBE_STEP_READ;
	rc = check_handle(handle, trial->plugin->manifest, trial->file, &ops, &err);
	(void)rc; /* The host finds the same, and tells it. */
	*step = PROBE_STEP_UNLOAD;
	dlclose(handle);
}

static int load_object(struct plugin *plugin, const char *file, struct sluice_err *err)
{
	struct trial trial = { plugin, file };
	char path[32];
	int rc = probe_run(try_object, &trial, file, err);

	if (rc != 0)
		return rc;
	plugin->handle = load_handle(plugin->fd, path);
	if (!plugin->handle)
		return refuse_handle(path, file, err);
	return check_handle(plugin->handle, plugin->manifest, file, &plugin->ops, err);
}

static int open_object(struct plugin *plugin, const struct plugin_trust *trust, int folder_fd,
		       const char *folder, const char *name, struct sluice_err *err)
{
	char file[NAME_MAX + 1], path[PATH_MAX];
	int rc;

	snprintf(file, sizeof(file), "%s.so", name);
	snprintf(path, sizeof(path), "file %s/%s", folder, file);
	rc = plugin_trust_open_file(trust, folder_fd, folder, file, &plugin->fd, err);
	if (rc != 0) {
		plugin->fd = -1;
		if (rc == -ENOENT)
			err_set(err, NULL,
				"%s is missing beside its manifest (-ENOENT); reinstall "
				"the plugin",
				path);
		return rc;
	}
	return load_object(plugin, path, err);
}

int plugin_open(const char *folder, const char *name, enum sluice_plugin_kind kind,
		const struct plugin_trust *trust, struct plugin **out, struct sluice_err *err)
{
	struct plugin *plugin = calloc(1, sizeof(*plugin));
	struct plugin_trust own;
	int folder_fd;
	int rc;

	if (!plugin) {
		err_set(err, NULL, "out of memory (-ENOMEM)");
		return prefix_name(err, name, -ENOMEM);
	}
	plugin->fd = -1;
	plugin->folder = strdup(folder);
	if (!plugin->folder) {
		rc = -ENOMEM;
		err_set(err, NULL, "out of memory (-ENOMEM)");
		goto out;
	}
	/* Before they are read: what comes in between shows as a change later. */
	origin_note(folder, name, &plugin->origin);
	if (!trust) {
		plugin_trust_init(&own);
		trust = &own;
	}
	rc = load_manifest(folder, name, kind, trust, &folder_fd, &plugin->manifest, err);
	if (rc != 0)
		goto out;
	rc = open_object(plugin, trust, folder_fd, folder, name, err);
	close(folder_fd);
out:
	if (rc != 0) {
		plugin_close(plugin);
		return prefix_name(err, name, rc);
	}
	*out = plugin;
	return 0;
}

void plugin_close(struct plugin *plugin)
{
	if (!plugin || plugin->pinned)
		return;
	if (plugin->handle)
		dlclose(plugin->handle);
	if (plugin->fd >= 0)
		close(plugin->fd);
	manifest_free(plugin->manifest);
	free(plugin->folder);
	free(plugin);
}

enum plugin_standing plugin_standing(const struct plugin *plugin)
{
	struct plugin_origin now;

	origin_note(plugin->folder, plugin_name(plugin), &now);
	return origin_compare(&plugin->origin, &now);
}

bool plugin_in_use(const struct plugin *plugin)
{
	return atomic_load(&plugin->instances) > 0;
}

void plugin_hold(struct plugin *plugin)
{
	atomic_fetch_add(&plugin->instances, 1);
}

void plugin_let_go(struct plugin *plugin)
{
	atomic_fetch_sub(&plugin->instances, 1);
}

void plugin_lose(struct plugin *plugin)
{
	atomic_fetch_add(&plugin->lost, 1);
}

void plugin_find(struct plugin *plugin)
{
	atomic_fetch_sub(&plugin->lost, 1);
}

size_t plugin_n_lost(const struct plugin *plugin)
{
	return atomic_load(&plugin->lost);
}

void plugin_pin(struct plugin *plugin)
{
	plugin->pinned = true;
}

const char *plugin_name(const struct plugin *plugin)
{
	return manifest_name(plugin->manifest);
}

const char *plugin_version(const struct plugin *plugin)
{
	return manifest_version(plugin->manifest);
}

const struct manifest *plugin_manifest(const struct plugin *plugin)
{
	return plugin->manifest;
}

const struct sluice_detector_ops *plugin_detector_ops(const struct plugin *plugin)
{
	return manifest_kind(plugin->manifest) == SLUICE_PLUGIN_DETECTOR ? &plugin->ops.detector
									 : NULL;
}

const struct sluice_backend_ops *plugin_backend_ops(const struct plugin *plugin)
{
	return manifest_kind(plugin->manifest) == SLUICE_PLUGIN_BACKEND ? &plugin->ops.backend
									: NULL;
}

const struct sluice_stack_ops *plugin_stack_ops(const struct plugin *plugin)
{
	return manifest_kind(plugin->manifest) == SLUICE_PLUGIN_STACK ? &plugin->ops.stack : NULL;
}
