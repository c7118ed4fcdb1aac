/* SPDX-License-Identifier: BSD-2-Clause */
/* A blocking client with time limits.  See client.h. */
#include "client.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"

#include "fail.h"
#include "protocol.h"

/* An answer may wait for the engine to finish a window; more than this is a fault. */
#define CALL_TIMEOUT_MS 30000
#define SEND_TIMEOUT_S 5
#define READ_SIZE 16384

struct client {
	int fd;
	char *in;
	size_t in_size, in_room, scanned;
};

static int explain_connect(const char *path, int error, struct sluice_err *err)
{
	if (error == -ENOENT || error == -ECONNREFUSED)
		return fail_with(err, error,
				 "no daemon answers at %s: %s; start it with `systemctl start "
				 "sluiced` or `sluiced --config FILE`, or name its socket by "
				 "--socket PATH",
				 path, strerror(-error));
	if (error == -EACCES || error == -EPERM)
		return fail_with(err, error,
				 "not allowed to use %s; become root, or join the group that "
				 "control.group names",
				 path);
	if (error == -EAGAIN)
		return fail_with(err, error,
				 "the daemon at %s is busy, perhaps with a reload: it took no new "
				 "client for %d s; try again",
				 path, SEND_TIMEOUT_S);
	return fail_system(err, error, "cannot connect to %s", path);
}

int client_open(const char *path, struct client **out, struct sluice_err *err)
{
	const struct timeval limit = { .tv_sec = SEND_TIMEOUT_S };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct client *client;
	int ret;

	if (strlen(path) >= sizeof(address.sun_path))
		return fail_with(err, -ENAMETOOLONG,
				 "socket path '%s' is longer than %zu characters", path,
				 sizeof(address.sun_path) - 1);
	strcpy(address.sun_path, path);
	client = calloc(1, sizeof(*client));
	if (!client)
		return fail_system(err, -ENOMEM, "cannot connect to %s", path);
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	/* Also bounds connect(), which waits while the daemon's backlog is full. */
	if (client->fd < 0 ||
	    setsockopt(client->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) != 0 ||
	    connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) != 0) {
		ret = explain_connect(path, -errno, err);
		client_close(client);
		return ret;
	}
	*out = client;
	return 0;
}

void client_close(struct client *client)
{
	if (!client)
		return;
	if (client->fd >= 0)
		close(client->fd);
	free(client->in);
	free(client);
}

static int send_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		data += n;
		size -= (size_t)n;
	}
	return 0;
}

int client_send(struct client *client, const char *command, const char *const *args, size_t n_args,
		struct sluice_err *err)
{
	json_t *request = protocol_request_json(command, args, n_args);
	char *line = request ? json_dumps(request, JSON_COMPACT) : NULL;
	size_t size;
	int ret;

	json_decref(request);
	if (!line)
		return fail_with(err, -EINVAL, "%s: the arguments are not text", command);
	size = strlen(line);
	if (size + 1 > PROTOCOL_REQUEST_SIZE_MAX) {
		free(line);
		return fail_with(err, -E2BIG, "%s: the arguments are too long", command);
	}
	line[size] = '\n'; /* In place of its NUL. */
	ret = send_all(client->fd, line, size + 1);
	free(line);
	/* A daemon that refuses us says why before it closes: the answer is worth reading. */
	if (ret == -EPIPE || ret == -ECONNRESET)
		ret = 0;
	return ret ? fail_system(err, ret, "cannot send to the daemon") : 0;
}

static uint64_t now_ms(void)
{
	return clock_monotonic_ns(&clock_system) / 1000000;
}

/* Waits for more bytes until `deadline` (UINT64_MAX: for ever) and appends them. */
static int read_more(struct client *client, uint64_t deadline)
{
	struct pollfd poll_fd = { .fd = client->fd, .events = POLLIN };
	ssize_t n;

	if (client->in_size >= PROTOCOL_RESPONSE_SIZE_MAX)
		return -EMSGSIZE;
	if (client->in_room - client->in_size < READ_SIZE) {
		char *grown = realloc(client->in, client->in_room + 4 * READ_SIZE);

		if (!grown)
			return -ENOMEM;
		client->in = grown;
		client->in_room += 4 * READ_SIZE;
	}
	for (;;) {
		uint64_t now = now_ms();
		int wait = deadline == UINT64_MAX ? -1 : now < deadline ? (int)(deadline - now) : 0;
		int ready = poll(&poll_fd, 1, wait);

		if (ready == 0)
			return -ETIMEDOUT;
		if (ready < 0 && errno != EINTR)
			return -errno;
		if (ready > 0)
			break;
	}
	n = recv(client->fd, client->in + client->in_size, READ_SIZE, 0);
	if (n < 0)
		return errno == EINTR ? 0 : -errno;
	if (n == 0)
		return -ECONNRESET;
	client->in_size += (size_t)n;
	return 0;
}

static int take_line(struct client *client, const char *end, json_t **line, struct sluice_err *err)
{
	size_t size = (size_t)(end - client->in);
	json_error_t why;

	*line = json_loadb(client->in, size, 0, &why);
	client->in_size -= size + 1;
	memmove(client->in, end + 1, client->in_size);
	client->scanned = 0;
	if (!*line)
		return fail_with(err, -EPROTO, "the daemon's answer is not JSON: %s", why.text);
	return 0;
}

int client_receive(struct client *client, int timeout_ms, json_t **line, struct sluice_err *err)
{
	uint64_t deadline = timeout_ms < 0 ? UINT64_MAX : now_ms() + (uint64_t)timeout_ms;

	for (;;) {
		const char *end = NULL;
		int ret;

		if (client->in_size > client->scanned)
			end = memchr(client->in + client->scanned, '\n',
				     client->in_size - client->scanned);
		if (end)
			return take_line(client, end, line, err);
		client->scanned = client->in_size;
		ret = read_more(client, deadline);
		if (ret == -ECONNRESET)
			return fail_with(err, ret, "the daemon closed the connection");
		if (ret == -ETIMEDOUT)
			return fail_with(
				err, ret,
				"the daemon did not answer in %d s; the filter goes on without "
				"it; its log may say why, and `systemctl restart sluiced` helps",
				timeout_ms / 1000);
		if (ret)
			return fail_system(err, ret, "cannot read the daemon's answer");
	}
}

int client_call(struct client *client, const char *command, const char *const *args, size_t n_args,
		json_t **result, struct sluice_err *err)
{
	json_t *line;
	int ret;

	ret = client_send(client, command, args, n_args, err);
	if (ret)
		return ret;
	ret = client_receive(client, CALL_TIMEOUT_MS, &line, err);
	if (ret)
		return ret;
	ret = protocol_response_parse(line, result, err);
	json_decref(line);
	return ret;
}
