/* SPDX-License-Identifier: BSD-2-Clause */
#include "isn.h"

#include <string.h>

#include "base/siphash.h"

/* On little-endian machines, as all that AF_XDP's drivers run on. */
uint64_t isn_siphash(const uint64_t key[2], const void *data, size_t size)
{
	struct siphash s = siphash_begin(key);
	const uint8_t *bytes = data;
	uint64_t word;
	size_t done;

	for (done = 0; done + 8 <= size; done += 8) {
		memcpy(&word, bytes + done, 8);
		siphash_word(&s, word, 2);
	}
	word = (uint64_t)size << 56;
	for (; done < size; done++)
		word |= (uint64_t)bytes[done] << 8 * (done % 8);
	siphash_word(&s, word, 2);
	return siphash_end(&s, 4);
}
