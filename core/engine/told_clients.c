/* SPDX-License-Identifier: BSD-2-Clause */
/* See told_clients.h. */
#include "told_clients.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct told_clients {
	pthread_mutex_t lock; /* Guards what follows. */
	size_t n;
	struct told_client clients[TOLD_CLIENTS_MAX];
};

int told_clients_new(struct told_clients **out)
{
	struct told_clients *told = calloc(1, sizeof(*told));

	if (!told)
		return -ENOMEM;
	pthread_mutex_init(&told->lock, NULL);
	*out = told;
	return 0;
}

void told_clients_free(struct told_clients *told)
{
	if (!told)
		return;
	pthread_mutex_destroy(&told->lock);
	free(told);
}

bool told_clients_put(struct told_clients *told, const struct told_client *client)
{
	bool fits;

	pthread_mutex_lock(&told->lock);
	fits = told->n < TOLD_CLIENTS_MAX;
	if (fits)
		told->clients[told->n++] = *client;
	pthread_mutex_unlock(&told->lock);
	return fits;
}

size_t told_clients_take(struct told_clients *told, struct told_client *clients)
{
	size_t n;

	pthread_mutex_lock(&told->lock);
	n = told->n;
	told->n = 0;
	memcpy(clients, told->clients, n * sizeof(*clients));
	pthread_mutex_unlock(&told->lock);
	return n;
}
