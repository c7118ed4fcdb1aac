/* SPDX-License-Identifier: BSD-2-Clause */
/* See mapped.h. */
#include "mapped.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "base/err.h"

int mapped_open(struct mapped *mapped, int fd, const char *name, struct sluice_err *err)
{
	struct bpf_map_info info = {};
	__u32 info_size = sizeof(info);
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	mapped->memory = NULL;
	if (bpf_obj_get_info_by_fd(fd, &info, &info_size) < 0) {
		int code = -errno;

		err_set(err, name, "cannot read the map's size: %s", err_name(code));
		return code;
	}
	size_t size = (size_t)info.max_entries * ((info.value_size + 7) & ~7u);

	size = (size + page - 1) / page * page;
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED) {
		int code = -errno;

		err_set(err, name, "cannot map %zu bytes: %s", size, err_name(code));
		return code;
	}
	mapped->memory = memory;
	mapped->size = size;
	return 0;
}

void mapped_close(struct mapped *mapped)
{
	if (mapped->memory)
		munmap(mapped->memory, mapped->size);
	mapped->memory = NULL;
}
