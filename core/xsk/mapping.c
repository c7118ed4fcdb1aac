/* SPDX-License-Identifier: BSD-2-Clause */
/* A socket's rings and frames as memory of this process; see port.h. */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <linux/if_xdp.h>

#include "base/err.h"

#include "port.h"
#include "socket.h"

static int map_ring(struct port_mapping *mapping, int area, int socket,
		    const struct xdp_ring_offset *offset, off_t place, size_t entry_size,
		    uint32_t n, struct port_ring *ring)
{
	size_t size = offset->desc + n * entry_size;
	uint8_t *at =
		mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, socket, place);

	if (at == MAP_FAILED)
		return -errno;
	mapping->areas[area].at = at;
	mapping->areas[area].size = size;
	*ring = (struct port_ring){
		.producer = (uint32_t *)(at + offset->producer),
		.consumer = (uint32_t *)(at + offset->consumer),
		.flags = (uint32_t *)(at + offset->flags),
		.entries = at + offset->desc,
		.size = n,
	};
	return 0;
}

int port_map(struct port_mapping *mapping, int socket, int memory, uint32_t n,
	     struct sluice_err *err)
{
	struct port_rings *rings = &mapping->rings;
	struct xdp_mmap_offsets offsets;
	socklen_t size = sizeof(offsets);
	int code = 0;

	memset(mapping, 0, sizeof(*mapping));
	mapping->memory_size = (size_t)n * XSK_FRAME_SIZE;
	if (getsockopt(socket, SOL_XDP, XDP_MMAP_OFFSETS, &offsets, &size))
		code = -errno;
	if (!code)
		code = map_ring(mapping, 0, socket, &offsets.rx, XDP_PGOFF_RX_RING,
				sizeof(struct xdp_desc), n, &rings->receive);
	if (!code)
		code = map_ring(mapping, 1, socket, &offsets.tx, XDP_PGOFF_TX_RING,
				sizeof(struct xdp_desc), n, &rings->send);
	if (!code)
		code = map_ring(mapping, 2, socket, &offsets.fr, XDP_UMEM_PGOFF_FILL_RING,
				sizeof(uint64_t), n, &rings->fill);
	if (!code)
		code = map_ring(mapping, 3, socket, &offsets.cr,
				(off_t)XDP_UMEM_PGOFF_COMPLETION_RING, sizeof(uint64_t), n,
				&rings->completion);
	if (!code) {
		void *at = mmap(NULL, mapping->memory_size, PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_POPULATE, memory, 0);

		if (at == MAP_FAILED)
			code = -errno;
		else
			mapping->memory = at;
	}
	if (code)
		err_set(err, NULL, "cannot map the socket's memory: %s", err_name(code));
	return code;
}

void port_unmap(struct port_mapping *mapping)
{
	for (int i = 0; i < 4; i++)
		if (mapping->areas[i].at)
			munmap(mapping->areas[i].at, mapping->areas[i].size);
	if (mapping->memory)
		munmap(mapping->memory, mapping->memory_size);
	memset(mapping, 0, sizeof(*mapping));
}
