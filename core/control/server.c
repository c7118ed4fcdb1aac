/* SPDX-License-Identifier: BSD-2-Clause */
/* The control server's loop: accepts, reads requests, calls handlers, streams.  See server.h. */
#include "server.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/clock.h"

#include "connection.h"
#include "event_log.h"
#include "event_stream.h"
#include "fail.h"
#include "listener.h"
#include "protocol.h"

#define READY_MAX 16

struct server {
	struct server_options options;
	char *path;
	gid_t gid;
	int epoll_fd, listen_fd, timer_fd;
	bool listening; /* The listener is in the epoll set: not when descriptors ran out. */
	struct connection *connections;
	struct server_stats stats;
};

static uint64_t now(const struct server *server)
{
	return clock_monotonic_ns(server->options.clock);
}

/* What the kernel shall tell us of a client: no new request is read while an answer is pending. */
static void watch(struct server *server, struct connection *connection, int op)
{
	struct epoll_event event = { .data.ptr = connection };

	if (connection_pending(connection))
		event.events = EPOLLOUT;
	else if (!connection->eof)
		event.events = EPOLLIN;
	if (epoll_ctl(server->epoll_fd, op, connection->fd, &event) != 0)
		connection->dead = true;
}

static const struct server_handler *find_handler(const struct server *server, const char *name)
{
	for (size_t i = 0; i < server->options.n_handlers; i++) {
		if (strcmp(server->options.handlers[i].name, name) == 0)
			return &server->options.handlers[i];
	}
	return NULL;
}

static json_t *list_commands(const struct server *server)
{
	json_t *list = json_array();

	for (size_t i = 0; list && i < server->options.n_handlers; i++) {
		const struct server_handler *handler = &server->options.handlers[i];

		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s}", "name", handler->name, "usage",
						handler->usage, "help", handler->help));
	}
	json_array_append_new(list, json_pack("{s:s, s:s, s:s}", "name", "events", "usage",
					      "[since=SEQUENCE] [follow]", "help",
					      "what happened, and what happens"));
	return json_pack("{s:o}", "commands", list);
}

static int call_handler(struct server *server, const struct protocol_request *request,
			json_t **result, struct sluice_err *err)
{
	const struct server_handler *handler = find_handler(server, request->command);

	if (!handler)
		return fail_with(err, -EOPNOTSUPP,
				 "command '%s': unknown to this daemon; `commands` lists them",
				 request->command);
	if (request->n_args < handler->min_args || request->n_args > handler->max_args)
		return fail_with(err, -EINVAL, "command '%s': %zu arguments; usage: %s %s",
				 request->command, request->n_args, handler->name, handler->usage);
	return handler->call(server->options.ctx, request, result, err);
}

static void answer(struct server *server, struct connection *connection, const char *line,
		   size_t len)
{
	struct protocol_request request;
	struct sluice_err err = { .text = "" };
	json_t *result = NULL;
	int ret;

	ret = protocol_request_parse(line, len, &request, &err);
	server->stats.requests++;
	if (ret)
		server->stats.malformed++;
	else if (strcmp(request.command, "events") == 0)
		ret = event_stream_request(server->options.events, &request, connection, &result,
					   &err);
	else if (strcmp(request.command, "commands") == 0)
		result = list_commands(server);
	else
		ret = call_handler(server, &request, &result, &err);
	connection->active_ns = now(server);
	connection_send(connection,
			ret ? protocol_failure(ret, err.text) : protocol_success(result),
			connection->active_ns);
}

/* All that can be done for one client now: answers, then the stream, until it must be waited for. */
static void serve(struct server *server, struct connection *connection)
{
	char line[PROTOCOL_REQUEST_SIZE_MAX];
	size_t len;
	int ret = 1;

	while (!connection->dead && !connection_pending(connection) && !connection->closing) {
		ret = connection_take_line(connection, line, &len);
		if (ret <= 0)
			break;
		answer(server, connection, line, len);
	}
	if (ret == -EMSGSIZE) {
		server->stats.malformed++;
		connection->closing = true;
		connection_send(connection,
				protocol_failure(-EMSGSIZE, "request: the line is too long"),
				now(server));
	}
	if (connection->following)
		event_stream_push(server->options.events, connection, now(server));
	if (!connection_pending(connection) &&
	    (connection->closing || (connection->eof && !connection->following && ret <= 0)))
		connection->dead = true;
	if (!connection->dead)
		watch(server, connection, EPOLL_CTL_MOD);
}

static void refuse(struct server *server, int fd, int error, const char *message)
{
	json_t *line = protocol_failure(error, message);
	char *text = line ? json_dumps(line, JSON_COMPACT) : NULL;

	/* A courtesy: the socket is new, so that a short line always fits. */
	if (text && (send(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ||
		     send(fd, "\n", 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0))
		server->stats.dropped++;
	server->stats.refused++;
	free(text);
	json_decref(line);
	close(fd);
}

static void welcome(struct server *server, int fd)
{
	struct connection *connection;

	if (!listener_admits(fd, server->gid)) {
		refuse(server, fd, -EPERM,
		       "only root and members of the control group may do this");
		return;
	}
	if (server->stats.clients >= server->options.max_clients) {
		refuse(server, fd, -EBUSY,
		       "the daemon has as many clients as it takes at once, which a reload makes "
		       "wait; try again");
		return;
	}
	connection = connection_new(fd, now(server));
	if (!connection) {
		refuse(server, fd, -ENOMEM, "the daemon is out of memory");
		return;
	}
	connection->next = server->connections;
	server->connections = connection;
	server->stats.clients++;
	server->stats.accepted++;
	watch(server, connection, EPOLL_CTL_ADD);
}

static int listen_on(struct server *server, bool on)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = &server->listen_fd };

	if (server->listening == on)
		return 0;
	if (epoll_ctl(server->epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, server->listen_fd,
		      &event) != 0)
		return -errno;
	server->listening = on;
	return 0;
}

static void accept_clients(struct server *server)
{
	for (int i = 0; i < READY_MAX; i++) {
		int fd = accept4(server->listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			welcome(server, fd);
			continue;
		}
		if (errno == ECONNABORTED || errno == EINTR)
			continue;
		/* Out of descriptors or memory: look again at the next tick instead of spinning. */
		if (errno != EAGAIN && listen_on(server, false) == 0)
			server->stats.refused++;
		return;
	}
}

static void reap(struct server *server)
{
	struct connection **link = &server->connections;

	while (*link) {
		struct connection *connection = *link;

		if (!connection->dead) {
			link = &connection->next;
			continue;
		}
		*link = connection->next;
		connection_free(connection);
		server->stats.clients--;
	}
}

void server_expire(struct server *server)
{
	uint64_t at = now(server);

	for (struct connection *c = server->connections; c; c = c->next) {
		bool waits_for_events = c->following && !connection_pending(c);

		if (!c->dead && !waits_for_events && at - c->active_ns > server->options.idle_ns) {
			c->dead = true;
			server->stats.dropped++;
		}
	}
	reap(server);
	/* Tried again at the next tick if it fails. */
	if (listen_on(server, true) != 0)
		server->stats.refused++;
}

static void stream(struct server *server)
{
	event_log_quiet(server->options.events);
	for (struct connection *c = server->connections; c; c = c->next) {
		if (c->following && !c->dead)
			serve(server, c);
	}
}

static void serve_ready(struct server *server, struct connection *connection, uint32_t events)
{
	if (events & (EPOLLERR | EPOLLHUP))
		connection->dead = true;
	if (!connection->dead && (events & EPOLLOUT))
		connection_flush(connection, now(server));
	if (!connection->dead && (events & EPOLLIN))
		connection_read(connection);
	if (!connection->dead)
		serve(server, connection);
}

void server_dispatch(struct server *server)
{
	struct epoll_event ready[READY_MAX];
	int n = epoll_wait(server->epoll_fd, ready, READY_MAX, 0);

	for (int i = 0; i < n; i++) {
		void *who = ready[i].data.ptr;
		uint64_t ticks;

		if (who == &server->listen_fd) {
			accept_clients(server);
		} else if (who == server->options.events) {
			stream(server);
		} else if (who == &server->timer_fd) {
			if (read(server->timer_fd, &ticks, sizeof(ticks)) == sizeof(ticks))
				server_expire(server);
			/* The rest of this batch may name clients that are gone. */
			break;
		} else if (!((struct connection *)who)->dead) {
			serve_ready(server, who, ready[i].events);
		}
	}
	reap(server);
}

static int watch_own(struct server *server, int fd, void *who)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = who };

	return epoll_ctl(server->epoll_fd, EPOLL_CTL_ADD, fd, &event) ? -errno : 0;
}

static int open_descriptors(struct server *server)
{
	const struct itimerspec second = { .it_interval.tv_sec = 1, .it_value.tv_sec = 1 };
	int ret;

	server->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (server->epoll_fd < 0)
		return -errno;
	server->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (server->timer_fd < 0 || timerfd_settime(server->timer_fd, 0, &second, NULL) != 0)
		return -errno;
	ret = watch_own(server, server->timer_fd, &server->timer_fd);
	if (!ret)
		ret = watch_own(server, event_log_fd(server->options.events),
				server->options.events);
	return ret;
}

int server_open(const struct server_options *options, struct server **out, struct sluice_err *err)
{
	struct server *server = calloc(1, sizeof(*server));
	int ret = -ENOMEM;

	if (!server)
		return fail_with(err, -ENOMEM, "control socket '%s': no memory", options->path);
	server->options = *options;
	if (server->options.max_clients == 0)
		server->options.max_clients = SERVER_CLIENTS;
	if (server->options.idle_ns == 0)
		server->options.idle_ns = SERVER_IDLE_NS;
	server->epoll_fd = server->listen_fd = server->timer_fd = -1;
	server->path = strdup(options->path);
	if (server->path)
		ret = open_descriptors(server);
	if (ret) {
		ret = fail_system(err, ret, "control socket '%s'", options->path);
		goto out_free;
	}
	ret = listener_open(server->path, options->group, &server->listen_fd, &server->gid, err);
	if (ret)
		goto out_free;
	ret = listen_on(server, true);
	if (ret) {
		ret = fail_system(err, ret, "control socket '%s'", options->path);
		goto out_free;
	}
	*out = server;
	return 0;

out_free:
	server_close(server);
	return ret;
}

void server_close(struct server *server)
{
	if (!server)
		return;
	for (struct connection *c = server->connections; c; c = c->next)
		c->dead = true;
	reap(server);
	if (server->listen_fd >= 0) {
		close(server->listen_fd);
		unlink(server->path);
	}
	if (server->timer_fd >= 0)
		close(server->timer_fd);
	if (server->epoll_fd >= 0)
		close(server->epoll_fd);
	free(server->path);
	free(server);
}

int server_fd(const struct server *server)
{
	return server->epoll_fd;
}

void server_stats(const struct server *server, struct server_stats *stats)
{
	*stats = server->stats;
}
