/* SPDX-License-Identifier: BSD-2-Clause */
/* Plugin glue: options, and lwIP's frames through the host's packet I/O. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sluice/stack.h>

#include "content.h"
#include "httpd.h"
#include "port.h"

enum {
	BATCH = 64,
	BATCHES_A_TURN = 4, /* Then timers and the host have theirs. */
};

struct stack {
	struct sluice_instance *instance;
	const struct sluice_host *host;
	const struct sluice_io_ops *ops;
	struct sluice_io *io;
	struct content content;
	struct httpd *httpd;
	time_t date;
	bool port_open;
};

static uint8_t *reserve(void *link, size_t size)
{
	struct stack *stack = link;
	uint8_t *room = stack->ops->write_buffer(stack->io, (uint32_t)size);

	if (room)
		return room;
	/* What was written so far makes way. */
	if (stack->ops->send(stack->io) < 0)
		return NULL;
	return stack->ops->write_buffer(stack->io, (uint32_t)size);
}

/* write_buffer() has put it into the batch already. */
static void commit(void *link, size_t size)
{
	(void)link;
	(void)size;
}

/* An option that must be there, since the manifest gives it a default. */
static uint64_t number(const struct stack *stack, const struct sluice_config *config,
		       const char *name)
{
	uint64_t value = 0;

	(void)stack->host->option_u64(config, name, &value);
	return value;
}

static bool is_word(const struct stack *stack, const struct sluice_config *config, const char *name,
		    const char *word)
{
	const char *value = NULL;

	return stack->host->option_string(config, name, &value) == 0 && strcmp(value, word) == 0;
}

/* `*given` tells whether the option is; -EINVAL if it is of the other family. */
static int read_address(const struct stack *stack, const struct sluice_config *config,
			const char *name, enum sluice_family family, uint8_t *bytes, bool *given,
			struct sluice_err *err)
{
	struct sluice_key key;
	int rc = stack->host->option_key(config, name, &key);

	*given = rc == 0;
	if (rc == -ENODATA)
		return 0;
	if (!rc && key.family == family) {
		memcpy(bytes, key.addr, family == SLUICE_FAMILY_IPV4 ? 4 : 16);
		return 0;
	}
	snprintf(err->path, sizeof(err->path), "options.%s", name);
	snprintf(err->text, sizeof(err->text), "it is not an IPv%d address", (int)family);
	return -EINVAL;
}

static int read_port_config(const struct stack *stack, const struct sluice_config *config,
			    const struct sluice_io_link *link, struct port_config *port,
			    struct sluice_err *err)
{
	bool given;
	int rc;

	memset(port, 0, sizeof(*port));
	rc = read_address(stack, config, "address", SLUICE_FAMILY_IPV4, port->ipv4, &port->has_ipv4,
			  err);
	if (!rc)
		rc = read_address(stack, config, "address6", SLUICE_FAMILY_IPV6, port->ipv6,
				  &port->has_ipv6, err);
	if (!rc)
		rc = read_address(stack, config, "gateway", SLUICE_FAMILY_IPV4, port->gateway4,
				  &given, err);
	if (!rc)
		rc = read_address(stack, config, "gateway6", SLUICE_FAMILY_IPV6, port->gateway6,
				  &given, err);
	memcpy(port->mac, link->mac, sizeof(port->mac));
	port->prefix4 = (unsigned int)number(stack, config, "prefix");
	port->prefix6 = (unsigned int)number(stack, config, "prefix6");
	port->mtu = (uint16_t)number(stack, config, "mtu");
	if (link->mtu && link->mtu < port->mtu)
		port->mtu = (uint16_t)link->mtu;
	port->neighbours = is_word(stack, config, "neighbours", "stack") ? PORT_NEIGHBOURS_STACK
									 : PORT_NEIGHBOURS_LINUX;
	port->verify_checksums = !link->checks_received &&
				 !is_word(stack, config, "checksums", "trust");
	port->leave_sums = link->fills_sums;
	port->max_time_wait = (unsigned int)number(stack, config, "max_time_wait");
	return rc;
}

static void tell_met(void *ctx, const struct sluice_key *client)
{
	const struct stack *stack = ctx;

	/* Who cannot be known is served all the same. */
	(void)!stack->ops->met(stack->io, client, SLUICE_IO_MET_CONNECTED);
}

static int start_server(struct stack *stack, const struct sluice_config *config,
			struct sluice_err *err)
{
	const struct httpd_config httpd = {
		.port = (uint16_t)number(stack, config, "port"),
		.max_connections = (unsigned int)number(stack, config, "max_connections"),
		.backlog = (unsigned int)number(stack, config, "max_half_open"),
		.window = (uint32_t)number(stack, config, "window"),
		.request_timeout_ns = number(stack, config, "request_timeout"),
		.idle_timeout_ns = number(stack, config, "idle_timeout"),
		.send_timeout_ns = number(stack, config, "send_timeout"),
		.met = tell_met,
		.met_ctx = stack,
	};
	const char *root = NULL;
	int rc;

	(void)stack->host->option_string(config, "root", &root);
	rc = content_init(&stack->content, root, (unsigned int)number(stack, config, "prime_limit"),
			  err);
	if (rc) {
		snprintf(err->path, sizeof(err->path), "options.root");
		return rc;
	}
	return httpd_open(&httpd, &stack->content, &stack->httpd, err);
}

static void stack_close(void *self)
{
	struct stack *stack = self;

	if (!stack)
		return;
	httpd_close(stack->httpd);
	if (stack->port_open) {
		port_close();
		(void)stack->ops->send(stack->io);
	}
	content_fini(&stack->content);
	free(stack);
}

static int open_port(struct stack *stack, const struct sluice_config *config,
		     struct sluice_err *err)
{
	struct sluice_io_link link = { .size = sizeof(link) };
	const struct port_link out = { .reserve = reserve, .commit = commit, .link = stack };
	struct port_config port;
	int rc;

	rc = stack->ops->link(stack->io, &link);
	if (!rc)
		rc = read_port_config(stack, config, &link, &port, err);
	if (!rc)
		rc = port_open(&port, &out, stack->host->now_ns(stack->instance), err);
	if (rc == -EBUSY)
		snprintf(err->text, sizeof(err->text),
			 "lwIP's state is global: there can be one instance a process");
	stack->port_open = rc == 0;
	return rc;
}

static int stack_open(struct sluice_instance *instance, const struct sluice_host *host,
		      const struct sluice_config *config, const struct sluice_io_ops *ops,
		      struct sluice_io *io, void **self, struct sluice_err *err)
{
	struct stack *stack = calloc(1, sizeof(*stack));
	int rc;

	if (!stack)
		return -ENOMEM;
	stack->instance = instance;
	stack->host = host;
	stack->ops = ops;
	stack->io = io;
	rc = open_port(stack, config, err);
	if (!rc)
		rc = start_server(stack, config, err);
	if (rc) {
		stack_close(stack);
		return rc;
	}
	*self = stack;
	return 0;
}

/* One batch, if there is one; how many frames it had. */
static int take_batch(struct stack *stack)
{
	int n = stack->ops->receive(stack->io, BATCH);

	for (int i = 0; i < n; i++) {
		struct sluice_io_frame frame;

		if (stack->ops->packet(stack->io, (unsigned int)i, &frame) != 0)
			continue;
		port_input(frame.data, frame.length);
		stack->ops->release(stack->io, frame.handle);
	}
	return n;
}

static int stack_turn(void *self)
{
	struct stack *stack = self;
	time_t date = time(NULL);
	uint32_t wait_ms;
	int n = 1, rc = 0;

	if (date != stack->date)
		httpd_set_date(stack->httpd, date);
	stack->date = date;
	port_set_time(stack->host->now_ns(stack->instance));
	for (int i = 0; i < BATCHES_A_TURN && n > 0; i++) {
		n = take_batch(stack);
		rc = n < 0 ? n : stack->ops->send(stack->io);
		if (rc < 0)
			return rc;
	}
	httpd_turn(stack->httpd);
	wait_ms = port_tick();
	rc = stack->ops->send(stack->io);
	if (rc < 0 || n > 0)
		return rc < 0 ? rc : 0;
	return wait_ms < INT_MAX ? (int)wait_ms : INT_MAX;
}

static int stack_wake_fd(void *self)
{
	const struct stack *stack = self;

	return httpd_wake_fd(stack->httpd);
}

static size_t stack_figures(void *self, struct sluice_stack_figure *figures, size_t n)
{
	const struct stack *stack = self;
	const struct httpd_counters *httpd = httpd_read_counters(stack->httpd);
	const struct port_counters *port = port_read_counters();
	const struct sluice_stack_figure all[] = {
		{ "connections", httpd->connections, true },
		{ "accepted", httpd->accepted, false },
		{ "requests", httpd->requests, false },
		{ "malformed", httpd->malformed, false },
		{ "timed_out", httpd->timed_out, false },
		{ "refused", httpd->refused, false },
		{ "starved", httpd->starved, false },
		{ "half_open_dropped", port->half_open_dropped, false },
		{ "time_wait_dropped", port->time_wait_dropped, false },
		{ "frames_in", port->frames_in, false },
		{ "frames_out", port->frames_out, false },
		{ "not_served", port->not_served, false },
		{ "no_room_in", port->no_room_in, false },
		{ "no_room_out", port->no_room_out, false },
		{ "no_neighbour", port->no_neighbour, false },
		{ "retransmits", port_retransmits(), false },
	};
	size_t count = sizeof(all) / sizeof(all[0]);

	count = count < n ? count : n;
	memcpy(figures, all, count * sizeof(all[0]));
	return count;
}

static const struct sluice_stack_ops ops = {
	.size = sizeof(ops),
	.open = stack_open,
	.close = stack_close,
	.turn = stack_turn,
	.figures = stack_figures,
	.wake_fd = stack_wake_fd,
};

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
SLUICE_EXPORT const struct sluice_plugin sluice_plugin = {
	.magic = SLUICE_PLUGIN_MAGIC,
	.abi_major = 1,
	.abi_minor = 6, /* met() */
	.size = sizeof(sluice_plugin),
	.kind = SLUICE_PLUGIN_STACK,
	.name = "lwip",
	.version = "0.1.0",
	.license = "BSD-2-Clause",
	.ops = &ops,
};
