/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The server and the client over a real Unix socket in a folder of the test's own, in one thread:
 * the server is dispatched by hand and its clock is set by hand, so nothing here waits.
 */
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "base/clock.h"
#include "control/client.h"
#include "control/event_log.h"
#include "control/protocol.h"
#include "control/server.h"
#include "dial.h"

static char folder[64], path[96];
static uint64_t now_ns;
static struct event_log *events;
static struct server *server;

static uint64_t fake_now(void *ctx)
{
	(void)ctx;
	return now_ns;
}

static const struct clock_source fake_clock = {
	.monotonic_ns = fake_now,
	.boottime_ns = fake_now,
	.realtime_ns = fake_now,
};

static int handle_echo(void *ctx, const struct protocol_request *request, json_t **result,
		       struct sluice_err *err)
{
	(void)ctx;
	(void)err;
	*result = json_pack("{s:s, s:i}", "first", request->args[0], "n", (int)request->n_args);
	return 0;
}

static int handle_refuse(void *ctx, const struct protocol_request *request, json_t **result,
			 struct sluice_err *err)
{
	(void)ctx;
	(void)request;
	(void)result;
	snprintf(err->text, sizeof(err->text), "the allow-list covers it");
	return -EPERM;
}

static int handle_big(void *ctx, const struct protocol_request *request, json_t **result,
		      struct sluice_err *err)
{
	char *text = malloc(1000001);

	(void)ctx;
	(void)request;
	(void)err;
	memset(text, 'x', 1000000);
	text[1000000] = '\0';
	*result = json_pack("{s:s}", "text", text);
	free(text);
	return 0;
}

static int handle_nothing(void *ctx, const struct protocol_request *request, json_t **result,
			  struct sluice_err *err)
{
	(void)ctx;
	(void)request;
	(void)result;
	(void)err;
	return 0;
}

static const struct server_handler handlers[] = {
	{ "echo", "WORD [WORD]", "says it back", 1, 2, handle_echo },
	{ "refuse", "", "never", 0, 0, handle_refuse },
	{ "big", "", "much", 0, 0, handle_big },
	{ "nothing", "", "no result", 0, 0, handle_nothing },
};

static struct server_options make_options(void)
{
	return (struct server_options){
		.path = path,
		.handlers = handlers,
		.n_handlers = sizeof(handlers) / sizeof(handlers[0]),
		.events = events,
		.clock = &fake_clock,
		.max_clients = 4,
		.idle_ns = 1000,
	};
}

static void setup(void)
{
	struct server_options options;
	struct sluice_err err = { .text = "" };

	strcpy(folder, "/tmp/sluice-test-XXXXXX");
	cr_assert_not_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/run/control.sock", folder);
	cr_assert_eq(event_log_new(64, &events), 0);
	options = make_options();
	cr_assert_eq(server_open(&options, &server, &err), 0, "%s", err.text);
}

static void teardown(void)
{
	char run[80];

	server_close(server);
	event_log_free(events);
	snprintf(run, sizeof(run), "%s/run", folder);
	unlink(path);
	rmdir(run);
	rmdir(folder);
}

TestSuite(server, .init = setup, .fini = teardown);

/* Lets the server do all that it can do now. */
static void dispatch(void)
{
	struct pollfd poll_fd = { .fd = server_fd(server), .events = POLLIN };

	for (int i = 0; i < 100 && poll(&poll_fd, 1, 0) == 1; i++)
		server_dispatch(server);
}

static struct client *connect_client(void)
{
	struct client *client = NULL;
	struct sluice_err err = { .text = "" };

	cr_assert_eq(client_open(path, &client, &err), 0, "%s", err.text);
	dispatch();
	return client;
}

static int connect_raw(void)
{
	int fd = dial(path, SOCK_NONBLOCK);

	dispatch();
	return fd;
}

static void send_raw(int fd, const char *data, size_t size)
{
	cr_assert_eq(send(fd, data, size, MSG_NOSIGNAL), (ssize_t)size);
	dispatch();
}

/* Everything that has come, as one string; `*eof` tells whether the server has closed. */
static size_t read_raw(int fd, char *text, size_t size, bool *eof)
{
	size_t used = 0;

	*eof = false;
	for (;;) {
		ssize_t n = recv(fd, text + used, size - 1 - used, 0);

		if (n <= 0) {
			*eof = n == 0 || errno == ECONNRESET;
			text[used] = '\0';
			return used;
		}
		used += (size_t)n;
	}
}

static int call(struct client *client, const char *command, const char *const *args, size_t n,
		json_t **result, struct sluice_err *err)
{
	json_t *line;
	int ret = client_send(client, command, args, n, err);

	if (ret)
		return ret;
	dispatch();
	ret = client_receive(client, 0, &line, err);
	if (ret)
		return ret;
	ret = protocol_response_parse(line, result, err);
	json_decref(line);
	return ret;
}

Test(server, answers)
{
	const char *const args[] = { "hello" };
	struct client *client = connect_client();
	struct sluice_err err = { .text = "" };
	json_t *result;

	for (int i = 0; i < 3; i++) {
		cr_assert_eq(call(client, "echo", args, 1, &result, &err), 0, "%s", err.text);
		cr_assert_str_eq(json_string_value(json_object_get(result, "first")), "hello");
		json_decref(result);
	}
	cr_assert_eq(call(client, "nothing", NULL, 0, &result, &err), 0);
	cr_assert_eq(json_object_size(result), 0);
	json_decref(result);
	client_close(client);
}

Test(server, hands_on_errors_of_handlers)
{
	struct client *client = connect_client();
	struct sluice_err err;
	json_t *result;

	cr_assert_eq(call(client, "refuse", NULL, 0, &result, &err), -EPERM);
	cr_assert_str_eq(err.text, "the allow-list covers it");
	client_close(client);
}

Test(server, refuses_wrong_requests)
{
	const char *const many[] = { "a", "b", "c" };
	struct client *client = connect_client();
	struct sluice_err err;
	json_t *result;

	cr_assert_eq(call(client, "no-such", NULL, 0, &result, &err), -EOPNOTSUPP);
	cr_assert_not_null(strstr(err.text, "no-such"));
	cr_assert_eq(call(client, "echo", NULL, 0, &result, &err), -EINVAL);
	cr_assert_not_null(strstr(err.text, "WORD [WORD]"), "the usage is shown: %s", err.text);
	cr_assert_eq(call(client, "echo", many, 3, &result, &err), -EINVAL);
	cr_assert_eq(call(client, "events", (const char *const[]){ "since=x" }, 1, &result, &err),
		     -EINVAL);
	client_close(client);
}

Test(server, lists_its_commands)
{
	struct client *client = connect_client();
	struct sluice_err err;
	json_t *result;

	cr_assert_eq(call(client, "commands", NULL, 0, &result, &err), 0);
	cr_assert_eq(json_array_size(json_object_get(result, "commands")),
		     sizeof(handlers) / sizeof(handlers[0]) + 1);
	json_decref(result);
	client_close(client);
}

Test(server, takes_pipelined_and_cut_up_lines)
{
	static const char two[] = "{\"command\":\"nothing\"}\n{\"command\":\"nothing\"}\n";
	char text[256];
	int fd = connect_raw();
	bool eof;

	send_raw(fd, two, sizeof(two) - 1);
	read_raw(fd, text, sizeof(text), &eof);
	cr_assert_str_eq(text, "{\"ok\":true,\"result\":{}}\n{\"ok\":true,\"result\":{}}\n");
	for (size_t i = 0; i < 22; i++)
		send_raw(fd, two + i, 1);
	read_raw(fd, text, sizeof(text), &eof);
	cr_assert_str_eq(text, "{\"ok\":true,\"result\":{}}\n");
	cr_assert_not(eof);
	close(fd);
}

Test(server, answers_a_client_that_half_closes)
{
	char text[256];
	int fd = connect_raw();
	bool eof;

	cr_assert_eq(send(fd, "{\"command\":\"nothing\"}\n", 22, 0), 22);
	shutdown(fd, SHUT_WR);
	dispatch();
	read_raw(fd, text, sizeof(text), &eof);
	cr_assert_str_eq(text, "{\"ok\":true,\"result\":{}}\n");
	cr_assert(eof);
	close(fd);
}

Test(server, answers_malformed_lines_and_goes_on)
{
	static const char *const lines[] = { "\n", "x\n", "{}\n", "{\"command\":1}\n", "\0\0\n" };
	struct server_stats stats;
	char text[1024];
	int fd = connect_raw();
	bool eof;

	for (size_t i = 0; i < 4; i++) {
		send_raw(fd, lines[i], strlen(lines[i]));
		read_raw(fd, text, sizeof(text), &eof);
		cr_assert_not(eof, "line %zu", i);
		cr_assert_not_null(strstr(text, "\"EINVAL\""), "line %zu: %s", i, text);
	}
	send_raw(fd, lines[4], 3);
	read_raw(fd, text, sizeof(text), &eof);
	cr_assert_not_null(strstr(text, "\"EINVAL\""));
	server_stats(server, &stats);
	cr_assert_eq(stats.malformed, 5);
	close(fd);
}

Test(server, closes_on_a_line_without_end)
{
	char text[PROTOCOL_REQUEST_SIZE_MAX], answer[512];
	int fd = connect_raw();
	bool eof;

	memset(text, 'x', sizeof(text));
	send_raw(fd, text, sizeof(text));
	read_raw(fd, answer, sizeof(answer), &eof);
	cr_assert_not_null(strstr(answer, "\"EMSGSIZE\""), "%s", answer);
	cr_assert(eof);
	close(fd);
}

Test(server, random_bytes_do_no_harm)
{
	const unsigned int seed = 4711;
	char text[512];
	bool eof;

	srand(seed);
	for (int round = 0; round < 300; round++) {
		struct sluice_err err;
		int fd = connect_raw();
		size_t size = 1 + (size_t)rand() % (sizeof(text) - 1);

		for (size_t i = 0; i < size; i++)
			text[i] = rand() % 8 ? (char)rand() : '\n';
		send_raw(fd, text, size);
		read_raw(fd, text, sizeof(text), &eof);
		close(fd);
		dispatch();
		if (round % 50 == 0) {
			struct client *client = connect_client();
			json_t *result;

			cr_assert_eq(call(client, "nothing", NULL, 0, &result, &err), 0,
				     "seed %u, round %d", seed, round);
			json_decref(result);
			client_close(client);
			dispatch();
		}
	}
}

Test(server, big_answers_come_whole)
{
	struct client *client = connect_client();
	struct sluice_err err;
	json_t *line = NULL;
	int ret;

	cr_assert_eq(client_send(client, "big", NULL, 0, &err), 0);
	dispatch();
	/* The socket holds less than the answer: the two take turns. */
	for (int i = 0; i < 100000; i++) {
		ret = client_receive(client, 0, &line, &err);
		dispatch();
		if (ret != -ETIMEDOUT)
			break;
	}
	cr_assert_eq(ret, 0, "%s", err.text);
	cr_assert_eq(json_string_length(json_object_get(json_object_get(line, "result"), "text")),
		     1000000);
	json_decref(line);
	client_close(client);
}

Test(server, drops_clients_that_do_not_read)
{
	struct server_stats stats;
	int fd = connect_raw();

	send_raw(fd, "{\"command\":\"big\"}\n", 18);
	server_stats(server, &stats);
	cr_assert_eq(stats.clients, 1);
	now_ns += 2000;
	server_expire(server);
	server_stats(server, &stats);
	cr_assert_eq(stats.clients, 0);
	cr_assert_eq(stats.dropped, 1);
	close(fd);
}

Test(server, drops_idle_clients_and_tricklers)
{
	struct server_stats stats;
	int idle = connect_raw(), trickler = connect_raw();

	now_ns += 900;
	send_raw(trickler, "{", 1);
	now_ns += 200;
	server_expire(server);
	server_stats(server, &stats);
	cr_assert_eq(stats.clients, 0, "a byte now and then is not a request");
	close(idle);
	close(trickler);
}

Test(server, bounds_its_clients)
{
	int fds[4], fd;
	char text[256];
	bool eof;

	for (int i = 0; i < 4; i++)
		fds[i] = connect_raw();
	fd = connect_raw();
	read_raw(fd, text, sizeof(text), &eof);
	cr_assert_not_null(strstr(text, "\"EBUSY\""), "%s", text);
	cr_assert_not_null(strstr(text, "a reload makes wait"), "%s", text);
	cr_assert(eof);
	close(fd);
	close(fds[0]);
	dispatch();
	fd = connect_raw();
	send_raw(fd, "{\"command\":\"nothing\"}\n", 22);
	read_raw(fd, text, sizeof(text), &eof);
	cr_assert_not_null(strstr(text, "\"ok\":true"));
	close(fd);
	for (int i = 1; i < 4; i++)
		close(fds[i]);
}

static void emit(const char *text)
{
	struct event_sink sink = event_log_sink(events);
	struct event event = { .kind = EVENT_KIND_BLOCKED, .level = SLUICE_LOG_INFO, .count = 1 };

	snprintf(event.text, sizeof(event.text), "%s", text);
	sink.emit(sink.ctx, &event);
	dispatch();
}

Test(server, pages_through_events)
{
	const char *const since[] = { "since=1" };
	struct client *client = connect_client();
	struct sluice_err err;
	json_t *result;

	emit("one");
	emit("two");
	cr_assert_eq(call(client, "events", since, 1, &result, &err), 0);
	cr_assert_eq(json_array_size(json_object_get(result, "events")), 1);
	cr_assert_eq(json_integer_value(json_object_get(result, "next")), 2);
	json_decref(result);
	client_close(client);
}

Test(server, streams_events)
{
	const char *const args[] = { "since=0", "follow" };
	struct client *client;
	struct sluice_err err;
	json_t *result, *line;

	emit("before");
	client = connect_client();
	cr_assert_eq(call(client, "events", args, 2, &result, &err), 0, "%s", err.text);
	json_decref(result);
	cr_assert_eq(client_receive(client, 0, &line, &err), 0, "%s", err.text);
	cr_assert_str_eq(json_string_value(json_object_get(json_object_get(line, "event"), "text")),
			 "before");
	json_decref(line);
	cr_assert_eq(client_receive(client, 0, &line, &err), -ETIMEDOUT);
	emit("after");
	cr_assert_eq(client_receive(client, 0, &line, &err), 0);
	cr_assert_str_eq(json_string_value(json_object_get(json_object_get(line, "event"), "text")),
			 "after");
	json_decref(line);
	/* Silence is no reason to drop a follower. */
	now_ns += 1000000;
	server_expire(server);
	emit("later");
	cr_assert_eq(client_receive(client, 0, &line, &err), 0);
	json_decref(line);
	client_close(client);
}

Test(server, a_slow_follower_misses_events_and_is_told)
{
	char *text = malloc(8 << 20);
	int fd = connect_raw();
	bool eof;

	send_raw(fd, "{\"command\":\"events\",\"args\":[\"follow\"]}\n", 39);
	for (int i = 0; i < 5000; i++)
		emit("a line that is long enough to fill the buffers of a socket that nobody reads");
	for (int i = 0; i < 50; i++) {
		read_raw(fd, text, 8 << 20, &eof);
		cr_assert_not(eof);
		dispatch();
		if (strstr(text, "\"missed\""))
			break;
	}
	cr_assert_not_null(strstr(text, "\"missed\""));
	close(fd);
	free(text);
}

Test(server, socket_is_not_for_everybody)
{
	struct stat st;

	cr_assert_eq(stat(path, &st), 0);
	cr_assert_eq(st.st_mode & 07777, 0600);
}

Test(server, refuses_to_replace_a_living_one)
{
	struct server_options options = make_options();
	struct server *second = NULL;
	struct sluice_err err;

	cr_assert_eq(server_open(&options, &second, &err), -EADDRINUSE);
	cr_assert_not_null(strstr(err.text, "another daemon"), "%s", err.text);
	cr_assert_null(second);
	client_close(connect_client());
}

/* A daemon that was killed leaves its socket behind. */
static void leave_stale_socket(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

Test(server, replaces_a_dead_socket)
{
	struct server_options options = make_options();
	struct sluice_err err = { .text = "" };

	server_close(server);
	server = NULL;
	cr_assert_neq(access(path, F_OK), 0, "closing removes the socket");
	leave_stale_socket();
	cr_assert_eq(access(path, F_OK), 0);
	cr_assert_eq(server_open(&options, &server, &err), 0, "%s", err.text);
	client_close(connect_client());
}

Test(server, leaves_other_files_alone)
{
	struct server_options options = make_options();
	struct sluice_err err;
	FILE *file;

	server_close(server);
	server = NULL;
	file = fopen(path, "w");
	fclose(file);
	cr_assert_eq(server_open(&options, &server, &err), -EEXIST);
	cr_assert_null(server);
	cr_assert_eq(access(path, F_OK), 0);
}

Test(server, says_which_option_is_wrong)
{
	struct server_options options = make_options();
	struct server *second = NULL;
	struct sluice_err err;
	char deep[300];

	options.group = "no-such-group-of-sluice";
	cr_assert_eq(server_open(&options, &second, &err), -ENOENT);
	cr_assert_not_null(strstr(err.text, "no-such-group-of-sluice"));
	cr_assert_not_null(strstr(err.text, "groupadd"));
	options.group = NULL;
	memset(deep, 'x', sizeof(deep) - 1);
	deep[0] = '/';
	deep[sizeof(deep) - 1] = '\0';
	options.path = deep;
	cr_assert_eq(server_open(&options, &second, &err), -ENAMETOOLONG);
	options.path = "/nonexistent/a/b/control.sock";
	cr_assert_lt(server_open(&options, &second, &err), 0);
	cr_assert_null(second);
}

Test(client, says_that_no_daemon_answers)
{
	struct client *client = NULL;
	struct sluice_err err;

	cr_assert_eq(client_open("/nonexistent/control.sock", &client, &err), -ENOENT);
	cr_assert_not_null(strstr(err.text, "no daemon answers at /nonexistent/control.sock"), "%s",
			   err.text);
	cr_assert_not_null(strstr(err.text, "start it with"), "%s", err.text);
	cr_assert_null(client);
}

/* A daemon at a reload takes nobody until it is done. */
Test(client, says_that_the_daemon_is_busy)
{
	struct client *clients[4] = { NULL };
	char place[] = "/tmp/sluice-busy-XXXXXX";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), ret = 0;
	struct sluice_err err;
	size_t n = 0;

	cr_assert_not_null(mkdtemp(place));
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", place);
	cr_assert_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(listen(fd, 1), 0);
	while (n < 4 && ret == 0)
		ret = client_open(address.sun_path, &clients[n++], &err);
	cr_expect_eq(ret, -EAGAIN);
	cr_expect_not_null(strstr(err.text, "is busy, perhaps with a reload"), "%s", err.text);
	for (size_t i = 0; i < n; i++)
		client_close(clients[i]);
	close(fd);
	unlink(address.sun_path);
	rmdir(place);
}

Test(client, bounds_what_it_sends)
{
	char word[PROTOCOL_REQUEST_SIZE_MAX + 1];
	const char *const args[] = { word };
	struct client *client;
	struct sluice_err err;

	setup();
	client = connect_client();
	memset(word, 'x', sizeof(word) - 1);
	word[sizeof(word) - 1] = '\0';
	cr_assert_eq(client_send(client, "echo", args, 1, &err), -E2BIG);
	cr_assert_eq(client_send(client, "echo", (const char *const[]){ "\xff" }, 1, &err),
		     -EINVAL);
	client_close(client);
	teardown();
}
