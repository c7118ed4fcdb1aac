/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An answer of several ranges (multipart/byteranges, RFC 9110, 14.6), piece by piece: each range is some text and a
 * part of the file, and behind the last comes text alone.  Nothing is put together in memory.
 */
#ifndef SLUICE_LWIP_MULTIPART_H
#define SLUICE_LWIP_MULTIPART_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http_range.h"

enum {
	MULTIPART_TEXT_MAX = 192,
	MULTIPART_BOUNDARY_LEN = 20,
};

struct multipart {
	const char *type; /* The file's. */
	const uint8_t *bytes;
	size_t size;
	uint64_t boundary;
	unsigned int next; /* Piece. */
	struct http_ranges ranges;
};

/* One of them; the text is copied, the bytes are the file's. */
struct multipart_piece {
	size_t text_size;
	char text[MULTIPART_TEXT_MAX];
	const uint8_t *bytes;
	size_t size;
};

/* Of all pieces. */
size_t multipart_size(const struct multipart *multipart);

/* False: the last one was given. */
bool multipart_next(struct multipart *multipart, struct multipart_piece *piece);
bool multipart_is_over(const struct multipart *multipart);
/* Before the first is taken, or if there are none: it is over. */
void multipart_void(struct multipart *multipart);

#endif /* SLUICE_LWIP_MULTIPART_H */
