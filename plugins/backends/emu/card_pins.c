/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The card's folder in the BPF file system.
 */
#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "card.h"
#include "card_tool.h"
#include "explain.h"

static const char *const names[] = {
	CARD_PIN_CARD, CARD_PIN_BUCKETS, CARD_PIN_HASH, CARD_PIN_TOTALS,
	CARD_PIN_XDP,  CARD_PIN_EGRESS,	 CARD_PIN_TC,
};

int card_pins_check(const char *folder, struct sluice_err *err)
{
	struct statfs fs;

	if (statfs(folder, &fs)) {
		int rc = -errno;

		if (rc == -ENOENT)
			explain(err, "card '%.80s': there is no such folder", folder);
		else
			explain(err, "card '%.80s': %s", folder, strerror(-rc));
		return rc;
	}
	if (fs.f_type != BPF_FS_MAGIC) {
		explain(err,
			"card '%.80s': not in a BPF file system; choose a folder under "
			"/sys/fs/bpf, or: mount -t bpf bpf FOLDER",
			folder);
		return -EINVAL;
	}
	return 0;
}

int card_pins_remove(const char *folder, struct sluice_err *err)
{
	char path[PATH_MAX];
	int rc = 0;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (snprintf(path, sizeof(path), "%s/%s", folder, names[i]) >= (int)sizeof(path))
			return -ENAMETOOLONG;
		if (unlink(path) && errno != ENOENT)
			rc = -errno;
	}
	if (rc == 0 && rmdir(folder))
		rc = -errno;
	if (rc == -ENOTEMPTY)
		explain(err, "card '%.80s': the card is gone, but the folder holds pins of others",
			folder);
	else if (rc)
		explain(err, "card '%.80s': cannot remove it: %s", folder, strerror(-rc));
	return rc;
}
