/* SPDX-License-Identifier: BSD-2-Clause */
/* See egress.h. */
#include "egress.h"

#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "base/clock.h"
#include "base/err.h"
#include "egress_shared.h"
#include "libbpf_messages.h"
#include "mapped.h"
#include "shared.h"
#include "tc_hook.h"

/* These use types of shared.h. */
#include "egress.skel.h"

#define BATCH 4096u
#define FEW_HOSTS 1024u
/* What is written while it is read is newer than the reader's clock. */
#define LATEST_NS (60ull * 1000000000ull)

struct egress_plane {
	struct egress *skel;
	char folder[192];
	enum dataplane_egress mode, used;
	uint32_t n_cpus, max_hosts;
	const struct sluice_header *header;
	struct mapped heard, state, counters;
	struct tc_hook *hooks; /* As egress_open() found them, two for each interface. */
	size_t n_hooks;
	/* One pass over the table. */
	struct egress_host_key *keys;
	struct egress_host *hosts;
	/*
	 * These are still the whole table, so many entries: no program has run since that could change
	 * it.  Only known where egress_run() alone runs them.
	 */
	bool is_current;
	uint32_t n_current;
};

static uint32_t pinned_entries(const char *path)
{
	struct bpf_map_info info = {};
	__u32 size = sizeof(info);
	int fd = bpf_obj_get(path);
	uint32_t entries = 0;

	if (fd < 0)
		return 0;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) == 0)
		entries = info.max_entries;
	close(fd);
	return entries;
}

uint32_t egress_max_hosts(const char *folder, uint32_t max_known)
{
	char path[256];
	uint32_t pinned = 0;

	if (folder) {
		snprintf(path, sizeof(path), "%s/sluice_spoken", folder);
		pinned = pinned_entries(path);
	}
	if (pinned)
		return pinned;
	return max_known ? max_known : FEW_HOSTS;
}

static int set_map(const struct egress_plane *egress, struct bpf_map *map, uint32_t max_entries)
{
	char path[256];
	int code = max_entries ? bpf_map__set_max_entries(map, max_entries) : 0;

	if (code || !egress->folder[0])
		return code;
	snprintf(path, sizeof(path), "%s/%s", egress->folder, bpf_map__name(map));
	return bpf_map__set_pin_path(map, path);
}

static int size_maps(struct egress_plane *egress, const struct egress_options *options)
{
	struct egress *skel = egress->skel;
	int code = bpf_map__reuse_fd(skel->maps.sluice_spoken, options->spoken_fd);

	if (!code)
		code = set_map(egress, skel->maps.sluice_heard, 0);
	if (!code)
		code = set_map(egress, skel->maps.sluice_egress, 0);
	if (!code)
		code = set_map(egress, skel->maps.sluice_egress_n, options->n_cpus);
	if (!code)
		code = set_map(egress, skel->maps.sluice_guarded, 0);
	if (!code)
		code = bpf_map__reuse_fd(skel->maps.data_header, options->header_fd);
	return code;
}

static int map_memory(struct egress_plane *egress, struct sluice_err *err)
{
	const struct egress *skel = egress->skel;
	int code = mapped_open(&egress->heard, bpf_map__fd(skel->maps.sluice_heard), "heard", err);

	if (!code)
		code = mapped_open(&egress->state, bpf_map__fd(skel->maps.sluice_egress), "egress",
				   err);
	if (!code)
		code = mapped_open(&egress->counters, bpf_map__fd(skel->maps.sluice_egress_n),
				   "egress_n", err);
	return code;
}

static int load(struct egress_plane *egress, const struct egress_options *options,
		struct sluice_err *err)
{
	int code;

	egress->skel = egress__open();
	code = egress->skel ? size_maps(egress, options) : -errno;
	if (!code)
		code = egress__load(egress->skel);
	if (code) {
		libbpf_messages_explain(err, "the programs at tc", code);
		return code;
	}
	return map_memory(egress, err);
}

/* The way in first, so that no reply is ever taken for a first word. */
static int attach_both(struct egress_plane *egress, const char *ifname, struct tc_hook hooks[2],
		       struct sluice_err *err)
{
	const struct egress *skel = egress->skel;
	__u32 ifindex = if_nametoindex(ifname);
	int code;

	for (int i = 0; i < 2; i++) {
		hooks[i] = (struct tc_hook){
			.folder = egress->folder,
			.ifindex = ifindex,
			.mode = egress->mode,
			.is_out = i,
		};
		snprintf(hooks[i].ifname, sizeof(hooks[i].ifname), "%s", ifname);
	}
	if (!ifindex)
		return -ENODEV;
	code = tc_hook_open(&hooks[0], bpf_program__fd(skel->progs.sluice_egress_in), err);
	if (!code && bpf_map_update_elem(bpf_map__fd(skel->maps.sluice_guarded), &ifindex, &ifindex,
					 BPF_ANY))
		code = -errno;
	if (!code)
		code = tc_hook_open(&hooks[1], bpf_program__fd(skel->progs.sluice_egress_out), err);
	egress->used = hooks[0].used;
	return code;
}

int egress_attach(struct egress_plane *egress, const char *ifname, struct sluice_err *err)
{
	struct tc_hook hooks[2];

	return attach_both(egress, ifname, hooks, err);
}

static int attach_all(struct egress_plane *egress, const struct egress_options *options,
		      struct sluice_err *err)
{
	int code = 0;

	for (size_t i = 0; !code && i < options->n_interfaces; i++) {
		code = attach_both(egress, options->interfaces[i].name,
				   &egress->hooks[egress->n_hooks], err);
		egress->n_hooks += 2;
	}
	return code;
}

int egress_open(const struct egress_options *options, struct egress_plane **out,
		struct sluice_err *err)
{
	struct egress_plane *egress = calloc(1, sizeof(*egress));
	int code = -ENOMEM;

	if (!egress)
		return code;
	snprintf(egress->folder, sizeof(egress->folder), "%s",
		 options->folder ? options->folder : "");
	egress->mode = options->mode;
	egress->header = options->header;
	egress->max_hosts = options->max_hosts;
	egress->n_cpus = options->n_cpus;
	egress->keys = calloc(BATCH, sizeof(*egress->keys));
	egress->hosts = calloc(BATCH, sizeof(*egress->hosts));
	egress->hooks = calloc(2 * options->n_interfaces + 1, sizeof(*egress->hooks));
	if (egress->keys && egress->hosts && egress->hooks)
		code = load(egress, options, err);
	if (!code)
		code = attach_all(egress, options, err);
	if (code) {
		egress_undo(egress);
		egress_close(egress);
		return code;
	}
	*out = egress;
	return 0;
}

void egress_settle(const struct egress_plane *egress)
{
	for (size_t i = 0; i < egress->n_hooks; i++)
		tc_hook_remove_other(&egress->hooks[i]);
}

void egress_undo(struct egress_plane *egress)
{
	for (size_t i = 0; egress && i < egress->n_hooks; i++)
		tc_hook_undo(&egress->hooks[i]);
}

void egress_close(struct egress_plane *egress)
{
	if (!egress)
		return;
	mapped_close(&egress->heard);
	mapped_close(&egress->state);
	mapped_close(&egress->counters);
	egress__destroy(egress->skel);
	free(egress->keys);
	free(egress->hosts);
	free(egress->hooks);
	free(egress);
}

enum dataplane_egress egress_mode(const struct egress_plane *egress)
{
	return egress ? egress->used : DATAPLANE_EGRESS_OFF;
}

/* The half that has not been written for a whole turn is emptied, and is the next to be written. */
static void turn(struct egress_plane *egress, uint64_t now_ns)
{
	struct egress_state *state = egress->state.memory;
	uint64_t *words = egress->heard.memory;
	uint32_t next = (state->half ^ 1) & 1;

	if (state->turned_ns && state->turned_ns <= now_ns &&
	    now_ns - state->turned_ns < EGRESS_HEARD_TURN_NS)
		return;
	memset(words + (size_t)next * EGRESS_HEARD_WORDS, 0, EGRESS_HEARD_WORDS * sizeof(*words));
	__atomic_store_n(&state->half, next, __ATOMIC_RELEASE);
	state->turned_ns = now_ns;
}

static bool to_spoken(const struct egress_host_key *key, const struct egress_host *host,
		      uint64_t now_ns, struct dataplane_spoken *spoken)
{
	*spoken = (struct dataplane_spoken){
		.key.family = key->family == 4 ? SLUICE_FAMILY_IPV4 : SLUICE_FAMILY_IPV6,
		.key.prefix_len = key->family == 4 ? 32 : 128,
		.first_ns = host->first_ns,
		.last_ns = host->last_ns,
	};
	memcpy(spoken->key.addr, &key->high, key->family == 4 ? 4 : 8);
	if (key->family == 6)
		memcpy(spoken->key.addr + 8, &key->low, 8);
	/* Pinned memory may hold anything. */
	return (key->family == 4 || key->family == 6) && host->last_ns <= now_ns &&
	       host->first_ns <= host->last_ns;
}

struct pass {
	uint64_t now_ns, oldest_ns;
	dataplane_spoken_fn fn;
	void *ctx;
	size_t n;
};

/* Tells of those that are in time, and forgets the others. */
static void take_batch(struct egress_plane *egress, struct pass *pass, uint32_t n)
{
	int fd = bpf_map__fd(egress->skel->maps.sluice_spoken);

	for (uint32_t i = 0; i < n; i++) {
		struct dataplane_spoken spoken;

		if (to_spoken(&egress->keys[i], &egress->hosts[i], pass->now_ns, &spoken) &&
		    spoken.last_ns >= pass->oldest_ns) {
			pass->n++;
			if (pass->fn)
				pass->fn(pass->ctx, &spoken);
		} else {
			(void)bpf_map_delete_elem(fd, &egress->keys[i]);
			egress->is_current = false;
		}
	}
}

static int walk(struct egress_plane *egress, struct pass *pass)
{
	int fd = bpf_map__fd(egress->skel->maps.sluice_spoken);
	__u32 cursor = 0, count;
	void *from = NULL;
	int code = 0;

	if (egress->is_current) {
		take_batch(egress, pass, egress->n_current);
		return 0;
	}
	/* A table that keeps growing under the walk ends it all the same. */
	for (uint32_t seen = 0; !code && seen <= 2 * egress->max_hosts; seen += count) {
		count = BATCH;
		if (bpf_map_lookup_batch(fd, from, &cursor, egress->keys, egress->hosts, &count,
					 NULL))
			code = -errno;
		/* The end is told by -ENOENT, with the last ones. */
		if (code && code != -ENOENT)
			break;
		egress->is_current = code && !from && !egress->folder[0];
		egress->n_current = count;
		take_batch(egress, pass, count);
		from = &cursor;
	}
	return code == -ENOENT ? 0 : code;
}

static int by_age(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return (left > right) - (left < right);
}

struct ages {
	uint64_t *ns;
	size_t n, max;
};

static void note_age(void *ctx, const struct dataplane_spoken *spoken)
{
	struct ages *ages = ctx;

	if (ages->n < ages->max)
		ages->ns[ages->n++] = spoken->last_ns;
}

/*
 * Makes room in a table that is nearly full: those go to whom nothing was said for longest.  Only this
 * server's own first words fill it, so nobody can have them go by sending packets.
 */
static int make_room(struct egress_plane *egress, const struct pass *last)
{
	struct ages ages = { .max = last->n };
	struct pass pass = *last;
	size_t surplus = last->n - egress->max_hosts / 4 * 3;
	int code;

	ages.ns = calloc(ages.max, sizeof(*ages.ns));
	if (!ages.ns)
		return -ENOMEM;
	pass.fn = note_age;
	pass.ctx = &ages;
	code = walk(egress, &pass);
	if (!code && ages.n > surplus) {
		qsort(ages.ns, ages.n, sizeof(*ages.ns), by_age);
		pass.oldest_ns = ages.ns[surplus];
		pass.fn = NULL;
		code = walk(egress, &pass);
	}
	free(ages.ns);
	return code;
}

int egress_read(struct egress_plane *egress, const struct dataplane_spoken_terms *terms,
		dataplane_spoken_fn fn, void *ctx, struct sluice_err *err)
{
	uint64_t set_ns = egress->header->clock_ns,
		 now_ns = set_ns ? set_ns : clock_monotonic_ns(&clock_system);
	struct pass pass = {
		.now_ns = now_ns + LATEST_NS,
		.oldest_ns = now_ns > terms->keep_ns ? now_ns - terms->keep_ns : 0,
		.fn = fn,
		.ctx = ctx,
	};
	int code;

	turn(egress, now_ns);
	code = walk(egress, &pass);
	if (!code && pass.n > egress->max_hosts / 8 * 7)
		code = make_room(egress, &pass);
	if (code)
		err_set(err, "known_clients", "cannot read whom this server spoke to: %s",
			err_name(code));
	return code;
}

int egress_run(struct egress_plane *egress, bool out, const void *frame, size_t size)
{
	const struct bpf_program *program = out ? egress->skel->progs.sluice_egress_out
						: egress->skel->progs.sluice_egress_in;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = (__u32)size);

	/* On the way in nothing is written to the table. */
	egress->is_current &= !out;
	return bpf_prog_test_run_opts(bpf_program__fd(program), &opts);
}

static bool is_noted(const struct egress_plane *egress, uint64_t hash)
{
	const struct egress_state *state = egress->state.memory;
	const uint64_t *words = egress->heard.memory;
	uint64_t mask = egress_heard_mask(hash);

	return (words[egress_heard_index(state->half, hash)] & mask) == mask;
}

bool egress_has_heard(const struct egress_plane *egress, const struct sluice_key *source,
		      const uint8_t *ports)
{
	const __u64 *key = egress->header->hash_key;
	struct egress_host_key host = { .family = source->family == SLUICE_FAMILY_IPV4 ? 4 : 6 };
	uint16_t port[2];
	uint64_t hash;

	memcpy(&host.high, source->addr, sizeof(host.high));
	memcpy(&host.low, source->addr + 8, sizeof(host.low));
	hash = egress_hash_host(key, &host);
	if (!is_noted(egress, hash))
		return false;
	if (!ports)
		return true;
	memcpy(port, ports, sizeof(port));
	return is_noted(egress, egress_hash_flow(key, hash, egress_ports(port[0], port[1])));
}

void egress_counts(const struct egress_plane *egress, struct dataplane_egress_counts *counts)
{
	const struct egress_cpu_counters *cpus = egress->counters.memory;
	uint64_t sum[EGRESS_N_COUNTS] = { 0 };

	for (uint32_t cpu = 0; cpu < egress->n_cpus; cpu++)
		for (int i = 0; i < EGRESS_N_COUNTS; i++)
			sum[i] += __atomic_load_n(&cpus[cpu].count[i], __ATOMIC_RELAXED);
	*counts = (struct dataplane_egress_counts){
		.tcp = sum[EGRESS_COUNT_TCP],
		.udp = sum[EGRESS_COUNT_UDP],
		.icmp = sum[EGRESS_COUNT_ICMP],
		.replies = sum[EGRESS_COUNT_REPLIES],
		.refused = sum[EGRESS_COUNT_REFUSED],
		.relayed = sum[EGRESS_COUNT_RELAYED],
	};
}
