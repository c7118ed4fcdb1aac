/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reading a capture whole.  See capture.h; link types are in link_type.c.
 */
#include "capture.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <pcap/pcap.h>

#include "base/err.h"

#include "link_type.h"

#define NS_A_SECOND 1000000000ll
#define FIRST_DATA_SIZE (64u * 1024)
#define FIRST_PACKETS 256u
#define LAST_TIME_NS (1ull << 62) /* The clock stops there: 146 years. */

/* One capture being read. */
struct reader {
	pcap_t *pcap;
	int dlt;
	struct capture *capture;
	uint64_t max_gap_ns, cut_gap_ns, max_bytes;
	uint64_t data_room;
	uint64_t packets_room;
	__int128 last_stamp_ns; /* Stamps of 64-bit seconds, which libpcap does not check. */
};

uint64_t capture_memory(const struct capture *capture)
{
	return sizeof(*capture) + capture->data_size +
	       capture->n_packets * sizeof(*capture->packets);
}

void capture_free(struct capture *capture)
{
	if (!capture)
		return;
	free(capture->path);
	free(capture->data);
	free(capture->packets);
	free(capture);
}

/* The room, doubled until `need` fits. */
static uint64_t larger_room(uint64_t room, uint64_t first, uint64_t need)
{
	if (room == 0)
		room = first;
	while (room < need)
		room *= 2;
	return room;
}

static int grow_data(struct reader *reader, uint64_t need)
{
	uint64_t room = larger_room(reader->data_room, FIRST_DATA_SIZE, need);
	uint8_t *data;

	if (reader->capture->data && need <= reader->data_room)
		return 0;
	data = realloc(reader->capture->data, room);
	if (!data)
		return -ENOMEM;
	reader->capture->data = data;
	reader->data_room = room;
	return 0;
}

static int grow_packets(struct reader *reader, uint64_t need)
{
	uint64_t room = larger_room(reader->packets_room, FIRST_PACKETS, need);
	struct capture_packet *packets;

	if (need <= reader->packets_room)
		return 0;
	packets = realloc(reader->capture->packets, room * sizeof(*packets));
	if (!packets)
		return -ENOMEM;
	reader->capture->packets = packets;
	reader->packets_room = room;
	return 0;
}

static int make_room(struct reader *reader, uint32_t size, struct sluice_err *err)
{
	struct capture *capture = reader->capture;
	int rc;

	if (capture_memory(capture) + size + sizeof(*capture->packets) > reader->max_bytes) {
		err_set(err, NULL, "'%s': packets and index need more than %" PRIu64 " bytes",
			capture->path, reader->max_bytes);
		return -EFBIG;
	}
	rc = grow_data(reader, capture->data_size + size);
	if (!rc)
		rc = grow_packets(reader, capture->n_packets + 1);
	if (rc)
		err_set(err, NULL, "'%s': out of memory at packet %zu", capture->path,
			capture->n_packets + 1);
	return rc;
}

/* The clock rule: file order, long gaps cut, steps back ignored. */
static uint64_t next_time(struct reader *reader, const struct pcap_pkthdr *header)
{
	struct capture *capture = reader->capture;
	__int128 stamp = (__int128)header->ts.tv_sec * NS_A_SECOND + header->ts.tv_usec;
	__int128 gap = stamp - reader->last_stamp_ns;
	uint64_t before;

	reader->last_stamp_ns = stamp;
	if (capture->n_packets == 0)
		return 0;
	before = capture->packets[capture->n_packets - 1].time_ns;
	if (gap < 0) {
		capture->steps_back++;
		return before;
	}
	if (gap > (__int128)reader->max_gap_ns) {
		capture->gaps_cut++;
		gap = reader->cut_gap_ns;
	}
	return gap < (__int128)(LAST_TIME_NS - before) ? before + (uint64_t)gap : LAST_TIME_NS;
}

static int append(struct reader *reader, const struct pcap_pkthdr *header, const uint8_t *bytes,
		  struct sluice_err *err)
{
	struct capture *capture = reader->capture;
	uint32_t wire_size = header->len > header->caplen ? header->len : header->caplen;
	uint32_t rest, own, wire_rest;
	struct capture_packet packet;
	struct link_frame frame;
	int rc;

	link_frame_of(reader->dlt, bytes, header->caplen, wire_size, &frame);
	own = frame.own_header ? LINK_ETHERNET_SIZE : 0;
	rest = header->caplen - frame.skipped;
	wire_rest = wire_size - frame.skipped;
	if (rest > UINT32_MAX - own)
		rest = UINT32_MAX - own;
	if (wire_rest > UINT32_MAX - own)
		wire_rest = UINT32_MAX - own;
	rc = make_room(reader, rest + own, err);
	if (rc)
		return rc;
	packet.time_ns = next_time(reader, header);
	packet.offset = capture->data_size;
	packet.size = rest + own;
	packet.wire_size = wire_rest + own;
	if (own)
		memcpy(capture->data + packet.offset, frame.header, own);
	if (rest)
		memcpy(capture->data + packet.offset + own, bytes + frame.skipped, rest);
	capture->runts += frame.runt;
	capture->data_size += packet.size;
	capture->packets[capture->n_packets++] = packet;
	return 0;
}

static int read_packets(struct reader *reader, struct sluice_err *err)
{
	struct capture *capture = reader->capture;
	struct pcap_pkthdr *header;
	const uint8_t *bytes;
	int got, rc;

	for (;;) {
		got = pcap_next_ex(reader->pcap, &header, &bytes);
		if (got == PCAP_ERROR_BREAK)
			return 0;
		if (got < 0) {
			capture->truncated = true;
			snprintf(
				capture->warning, sizeof(capture->warning),
				"'%s': the file breaks off at packet %zu: %s; the %zu before it are used",
				capture->path, capture->n_packets + 1, pcap_geterr(reader->pcap),
				capture->n_packets);
			return 0;
		}
		if (got == 0)
			continue;
		rc = append(reader, header, bytes, err);
		if (rc)
			return rc;
	}
}

/* What doubling took too much; that it cannot be given back does no harm. */
static void give_back(struct capture *capture)
{
	size_t packets_size = capture->n_packets * sizeof(*capture->packets);
	void *moved;

	if (capture->n_packets == 0)
		return;
	moved = realloc(capture->packets, packets_size);
	if (moved)
		capture->packets = moved;
	moved = realloc(capture->data, capture->data_size ? capture->data_size : 1);
	if (moved)
		capture->data = moved;
}

static int check_link_type(struct reader *reader, struct sluice_err *err)
{
	const char *name;

	reader->dlt = pcap_datalink(reader->pcap);
	if (link_type_known(reader->dlt))
		return 0;
	name = pcap_datalink_val_to_name(reader->dlt);
	err_set(err, NULL, "'%s': link type %d (%s) is not understood; known are %s",
		reader->capture->path, reader->dlt, name ? name : "no name", LINK_TYPES_KNOWN);
	return -EINVAL;
}

static int reader_init(struct reader *reader, const char *path,
		       const struct capture_options *options, struct sluice_err *err)
{
	memset(reader, 0, sizeof(*reader));
	reader->max_gap_ns = options && options->max_gap_ns ? options->max_gap_ns
							    : CAPTURE_MAX_GAP_NS;
	reader->cut_gap_ns = reader->max_gap_ns < CAPTURE_CUT_GAP_NS ? reader->max_gap_ns
								     : CAPTURE_CUT_GAP_NS;
	reader->max_bytes = options && options->max_bytes ? options->max_bytes : CAPTURE_MAX_BYTES;
	reader->capture = calloc(1, sizeof(*reader->capture));
	if (reader->capture)
		reader->capture->path = strdup(path);
	if (!reader->capture || !reader->capture->path) {
		err_set(err, NULL, "'%s': out of memory", path);
		return -ENOMEM;
	}
	return 0;
}

/* What to do about a file that libpcap does not know. */
static const char *advice(FILE *stream)
{
	static const struct {
		unsigned char first[2];
		const char *text;
	} packed[] = {
		{ { 0x1f, 0x8b }, "; it is packed, use gunzip first" },
		{ { 0x28, 0xb5 }, "; it is packed, use unzstd first" },
		{ { 0xfd, '7' }, "; it is packed, use unxz first" },
		{ { 'P', 'K' }, "; it is packed, use unzip first" },
	};
	unsigned char first[2] = { 0 };

	rewind(stream);
	if (fread(first, sizeof(first), 1, stream) == 1)
		for (size_t i = 0; i < sizeof(packed) / sizeof(packed[0]); i++)
			if (memcmp(first, packed[i].first, sizeof(first)) == 0)
				return packed[i].text;
	return "";
}

int capture_load_stream(FILE *stream, const char *path, const struct capture_options *options,
			struct capture **out, struct sluice_err *err)
{
	char text[PCAP_ERRBUF_SIZE] = "";
	struct reader reader;
	int rc;

	rc = reader_init(&reader, path, options, err);
	if (rc)
		goto out;
	reader.pcap =
		pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, text);
	if (!reader.pcap) {
		err_set(err, NULL, "'%s': no capture that libpcap can read: %s%s", path, text,
			advice(stream));
		rc = -EINVAL;
		goto out;
	}
	stream = NULL; /* pcap_close() closes it. */
	rc = check_link_type(&reader, err);
	if (!rc)
		rc = read_packets(&reader, err);
	if (rc)
		goto out;
	give_back(reader.capture);
	*out = reader.capture;
	reader.capture = NULL;
out:
	capture_free(reader.capture);
	if (reader.pcap)
		pcap_close(reader.pcap);
	if (stream)
		fclose(stream);
	return rc;
}

/* Only a regular file: a device or a pipe could feed us without end. */
static int open_regular(const char *path, FILE **out, struct sluice_err *err)
{
	struct stat status;
	int fd, rc = 0;

	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0) {
		rc = -errno;
		err_set(err, NULL, "'%s': cannot be opened: %s", path, strerror(-rc));
		return rc;
	}
	if (fstat(fd, &status))
		rc = -errno;
	else if (!S_ISREG(status.st_mode))
		rc = -EINVAL;
	if (rc) {
		err_set(err, NULL, "'%s': not a regular file", path);
		close(fd);
		return rc;
	}
	*out = fdopen(fd, "rb");
	if (!*out) {
		close(fd);
		err_set(err, NULL, "'%s': out of memory", path);
		return -ENOMEM;
	}
	return 0;
}

int capture_load(const char *path, const struct capture_options *options, struct capture **out,
		 struct sluice_err *err)
{
	FILE *stream = NULL;
	int rc;

	rc = open_regular(path, &stream, err);
	if (rc)
		return rc;
	return capture_load_stream(stream, path, options, out, err);
}
