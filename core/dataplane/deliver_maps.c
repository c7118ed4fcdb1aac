/* SPDX-License-Identifier: BSD-2-Clause */
/* See deliver_maps.h. */
#include "deliver_maps.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/err.h"
#include "deliver_shared.h"

enum { XSKS, PORTS, DESTINATIONS4, DESTINATIONS6, COUNTS };

static const char *const names[DELIVER_MAPS_N] = {
	[XSKS] = "sluice_xsks",
	[PORTS] = "sluice_deliver_ports",
	[DESTINATIONS4] = "sluice_deliver4",
	[DESTINATIONS6] = "sluice_deliver6",
	[COUNTS] = "sluice_delivered",
};

int deliver_maps_prepare(struct deliver_maps *maps, struct bpf_object *filter,
			 const struct dataplane_deliver *deliver, uint32_t n_cpus)
{
	struct bpf_map *ports = bpf_object__find_map_by_name(filter, names[PORTS]);
	struct bpf_map *counts = bpf_object__find_map_by_name(filter, names[COUNTS]);
	int code;

	maps->n_cpus = n_cpus;
	maps->on = deliver->n > 0;
	maps->anywhere = 0;
	for (size_t i = 0; i < deliver->n && i < DELIVER_MAX_RULES; i++)
		if (!deliver->rules[i].n_destinations)
			maps->anywhere |= 1u << i;
	/* Without rules nobody reads them, so they need not be there in full. */
	code = bpf_map__set_max_entries(ports, maps->on ? DELIVER_PORT_ENTRIES : 1);
	if (!code)
		code = bpf_map__set_max_entries(counts, n_cpus);
	return code;
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
	if (!code && maps->counts.size < maps->n_cpus * sizeof(struct deliver_cpu_counts)) {
		err_set(err, "pin_path", "the counters of delivered packets are of another size");
		code = -EPROTO;
	}
	return !code && maps->on ? write_rules(maps, deliver, err) : code;
}

void deliver_maps_close(struct deliver_maps *maps)
{
	mapped_close(&maps->counts);
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
