/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sluice-film KIND FILE [OPTION...]: writes a capture for tests of replays, the same each time.
 *
 *   clients   TCP clients of 10.99.0.1:443, each with a handshake and a talk; --base names them
 *   syn       a flood of SYNs without options from forged sources, to 10.99.0.1:30120
 *   reflect   answers from port 161 of 50 reflectors, to 10.99.0.1:4444
 *   ack, fin  a flood of ACKs, or FINs with ACK, of no connection, from forged sources to 10.99.0.1:443
 *   udp       a flood of datagrams of any length to any port, from forged sources
 *   scan      one source that asks 200 addresses from 10.99.0.1 on for SNMP
 *
 *   --link ether|raw|sll|sll2|null   --snap BYTES   --ng (pcapng)   --seconds N   --pps N
 *   --lead MICROSECONDS (a lone packet so long before the first)
 *   --base A.B.0.0   --jump SECONDS (in the middle; negative: back)   --runt (one, at the end)
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ETHERNET 14u
#define MAX_FRAME 256u
#define BASE_SECONDS 1700000000ll
#define N_CLIENTS 40u
#define N_REFLECTORS 50u
#define SERVER 0x0a630001u
#define FIN 0x01
#define SYN 0x02
#define ACK 0x10

struct film {
	FILE *out;
	bool ng, runt;
	const char *link;
	uint32_t snap, base;
	uint64_t seconds, pps, n, lead_us;
	uint64_t start_us; /* Of the time that packets are given by. */
	int64_t jump_s;
};

struct packet {
	uint32_t source, destination;
	uint16_t source_port, destination_port, payload;
	uint8_t protocol, flags;
	uint32_t sequence;
	bool mss; /* The option that every ordinary SYN has. */
};

static void put16(uint8_t *at, uint32_t value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

static uint32_t sum(uint32_t so_far, const uint8_t *data, uint32_t size)
{
	for (uint32_t i = 0; i < size; i++)
		so_far += i % 2 ? data[i] : (uint32_t)data[i] << 8;
	while (so_far >> 16)
		so_far = (so_far & 0xffff) + (so_far >> 16);
	return so_far;
}

/* The IP packet at `ip`; its size. */
static uint32_t build(const struct packet *packet, uint8_t *ip)
{
	uint32_t header = packet->protocol != 6 ? 8
			  : packet->mss		? 24
						: 20,
		 length = header + packet->payload;
	uint8_t *l4 = ip + 20, pseudo[4] = { 0, packet->protocol };

	memset(ip, 0, 20 + length);
	ip[0] = 0x45;
	put16(ip + 2, 20 + length);
	ip[8] = 61;
	ip[9] = packet->protocol;
	put32(ip + 12, packet->source);
	put32(ip + 16, packet->destination);
	put16(ip + 10, ~sum(0, ip, 20) & 0xffff);
	put16(l4, packet->source_port);
	put16(l4 + 2, packet->destination_port);
	if (packet->protocol == 6) {
		put32(l4 + 4, packet->sequence);
		l4[12] = (uint8_t)(header / 4 << 4);
		l4[13] = packet->flags;
		put16(l4 + 14, 8192);
		if (packet->mss)
			put32(l4 + 20, 0x020405b4);
	} else {
		put16(l4 + 4, length);
	}
	put16(pseudo + 2, length);
	put16(l4 + (packet->protocol == 6 ? 16 : 6),
	      ~sum(sum(sum(0, ip + 12, 8), pseudo, 4), l4, length) & 0xffff);
	return 20 + length;
}

static const struct {
	const char *name;
	uint32_t type, size;
	uint8_t header[20];
} links[] = {
	{ "ether", 1, 14, { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 8, 0 } },
	{ "raw", 101, 0, { 0 } },
	{ "sll", 113, 16, { 0, 0, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0 } },
	{ "sll2", 276, 20, { 8, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1 } },
	{ "null", 0, 4, { 2, 0, 0, 0 } },
};
#define N_LINKS (sizeof(links) / sizeof(links[0]))

static size_t find_link(const char *name)
{
	size_t i = 0;

	while (i < N_LINKS && strcmp(links[i].name, name) != 0)
		i++;
	if (i < N_LINKS)
		return i;
	fprintf(stderr, "sluice-film: no link type '%s'\n", name);
	exit(2);
}

static void write_words(struct film *film, const uint32_t *words, size_t n)
{
	fwrite(words, sizeof(*words), n, film->out);
}

static void write_header(struct film *film)
{
	const uint32_t type = links[find_link(film->link)].type, snap = film->snap;
	const uint32_t classic[] = { 0xa1b2c3d4, 4u << 16 | 2u, 0, 0, snap, type };
	const uint32_t ng[] = { 0x0a0d0d0a, 28, 0x1a2b3c4d, 1,	  UINT32_MAX, UINT32_MAX,
				28,	    1,	20,	    type, snap,	      20 };

	if (film->ng)
		write_words(film, ng, 12);
	else
		write_words(film, classic, 6);
}

static void write_frame(struct film *film, uint64_t time_us, const uint8_t *frame, uint32_t size)
{
	uint32_t kept = size < film->snap ? size : film->snap, padded = (kept + 3) & ~3u;
	const uint64_t stamp = (uint64_t)BASE_SECONDS * 1000000 + film->start_us + time_us;
	const uint32_t classic[] = { (uint32_t)(stamp / 1000000), (uint32_t)(stamp % 1000000), kept,
				     size };
	const uint32_t ng[] = { 6,    32 + padded, 0, (uint32_t)(stamp >> 32), (uint32_t)stamp,
				kept, size };
	const uint32_t end = 32 + padded;
	static const uint8_t zero[4];

	film->n++;
	if (!film->ng) {
		write_words(film, classic, 4);
		fwrite(frame, 1, kept, film->out);
		return;
	}
	write_words(film, ng, 7);
	fwrite(frame, 1, kept, film->out);
	fwrite(zero, 1, padded - kept, film->out);
	write_words(film, &end, 1);
}

static void shoot(struct film *film, uint64_t time_us, const struct packet *packet)
{
	size_t link = find_link(film->link);
	uint8_t frame[MAX_FRAME];
	uint32_t size;

	if (time_us >= film->seconds * 500000)
		time_us += (uint64_t)(film->jump_s * 1000000);
	memcpy(frame, links[link].header, links[link].size);
	size = links[link].size + build(packet, frame + links[link].size);
	write_frame(film, time_us, frame, size);
}

/* A step of a talk: a handshake, then data and its answer by turns. */
static void shoot_step(struct film *film, uint64_t time_us, uint32_t client, unsigned int step)
{
	const bool answer = step % 2;
	const uint32_t name = film->base + 256 * (1 + client % 7) + 1 + client;
	struct packet packet = {
		.source = answer ? SERVER : name,
		.destination = answer ? name : SERVER,
		.source_port = answer ? 443 : (uint16_t)(40000 + client),
		.destination_port = answer ? (uint16_t)(40000 + client) : 443,
		.protocol = 6,
		.flags = step == 0   ? SYN
			 : step == 1 ? SYN | ACK
				     : ACK,
		.payload = step > 2 ? 100 : 0,
		.mss = step < 2,
		.sequence = client * 1000 + step,
	};

	shoot(film, time_us, &packet);
}

static void shoot_clients(struct film *film)
{
	const uint64_t round_us = 100000;
	const uint64_t n_rounds = film->seconds * 1000000 / round_us;

	/* Each client begins two rounds after the one before, and talks until the end. */
	for (uint64_t round = 0; round < n_rounds; round++)
		for (uint32_t i = 0; i < N_CLIENTS && 2 * i <= round; i++)
			shoot_step(film, round * round_us + i * 1000, i,
				   (unsigned int)(round - 2 * i));
}

static uint32_t random_word(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15u;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (uint32_t)(state >> 16);
}

static const struct flood {
	const char *name;
	uint8_t protocol, flags;
	uint16_t port, from_port; /* 0, of the latter: each packet another. */
	uint16_t payload;
	uint32_t n_senders; /* 0: each packet another. */
	uint32_t n_destinations;
	bool any_port, any_length;
} floods[] = {
	{ .name = "syn", .protocol = 6, .flags = SYN, .port = 30120 },
	{ .name = "reflect",
	  .protocol = 17,
	  .port = 4444,
	  .from_port = 161,
	  .payload = 180,
	  .n_senders = N_REFLECTORS },
	{ .name = "ack", .protocol = 6, .flags = ACK, .port = 443 },
	{ .name = "fin", .protocol = 6, .flags = FIN | ACK, .port = 443 },
	{ .name = "udp", .protocol = 17, .any_port = true, .any_length = true },
	{ .name = "scan",
	  .protocol = 17,
	  .port = 161,
	  .payload = 40,
	  .n_senders = 1,
	  .n_destinations = 200 },
};

static const struct flood *find_flood(const char *name)
{
	for (size_t i = 0; i < sizeof(floods) / sizeof(floods[0]); i++)
		if (strcmp(floods[i].name, name) == 0)
			return &floods[i];
	return NULL;
}

static void shoot_flood(struct film *film, const struct flood *flood)
{
	const uint64_t n = film->pps * film->seconds, step_us = 1000000 / film->pps;

	for (uint64_t i = 0; i < n; i++) {
		struct packet packet = {
			.source = (random_word() & 0x1fffffff) + 0x40000000,
			.destination = SERVER,
			.source_port = (uint16_t)(1024 + random_word() % 60000),
			.destination_port = flood->port,
			.protocol = flood->protocol,
			.flags = flood->flags,
			.payload = flood->payload,
			.sequence = random_word(),
		};

		if (flood->n_senders)
			packet.source = 0x5db80000 + 7 * (uint32_t)(i % flood->n_senders);
		if (flood->n_destinations)
			packet.destination += (uint32_t)(i % flood->n_destinations);
		if (flood->from_port)
			packet.source_port = flood->from_port;
		if (flood->any_port)
			packet.destination_port = (uint16_t)random_word();
		if (flood->any_length)
			packet.payload = (uint16_t)(random_word() % 200);
		shoot(film, i * step_us, &packet);
	}
}

static uint32_t address(const char *text)
{
	struct in_addr in;

	if (inet_pton(AF_INET, text, &in) == 1)
		return ntohl(in.s_addr);
	fprintf(stderr, "sluice-film: '%s' is no IPv4 address\n", text);
	exit(2);
}

static void take_options(int argc, char *argv[], struct film *film)
{
	static const struct option options[] = {
		{ "link", 1, NULL, 'l' },    { "snap", 1, NULL, 's' },
		{ "ng", 0, NULL, 'n' },	     { "base", 1, NULL, 'b' },
		{ "seconds", 1, NULL, 't' }, { "pps", 1, NULL, 'p' },
		{ "jump", 1, NULL, 'j' },    { "runt", 0, NULL, 'r' },
		{ "lead", 1, NULL, 'L' },    { 0 },
	};
	int id;

	while ((id = getopt_long(argc, argv, "", options, NULL)) != -1) {
		switch (id) {
		case 'l':
			film->link = optarg;
			break;
		case 's':
			film->snap = (uint32_t)strtoul(optarg, NULL, 10);
			break;
		case 'n':
			film->ng = true;
			break;
		case 'b':
			film->base = address(optarg);
			break;
		case 't':
			film->seconds = strtoull(optarg, NULL, 10);
			break;
		case 'p':
			film->pps = strtoull(optarg, NULL, 10);
			break;
		case 'j':
			film->jump_s = strtoll(optarg, NULL, 10);
			break;
		case 'L':
			film->lead_us = strtoull(optarg, NULL, 10);
			break;
		case 'r':
			film->runt = true;
			break;
		default:
			exit(2);
		}
	}
}

/* Of nobody whom anything else is from. */
static void shoot_lead(struct film *film)
{
	const struct packet packet = {
		.source = 0x08080808,
		.destination = SERVER,
		.source_port = 53,
		.destination_port = 40000,
		.protocol = 17,
	};

	shoot(film, 0, &packet);
	film->start_us = film->lead_us;
}

static int shoot_kind(struct film *film, const char *kind)
{
	static const uint8_t runt[10] = { 2 };
	const struct flood *flood = find_flood(kind);

	if (film->lead_us)
		shoot_lead(film);
	if (strcmp(kind, "clients") == 0)
		shoot_clients(film);
	else if (flood)
		shoot_flood(film, flood);
	else
		return -EINVAL;
	if (film->runt)
		write_frame(film, film->seconds * 1000000, runt, sizeof(runt));
	return 0;
}

int main(int argc, char *argv[])
{
	struct film film = {
		.link = "ether", .snap = 262144, .base = 0x0a010000, .seconds = 1, .pps = 4000
	};

	take_options(argc, argv, &film);
	if (argc - optind != 2 || !film.seconds || !film.pps || film.pps > 1000000) {
		fprintf(stderr,
			"Usage: sluice-film clients|syn|reflect|ack|fin|udp|scan FILE [OPTION...]\n");
		return 2;
	}
	film.out = fopen(argv[optind + 1], "wb");
	if (!film.out) {
		perror(argv[optind + 1]);
		return 1;
	}
	write_header(&film);
	if (shoot_kind(&film, argv[optind])) {
		fprintf(stderr, "sluice-film: no kind '%s'\n", argv[optind]);
		return 2;
	}
	printf("%llu\n", (unsigned long long)film.n);
	return ferror(film.out) || fclose(film.out) ? 1 : 0;
}
