/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Stands for the driver of your card, so that the template does something: a table in a file, which
 * outlives whoever fills it.  Throw it away.
 */
#ifndef MYBACKEND_CARD_H
#define MYBACKEND_CARD_H

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <sluice/backend.h>

#define CARD_CAPACITY 1024u

struct card {
	struct sluice_backend_rule place[CARD_CAPACITY]; /* All zero: free. */
};

#define CARD_FREE_PLACE (&(const struct sluice_backend_rule){ .key = { 0 } })

static inline int card_open(const char *path, void **card)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600), rc = 0;
	void *map = MAP_FAILED;

	if (fd >= 0 && ftruncate(fd, sizeof(struct card)) == 0)
		map = mmap(NULL, sizeof(struct card), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		rc = -errno;
	else
		*card = map;
	if (fd >= 0)
		close(fd);
	return rc;
}

/* The rules stay. */
static inline void card_close(void *card)
{
	if (card)
		munmap(card, sizeof(struct card));
}

/* Puts `next` into the place that holds `old`; false if none does. */
static inline bool card_put(struct card *card, const struct sluice_backend_rule *old,
			    const struct sluice_backend_rule *next)
{
	for (size_t i = 0; i < CARD_CAPACITY; i++) {
		if (memcmp(&card->place[i], old, sizeof(*old)) != 0)
			continue;
		card->place[i] = *next;
		return true;
	}
	return false;
}

static inline size_t card_list(const struct card *card, struct sluice_backend_rule *rules, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < CARD_CAPACITY && count < n; i++)
		if (card->place[i].key.family != 0)
			rules[count++] = card->place[i];
	return count;
}

#endif /* MYBACKEND_CARD_H */
