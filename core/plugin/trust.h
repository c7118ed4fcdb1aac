/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which files may become code of the daemon.  A root process that loads shared objects is a
 * privilege boundary, so whoever can change the object, or the way to it, must be somebody who
 * could change the daemon itself.
 *
 * The rules:
 * - The object, its manifest and every folder on the way belong to root, to the effective user, or
 *   to an owner of the running executable or of a folder above it (a build tree that its user runs
 *   by sudo): that owner can replace the daemon anyway.
 * - None of them is writable by others or by the group.  The group bits also bound what an ACL can
 *   grant, so ACLs need no look of their own.  Two exceptions for folders above the plugin folder:
 *   a sticky one (/tmp) passes, since only owners, who are checked, can replace what is in it; and
 *   one that is also above the running executable may be writable by its group.
 * - Symbolic links on the way are followed only if their owner is trusted; the object and its
 *   manifest must be regular files.
 * - What was checked is what is used: every step goes by file descriptor.
 */
#ifndef SLUICE_PLUGIN_TRUST_H
#define SLUICE_PLUGIN_TRUST_H

#include <stddef.h>
#include <sys/types.h>

struct sluice_err;

#define PLUGIN_TRUST_MAX_UIDS 16
#define PLUGIN_TRUST_MAX_FOLDERS 64

struct plugin_trust_folder {
	dev_t dev;
	ino_t ino;
};

struct plugin_trust {
	uid_t uids[PLUGIN_TRUST_MAX_UIDS];
	size_t n_uids;
	/* Those above the running executable. */
	struct plugin_trust_folder folders[PLUGIN_TRUST_MAX_FOLDERS];
	size_t n_folders;
};

/* As this process stands.  Without /proc only root and the effective user are trusted. */
void plugin_trust_init(struct plugin_trust *trust);
/* As if the executable were `path`, which must be absolute. */
void plugin_trust_init_at(struct plugin_trust *trust, const char *path);

/*
 * Opens a folder, or a file in a folder so opened, if it may be trusted.  -EPERM: it may not, or
 * what open() says; the reason is a clause about `path`, or about `folder`/`file`.  The caller
 * closes `*fd`.
 */
int plugin_trust_open_folder(const struct plugin_trust *trust, const char *path, int *fd,
			     struct sluice_err *err) __attribute__((warn_unused_result));
int plugin_trust_open_file(const struct plugin_trust *trust, int folder_fd, const char *folder,
			   const char *file, int *fd, struct sluice_err *err)
	__attribute__((warn_unused_result));

#endif /* SLUICE_PLUGIN_TRUST_H */
