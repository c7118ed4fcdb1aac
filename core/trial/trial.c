/* SPDX-License-Identifier: BSD-2-Clause */
/* See trial.h. */
#include "trial.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <netinet/in.h>

#include "base/address.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/event.h"
#include "replay/mix.h"

#include "bare.h"
#include "defence.h"
#include "ends.h"
#include "known_hosts.h"
#include "virtual_clock.h"

#define PROGRESS_NS 1000000000ull

struct trial {
	const struct trial_options *options;
	struct mix *mix;
	const struct mix_info *info;
	struct trial_report *report;
	struct defence defence;
	struct virtual_clock clock;
	struct known_hosts *known;
	struct score *score;
	struct ledger *ledger;
	struct event_sink sink;
	const char *names[SCORE_MAX_DETECTORS];
	struct trial_window window;
	uint64_t progress_ns;
	int code;	   /* Of the callbacks, which cannot fail otherwise. */
	struct bare *bare; /* NULL: nobody asked for a measure. */
	struct dataplane *bare_dp;
	uint8_t frame[DATAPLANE_REPLAY_FRAME_MAX];
};

static void note_block(void *ctx, const struct dataplane_block_record *record)
{
	struct trial *trial = ctx;
	struct score_cause mark = score_mark(trial->score, -1, trial->clock.now_ns);
	int code = ledger_block(trial->ledger, record, &mark);

	trial->code = trial->code ? trial->code : code;
}

static void note_prefix(void *ctx, const struct sluice_key *prefix)
{
	struct trial *trial = ctx;
	struct score_cause mark = score_mark(trial->score, -1, trial->clock.now_ns);
	int code = ledger_prefix(trial->ledger, prefix, &mark);

	trial->code = trial->code ? trial->code : code;
}

static void note_rules(void *ctx, const struct dataplane_rule *rules, size_t n)
{
	struct trial *trial = ctx;
	struct score_cause mark = score_mark(trial->score, -1, trial->clock.now_ns);
	int code = ledger_rules(trial->ledger, rules, n, &mark);

	trial->code = trial->code ? trial->code : code;
}

/* Failures are worth telling; what was blocked and released is in the figures. */
static void note_event(void *ctx, const struct event *event)
{
	struct trial *trial = ctx;
	struct trial_report *report = trial->report;

	switch (event->kind) {
	case EVENT_KIND_BLOCK_REFUSED:
	case EVENT_KIND_DETECTOR_FAILED:
	case EVENT_KIND_DETECTOR_DISABLED:
	case EVENT_KIND_MIN_PASS:
	case EVENT_KIND_RULE_REFUSED:
	case EVENT_KIND_SWAP_POSTPONED:
		break;
	default:
		return;
	}
	if (report->n_notes < TRIAL_NOTES_MAX)
		snprintf(report->notes[report->n_notes++], TRIAL_NOTE_SIZE, "%.3f s: %s: %s: %s",
			 (double)trial->clock.now_ns / 1e9, event_kind_name(event->kind),
			 event->origin, event->text);
}

static bool known_before(void *ctx, uint32_t client)
{
	const struct trial *trial = ctx;
	const struct mix_client *known = mix_client(trial->mix, client);

	return known && known->known_before;
}

static int open_score(struct trial *trial)
{
	const struct mix_info *info = trial->info;
	const struct score_options options = {
		.window_ns = trial->defence.window_ns,
		.attack_start_ns = info->attack_start_ns,
		.attack_end_ns = info->attack_packets_a_pass ? info->attack_end_ns
							     : info->attack_start_ns,
		.n_detectors = trial->defence.n_detectors,
		.n_clients = info->n_clients,
		.known_before = known_before,
		.ctx = trial,
	};

	return score_new(&options, &trial->score);
}

static int open_trial(struct trial *trial, struct config_errors *errors, struct sluice_err *err)
{
	const struct trial_options *options = trial->options;
	const struct dataplane_replay_observer observer = { note_block, note_prefix, note_rules,
							    trial };
	const struct defence_options defence = {
		.config = options->config,
		.only = options->only,
		.window_ns = options->window_ns,
		.overrides = options->overrides,
		.n_overrides = options->n_overrides,
		.seed = options->seed,
		.n_peers = trial->info->n_peers,
		.clock = &trial->clock,
		.events = &trial->sink,
		.observer = &observer,
		.protect = trial->info->protect,
		.n_protect = trial->info->n_protect,
	};
	struct engine_known known;
	int ret = defence_load(&defence, errors, &trial->defence, err);

	if (ret)
		return ret;
	for (size_t i = 0; i < trial->defence.n_detectors && i < SCORE_MAX_DETECTORS; i++)
		trial->names[i] = trial->defence.detectors[i].name;
	ret = open_score(trial);
	if (!ret)
		ret = ledger_new(trial->names, trial->defence.n_detectors, &trial->ledger);
	if (!ret)
		ret = known_hosts_new(trial->defence.v6_prefix_len, &trial->clock.source,
				      &trial->known);
	if (ret)
		return ret;
	known_hosts_interface(trial->known, &known);
	ret = defence_start(&trial->defence, &known, err);
	if (!ret)
		known_hosts_plane(trial->known, trial->defence.dp);
	return ret;
}

/* Tells score and caller what a window was, and begins the next. */
static void end_window(struct trial *trial)
{
	struct trial_detector_window detectors[SCORE_MAX_DETECTORS] = { { 0 } };
	struct trial_window *window = &trial->window;
	bool attacks[SCORE_MAX_DETECTORS] = { false };
	struct engine_status status;

	engine_status(trial->defence.engine, &status);
	for (size_t i = 0; i < status.n_detectors && i < SCORE_MAX_DETECTORS; i++) {
		detectors[i].score = status.detectors[i].verdict.score;
		detectors[i].attack = attacks[i] = status.detectors[i].verdict.attack;
	}
	window->end_ns = trial->clock.now_ns;
	window->distinct_sources = status.window.distinct_sources;
	window->blocked = status.blocked - status.blocked_manual + status.blocked_prefixes;
	window->rules = status.rules;
	window->under_attack = status.attack;
	window->names = trial->names;
	window->detectors = detectors;
	window->n_detectors = trial->defence.n_detectors;
	score_window(trial->score, window->end_ns, attacks, window->blocked + window->rules);
	if (trial->options->window)
		trial->options->window(trial->options->ctx, window);
	trial->report->windows++;
	trial->window = (struct trial_window){ .start_ns = window->end_ns };
}

/* Runs the windows that have ended by `until_ns`. */
static int step(struct trial *trial, uint64_t until_ns)
{
	struct engine *engine = trial->defence.engine;

	while (engine_next_ns(engine) <= virtual_clock_monotonic_ns(until_ns)) {
		trial->clock.now_ns = engine_next_ns(engine) - VIRTUAL_CLOCK_BOOT_NS;
		/* A window that is lost says so by an event. */
		(void)!engine_step(engine);
		if (trial->code)
			return trial->code;
		end_window(trial);
	}
	trial->clock.now_ns = until_ns;
	return 0;
}

static enum score_class class_of(const struct mix_packet *packet)
{
	switch (packet->label) {
	case MIX_CLASS_BENIGN:
		return SCORE_BENIGN;
	case MIX_CLASS_ATTACK:
		return SCORE_ATTACK;
	default:
		return SCORE_IGNORED;
	}
}

static struct score_share *share_of(struct trial_window *window, enum score_class class)
{
	switch (class) {
	case SCORE_BENIGN:
		return &window->benign;
	case SCORE_ATTACK:
		return &window->attack;
	default:
		return &window->ignored;
	}
}

/* The whole frame: what the capture cut off is zero. */
static const uint8_t *whole_frame(struct trial *trial, const struct mix_packet *packet,
				  size_t *size)
{
	size_t captured = packet->size;

	*size = packet->wire_size;
	if (*size > sizeof(trial->frame))
		*size = sizeof(trial->frame);
	if (captured >= *size)
		return packet->data;
	memcpy(trial->frame, packet->data, captured);
	memset(trial->frame + captured, 0, *size - captured);
	return trial->frame;
}

static int judge(struct trial *trial, const struct mix_packet *packet,
		 struct dataplane_replay_verdict *verdict)
{
	size_t size;
	const uint8_t *frame = whole_frame(trial, packet, &size);
	int ret = dataplane_replay_packet(trial->defence.dp,
					  virtual_clock_monotonic_ns(packet->time_ns), frame, size,
					  verdict);

	trial->report->packets += !ret;
	if (ret != -EINVAL && ret != -E2BIG)
		return ret;
	/* Some kernels take no frame as long as the longest: it is counted as not judged. */
	trial->report->refused++;
	*verdict = (struct dataplane_replay_verdict){ .drop = false };
	return 0;
}

/* What a program at tc says of no packet of TCP within a connection need not be asked. */
static int pass_tc(struct trial *trial, const struct mix_packet *packet,
		   int (*pass)(struct dataplane *dp, uint64_t time_ns, const void *frame,
			       size_t size))
{
	size_t size;
	const uint8_t *frame = whole_frame(trial, packet, &size);
	int ret = pass(trial->defence.dp, virtual_clock_monotonic_ns(packet->time_ns), frame, size);

	/* As in judge(): one that is too long for this kernel makes nobody known. */
	return ret == -EINVAL || ret == -E2BIG ? 0 : ret;
}

/* Whoever talks on need not be shown to the program at tc again and again, a system call each. */
static bool has_heard(const struct trial *trial, const struct ends *ends)
{
	const uint8_t *ports;
	struct sluice_key source;

	if (!ends_speech(ends, &ports))
		return false;
	source = ends_source(ends);
	return dataplane_replay_has_heard(trial->defence.dp, &source, ports);
}

static int deliver(struct trial *trial, const struct mix_packet *packet)
{
	struct ends ends;

	if (!ends_read(packet->data, packet->size, &ends) || ends.protocol == IPPROTO_TCP ||
	    has_heard(trial, &ends))
		return 0;
	return pass_tc(trial, packet, dataplane_replay_delivered);
}

/* What the filter blocks by; of no family where a rule alone tells who dropped it. */
static struct sluice_key blocked_by(const struct trial *trial, const struct mix_packet *packet,
				    const struct dataplane_replay_verdict *verdict)
{
	struct sluice_key source = { 0 };
	struct ends ends;

	if (verdict->rule || !ends_read(packet->data, packet->size, &ends))
		return source;
	source = ends_source(&ends);
	return source.family == SLUICE_FAMILY_IPV6
		       ? address_mask(&source, trial->defence.v6_prefix_len)
		       : source;
}

static int take_inbound(struct trial *trial, const struct mix_packet *packet)
{
	struct dataplane_replay_verdict verdict;
	struct score_packet scored = {
		.time_ns = packet->time_ns,
		.class = class_of(packet),
		.client = packet->client == MIX_NO_CLIENT ? SCORE_NO_CLIENT : packet->client,
		.pass = packet->pass,
		.handshake = packet->handshake,
	};
	struct score_share *share = share_of(&trial->window, scored.class);
	struct sluice_key source;
	int ret;

	if (packet->size < DATAPLANE_REPLAY_FRAME_MIN) {
		trial->report->runts++;
		return 0;
	}
	ret = judge(trial, packet, &verdict);
	if (!ret && !verdict.drop)
		ret = deliver(trial, packet);
	if (ret)
		return ret;
	trial->report->would_drop += verdict.would_drop;
	share->packets++;
	share->dropped += verdict.drop;
	if (verdict.drop) {
		source = blocked_by(trial, packet, &verdict);
		scored.cause = ledger_drop(trial->ledger, &verdict, &source, scored.class);
	}
	score_packet(trial->score, &scored);
	return 0;
}

static int take_outbound(struct trial *trial, const struct mix_packet *packet)
{
	struct sluice_key peer;
	struct ends ends;

	trial->report->outbound++;
	trial->window.outbound++;
	if (!ends_read(packet->data, packet->size, &ends))
		return 0;
	if (!ends_are_established(&ends))
		return pass_tc(trial, packet, dataplane_replay_sent);
	peer = ends_destination(&ends);
	return known_hosts_connected(trial->known, &peer);
}

static int take(struct trial *trial, const struct mix_packet *packet)
{
	int ret = step(trial, packet->time_ns);

	if (ret)
		return ret;
	switch (packet->direction) {
	case MIX_TOWARD:
		return take_inbound(trial, packet);
	case MIX_FROM:
		return take_outbound(trial, packet);
	default:
		trial->report->unrelated++;
		return 0;
	}
}

static void tell_progress(struct trial *trial)
{
	uint64_t now_ns = clock_monotonic_ns(&clock_system);

	if (!trial->options->progress || now_ns < trial->progress_ns)
		return;
	trial->progress_ns = now_ns + PROGRESS_NS;
	trial->options->progress(trial->options->ctx, trial->clock.now_ns, trial->info->end_ns);
}

/* Some packets, and how many.  1: there may be more; 0: that was all; or a negative errno. */
static int take_turn(struct trial *trial, size_t *n)
{
	uint64_t started_ns = clock_cpu_ns();
	struct mix_packet packet;
	int ret = 1;

	for (*n = 0; ret > 0 && *n < BARE_TURN_PACKETS;) {
		ret = mix_next(trial->mix, &packet);
		if (ret <= 0)
			break;
		++*n;
		ret = take(trial, &packet);
		ret = ret ? ret : 1;
	}
	/* The timeline goes on to its end, even if the packets do not: blocks may be released. */
	if (!ret)
		ret = step(trial, trial->info->end_ns + trial->defence.window_ns);
	trial->report->elapsed_ns += clock_cpu_ns() - started_ns;
	return ret;
}

static int feed(struct trial *trial, struct sluice_err *err)
{
	size_t n;
	int ret;

	mix_rewind(trial->mix);
	do {
		if (trial->bare)
			mix_mark(trial->mix);
		ret = take_turn(trial, &n);
		if (trial->bare && ret >= 0) {
			int code;

			mix_return(trial->mix);
			code = bare_turn(trial->bare, trial->mix, n);
			ret = code ? code : ret;
		}
		tell_progress(trial);
	} while (ret > 0);
	if (ret && !err->text[0])
		err_set(err, NULL, "the replay broke off at %.3f s: %s",
			(double)trial->clock.now_ns / 1e9, err_name(ret));
	return ret;
}

static int conclude(struct trial *trial)
{
	struct trial_report *report = trial->report;
	const struct mix_info *info = trial->info;
	const struct ledger_line *lines = ledger_lines(trial->ledger, &report->n_lines);

	score_result(trial->score, &report->score);
	report->n_detectors = trial->defence.n_detectors;
	for (size_t i = 0; i < report->n_detectors; i++)
		snprintf(report->detectors[i], sizeof(report->detectors[i]), "%s", trial->names[i]);
	report->sources_blocked = ledger_sources(trial->ledger);
	report->rules_enforced = ledger_rules_enforced(trial->ledger);
	report->enforces = trial->defence.enforces;
	report->window_ns = trial->defence.window_ns;
	report->attack_start_ns = info->attack_start_ns;
	report->attack_end_ns = info->attack_packets_a_pass ? info->attack_end_ns
							    : info->attack_start_ns;
	report->end_ns = info->end_ns;
	report->gaps_cut = info->gaps_cut;
	report->steps_back = info->steps_back;
	report->beyond_end = info->beyond_end;
	report->attack_pps = info->attack_pps;
	report->lines = calloc(report->n_lines + 1, sizeof(*report->lines));
	if (!report->lines)
		return -ENOMEM;
	memcpy(report->lines, lines, report->n_lines * sizeof(*lines));
	return 0;
}

static int open_bare(struct trial *trial, struct sluice_err *err)
{
	int ret = defence_open_bare(&trial->defence, &trial->bare_dp, err);

	return ret ? ret : bare_new(trial->bare_dp, &trial->bare);
}

static void close_bare(struct trial *trial)
{
	if (trial->bare) {
		const struct bare_sum sum = bare_sum(trial->bare);

		trial->report->bare_packets = sum.packets;
		trial->report->bare_elapsed_ns = sum.elapsed_ns;
	}
	bare_free(trial->bare);
	dataplane_close(trial->bare_dp);
}

int trial_run(const struct trial_options *options, struct mix *mix, struct config_errors *errors,
	      struct trial_report *report, struct sluice_err *err)
{
	struct trial *trial = calloc(1, sizeof(*trial));
	int ret;

	memset(report, 0, sizeof(*report));
	err_init(err);
	if (!trial)
		return -ENOMEM;
	trial->options = options;
	trial->mix = mix;
	trial->info = mix_info(mix);
	trial->report = report;
	trial->sink = (struct event_sink){ .emit = note_event, .ctx = trial };
	virtual_clock_init(&trial->clock);
	ret = open_trial(trial, errors, err);
	if (!ret && options->bench)
		ret = open_bare(trial, err);
	if (!ret)
		ret = feed(trial, err);
	if (!ret)
		ret = conclude(trial);
	close_bare(trial);
	defence_fini(&trial->defence);
	known_hosts_free(trial->known);
	ledger_free(trial->ledger);
	score_free(trial->score);
	free(trial);
	if (ret)
		trial_report_fini(report);
	return ret;
}

void trial_report_fini(struct trial_report *report)
{
	free(report->lines);
	memset(report, 0, sizeof(*report));
}

struct trial_speed trial_speed(const struct trial_report *report)
{
	uint64_t packets = report->packets + report->outbound;

	if (!report->elapsed_ns || !report->bare_elapsed_ns)
		return (struct trial_speed){ 0 };
	return (struct trial_speed){
		.pps = (double)packets * 1e9 / (double)report->elapsed_ns,
		.bare_pps = (double)report->bare_packets * 1e9 / (double)report->bare_elapsed_ns,
	};
}
