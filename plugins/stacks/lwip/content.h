/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the server has to give: files in memory, `/bytes/N` (N bytes, without a file), and `/prime/N`, the
 * primes below N, computed for each request: an application that costs CPU time.
 */
#ifndef SLUICE_LWIP_CONTENT_H
#define SLUICE_LWIP_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include <sluice/plugin.h>

#include "http_date.h"

enum {
	CONTENT_FILE_MAX = 1024 * 1024, /* Bytes of a file. */
	CONTENT_FILES_MAX = 256,
	CONTENT_NAME_MAX = 127,
	CONTENT_TAG_SIZE = 36,	     /* An entity tag: two numbers of 64 bits. */
	CONTENT_PRIME_LIMIT = 10000, /* The highest N of /prime/N that a deployment can allow. */
	CONTENT_PRIME_SIZE = 8192,   /* Enough for the text of all primes below it. */
};

struct content_file {
	char name[CONTENT_NAME_MAX + 1]; /* As it is asked for, from the '/' on. */
	const char *type;		 /* Content-Type */
	const uint8_t *bytes;
	size_t size;
	time_t modified; /* 0: it is no file, and has neither this date nor a tag. */
	char tag[CONTENT_TAG_SIZE];
	char modified_text[HTTP_DATE_SIZE];
};

struct content {
	struct content_file *files; /* Sorted by name. */
	size_t n_files;
	uint8_t *filler; /* For /bytes/N. */
	unsigned int prime_limit;
};

/*
 * Reads all plain files of `root` (NULL: none), but not of folders in it; index.html is also "/".
 * 0; a negative errno with the reason, and nothing is left behind.
 */
int content_init(struct content *content, const char *root, unsigned int prime_limit,
		 struct sluice_err *err) __attribute__((warn_unused_result));
void content_fini(struct content *content);

/* What is at `path`; false: nothing.  `file` is valid as long as the content is. */
bool content_find(const struct content *content, const char *path, struct content_file *file);

/* N of /prime/N; 0: it is another path, or N is over the limit. */
unsigned int content_prime_of(const struct content *content, const char *path);

/*
 * The primes below `limit`, a line each, found by trial division by all smaller numbers, in `text`,
 * which has CONTENT_PRIME_SIZE bytes; returns how many bytes.
 */
size_t content_primes(unsigned int limit, char *text);

#endif /* SLUICE_LWIP_CONTENT_H */
