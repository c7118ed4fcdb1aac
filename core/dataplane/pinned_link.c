/* SPDX-License-Identifier: BSD-2-Clause */
/* See pinned_link.h. */
#include "pinned_link.h"

#include <errno.h>
#include <unistd.h>

#include <bpf/bpf.h>

/* Without its pin the kernel would detach the link, too, but some time later. */
static void detach(const char *pin)
{
	int fd = bpf_obj_get(pin);

	if (fd < 0)
		return;
	(void)bpf_link_detach(fd);
	close(fd);
}

int pinned_link_remove(const char *pin)
{
	detach(pin);
	return unlink(pin) ? -errno : 0;
}
