/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first half of opening a plugin: folder and manifest, before any of its code is touched.
 */
#ifndef SLUICE_PLUGIN_MANIFEST_CHECK_H
#define SLUICE_PLUGIN_MANIFEST_CHECK_H

#include <sluice/plugin.h>

struct manifest;
struct plugin_trust;

/*
 * Reads `<name>.plugin.yaml` of the folder open as `folder_fd` and checks that it describes a
 * plugin of this name and kind that this host can run.  The reason is a clause without the
 * plugin's name.
 */
int manifest_check_load(const struct plugin_trust *trust, int folder_fd, const char *folder,
			const char *name, enum sluice_plugin_kind kind, struct manifest **out,
			struct sluice_err *err) __attribute__((warn_unused_result));

#endif /* SLUICE_PLUGIN_MANIFEST_CHECK_H */
