/* SPDX-License-Identifier: BSD-2-Clause */
/* The HTTP listener of /metrics, by libmicrohttpd.  See metrics.h. */
#include "metrics.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <microhttpd.h>

#include "fail.h"
#include "metrics_text.h"

#define CONNECTIONS_MAX 16u
#define CONNECTION_MEMORY ((size_t)16384)
#define TIMEOUT_S 10u
#define BACKLOG 16

struct metrics {
	struct metrics_options options;
	int fd; /* Until the HTTP library owns it. */
	uint16_t port;
	struct MHD_Daemon *daemon;
};

static const char index_page[] = "<!doctype html><title>sluiced</title><h1>sluiced</h1>"
				 "<p><a href=\"/metrics\">Metrics</a> for Prometheus</p>\n";

static int parse_address(const char *text, uint16_t port, struct sockaddr_storage *address,
			 socklen_t *size)
{
	struct sockaddr_in *v4 = (struct sockaddr_in *)address;
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)address;

	memset(address, 0, sizeof(*address));
	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(port);
		*size = sizeof(*v4);
		return 0;
	}
	if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		*size = sizeof(*v6);
		return 0;
	}
	return -EINVAL;
}

static int fail_to_listen(const char *address, uint16_t port, int error, struct sluice_err *err)
{
	return fail_system(err, error,
			   "metrics address '%s' port %u: cannot listen there; choose another "
			   "control.metrics",
			   address, port);
}

int metrics_try_address(const char *text, uint16_t port, struct sluice_err *err)
{
	struct sockaddr_storage address;
	socklen_t size;
	int fd, rc = 0;

	/* Another port: a daemon that runs has the one that was asked for. */
	if (parse_address(text, 0, &address, &size) != 0)
		return fail_to_listen(text, port, -EINVAL, err);
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) != 0)
		rc = fail_to_listen(text, port, -errno, err);
	if (fd >= 0)
		close(fd);
	return rc;
}

static int bind_and_listen(struct metrics *metrics, struct sluice_err *err)
{
	const char *text = metrics->options.address;
	struct sockaddr_storage address;
	socklen_t size;
	int on = 1;

	if (parse_address(text, metrics->options.port, &address, &size) != 0)
		return fail_with(err, -EINVAL, "metrics address '%s': not a numeric address", text);
	metrics->fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (metrics->fd < 0 ||
	    setsockopt(metrics->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) != 0 ||
	    bind(metrics->fd, (struct sockaddr *)&address, size) != 0 ||
	    listen(metrics->fd, BACKLOG) != 0 ||
	    getsockname(metrics->fd, (struct sockaddr *)&address, &size) != 0)
		return fail_to_listen(text, metrics->options.port, -errno, err);
	metrics->port = ntohs(address.ss_family == AF_INET
				      ? ((struct sockaddr_in *)&address)->sin_port
				      : ((struct sockaddr_in6 *)&address)->sin6_port);
	return 0;
}

int metrics_open(const struct metrics_options *options, struct metrics **out,
		 struct sluice_err *err)
{
	struct metrics *metrics = calloc(1, sizeof(*metrics));
	int ret;

	if (!metrics)
		return fail_system(err, -ENOMEM, "metrics");
	metrics->options = *options;
	metrics->fd = -1;
	ret = bind_and_listen(metrics, err);
	if (ret) {
		metrics_close(metrics);
		return ret;
	}
	*out = metrics;
	return 0;
}

static struct MHD_Response *render(const struct metrics *metrics)
{
	struct MHD_Response *response = NULL;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (!out)
		return NULL;
	metrics->options.render(metrics->options.ctx, out);
	if (fclose(out) == 0)
		response = MHD_create_response_from_buffer(size, text, MHD_RESPMEM_MUST_FREE);
	if (!response) {
		free(text);
		return NULL;
	}
	if (MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, METRICS_TEXT_TYPE) !=
	    MHD_YES) {
		MHD_destroy_response(response);
		return NULL;
	}
	return response;
}

static struct MHD_Response *constant(const char *text, const char *type)
{
	struct MHD_Response *response = MHD_create_response_from_buffer(
		strlen(text), (void *)(uintptr_t)text, MHD_RESPMEM_PERSISTENT);

	/* A page without its type is still a page. */
	if (response)
		(void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	return response;
}

static enum MHD_Result handle(void *ctx, struct MHD_Connection *connection, const char *url,
			      const char *method, const char *version, const char *upload,
			      size_t *upload_size, void **state)
{
	const struct metrics *metrics = ctx;
	struct MHD_Response *response;
	unsigned int status = MHD_HTTP_OK;
	enum MHD_Result ret;

	(void)version;
	(void)upload;
	/* Called first with the headers alone; a body, if there is one, is dropped. */
	if (!*state) {
		*state = ctx;
		return MHD_YES;
	}
	if (*upload_size > 0) {
		*upload_size = 0;
		return MHD_YES;
	}
	if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0) {
		status = MHD_HTTP_METHOD_NOT_ALLOWED;
		response = constant("only GET and HEAD\n", "text/plain");
	} else if (strcmp(url, "/metrics") == 0) {
		response = render(metrics);
	} else if (strcmp(url, "/") == 0) {
		response = constant(index_page, "text/html");
	} else {
		status = MHD_HTTP_NOT_FOUND;
		response = constant("not found; see /metrics\n", "text/plain");
	}
	if (!response)
		return MHD_NO; /* Closes the connection. */
	ret = MHD_queue_response(connection, status, response);
	MHD_destroy_response(response);
	return ret;
}

/* What clients do wrong is theirs; it must not fill our log. */
static void ignore_message(void *ctx, const char *fmt, va_list args)
{
	(void)ctx;
	(void)fmt;
	(void)args;
}

int metrics_start(struct metrics *metrics, struct sluice_err *err)
{
	metrics->daemon = MHD_start_daemon(
		MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ERROR_LOG, 0, NULL, NULL,
		handle, metrics, MHD_OPTION_EXTERNAL_LOGGER, ignore_message, NULL,
		MHD_OPTION_LISTEN_SOCKET, metrics->fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
		MHD_OPTION_CONNECTION_TIMEOUT, TIMEOUT_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT,
		CONNECTION_MEMORY, MHD_OPTION_END);
	if (!metrics->daemon)
		return fail_with(err, -EIO, "metrics: the HTTP library did not start");
	metrics->fd = -1;
	return 0;
}

uint16_t metrics_port(const struct metrics *metrics)
{
	return metrics->port;
}

void metrics_close(struct metrics *metrics)
{
	if (!metrics)
		return;
	if (metrics->daemon)
		MHD_stop_daemon(metrics->daemon);
	if (metrics->fd >= 0)
		close(metrics->fd);
	free(metrics);
}
