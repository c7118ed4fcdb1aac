/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * When each capture plays.  See mix.h.  A lane is a capture at its place; the capture after another,
 * and each repetition of the warm-up, begins one second after the last packet in front.
 */
#include "mix_tree.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define NS_A_SECOND 1000000000ull
#define PAUSE_NS NS_A_SECOND
#define PPM 1000000ull
/* Faster than this no capture is repeated: a burst of a few packets would become a flood. */
#define MAX_NATIVE_PPS 1000000ull
#define ENDLESS UINT64_MAX
/* No duration is longer (36 years), so that sums of a few do not overflow. */
#define LONGEST_NS (1ull << 60)

static bool plays_all(const struct mix_mark *mark)
{
	(void)mark;
	return true;
}

static bool plays_attack(const struct mix_mark *mark)
{
	return mark->label != MIX_CLASS_BENIGN;
}

static bool plays_background(const struct mix_mark *mark)
{
	return mark->label == MIX_CLASS_BENIGN;
}

static uint64_t scaled(uint64_t ns, uint64_t num, uint64_t den)
{
	unsigned __int128 result;
	uint64_t product;

	if (num == den)
		return ns < LONGEST_NS ? ns : LONGEST_NS;
	/* Most products fit, and a division of 64 bits is several times as fast; once a packet. */
	if (!__builtin_mul_overflow(ns, num, &product))
		result = product / den;
	else
		result = (unsigned __int128)ns * num / den;
	return result > LONGEST_NS ? LONGEST_NS : (uint64_t)result;
}

uint64_t mix_lane_time(const struct mix_lane *lane, size_t at, uint32_t pass)
{
	const struct capture_packet *packets = lane->file->capture->packets;
	uint64_t since = packets[at].time_ns - packets[lane->file->begin].time_ns;

	return lane->start_ns + pass * lane->period_ns +
	       scaled(since, lane->scale_num, lane->scale_den);
}

/* From the first packet that plays to the last, in the capture's own time. */
static uint64_t span_of(const struct mix_file *file)
{
	const struct capture_packet *packets = file->capture->packets;

	if (file->begin >= file->end)
		return 0;
	return packets[file->end - 1].time_ns - packets[file->begin].time_ns;
}

static struct mix_lane *add_lane(struct mix *mix, struct mix_file *file)
{
	struct mix_lane *lane = &mix->lanes[mix->n_lanes++];

	memset(lane, 0, sizeof(*lane));
	lane->file = file;
	lane->plays = plays_all;
	lane->scale_num = lane->scale_den = 1;
	lane->end_ns = ENDLESS;
	return lane;
}

/*
 * The captures of a benign set from `start` on.  Looped ones repeat as one row, or each for itself
 * if they overlay each other.  Returns when the last one's last packet plays.
 */
static uint64_t add_benign_lanes(struct mix *mix, enum mix_set set, uint64_t start, bool looped)
{
	size_t first = mix->n_lanes;
	uint64_t at = start, last = start, length;

	for (size_t i = 0; i < mix->n_files; i++) {
		struct mix_file *file = &mix->files[i];
		struct mix_lane *lane;

		if (file->set != set || file->begin >= file->end)
			continue;
		lane = add_lane(mix, file);
		lane->scale_num = PPM;
		lane->scale_den = mix->options.speed_ppm;
		length = scaled(span_of(file), lane->scale_num, lane->scale_den);
		lane->start_ns = mix->options.overlay ? start : at;
		lane->period_ns = looped ? length + PAUSE_NS : 0;
		last = lane->start_ns + length > last ? lane->start_ns + length : last;
		if (at < LONGEST_NS)
			at += length + PAUSE_NS;
	}
	for (size_t i = first; looped && !mix->options.overlay && i < mix->n_lanes; i++)
		mix->lanes[i].period_ns = at - start;
	return last;
}

/* How long one pass of an attack takes: its span and one mean gap, so that passes join evenly. */
static uint64_t native_period(const struct mix_file *file)
{
	uint64_t span = span_of(file), n = 0;

	for (size_t i = file->begin; i < file->end; i++)
		n += plays_attack(&file->marks[i]);
	return span && n > 1 ? span + span / (n - 1) : NS_A_SECOND;
}

/* Sets the lane's pace for `pps` labelled packets a second, or its own pace for 0. */
static void set_pace(struct mix_lane *lane, uint64_t pps_num, uint64_t pps_den)
{
	const struct mix_file *file = lane->file;
	uint64_t native = native_period(file), period = native;
	uint64_t least = scaled(file->n_attack, NS_A_SECOND, MAX_NATIVE_PPS);

	if (pps_num) {
		unsigned __int128 ns = (unsigned __int128)file->n_attack * NS_A_SECOND * pps_den;

		ns /= pps_num;
		period = ns > LONGEST_NS ? LONGEST_NS : (uint64_t)ns;
	} else if (period < least) {
		period = least;
	}
	lane->period_ns = period ? period : 1;
	lane->scale_num = lane->period_ns;
	lane->scale_den = native;
}

static size_t count_attacks(const struct mix *mix)
{
	size_t n = 0;

	for (size_t i = 0; i < mix->n_files; i++)
		n += mix->files[i].n_attack > 0;
	return n;
}

static void add_attack_lanes(struct mix *mix, uint64_t start, size_t n_attacks)
{
	struct mix_info *info = &mix->info;

	for (size_t i = 0; i < mix->n_files; i++) {
		struct mix_file *file = &mix->files[i];
		struct mix_lane *lane;

		if (file->set != MIX_SET_ATTACK || file->begin >= file->end)
			continue;
		lane = add_lane(mix, file);
		lane->plays = plays_background;
		lane->start_ns = start;
		if (!file->n_attack)
			continue;
		lane = add_lane(mix, file);
		lane->plays = plays_attack;
		lane->start_ns = start;
		lane->end_ns = start + mix->options.attack_for_ns;
		set_pace(lane, mix->options.attack_pps, n_attacks);
		info->attack_packets_a_pass += file->n_attack;
		info->attack_pps += scaled(file->n_attack, NS_A_SECOND, lane->period_ns);
	}
}

/* In order of time, as far as the first pass of the warm-up goes: later ones repeat it. */
static void see_clients(struct mix *mix)
{
	for (size_t i = 0; i < mix->n_lanes; i++) {
		const struct mix_lane *lane = &mix->lanes[i];
		const struct mix_file *file = lane->file;

		if (file->set != MIX_SET_WARMUP)
			continue;
		for (size_t at = file->begin; at < file->end; at++) {
			const struct mix_mark *mark = &file->marks[at];

			if (mix_lane_time(lane, at, 0) >= mix->info.attack_start_ns)
				break;
			if (mark->client != MIX_NO_CLIENT && mark->direction != MIX_OTHER)
				clients_see(&mix->clients, mark->client,
					    mark->direction == MIX_TOWARD, mark->tcp_flags);
		}
	}
}

static void end_lanes(struct mix *mix)
{
	struct mix_info *info = &mix->info;

	for (size_t i = 0; i < mix->n_lanes; i++) {
		struct mix_lane *lane = &mix->lanes[i];

		if (lane->end_ns > info->end_ns)
			lane->end_ns = info->end_ns;
		if (lane->period_ns || lane->file->set == MIX_SET_WARMUP)
			continue;
		for (size_t at = lane->file->end; at-- > lane->file->begin;) {
			if (mix_lane_time(lane, at, 0) < lane->end_ns)
				break;
			info->beyond_end += lane->plays(&lane->file->marks[at]);
		}
	}
}

/* 1 when something of that set plays. */
/* Perhaps by a file without a packet. */
static bool is_asked_for(const struct mix *mix, enum mix_set set)
{
	for (size_t i = 0; i < mix->n_files; i++)
		if (mix->files[i].set == set)
			return true;
	return false;
}

static bool has_set(const struct mix *mix, enum mix_set set)
{
	for (size_t i = 0; i < mix->n_files; i++)
		if (mix->files[i].set == set && mix->files[i].begin < mix->files[i].end)
			return true;
	return false;
}

static uint64_t attack_start(const struct mix *mix, bool attacked)
{
	uint64_t phase = mix->options.phase_ns;

	if (!attacked)
		return has_set(mix, MIX_SET_WARMUP) ? mix->options.attack_at_ns : 0;
	if (phase == MIX_PHASE_BY_SEED)
		phase = invent_mix(mix->options.seed ^ 0x9ba5e) % NS_A_SECOND;
	return mix->options.attack_at_ns + phase;
}

static int allocate_lanes(struct mix *mix)
{
	size_t n = 2 * mix->n_files + 1;

	mix->lanes = calloc(n, sizeof(*mix->lanes));
	mix->heap = calloc(n, sizeof(*mix->heap));
	mix->marked_lanes = calloc(n, sizeof(*mix->marked_lanes));
	mix->marked_heap = calloc(n, sizeof(*mix->marked_heap));
	return mix->lanes && mix->heap && mix->marked_lanes && mix->marked_heap ? 0 : -ENOMEM;
}

int mix_make_timeline(struct mix *mix, struct sluice_err *err)
{
	bool attacked = is_asked_for(mix, MIX_SET_ATTACK);
	struct mix_info *info = &mix->info;
	size_t n_attacks = count_attacks(mix);
	uint64_t last;

	if (attacked && !n_attacks) {
		err_set(err, NULL,
			"no packet of the attack captures is labelled attack and goes to a protected host");
		return -EINVAL;
	}
	if (allocate_lanes(mix))
		return -ENOMEM;
	info->attack_start_ns = attack_start(mix, attacked);
	info->attack_end_ns = info->attack_start_ns + (attacked ? mix->options.attack_for_ns : 0);
	add_benign_lanes(mix, MIX_SET_WARMUP, 0, true);
	last = add_benign_lanes(mix, MIX_SET_BENIGN, info->attack_start_ns, false);
	if (attacked)
		add_attack_lanes(mix, info->attack_start_ns, n_attacks);
	info->end_ns = attacked ? info->attack_end_ns + mix->options.after_ns : last + 1;
	end_lanes(mix);
	see_clients(mix);
	if (mix->n_lanes == 0) {
		err_set(err, NULL, "the captures hold no packet");
		return -EINVAL;
	}
	return 0;
}
