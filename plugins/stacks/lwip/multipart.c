/* SPDX-License-Identifier: BSD-2-Clause */
#include "multipart.h"

#include <inttypes.h>
#include <stdio.h>

/* The piece of this number: one for each range, and the end. */
static void make_piece(const struct multipart *multipart, unsigned int number,
		       struct multipart_piece *piece)
{
	const struct http_range *range = &multipart->ranges.of[number];
	int n;

	if (number == multipart->ranges.n) {
		n = snprintf(piece->text, sizeof(piece->text), "\r\n--%0*" PRIu64 "--\r\n",
			     MULTIPART_BOUNDARY_LEN, multipart->boundary);
		piece->bytes = NULL;
		piece->size = 0;
	} else {
		n = snprintf(piece->text, sizeof(piece->text),
			     "\r\n--%0*" PRIu64 "\r\nContent-Type: %s\r\n"
			     "Content-Range: bytes %zu-%zu/%zu\r\n\r\n",
			     MULTIPART_BOUNDARY_LEN, multipart->boundary, multipart->type,
			     range->start, range->end - 1, multipart->size);
		piece->bytes = multipart->bytes + range->start;
		piece->size = range->end - range->start;
	}
	piece->text_size = (size_t)n < sizeof(piece->text) ? (size_t)n : sizeof(piece->text) - 1;
}

size_t multipart_size(const struct multipart *multipart)
{
	struct multipart_piece piece;
	size_t total = 0;

	for (unsigned int i = 0; i <= multipart->ranges.n; i++) {
		make_piece(multipart, i, &piece);
		total += piece.text_size + piece.size;
	}
	return total;
}

bool multipart_is_over(const struct multipart *multipart)
{
	return multipart->next > multipart->ranges.n;
}

void multipart_void(struct multipart *multipart)
{
	multipart->ranges.n = 0;
	multipart->next = 1;
}

bool multipart_next(struct multipart *multipart, struct multipart_piece *piece)
{
	if (multipart_is_over(multipart))
		return false;
	make_piece(multipart, multipart->next++, piece);
	return true;
}
