/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Playing mixes in tests.  See mixing.h.
 */
#include "mixing.h"

#include <stdlib.h>
#include <string.h>

#include <criterion/criterion.h>

#include "base/err.h"
#include "config/errors.h"
#include "replay/capture.h"
#include "replay/labels.h"

#define MAX_LABELS 16

/* Labels must live until the mix starts; Criterion runs each test in a process of its own. */
static struct labels *kept[MAX_LABELS];
static size_t n_kept;

void play_options(struct mix_options *options)
{
	mix_options_init(options);
	options->attack_at_ns = 2 * SECOND;
	options->attack_for_ns = SECOND;
	options->after_ns = 2 * SECOND;
	options->phase_ns = 0;
	options->seed = 1;
}

void play_open(struct play *play, const struct mix_options *options)
{
	struct sluice_err err;

	err_init(&err);
	memset(play, 0, sizeof(*play));
	cr_assert_eq(mix_new(options, &play->mix, &err), 0, "%s", err.text);
}

void play_add(struct play *play, enum mix_set set, const struct film *film, const char *labels)
{
	struct config_errors errors;
	struct labels *parsed = NULL;
	struct sluice_err err;

	err_init(&err);
	config_errors_init(&errors);
	if (labels) {
		cr_assert_lt(n_kept, MAX_LABELS);
		cr_assert_eq(labels_parse("labels", labels, strlen(labels), &errors, &parsed), 0);
		kept[n_kept++] = parsed;
	}
	cr_assert_eq(mix_add(play->mix, set, film_load(film), parsed, &err), 0, "%s", err.text);
}

static void keep(struct play *play, const struct mix_packet *packet)
{
	uint8_t *data = malloc(packet->size ? packet->size : 1);

	if (play->n == play->room) {
		play->room = play->room ? play->room * 2 : 256;
		play->heard = realloc(play->heard, play->room * sizeof(*play->heard));
		cr_assert_not_null(play->heard);
	}
	cr_assert_not_null(data);
	memcpy(data, packet->data, packet->size);
	play->heard[play->n].packet = *packet;
	play->heard[play->n++].packet.data = data;
}

void play_run(struct play *play)
{
	struct mix_packet packet;
	struct sluice_err err;
	uint64_t last = 0;
	int rc;

	err_init(&err);
	cr_assert_eq(mix_start(play->mix, &err), 0, "%s", err.text);
	while (n_kept)
		labels_free(kept[--n_kept]);
	play->info = mix_info(play->mix);
	while ((rc = mix_next(play->mix, &packet)) == 1) {
		cr_assert_geq(packet.time_ns, last, "the clock never runs backwards");
		cr_assert_lt(packet.time_ns, play->info->end_ns);
		last = packet.time_ns;
		keep(play, &packet);
	}
	cr_assert_eq(rc, 0);
}

void play_close(struct play *play)
{
	for (size_t i = 0; i < play->n; i++)
		free((void *)play->heard[i].packet.data);
	free(play->heard);
	mix_free(play->mix);
}

void film_talk(struct film *film, uint32_t milliseconds, const char *client, const char *server,
	       uint16_t client_port, uint16_t server_port)
{
	static const uint8_t flags[] = { FRAME_SYN, FRAME_SYN_ACK, FRAME_ACK, FRAME_ACK,
					 FRAME_ACK };
	static const bool from_server[] = { false, true, false, false, true };

	for (size_t i = 0; i < sizeof(flags); i++) {
		struct frame_spec spec = {
			.source = from_server[i] ? server : client,
			.destination = from_server[i] ? client : server,
			.protocol = 6,
			.source_port = from_server[i] ? server_port : client_port,
			.destination_port = from_server[i] ? client_port : server_port,
			.tcp_flags = flags[i],
			.payload_size = (uint32_t)i
		};
		uint32_t at = milliseconds + 10 * (uint32_t)i;

		film_frame(film, 1000 + at / 1000, at % 1000 * 1000, &spec);
	}
}

size_t play_count(const struct play *play, enum mix_class label, enum mix_direction direction)
{
	size_t n = 0;

	for (size_t i = 0; i < play->n; i++)
		n += play->heard[i].packet.label == label &&
		     play->heard[i].packet.direction == direction;
	return n;
}
