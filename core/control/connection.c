/* SPDX-License-Identifier: BSD-2-Clause */
/* Buffers of one control client.  See connection.h. */
#include "connection.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection *connection_new(int fd, uint64_t now_ns)
{
	struct connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return NULL;
	connection->fd = fd;
	connection->active_ns = now_ns;
	return connection;
}

void connection_free(struct connection *connection)
{
	if (!connection)
		return;
	close(connection->fd);
	free(connection->out);
	free(connection);
}

void connection_read(struct connection *connection)
{
	while (connection->in_size < sizeof(connection->in)) {
		ssize_t n = recv(connection->fd, connection->in + connection->in_size,
				 sizeof(connection->in) - connection->in_size, MSG_DONTWAIT);

		if (n > 0) {
			connection->in_size += (size_t)n;
			continue;
		}
		if (n == 0)
			connection->eof = true;
		else if (errno == EINTR)
			continue;
		else if (errno != EAGAIN)
			connection->dead = true;
		return;
	}
}

int connection_take_line(struct connection *connection, char *line, size_t *len)
{
	const char *end = memchr(connection->in, '\n', connection->in_size);
	size_t taken;

	if (!end)
		return connection->in_size == sizeof(connection->in) ? -EMSGSIZE : 0;
	*len = (size_t)(end - connection->in);
	memcpy(line, connection->in, *len);
	taken = *len + 1;
	connection->in_size -= taken;
	memmove(connection->in, connection->in + taken, connection->in_size);
	return 1;
}

void connection_flush(struct connection *connection, uint64_t now_ns)
{
	while (connection->out_sent < connection->out_size) {
		ssize_t n = send(connection->fd, connection->out + connection->out_sent,
				 connection->out_size - connection->out_sent,
				 MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n >= 0) {
			connection->out_sent += (size_t)n;
			connection->active_ns = now_ns;
			continue;
		}
		if (errno == EINTR)
			continue;
		if (errno != EAGAIN)
			connection->dead = true;
		return;
	}
	free(connection->out);
	connection->out = NULL;
	connection->out_size = connection->out_sent = 0;
}

void connection_send(struct connection *connection, json_t *line, uint64_t now_ns)
{
	size_t size = line ? json_dumpb(line, NULL, 0, JSON_COMPACT) : 0;
	char *grown;

	if (connection->dead)
		goto out;
	/* No memory for an answer: a client that waits for it must not wait for ever. */
	if (size == 0 || connection->out_size + size + 1 > PROTOCOL_RESPONSE_SIZE_MAX) {
		connection->dead = true;
		goto out;
	}
	grown = realloc(connection->out, connection->out_size + size + 1);
	if (!grown) {
		connection->dead = true;
		goto out;
	}
	connection->out = grown;
	if (json_dumpb(line, grown + connection->out_size, size, JSON_COMPACT) != size) {
		connection->dead = true;
		goto out;
	}
	grown[connection->out_size + size] = '\n';
	connection->out_size += size + 1;
	connection_flush(connection, now_ns);
out:
	json_decref(line);
}
