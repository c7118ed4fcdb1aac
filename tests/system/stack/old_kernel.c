/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Preloaded, the kernel is one from before TX metadata: XDP_UMEM_REG refuses a flag that it does not know.
 * System calls that pass pointers can be refused by neither seccomp nor a cgroup without changing the error.
 */
#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/if_xdp.h>

__attribute__((visibility("default"))) int setsockopt(int fd, int level, int name,
						      const void *value, socklen_t size)
{
	int (*next)(int, int, int, const void *, socklen_t);
	struct xdp_umem_reg umem;

	if (level == SOL_XDP && name == XDP_UMEM_REG && size >= sizeof(umem)) {
		memcpy(&umem, value, sizeof(umem));
		if (umem.flags & ~(uint32_t)XDP_UMEM_UNALIGNED_CHUNK_FLAG) {
			errno = EINVAL;
			return -1;
		}
	}
	*(void **)&next = dlsym(RTLD_NEXT, "setsockopt");
	return next(fd, level, name, value, size);
}
