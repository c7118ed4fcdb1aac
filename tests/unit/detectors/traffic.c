/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Senders to windows; see traffic.h.
 */
#include "traffic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *must(void *memory)
{
	if (!memory) {
		perror("traffic");
		exit(1);
	}
	return memory;
}

void traffic_init(struct traffic *traffic, uint64_t seed)
{
	memset(traffic, 0, sizeof(*traffic));
	traffic->random = seed;
	printf("seed %llu\n", (unsigned long long)seed);
}

void traffic_fini(struct traffic *traffic)
{
	free(traffic->senders);
	free(traffic->sources);
	free(traffic->blocked);
	free(traffic->sender_of);
}

/* SplitMix64, public domain by S. Vigna. */
static uint64_t next_random(struct traffic *traffic)
{
	uint64_t z = traffic->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

double traffic_uniform(struct traffic *traffic)
{
	return (double)(next_random(traffic) >> 11) / 9007199254740992.0;
}

double traffic_normal(struct traffic *traffic, double mean, double deviation, double least)
{
	double radius = sqrt(-2 * log(1 - traffic_uniform(traffic)));
	double value = mean + deviation * radius * cos(2 * M_PI * traffic_uniform(traffic));

	return value > least ? value : least;
}

struct sluice_key traffic_key_v4(uint32_t number)
{
	struct sluice_key key = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };

	key.addr[0] = 10;
	key.addr[1] = (uint8_t)(number >> 16);
	key.addr[2] = (uint8_t)(number >> 8);
	key.addr[3] = (uint8_t)number;
	return key;
}

struct sluice_key traffic_key_v6(uint32_t number)
{
	struct sluice_key key = { .family = SLUICE_FAMILY_IPV6, .prefix_len = 64 };

	key.addr[0] = 0x20;
	key.addr[1] = 0x01;
	key.addr[2] = 0x0d;
	key.addr[3] = 0xb8;
	key.addr[5] = (uint8_t)(number >> 16);
	key.addr[6] = (uint8_t)(number >> 8);
	key.addr[7] = (uint8_t)number;
	return key;
}

struct traffic_sender *traffic_add(struct traffic *traffic, struct sluice_key key,
				   enum traffic_kind kind, double pps)
{
	struct traffic_sender *sender;

	if (traffic->n_senders == traffic->capacity) {
		size_t n = traffic->capacity ? 2 * traffic->capacity : 1024;

		traffic->senders =
			must(reallocarray(traffic->senders, n, sizeof(*traffic->senders)));
		traffic->sources =
			must(reallocarray(traffic->sources, n, sizeof(*traffic->sources)));
		traffic->blocked =
			must(reallocarray(traffic->blocked, n, sizeof(*traffic->blocked)));
		traffic->sender_of =
			must(reallocarray(traffic->sender_of, n, sizeof(*traffic->sender_of)));
		traffic->capacity = n;
	}
	sender = &traffic->senders[traffic->n_senders++];
	*sender = (struct traffic_sender){ .key = key, .kind = kind, .pps = pps };
	return sender;
}

static void fill_source(struct sluice_source *source, const struct traffic_sender *sender,
			uint64_t packets)
{
	uint32_t count = packets < UINT32_MAX ? (uint32_t)packets : UINT32_MAX;

	*source = (struct sluice_source){
		.key = sender->key,
		.packets = packets,
		.bytes = packets * 64,
		.flags = sender->known ? SLUICE_SOURCE_KNOWN : 0,
	};
	if (sender->kind == TRAFFIC_UDP)
		source->udp = count;
	else if (sender->kind == TRAFFIC_SYN)
		source->tcp_syn = count;
	else if (sender->kind == TRAFFIC_ICMP)
		source->icmp = count;
	else if (sender->kind == TRAFFIC_CLIENT)
		source->tcp_syn = (count + 19) / 20;
}

void traffic_window(struct traffic *traffic, uint64_t length_ns, struct sluice_window *window)
{
	*window = (struct sluice_window){
		.size = sizeof(*window),
		.sequence = ++traffic->sequence,
		.start_ns = traffic->now_ns,
		.length_ns = length_ns,
		.sources = traffic->sources,
		.source_size = sizeof(*traffic->sources),
		.blocked = traffic->blocked,
		.blocked_size = sizeof(*traffic->blocked),
	};
	traffic->now_ns += length_ns;
	for (size_t i = 0; i < traffic->n_senders; i++) {
		const struct traffic_sender *sender = &traffic->senders[i];
		double sent = sender->pps * (double)length_ns / 1e9 + traffic_uniform(traffic);
		uint64_t packets = (uint64_t)sent;

		window->offered_packets += packets;
		if (sender->blocked) {
			traffic->blocked[window->n_blocked++] = (struct sluice_blocked_source){
				.key = sender->key,
				.packets = sender->offloaded ? 0 : packets,
				.hw_packets = sender->offloaded ? packets : 0,
			};
		} else if (packets > 0) {
			traffic->sender_of[window->n_sources] = i;
			fill_source(&traffic->sources[window->n_sources++], sender, packets);
			window->passed_packets += packets;
		}
	}
	window->offered_bytes = 64 * window->offered_packets;
	window->passed_bytes = 64 * window->passed_packets;
}
