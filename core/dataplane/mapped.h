/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory of a BPF_F_MMAPABLE array, mapped into this process. */
#ifndef SLUICE_DATAPLANE_MAPPED_H
#define SLUICE_DATAPLANE_MAPPED_H

#include <stddef.h>

#include <sluice/plugin.h>

struct mapped {
	void *memory; /* NULL if not open. */
	size_t size;  /* Bytes mapped, whole pages. */
};

/* Maps all elements of the array behind `fd`, read and write.  `name` is for the message. */
int mapped_open(struct mapped *mapped, int fd, const char *name, struct sluice_err *err)
	__attribute__((warn_unused_result));
void mapped_close(struct mapped *mapped);

#endif /* SLUICE_DATAPLANE_MAPPED_H */
