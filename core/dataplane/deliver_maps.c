/* SPDX-License-Identifier: BSD-2-Clause */
/* See deliver_maps.h. */
#include "deliver_maps.h"

#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"
#include "deliver_shared.h"

enum { XSKS, SLOTS, PORTS, DESTINATIONS4, DESTINATIONS6, COUNTS };

static const char *const names[DELIVER_MAPS_N] = {
	[XSKS] = "sluice_xsks",
	[SLOTS] = "sluice_deliver_slots",
	[PORTS] = "sluice_deliver_ports",
	[DESTINATIONS4] = "sluice_deliver4",
	[DESTINATIONS6] = "sluice_deliver6",
	[COUNTS] = "sluice_delivered",
};

/* A descriptor of what is pinned, and what it is; -1: nothing. */
static int open_pinned(const char *folder, const char *name, struct bpf_map_info *info)
{
	__u32 size = sizeof(*info);
	char path[256];
	int fd;

	memset(info, 0, sizeof(*info));
	if (!folder)
		return -1;
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	fd = bpf_obj_get(path);
	if (fd >= 0 && bpf_obj_get_info_by_fd(fd, info, &size) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Damage is found when the map is loaded: here it is a map that says nothing. */
static void read_slots(const char *folder, struct deliver_slots *slots)
{
	struct bpf_map_info info;
	int fd = open_pinned(folder, names[SLOTS], &info);
	const uint32_t first = 0;

	memset(slots, 0, sizeof(*slots));
	if (fd < 0)
		return;
	if (info.type == BPF_MAP_TYPE_ARRAY && info.value_size == sizeof(*slots) &&
	    bpf_map_lookup_elem(fd, &first, slots))
		memset(slots, 0, sizeof(*slots));
	close(fd);
}

/* The first that were pinned had room for one interface. */
static uint32_t sockets_size(const char *folder)
{
	struct bpf_map_info info;
	int fd = open_pinned(folder, names[XSKS], &info);

	if (fd >= 0)
		close(fd);
	return fd >= 0 && info.max_entries == DELIVER_MAX_QUEUES ? DELIVER_MAX_QUEUES
								 : DELIVER_MAX_SOCKETS;
}

static int assign_slots(struct deliver_maps *maps, const char *folder,
			const struct dataplane_live_options *options, uint32_t n_slots,
			struct sluice_err *err)
{
	struct deliver_slots pinned;

	maps->only_slot = 0;
	maps->n_owners = 0;
	if (!maps->on)
		return 0;
	if (options->n_interfaces > n_slots) {
		err_set(err, "deliver",
			"%zu interfaces, and the pinned map of sockets has room for %u%s",
			options->n_interfaces, n_slots,
			n_slots > 1 ? "" : ": an earlier version made it; 'sluice detach' first");
		return -EPROTO;
	}
	for (size_t i = 0; i < options->n_interfaces; i++) {
		const char *name = options->interfaces[i].name;

		maps->owners[i] = (struct deliver_owner){ name, if_nametoindex(name) };
	}
	maps->n_owners = options->n_interfaces;
	read_slots(folder, &pinned);
	deliver_slots_assign(&pinned, maps->owners, maps->n_owners, maps->slot);
	if (maps->n_owners)
		maps->only_slot = maps->n_owners > 1 ? DELIVER_MAX_SLOTS : maps->slot[0];
	return 0;
}

static int size_maps(const struct deliver_maps *maps, struct bpf_object *filter, uint32_t n_sockets)
{
	const uint32_t sizes[DELIVER_MAPS_N] = {
		[XSKS] = n_sockets,
		/* Without rules nobody reads them, so they need not be there in full. */
		[PORTS] = maps->on ? DELIVER_PORT_ENTRIES : 1,
		[COUNTS] = maps->n_cpus,
	};
	int code = 0;

	for (int i = 0; !code && i < DELIVER_MAPS_N; i++)
		if (sizes[i])
			code = bpf_map__set_max_entries(
				bpf_object__find_map_by_name(filter, names[i]), sizes[i]);
	return code;
}

int deliver_maps_prepare(struct deliver_maps *maps, struct bpf_object *filter, const char *folder,
			 const struct dataplane_live_options *options, uint32_t n_cpus,
			 struct sluice_err *err)
{
	const struct dataplane_deliver *deliver = &options->deliver;
	uint32_t n_sockets = sockets_size(folder);
	int code;

	maps->n_cpus = n_cpus;
	maps->on = deliver->n > 0;
	maps->anywhere = 0;
	for (size_t i = 0; i < deliver->n && i < DELIVER_MAX_RULES; i++)
		if (!deliver->rules[i].n_destinations)
			maps->anywhere |= 1u << i;
	code = assign_slots(maps, folder, options, n_sockets / DELIVER_MAX_QUEUES, err);
	return code ? code : size_maps(maps, filter, n_sockets);
}

static bool contains(const struct sluice_key *outer, const struct sluice_key *inner)
{
	unsigned int whole = outer->prefix_len / 8, rest = outer->prefix_len % 8;

	if (outer->family != inner->family || outer->prefix_len > inner->prefix_len ||
	    memcmp(outer->addr, inner->addr, whole) != 0)
		return false;
	return !rest || !((outer->addr[whole] ^ inner->addr[whole]) >> (8 - rest));
}

/* The rules that contain all of `prefix`: what a longest match must give. */
static uint32_t rules_around(const struct dataplane_deliver *deliver,
			     const struct sluice_key *prefix)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < deliver->n; i++)
		for (size_t j = 0; j < deliver->rules[i].n_destinations; j++)
			if (contains(&deliver->rules[i].destinations[j], prefix))
				mask |= 1u << i;
	return mask;
}

static int write_destination(const struct deliver_maps *maps,
			     const struct dataplane_deliver *deliver,
			     const struct sluice_key *prefix)
{
	uint32_t mask = rules_around(deliver, prefix);
	struct deliver_key4 key4 = { .prefix_len = prefix->prefix_len };
	struct deliver_key6 key6 = { .prefix_len = prefix->prefix_len };
	bool v6 = prefix->family == SLUICE_FAMILY_IPV6;

	memcpy(&key4.addr, prefix->addr, sizeof(key4.addr));
	memcpy(key6.addr, prefix->addr, sizeof(key6.addr));
	return bpf_map_update_elem(maps->fd[v6 ? DESTINATIONS6 : DESTINATIONS4],
				   v6 ? (void *)&key6 : (void *)&key4, &mask, BPF_ANY)
		       ? -errno
		       : 0;
}

static void write_ports(uint64_t *ports, const struct dataplane_deliver_rule *rule, uint32_t bit)
{
	uint32_t first = rule->protocol == IPPROTO_UDP ? DELIVER_N_PORTS : 0;

	for (size_t i = 0; i < rule->n_ports; i++)
		for (uint32_t port = rule->ports[i].from; port <= rule->ports[i].to; port++)
			ports[first + port] |= bit;
}

static int write_rules(const struct deliver_maps *maps, const struct dataplane_deliver *deliver,
		       struct sluice_err *err)
{
	struct mapped ports = { NULL, 0 };
	int code = mapped_open(&ports, maps->fd[PORTS], "deliver_ports", err);

	for (size_t i = 0; !code && i < deliver->n; i++) {
		const struct dataplane_deliver_rule *rule = &deliver->rules[i];

		write_ports(ports.memory, rule, 1u << i);
		for (size_t j = 0; !code && j < rule->n_destinations; j++)
			code = write_destination(maps, deliver, &rule->destinations[j]);
	}
	mapped_close(&ports);
	return code;
}

int deliver_maps_open(struct deliver_maps *maps, struct bpf_object *filter,
		      const struct dataplane_deliver *deliver, struct sluice_err *err)
{
	int code;

	if (deliver->n > DELIVER_MAX_RULES) {
		err_set(err, "deliver", "has %zu rules; at most %d", deliver->n, DELIVER_MAX_RULES);
		return -EINVAL;
	}
	for (int i = 0; i < DELIVER_MAPS_N; i++)
		maps->fd[i] = bpf_map__fd(bpf_object__find_map_by_name(filter, names[i]));
	code = mapped_open(&maps->counts, maps->fd[COUNTS], "delivered", err);
	if (!code)
		code = mapped_open(&maps->slots, maps->fd[SLOTS], "deliver_slots", err);
	if (!code && maps->counts.size < maps->n_cpus * sizeof(struct deliver_cpu_counts)) {
		err_set(err, "pin_path", "the counters of delivered packets are of another size");
		code = -EPROTO;
	}
	return !code && maps->on ? write_rules(maps, deliver, err) : code;
}

void deliver_maps_close(struct deliver_maps *maps)
{
	mapped_close(&maps->counts);
	mapped_close(&maps->slots);
}

static void vacate(void *ctx, uint8_t slot)
{
	const struct deliver_maps *maps = ctx;

	for (uint32_t queue = 0; queue < DELIVER_MAX_QUEUES; queue++) {
		uint32_t index = slot * DELIVER_MAX_QUEUES + queue;

		(void)!bpf_map_delete_elem(maps->fd[XSKS], &index);
	}
}

void deliver_maps_settle(struct deliver_maps *maps)
{
	if (maps->on)
		deliver_slots_settle(maps->slots.memory, maps->owners, maps->n_owners, maps->slot,
				     vacate, maps);
}

void deliver_maps_follow(struct deliver_maps *maps, size_t nth, unsigned int ifindex)
{
	if (nth < maps->n_owners)
		deliver_slots_follow(maps->slots.memory, maps->slot[nth], ifindex);
}

int deliver_maps_slot(const struct deliver_maps *maps, size_t nth)
{
	return nth < maps->n_owners ? maps->slot[nth] : -1;
}

int deliver_maps_lend(const struct deliver_maps *maps, struct bpf_object *program)
{
	int code = 0;

	for (int i = 0; !code && i < DELIVER_MAPS_N; i++)
		code = bpf_map__reuse_fd(bpf_object__find_map_by_name(program, names[i]),
					 maps->fd[i]);
	return code;
}

void deliver_maps_read(const struct deliver_maps *maps, struct dataplane_deliver_counts *counts)
{
	const struct deliver_cpu_counts *cpus = maps->counts.memory;
	uint64_t sum[DELIVER_N_OUTCOMES] = { 0 };

	for (uint32_t cpu = 0; cpu < maps->n_cpus; cpu++)
		for (int i = 0; i < DELIVER_N_OUTCOMES; i++)
			sum[i] += __atomic_load_n(&cpus[cpu].packets[i], __ATOMIC_RELAXED);
	*counts = (struct dataplane_deliver_counts){
		.socket = sum[DELIVER_SOCKET],
		.no_socket = sum[DELIVER_NO_SOCKET],
		.fragment = sum[DELIVER_FRAGMENT],
		.other = sum[DELIVER_OTHER],
	};
}

int deliver_maps_sockets(const struct deliver_maps *maps)
{
	return maps->on ? maps->fd[XSKS] : -1;
}
