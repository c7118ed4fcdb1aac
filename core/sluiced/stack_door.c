/* SPDX-License-Identifier: BSD-2-Clause */
/* See stack_door.h. */
#include "stack_door.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/event.h"
#include "base/nic_driver.h"
#include "control/fail.h"
#include "control/listener.h"
#include "dataplane/dataplane.h"
#include "xsk/handover.h"
#include "xsk/socket.h"
#include "xsk/tx_metadata.h"

#include "netdev_features.h"

#include "stack_met.h"

#define NEVER_NS UINT64_MAX

struct client {
	int fd;	    /* -1: free */
	int socket; /* Until it is ready; then nobody but the client holds it. */
	int given;  /* The descriptor that came with the request, or -1. */
	const struct stack_door_interface *interface; /* NULL: it has no queue. */
	struct stack_door_client shown;
	uint64_t due_ns; /* By then it has said more, or is let go. */
	size_t n_bytes;	 /* Of the request that is coming in. */
	struct handover_request request;
};

struct stack_door {
	struct stack_door_options options;
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)];
	struct stack_door_interface interfaces[STACK_DOOR_INTERFACES];
	gid_t gid;
	int listener, stop;
	pthread_t thread;
	pthread_mutex_t lock; /* The clients, against readers of their list. */
	struct client clients[STACK_DOOR_MAX];
	struct stack_met met;
};

static void tell(const struct stack_door *door, enum event_kind kind, enum sluice_log_level level,
		 const struct client *client, const char *what)
{
	event_emit(door->options.events, kind, level, NULL, 1, "stack",
		   "queue %u of %s: process %d %s", client->shown.queue, client->shown.ifname,
		   (int)client->shown.pid, what);
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void client_init(struct client *client, int fd)
{
	*client = (struct client){ .fd = fd, .socket = -1, .given = -1, .due_ns = NEVER_NS };
}

/* Where in the map its socket is. */
static uint32_t map_index(const struct client *client)
{
	return client->interface->slot * DATAPLANE_DELIVER_QUEUES + client->shown.queue;
}

/* Of no client any more; what it has in the map stays there. */
static void client_fini(struct client *client)
{
	close_one(&client->given);
	close_one(&client->socket);
	close_one(&client->fd);
	client_init(client, -1);
}

static void client_end(struct stack_door *door, struct client *client)
{
	if (client->interface && client->shown.ready) {
		xsk_withdraw(door->options.map_fd, map_index(client));
		tell(door, EVENT_KIND_STACK_LEFT, SLUICE_LOG_WARNING, client,
		     "left; its ports are Linux's again");
	}
	client_fini(client);
}

static void fill_interface(struct handover_reply *reply)
{
	struct ifreq request;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	memset(&request, 0, sizeof(request));
	memcpy(request.ifr_name, reply->ifname, sizeof(request.ifr_name));
	if (fd < 0)
		return;
	if (ioctl(fd, SIOCGIFHWADDR, &request) == 0)
		memcpy(reply->mac, request.ifr_hwaddr.sa_data, sizeof(reply->mac));
	if (ioctl(fd, SIOCGIFMTU, &request) == 0)
		reply->mtu = (uint32_t)request.ifr_mtu;
	close(fd);
}

static struct handover_reply make_reply(const struct stack_door *door, const struct client *client)
{
	const char *ifname = client->interface->name;
	struct handover_reply reply = {
		.magic = HANDOVER_MAGIC,
		.ifindex = if_nametoindex(ifname),
		.queue = client->shown.queue,
		.n_queues = xsk_n_queues(ifname),
		.n_frames = door->options.n_frames,
		.frame_size = XSK_FRAME_SIZE,
		.poll = door->options.poll,
	};

	memcpy(reply.ifname, client->interface->name, sizeof(reply.ifname));
	fill_interface(&reply);
	return reply;
}

static int refuse_peer(int fd, int code, const char *text)
{
	struct handover_reply reply = { .magic = HANDOVER_MAGIC, .result = code };

	snprintf(reply.text, sizeof(reply.text), "%.*s", (int)sizeof(reply.text) - 1, text);
	/* Whoever is refused is let go, whether or not that reached it. */
	(void)!handover_reply_send(fd, &reply, NULL, 0);
	return code;
}

static int refuse(const struct client *client, int code, const char *text)
{
	return refuse_peer(client->fd, code, text);
}

static bool is_taken(const struct stack_door *door, const struct stack_door_interface *interface,
		     uint32_t queue)
{
	for (int i = 0; i < STACK_DOOR_MAX; i++)
		if (door->clients[i].fd >= 0 && door->clients[i].interface == interface &&
		    door->clients[i].shown.queue == queue)
			return true;
	return false;
}

static struct netdev_sums find_sums(const struct stack_door *door, const char *ifname)
{
	struct netdev_features features;
	char driver[NIC_DRIVER_SIZE];

	if (door->options.software_sums)
		return (struct netdev_sums){ false, false };
	features = netdev_features_read((int)if_nametoindex(ifname));
	nic_driver_name(ifname, driver);
	return netdev_features_sums(&features, driver);
}

static struct xsk_options socket_options(const struct stack_door *door,
					 const struct stack_door_interface *interface,
					 uint32_t queue)
{
	return (struct xsk_options){
		.ifindex = if_nametoindex(interface->name),
		.queue = queue,
		.n_frames = door->options.n_frames,
		.copy = door->options.copy,
		.generic = interface->generic,
		.busy = door->options.poll == HANDOVER_POLL_BUSY,
	};
}

static void take_queue(struct client *client, const struct stack_door_interface *interface,
		       enum sluice_io_mode mode, bool sums, uint32_t n_frames)
{
	client->interface = interface;
	memcpy(client->shown.ifname, interface->name, sizeof(client->shown.ifname));
	client->shown.queue = client->request.queue;
	client->shown.mode = mode;
	client->shown.sums = sums;
	client->shown.n_frames = n_frames;
}

static int serve_open(struct stack_door *door, struct client *client,
		      const struct stack_door_interface *interface)
{
	const struct netdev_sums sums = find_sums(door, interface->name);
	struct xsk_options options = socket_options(door, interface, client->request.queue);
	struct handover_reply reply;
	struct xsk_made made;
	struct sluice_err err;
	int code, fds[2];

	err_init(&err);
	options.sums_zero_copy = sums.zero_copy;
	options.sums_copy = sums.copy;
	code = xsk_make(&options, &made, &err);
	if (code)
		return refuse(client, code, err.text);
	take_queue(client, interface, made.mode, made.sums, options.n_frames);
	client->socket = made.socket;
	reply = make_reply(door, client);
	reply.mode = made.mode;
	reply.sums = made.sums;
	reply.headroom = made.sums ? TX_METADATA_HEADROOM : 0;
	fds[0] = made.socket;
	fds[1] = made.memory;
	code = handover_reply_send(client->fd, &reply, fds, 2);
	close(made.memory);
	return code;
}

/* From here on the kernel takes the socket out of the map when the client is gone. */
static int offer(struct stack_door *door, struct client *client, int *socket, const char *what)
{
	struct handover_reply reply = make_reply(door, client);
	int code = xsk_offer(door->options.map_fd, map_index(client), *socket);

	if (code)
		return refuse(client, code, "the socket does not go into the map");
	close_one(socket);
	client->shown.ready = true;
	tell(door, EVENT_KIND_STACK_JOINED, SLUICE_LOG_NOTICE, client, what);
	return handover_reply_send(client->fd, &reply, NULL, 0);
}

/*
 * It has the queue's socket from a daemon before us, which put it into the map.  That it is this queue's is
 * not taken on trust: with another one in its place the kernel drops the queue's packets.
 */
static int serve_resume(struct stack_door *door, struct client *client,
			const struct stack_door_interface *interface)
{
	const struct xsk_options options = socket_options(door, interface, client->request.queue);
	enum sluice_io_mode mode;
	int code = client->given < 0 ? -EBADF : xsk_check(client->given, &options, &mode);

	if (code)
		return refuse(client, code, "what it shows is no socket of this queue");
	take_queue(client, interface, mode, client->request.kind == HANDOVER_RESUME_SUMS,
		   client->request.n_frames);
	return offer(door, client, &client->given, "goes on serving its ports");
}

static int serve_report(struct client *client)
{
	client->shown.reported = true;
	client->shown.counts = client->request.counts;
	return 0;
}

static int serve_met(struct stack_door *door, struct client *client)
{
	uint64_t now = clock_monotonic_ns(door->options.clock);
	uint32_t interface = (uint32_t)(client->interface - door->interfaces);
	int n = stack_met_take(&door->met, interface, &client->request, now,
			       &client->shown.met_left_out);

	if (n < 0)
		return refuse(client, n, "nobody can be met at such an address");
	client->shown.met += (uint64_t)n;
	return 0;
}

/* NULL: it is none of the deployment's. */
static const struct stack_door_interface *find_interface(const struct stack_door *door,
							 const struct handover_request *request)
{
	const char *name = handover_ifname(request);

	for (size_t i = 0; name && i < door->options.n_interfaces; i++)
		if (strcmp(door->interfaces[i].name, name) == 0)
			return &door->interfaces[i];
	return NULL;
}

/* The first request of a connection, but for one that has what it asks for. */
static int serve_first(struct stack_door *door, struct client *client,
		       const struct stack_door_interface *interface)
{
	if (client->request.kind != HANDOVER_OPEN && !handover_resumes(&client->request))
		return refuse(client, -EINVAL, "nothing was opened");
	if (client->interface)
		return refuse(client, -EINVAL, "one queue a connection");
	if (is_taken(door, interface, client->request.queue))
		return refuse(client, -EBUSY, "another process has the queue");
	return client->request.kind == HANDOVER_OPEN ? serve_open(door, client, interface)
						     : serve_resume(door, client, interface);
}

static int serve(struct stack_door *door, struct client *client)
{
	const struct handover_request *request = &client->request;
	const struct stack_door_interface *interface = find_interface(door, request);
	uint32_t n_queues;
	bool own;

	if (client->given >= 0 && !handover_resumes(request))
		return refuse(client, -EINVAL, "a descriptor that nobody asked for");
	if (!interface)
		return refuse(client, -EINVAL, "no such interface in the deployment file");
	n_queues = xsk_n_queues(interface->name);
	own = client->interface == interface && request->queue == client->shown.queue;
	if (handover_request_check(request,
				   n_queues < STACK_DOOR_QUEUES ? n_queues : STACK_DOOR_QUEUES))
		return refuse(client, -EINVAL, "no such request or queue");
	if (request->kind == HANDOVER_READY && own && client->socket >= 0)
		return offer(door, client, &client->socket, "serves its ports");
	if (request->kind == HANDOVER_REPORT && own && client->shown.ready)
		return serve_report(client);
	if (request->kind == HANDOVER_MET && own && client->shown.ready)
		return serve_met(door, client);
	return serve_first(door, client, interface);
}

static uint64_t due(const struct stack_door *door, uint64_t ns)
{
	return clock_monotonic_ns(door->options.clock) + ns;
}

/* False: it was one too many.  Whatever is not kept is closed. */
static bool keep_given(struct client *client, int fds[2])
{
	bool fits = fds[1] < 0 && (fds[0] < 0 || client->given < 0);

	if (fits && fds[0] >= 0)
		client->given = fds[0];
	else
		close_one(&fds[0]);
	close_one(&fds[1]);
	return fits;
}

/* Another version's request may be shorter than ours, and never complete. */
static int check_head(const struct client *client)
{
	int code = client->n_bytes < HANDOVER_HEAD_SIZE ? 0 : handover_head_check(&client->request);
	char text[96];

	if (!code)
		return 0;
	if (code == -EPROTO)
		return refuse(client, code, "that is no request for a stack's socket");
	snprintf(
		text, sizeof(text),
		"version %u of the protocol, not %u: install sluice-stack and sluiced of one release",
		client->request.version, HANDOVER_VERSION);
	return refuse(client, code, text);
}

/* False: it is over with this client. */
static bool client_read(struct stack_door *door, struct client *client)
{
	int fds[2], code;
	ssize_t n = handover_receive(client->fd, (uint8_t *)&client->request + client->n_bytes,
				     sizeof(client->request) - client->n_bytes, MSG_DONTWAIT, fds);

	if (n == -EMSGSIZE || !keep_given(client, fds))
		return refuse(client, -EINVAL, "more than one descriptor") == 0;
	if (n <= 0)
		return n == -EAGAIN || n == -EINTR;
	if (client->n_bytes == 0 && client->due_ns == NEVER_NS)
		client->due_ns = due(door, STACK_DOOR_REQUEST_NS);
	client->n_bytes += (size_t)n;
	code = check_head(client);
	if (code || client->n_bytes < sizeof(client->request))
		return code == 0;
	client->n_bytes = 0;
	code = serve(door, client);
	close_one(&client->given);
	client->due_ns = client->shown.ready ? NEVER_NS : due(door, STACK_DOOR_READY_NS);
	return code == 0;
}

/* A refusal goes out before the client has said anything: it finds it when it looks for its answer. */
static void turn_away(int fd, int code, const char *text)
{
	(void)!refuse_peer(fd, code, text);
	close(fd);
}

static void admit(struct stack_door *door)
{
	struct ucred peer = { .pid = 0 };
	socklen_t size = sizeof(peer);
	int fd = accept4(door->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd < 0)
		return;
	if (!listener_admits(fd, door->gid)) {
		turn_away(fd, -EPERM, "only root, sluiced's user and the group stack.group may");
		return;
	}
	for (int i = 0; i < STACK_DOOR_MAX; i++) {
		if (door->clients[i].fd >= 0)
			continue;
		(void)!getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size);
		client_init(&door->clients[i], fd);
		door->clients[i].shown.pid = peer.pid;
		door->clients[i].due_ns = due(door, STACK_DOOR_REQUEST_NS);
		return;
	}
	turn_away(fd, -EUSERS, "all connections are taken; try again in some seconds");
}

/* So that whoever says nothing, or says it byte by byte, does not keep others out for ever. */
static void expire(struct stack_door *door)
{
	uint64_t now = clock_monotonic_ns(door->options.clock);

	for (int i = 0; i < STACK_DOOR_MAX; i++) {
		struct client *client = &door->clients[i];

		if (client->fd < 0 || client->due_ns > now)
			continue;
		(void)!refuse(client, -ETIMEDOUT, "no whole request in time");
		client_end(door, client);
	}
}

/* Until somebody is to be let go, in ms; -1: nobody. */
static int next_due_ms(const struct stack_door *door)
{
	uint64_t now = clock_monotonic_ns(door->options.clock), first = NEVER_NS;

	for (int i = 0; i < STACK_DOOR_MAX; i++)
		if (door->clients[i].fd >= 0 && door->clients[i].due_ns < first)
			first = door->clients[i].due_ns;
	if (first == NEVER_NS)
		return -1;
	return first <= now ? 0 : (int)((first - now + 999999) / 1000000);
}

static void *door_thread(void *ctx)
{
	struct stack_door *door = ctx;

	for (;;) {
		struct pollfd ready[STACK_DOOR_MAX + 2];

		for (int i = 0; i < STACK_DOOR_MAX; i++)
			ready[i] = (struct pollfd){ .fd = door->clients[i].fd, .events = POLLIN };
		ready[STACK_DOOR_MAX] = (struct pollfd){ .fd = door->listener, .events = POLLIN };
		ready[STACK_DOOR_MAX + 1] = (struct pollfd){ .fd = door->stop, .events = POLLIN };
		if (poll(ready, STACK_DOOR_MAX + 2, next_due_ms(door)) < 0)
			continue;
		if (ready[STACK_DOOR_MAX + 1].revents)
			return NULL;
		pthread_mutex_lock(&door->lock);
		for (int i = 0; i < STACK_DOOR_MAX; i++)
			if (ready[i].revents && !client_read(door, &door->clients[i]))
				client_end(door, &door->clients[i]);
		expire(door);
		if (ready[STACK_DOOR_MAX].revents)
			admit(door);
		pthread_mutex_unlock(&door->lock);
	}
}

/* The kernel charges the frames to this process's locked memory. */
static void raise_locked_memory(void)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };

	(void)!setrlimit(RLIMIT_MEMLOCK, &all);
}

int stack_door_open(const struct stack_door_options *options, struct stack_door **out,
		    struct sluice_err *err)
{
	struct stack_door *door = calloc(1, sizeof(*door));
	int code;

	if (!door)
		return fail_system(err, -ENOMEM, "stack socket");
	door->options = *options;
	/* A reload frees the settings that these are of. */
	door->options.interfaces = door->interfaces;
	memcpy(door->interfaces, options->interfaces,
	       options->n_interfaces * sizeof(*options->interfaces));
	snprintf(door->path, sizeof(door->path), "%s", options->path);
	door->met.told = options->told;
	door->listener = -1;
	for (int i = 0; i < STACK_DOOR_MAX; i++)
		client_init(&door->clients[i], -1);
	pthread_mutex_init(&door->lock, NULL);
	raise_locked_memory();
	door->stop = eventfd(0, EFD_CLOEXEC);
	code = door->stop < 0 ? fail_system(err, -errno, "stack socket") : 0;
	if (!code)
		code = listener_open(options->path, options->group, &door->listener, &door->gid,
				     err);
	if (!code && pthread_create(&door->thread, NULL, door_thread, door) != 0)
		code = fail_with(err, -EAGAIN, "stack socket: cannot start a thread");
	if (!code) {
		*out = door;
		return 0;
	}
	if (door->listener >= 0)
		close(door->listener);
	if (door->stop >= 0)
		close(door->stop);
	pthread_mutex_destroy(&door->lock);
	free(door);
	return code;
}

void stack_door_close(struct stack_door *door)
{
	if (!door)
		return;
	(void)!eventfd_write(door->stop, 1);
	pthread_join(door->thread, NULL);
	close(door->listener);
	unlink(door->path);
	for (int i = 0; i < STACK_DOOR_MAX; i++)
		client_fini(&door->clients[i]);
	close(door->stop);
	pthread_mutex_destroy(&door->lock);
	free(door);
}

size_t stack_door_clients(struct stack_door *door, struct stack_door_client *clients)
{
	size_t n = 0;

	if (!door)
		return 0;
	pthread_mutex_lock(&door->lock);
	for (int i = 0; i < STACK_DOOR_MAX; i++)
		if (door->clients[i].fd >= 0 && door->clients[i].interface)
			clients[n++] = door->clients[i].shown;
	pthread_mutex_unlock(&door->lock);
	return n;
}
