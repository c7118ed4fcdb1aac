/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A capture file through all of core/replay: read, labelled, rewritten in each role, mixed.  The
 * first byte of the input chooses the options, the rest is the file.  Whatever it holds, the clock
 * may not run backwards and the mix ends.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "config/errors.h"
#include "replay/capture.h"
#include "replay/labels.h"
#include "replay/mix.h"

#define MS 1000000ull
#define MAX_BYTES (1024 * 1024)

static const char label_text[] = "attack: \"udp or icmp\"\nignore: \"tcp port 80\"\n"
				 "background: \"tcp or ip6\"\nspoofed: yes\n";

static struct capture *load(const uint8_t *data, size_t size)
{
	struct capture_options options = { .max_bytes = MAX_BYTES };
	struct capture *capture = NULL;
	struct sluice_err err;
	FILE *stream = fmemopen((void *)data, size, "rb");

	err_init(&err);
	if (!stream || capture_load_stream(stream, "fuzz", &options, &capture, &err))
		return NULL;
	return capture;
}

static void add(struct mix *mix, enum mix_set set, const uint8_t *data, size_t size,
		const struct labels *labels)
{
	struct capture *capture = load(data, size);
	struct sluice_err err;

	err_init(&err);
	if (capture && mix_add(mix, set, capture, labels, &err))
		abort();
}

static void play(struct mix *mix)
{
	struct mix_packet packet;
	uint64_t last = 0, sum = 0;

	while (mix_next(mix, &packet) == 1) {
		if (packet.time_ns < last || packet.time_ns >= mix_info(mix)->end_ns ||
		    packet.wire_size < packet.size)
			abort();
		if (packet.client != MIX_NO_CLIENT && !mix_client(mix, packet.client))
			abort();
		last = packet.time_ns;
		for (uint32_t i = 0; i < packet.size; i++)
			sum += packet.data[i];
	}
	/* Keeps the reads. */
	if (sum == UINT64_MAX)
		abort();
}

/* Compiled once: libpcap takes longer for that than a mix does for an input. */
static const struct labels *shared_labels(void)
{
	static struct labels *labels;
	struct config_errors errors;

	config_errors_init(&errors);
	if (!labels && labels_parse("fuzz", label_text, sizeof(label_text) - 1, &errors, &labels))
		abort();
	return labels;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct labels *labels = shared_labels();
	struct mix_options options;
	struct mix *mix = NULL;
	struct sluice_err err;
	uint8_t choice;

	if (size < 2)
		return 0;
	choice = data[0];
	err_init(&err);
	mix_options_init(&options);
	options.role = (enum mix_role)(choice % 3);
	options.attack_at_ns = 2 * MS;
	options.attack_for_ns = options.after_ns = MS;
	options.attack_port = choice & 4 ? 443 : 0;
	options.overlay = choice & 8;
	options.trim = choice & 16;
	options.respoof = choice & 32 ? MIX_RESPOOF_ON : MIX_RESPOOF_AUTO;
	if (mix_new(&options, &mix, &err))
		abort();
	add(mix, MIX_SET_WARMUP, data + 1, size - 1, NULL);
	add(mix, MIX_SET_BENIGN, data + 1, size - 1, choice & 64 ? labels : NULL);
	if (choice & 128)
		add(mix, MIX_SET_ATTACK, data + 1, size - 1, labels);
	if (mix_start(mix, &err) == 0)
		play(mix);
	mix_free(mix);
	return 0;
}
