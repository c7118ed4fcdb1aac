/* SPDX-License-Identifier: BSD-2-Clause */
/* The text format, and the HTTP listener on a loopback port that the kernel chooses. */
#include <arpa/inet.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <criterion/criterion.h>

#include "control/metrics.h"
#include "control/metrics_text.h"

#include "prometheus.h"

static char *write_all(void (*write)(FILE *))
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	write(out);
	fclose(out);
	return text;
}

static void write_sample(FILE *out)
{
	const struct metrics_label labels[] = { { "reason", "a\"b\\c\nd" },
						{ "x", "" },
						{ NULL, NULL } };

	metrics_text_family(out, "sluice_x_total", "counter", "Line\nbreak and back\\slash.");
	metrics_text_u64(out, "sluice_x_total", labels, UINT64_MAX);
	metrics_text_u64(out, "sluice_x_total", NULL, 0);
	metrics_text_family(out, "sluice_y", "gauge", "A gauge.");
	metrics_text_double(out, "sluice_y",
			    (const struct metrics_label[]){ { "k", "1" }, { NULL, NULL } }, 0.25);
	metrics_text_double(out, "sluice_y",
			    (const struct metrics_label[]){ { "k", "2" }, { NULL, NULL } }, NAN);
	metrics_text_double(out, "sluice_y",
			    (const struct metrics_label[]){ { "k", "3" }, { NULL, NULL } },
			    -INFINITY);
	metrics_text_family(out, "sluice_z_seconds", "gauge", "A time.");
	metrics_text_seconds(out, "sluice_z_seconds", NULL, 1000000001);
}

Test(metrics_text, writes_the_format)
{
	char *text = write_all(write_sample);

	cr_assert_str_eq(text,
			 "# HELP sluice_x_total Line\\nbreak and back\\\\slash.\n"
			 "# TYPE sluice_x_total counter\n"
			 "sluice_x_total{reason=\"a\\\"b\\\\c\\nd\",x=\"\"} 18446744073709551615\n"
			 "sluice_x_total 0\n"
			 "# HELP sluice_y A gauge.\n"
			 "# TYPE sluice_y gauge\n"
			 "sluice_y{k=\"1\"} 0.25\n"
			 "sluice_y{k=\"2\"} NaN\n"
			 "sluice_y{k=\"3\"} -Inf\n"
			 "# HELP sluice_z_seconds A time.\n"
			 "# TYPE sluice_z_seconds gauge\n"
			 "sluice_z_seconds 1.000000001\n");
	free(text);
}

Test(metrics_text, passes_the_check)
{
	char *text = write_all(write_sample);
	char why[256] = "";

	cr_assert_eq(prometheus_check(text, why, sizeof(why)), 0, "%s", why);
	free(text);
}

/* The checker itself must be able to fail, or the tests that use it mean nothing. */
Test(metrics_text, the_check_can_fail)
{
#define HEAD "# HELP a_total x\n# TYPE a_total counter\n"
	static const char *const bad[] = {
		"a_total 1\n",
		HEAD "a_total 1",
		HEAD "a_total one\n",
		HEAD "a_total{x=1} 1\n",
		HEAD "a_total{x=\"1} 1\n",
		HEAD "a_total{x=\"\\q\"} 1\n",
		HEAD "a_total 1\na_total 2\n",
		HEAD "b_total 1\n",
		HEAD HEAD,
		"# HELP a x\n# TYPE a counter\n",
		"# HELP a_total x\n# TYPE a_total gauge\n",
		"# HELP a_total x\n# TYPE b_total counter\n",
		"# HELP a \n",
	};
	char why[256];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		cr_assert_neq(prometheus_check(bad[i], why, sizeof(why)), 0, "%s", bad[i]);
	cr_assert_eq(prometheus_check(HEAD "a_total{x=\"1\",y=\"\"} 1e3\n", why, sizeof(why)), 0);
}

static void render(void *ctx, FILE *out)
{
	metrics_text_family(out, "sluice_test", "gauge", "For the test.");
	metrics_text_u64(out, "sluice_test", NULL, *(const uint64_t *)ctx);
}

static struct metrics *open_metrics(const char *address, uint64_t *value)
{
	const struct metrics_options options = { .address = address,
						 .render = render,
						 .ctx = value };
	struct metrics *metrics = NULL;
	struct sluice_err err = { .text = "" };

	cr_assert_eq(metrics_open(&options, &metrics, &err), 0, "%s", err.text);
	cr_assert_eq(metrics_start(metrics, &err), 0, "%s", err.text);
	cr_assert_neq(metrics_port(metrics), 0);
	return metrics;
}

/* One request, the whole answer. */
static void fetch(const struct metrics *metrics, const char *request, char *answer, size_t size)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(metrics_port(metrics)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	size_t used = 0;
	ssize_t n;

	cr_assert_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	cr_assert_eq(send(fd, request, strlen(request), MSG_NOSIGNAL), (ssize_t)strlen(request));
	while ((n = recv(fd, answer + used, size - 1 - used, 0)) > 0)
		used += (size_t)n;
	answer[used] = '\0';
	close(fd);
}

Test(metrics, serves_what_was_published)
{
	uint64_t value = 17;
	struct metrics *metrics = open_metrics("127.0.0.1", &value);
	char answer[4096], why[256];
	const char *body;

	fetch(metrics, "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", answer,
	      sizeof(answer));
	cr_assert_eq(strncmp(answer, "HTTP/1.1 200", 12), 0, "%s", answer);
	cr_assert_not_null(strstr(answer, "text/plain; version=0.0.4"));
	body = strstr(answer, "\r\n\r\n");
	cr_assert_not_null(body);
	cr_assert_eq(prometheus_check(body + 4, why, sizeof(why)), 0, "%s", why);
	cr_assert_eq(prometheus_value(body + 4, "sluice_test"), 17);
	metrics_close(metrics);
}

Test(metrics, answers_other_requests)
{
	static const struct {
		const char *request, *status;
	} cases[] = {
		{ "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", "HTTP/1.1 200" },
		{ "HEAD /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		  "HTTP/1.1 200" },
		{ "GET /etc/passwd HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
		  "HTTP/1.1 404" },
		{ "POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nConnection: "
		  "close\r\n\r\nabc",
		  "HTTP/1.1 405" },
	};
	uint64_t value = 0;
	struct metrics *metrics = open_metrics("127.0.0.1", &value);
	char answer[4096];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fetch(metrics, cases[i].request, answer, sizeof(answer));
		cr_assert_eq(strncmp(answer, cases[i].status, 12), 0, "%s: %s", cases[i].request,
			     answer);
	}
	metrics_close(metrics);
}

Test(metrics, closing_without_start_is_fine)
{
	const struct metrics_options options = { .address = "127.0.0.1", .render = render };
	struct metrics *metrics = NULL;

	cr_assert_eq(metrics_open(&options, &metrics, NULL), 0);
	metrics_close(metrics);
	metrics_close(NULL);
}

Test(metrics, refuses_what_cannot_be_bound)
{
	static const char *const addresses[] = { "", "localhost", "127.0.0.1:80", "*",
						 "300.1.1.1" };
	struct metrics_options options = { .render = render };
	struct metrics *metrics = NULL, *first;
	struct sluice_err err;
	uint64_t value = 0;

	for (size_t i = 0; i < sizeof(addresses) / sizeof(addresses[0]); i++) {
		options.address = addresses[i];
		cr_assert_eq(metrics_open(&options, &metrics, &err), -EINVAL, "%s", addresses[i]);
		cr_assert_null(metrics);
	}
	first = open_metrics("127.0.0.1", &value);
	options.address = "127.0.0.1";
	options.port = metrics_port(first);
	cr_assert_eq(metrics_open(&options, &metrics, &err), -EADDRINUSE);
	cr_assert_not_null(strstr(err.text, "control.metrics"), "%s", err.text);
	metrics_close(first);
}
