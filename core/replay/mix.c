/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A mix from its options to its first packet.  See mix.h.
 */
#include "mix.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/err.h"
#include "base/hash_table.h"
#include "mix_tree.h"

#define NS_A_SECOND 1000000000ull
#define MAX_SECONDS (10ull * 365 * 86400)
#define MAX_PPS 100000000ull
#define MAX_SPEED_PPM 1000000000ull
#define FIRST_FILES 8

void mix_options_init(struct mix_options *options)
{
	memset(options, 0, sizeof(*options));
	options->attack_at_ns = 30 * NS_A_SECOND;
	options->attack_for_ns = 10 * NS_A_SECOND;
	options->after_ns = 20 * NS_A_SECOND;
	options->phase_ns = MIX_PHASE_BY_SEED;
	options->speed_ppm = 1000000;
	options->trim = true;
}

static int check_times(const struct mix_options *options, struct sluice_err *err)
{
	uint64_t longest = MAX_SECONDS * NS_A_SECOND;
	bool phase = options->phase_ns != MIX_PHASE_BY_SEED && options->phase_ns > longest;

	if (options->attack_at_ns > longest || options->attack_for_ns > longest ||
	    options->after_ns > longest || phase) {
		err_set(err, NULL, "a time of the replay is longer than ten years");
		return -EINVAL;
	}
	if (options->attack_pps > MAX_PPS) {
		err_set(err, "attack-rate", "more than %llu packets a second", MAX_PPS);
		return -EINVAL;
	}
	if (!options->speed_ppm || options->speed_ppm > MAX_SPEED_PPM) {
		err_set(err, "speed", "must be from 0.000001 to %llu", MAX_SPEED_PPM / 1000000);
		return -EINVAL;
	}
	return 0;
}

static int check_addresses(const struct mix_options *options, struct sluice_err *err)
{
	const struct sluice_key *hosts[] = { &options->host4, &options->host6 };
	static const uint8_t families[] = { SLUICE_FAMILY_IPV4, SLUICE_FAMILY_IPV6 };

	if (options->n_protect > MIX_MAX_PROTECTED) {
		err_set(err, "protect", "more than %d prefixes", MIX_MAX_PROTECTED);
		return -E2BIG;
	}
	for (size_t i = 0; i < options->n_protect; i++) {
		if (!address_is_valid(&options->protect[i])) {
			err_set(err, "protect", "prefix %zu is none", i + 1);
			return -EINVAL;
		}
	}
	for (int i = 0; i < 2; i++) {
		if (!hosts[i]->family)
			continue;
		if (hosts[i]->family != families[i] || !address_is_valid(hosts[i]) ||
		    !address_is_single(hosts[i]) || !packet_is_host(hosts[i])) {
			err_set(err, "rewrite-dst", "must be an IPv%d address of one host",
				families[i]);
			return -EINVAL;
		}
	}
	return 0;
}

/* The first address of a prefix that a host can have: not the network's own. */
static struct sluice_key first_host(const struct sluice_key *prefix)
{
	unsigned int width = address_width(prefix->family);
	struct sluice_key host = *prefix;

	if (prefix->prefix_len + 1u < width)
		host.addr[width / 8 - 1] |= 1;
	host.prefix_len = (uint8_t)width;
	return host;
}

static struct sluice_key choose_host(const struct mix_options *options, uint8_t family)
{
	/* Of the ranges for documentation, which no capture should hold. */
	static const uint8_t own4[] = { 198, 51, 100, 1 };
	static const uint8_t own6[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	const struct sluice_key *given = family == SLUICE_FAMILY_IPV4 ? &options->host4
								      : &options->host6;

	if (given->family)
		return *given;
	for (size_t i = 0; i < options->n_protect; i++)
		if (options->protect[i].family == family)
			return first_host(&options->protect[i]);
	return family == SLUICE_FAMILY_IPV4 ? address_from_ipv4(own4, 32)
					    : address_from_ipv6(own6, 128);
}

static void add_protected(struct mix *mix, const struct sluice_key *prefix)
{
	for (size_t i = 0; i < mix->info.n_protect; i++)
		if (address_covers(&mix->protect[i], prefix))
			return;
	mix->protect[mix->info.n_protect++] = *prefix;
}

static void protect(struct mix *mix)
{
	const struct mix_options *options = &mix->options;
	bool asis = options->role == MIX_ROLE_ASIS;

	mix->info.host4 = choose_host(options, SLUICE_FAMILY_IPV4);
	mix->info.host6 = choose_host(options, SLUICE_FAMILY_IPV6);
	for (size_t i = 0; i < options->n_protect; i++)
		add_protected(mix, &options->protect[i]);
	if (!asis || options->host4.family)
		add_protected(mix, &mix->info.host4);
	if (!asis || options->host6.family)
		add_protected(mix, &mix->info.host6);
	mix->info.protect = mix->protect;
	mix->options.protect = NULL; /* The caller's. */
	mix->invent.seed = options->seed;
	mix->invent.protect = mix->protect;
	mix->invent.n_protect = mix->info.n_protect;
}

int mix_new(const struct mix_options *options, struct mix **out, struct sluice_err *err)
{
	struct mix *mix;
	int rc;

	rc = check_times(options, err);
	if (!rc)
		rc = check_addresses(options, err);
	if (rc)
		return rc;
	mix = calloc(1, sizeof(*mix));
	if (!mix)
		return -ENOMEM;
	mix->options = *options;
	rc = clients_init(&mix->clients, options->seed);
	if (rc) {
		mix_free(mix);
		return rc;
	}
	protect(mix);
	*out = mix;
	return 0;
}

void mix_free(struct mix *mix)
{
	if (!mix)
		return;
	for (size_t i = 0; i < mix->n_files; i++) {
		capture_free(mix->files[i].capture);
		free(mix->files[i].marks);
	}
	free(mix->files);
	clients_fini(&mix->clients);
	hash_table_free(mix->sources);
	free(mix->lanes);
	free(mix->heap);
	free(mix->marked_lanes);
	free(mix->marked_heap);
	free(mix->scratch);
	free(mix);
}

static int files_make_room(struct mix *mix)
{
	size_t room = mix->files_room ? mix->files_room * 2 : FIRST_FILES;
	struct mix_file *files;

	if (mix->n_files < mix->files_room)
		return 0;
	files = realloc(mix->files, room * sizeof(*files));
	if (!files)
		return -ENOMEM;
	mix->files = files;
	mix->files_room = room;
	return 0;
}

int mix_add(struct mix *mix, enum mix_set set, struct capture *capture, const struct labels *labels,
	    struct sluice_err *err)
{
	struct mix_file *file;
	int rc = 0;

	if (mix->started)
		rc = -EBUSY;
	else if (mix->n_files == MIX_MAX_CAPTURES)
		rc = -E2BIG;
	else
		rc = files_make_room(mix);
	if (rc) {
		err_set(err, NULL, "'%s': cannot be added: %s", capture->path, strerror(-rc));
		capture_free(capture);
		return rc;
	}
	file = &mix->files[mix->n_files];
	memset(file, 0, sizeof(*file));
	file->capture = capture;
	file->labels = labels;
	file->set = set;
	file->index = (uint32_t)mix->n_files++;
	file->respoof =
		mix->options.respoof == MIX_RESPOOF_ON ||
		(mix->options.respoof == MIX_RESPOOF_AUTO && labels && labels_spoofed(labels));
	return 0;
}

const struct sluice_key *mix_host(const struct mix *mix, uint8_t family)
{
	return family == SLUICE_FAMILY_IPV6 ? &mix->info.host6 : &mix->info.host4;
}

enum mix_direction mix_direction_of(const struct mix *mix, const struct sluice_key *source,
				    const struct sluice_key *destination)
{
	if (mix->info.n_protect == 0 || invent_is_protected(&mix->invent, destination))
		return MIX_TOWARD;
	return invent_is_protected(&mix->invent, source) ? MIX_FROM : MIX_OTHER;
}

int mix_client_asis(struct mix *mix, const struct sluice_key *source,
		    const struct sluice_key *destination, struct mix_mark *mark)
{
	struct invent_name name = { .space = UINT32_MAX };

	if (!source->family || mark->direction == MIX_OTHER)
		return 0;
	name.address = mark->direction == MIX_TOWARD ? *source : *destination;
	return clients_get(&mix->clients, NULL, &name, &mark->client);
}

static int allocate(struct mix *mix)
{
	for (size_t i = 0; i < mix->n_files; i++) {
		const struct capture *capture = mix->files[i].capture;

		mix->files[i].marks = calloc(capture->n_packets + 1, sizeof(struct mix_mark));
		if (!mix->files[i].marks)
			return -ENOMEM;
	}
	return hash_table_new(0, &mix->clients.secret, &mix->sources);
}

/* When all frames have their final size. */
static int allocate_scratch(struct mix *mix)
{
	uint32_t largest = 1;

	for (size_t i = 0; i < mix->n_files; i++) {
		const struct capture *capture = mix->files[i].capture;

		for (size_t p = 0; p < capture->n_packets; p++)
			if (capture->packets[p].size > largest)
				largest = capture->packets[p].size;
	}
	mix->scratch = malloc(largest);
	return mix->scratch ? 0 : -ENOMEM;
}

/* Attack sources first: no client may get the address of one. */
static int prepare(struct mix *mix)
{
	int rc;

	rc = allocate(mix);
	for (size_t i = 0; i < mix->n_files && !rc; i++)
		if (mix->files[i].set == MIX_SET_ATTACK)
			rc = mix_label_attack(mix, &mix->files[i]);
	mix->invent.taken[0] = mix->sources;
	mix->invent.taken[1] = mix->clients.addresses;
	for (size_t i = 0; i < mix->n_files && !rc; i++)
		if (mix->files[i].set == MIX_SET_ATTACK)
			rc = mix_prepare_attack(mix, &mix->files[i]);
		else
			rc = mix_prepare_benign(mix, &mix->files[i]);
	mix->invent.taken[0] = NULL;
	hash_table_free(mix->sources);
	mix->sources = NULL;
	return rc ? rc : allocate_scratch(mix);
}

/* What an attack's victim answers goes to a host of its own each, in each pass. */
static size_t count_answered(const struct mix *mix)
{
	size_t sum = 0;

	for (size_t i = 0; i < mix->n_lanes; i++) {
		const struct mix_lane *lane = &mix->lanes[i];
		const struct mix_file *file = lane->file;
		size_t passes = 1, n = 0;

		if (file->set != MIX_SET_ATTACK)
			continue;
		if (lane->period_ns && file->respoof)
			passes += (lane->end_ns - lane->start_ns) / lane->period_ns;
		for (size_t at = file->begin; at < file->end; at++)
			n += file->marks[at].direction == MIX_FROM && lane->plays(&file->marks[at]);
		sum += n * passes;
	}
	return sum;
}

static void fill_info(struct mix *mix)
{
	struct mix_info *info = &mix->info;

	info->n_clients = mix->clients.count;
	info->n_peers = mix->clients.count + count_answered(mix);
	info->n_files = mix->n_files;
	info->memory_bytes = sizeof(*mix) + mix->clients.room * (sizeof(struct mix_client) + 1) +
			     mix->n_lanes * sizeof(struct mix_lane);
	for (size_t i = 0; i < mix->n_files; i++) {
		const struct capture *capture = mix->files[i].capture;

		info->gaps_cut += capture->gaps_cut;
		info->steps_back += capture->steps_back;
		info->runts += capture->runts;
		info->memory_bytes +=
			capture_memory(capture) + capture->n_packets * sizeof(struct mix_mark);
	}
}

int mix_start(struct mix *mix, struct sluice_err *err)
{
	int rc;

	if (mix->started)
		return -EBUSY;
	rc = prepare(mix);
	if (!rc)
		rc = mix_make_timeline(mix, err);
	else
		err_set(err, NULL,
			rc == -EINVAL ? "the protected prefixes leave no address for others"
				      : "out of memory");
	if (rc)
		return rc;
	fill_info(mix);
	mix->started = true;
	mix_rewind(mix);
	mix_mark(mix);
	return 0;
}

const struct mix_info *mix_info(const struct mix *mix)
{
	return &mix->info;
}

const struct mix_client *mix_client(const struct mix *mix, uint32_t client)
{
	return client < mix->clients.count ? &mix->clients.list[client] : NULL;
}

const char *mix_file_path(const struct mix *mix, uint16_t file)
{
	return file < mix->n_files ? mix->files[file].capture->path : NULL;
}
