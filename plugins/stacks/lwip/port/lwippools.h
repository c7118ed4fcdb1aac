/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * lwIP's heap as three pools, so that an allocation takes the same time however full it is, and all
 * memory is bounded.  Included by lwIP several times, hence without a guard.
 */
#if MEM_USE_POOLS
LWIP_MALLOC_MEMPOOL_START
/* Headers of a segment whose data lies elsewhere, and bare acknowledgements. */
LWIP_MALLOC_MEMPOOL(16384, 192)
/* A reply's header with a small file. */
LWIP_MALLOC_MEMPOOL(8192, 640)
/* A full segment. */
LWIP_MALLOC_MEMPOOL(4096, 1664)
LWIP_MALLOC_MEMPOOL_END
#endif
