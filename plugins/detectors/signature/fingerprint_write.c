/* SPDX-License-Identifier: BSD-2-Clause */
/* An attack as a fingerprint of the DDoS Clearing House; see attack_record.h. */
#include "attack_record_private.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <arpa/inet.h>

#include <jansson.h>
#include <md5.h>

#include "base/rule_words.h"

/* A value with less than this is no outlier, as the format calls it. */
#define OUTLIER 0.1

typedef void (*format_fn)(uint32_t value, char text[24]);

static void format_number(uint32_t value, char text[24])
{
	snprintf(text, 24, "%u", value);
}

static void format_ether_type(uint32_t value, char text[24])
{
	snprintf(text, 24, "%s", value == 0x0800 ? "IPv4" : value == 0x86dd ? "IPv6" : "other");
}

/* As flow tools write them: CEUAPRSF with dots. */
static void format_flags(uint32_t value, char text[24])
{
	static const char letters[] = "CEUAPRSF";

	for (int i = 0; i < 8; i++)
		text[i] = value & 0x80u >> i ? letters[i] : '.';
	text[8] = '\0';
}

/* Values with their share; "random" if none stands out. */
static json_t *write_tally(const struct tally *tally, format_fn format)
{
	json_t *map = json_object();

	for (uint32_t i = 0; i < tally->n; i++) {
		double share = (double)tally->values[i].n / (double)tally->sum;
		char text[24];

		if (share < OUTLIER)
			continue;
		format(tally->values[i].value, text);
		json_object_set_new(map, text, json_real(round(share * 1000) / 1000));
	}
	if (json_object_size(map))
		return map;
	json_decref(map);
	return json_string("random");
}

static json_t *write_source_port(const struct tally *tally)
{
	for (uint32_t i = 0; i < tally->n; i++)
		if (tally->values[i].n * 10 >= tally->sum * 9)
			return json_integer(tally->values[i].value);
	return json_string("random");
}

static json_t *write_address(const struct sluice_key *key)
{
	char text[INET6_ADDRSTRLEN] = "";

	inet_ntop(key->family == SLUICE_FAMILY_IPV4 ? AF_INET : AF_INET6, key->addr, text,
		  sizeof(text));
	return json_string(text);
}

static int compare_text(const void *left, const void *right)
{
	return strcmp(json_string_value(*(json_t *const *)left),
		      json_string_value(*(json_t *const *)right));
}

/* Sorted, so that the same attack gives the same text. */
static json_t *write_sources(const struct attack_record *record, size_t place)
{
	json_t *list = json_array(), **all = calloc(ATTACK_RECORD_SOURCES, sizeof(*all));
	size_t n = 0;

	for (uint32_t i = 0; all && record->sources && i < RECORD_SLOTS; i++)
		if (record->sources[i].is_used && record->sources[i].place == place)
			all[n++] = write_address(&record->sources[i].key);
	if (n)
		qsort(all, n, sizeof(*all), compare_text);
	for (size_t i = 0; i < n; i++)
		json_array_append_new(list, all[i]);
	free(all);
	return list;
}

static json_t *write_time(int64_t seconds)
{
	time_t time = (time_t)seconds;
	struct tm tm;
	char text[32] = "";

	if (gmtime_r(&time, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S+00:00", &tm);
	return json_string(text);
}

static json_t *write_protocol(uint8_t protocol)
{
	const char *name = rule_words_protocol_name(protocol);
	char text[16];
	size_t n = 0;

	snprintf(text, sizeof(text), "%u", protocol);
	for (; name && name[n] && n < sizeof(text) - 1; n++)
		text[n] =
			(char)(name[n] >= 'a' && name[n] <= 'z' ? name[n] - ('a' - 'A') : name[n]);
	if (name)
		text[n] = '\0';
	return json_string(text);
}

static json_t *write_vector(const struct attack_record *record, size_t place, const char *name,
			    double all_packets)
{
	const struct attack_vector *vector = record->vectors[place];
	json_t *out = json_object();
	bool is_tcp = vector->tcp_flags.sum > 0;

	json_object_set_new(out, "service", json_string(name));
	json_object_set_new(out, "protocol", write_protocol(vector->protocol));
	json_object_set_new(out, "fraction_of_attack",
			    json_real(round(vector->packets / all_packets * 1000) / 1000));
	json_object_set_new(out, "source_port", write_source_port(&vector->source_port));
	json_object_set_new(out, "destination_ports",
			    write_tally(&vector->destination_port, format_number));
	json_object_set_new(out, "tcp_flags",
			    is_tcp ? write_tally(&vector->tcp_flags, format_flags) : json_null());
	json_object_set_new(out, "nr_packets", json_integer(llround(vector->packets)));
	json_object_set_new(out, "nr_megabytes", json_integer(llround(vector->bytes / 1e6)));
	json_object_set_new(out, "time_start", write_time(record->start));
	json_object_set_new(out, "duration_seconds", json_integer(record->end - record->start));
	json_object_set_new(out, "source_ips", write_sources(record, place));
	json_object_set_new(out, "ethernet_type",
			    write_tally(&vector->ether_type, format_ether_type));
	json_object_set_new(out, "frame_len", write_tally(&vector->frame_size, format_number));
	json_object_set_new(out, "fragmentation_offset",
			    write_tally(&vector->fragment_offset, format_number));
	json_object_set_new(out, "ttl", write_tally(&vector->ttl, format_number));
	return out;
}

static json_t *write_tags(size_t n_vectors)
{
	json_t *tags = json_array();

	if (n_vectors > 1)
		json_array_append_new(tags, json_string("Multi-vector attack"));
	return tags;
}

static void write_totals(const struct attack_record *record, json_t *root, double packets,
			 double bytes)
{
	int64_t seconds = record->end - record->start;
	double duration = seconds > 0 ? (double)seconds : 1;

	json_object_set_new(root, "target",
			    record->has_target ? write_address(&record->target)
					       : json_string("Anonymous"));
	json_object_set_new(root, "tags", write_tags(record->n_vectors));
	json_object_set_new(root, "time_start", write_time(record->start));
	json_object_set_new(root, "time_end", write_time(record->end));
	json_object_set_new(root, "duration_seconds", json_integer(seconds));
	json_object_set_new(root, "total_packets", json_integer(llround(packets)));
	json_object_set_new(root, "total_megabytes", json_integer(llround(bytes / 1e6)));
	json_object_set_new(root, "total_ips", json_integer(record->n_sources));
	json_object_set_new(root, "avg_bps", json_integer(llround(bytes * 8 / duration)));
	json_object_set_new(root, "avg_pps", json_integer(llround(packets / duration)));
	json_object_set_new(root, "avg_Bpp",
			    json_integer(llround(packets > 0 ? bytes / packets : 0)));
}

static void add_key(json_t *root)
{
	char *text = json_dumps(root, JSON_COMPACT | JSON_SORT_KEYS), hex[MD5_DIGEST_STRING_LENGTH];

	if (!text)
		return;
	MD5Data((const unsigned char *)text, strlen(text), hex);
	json_object_set_new(root, "key", json_string(hex));
	free(text);
}

static json_t *write_root(const struct attack_record *record, const char *const *names,
			  size_t n_names)
{
	json_t *root = json_object(), *vectors = json_array();
	double packets = 0, bytes = 0;

	for (size_t i = 0; i < ATTACK_RECORD_VECTORS; i++) {
		packets += record->vectors[i] ? record->vectors[i]->packets : 0;
		bytes += record->vectors[i] ? record->vectors[i]->bytes : 0;
	}
	for (size_t i = 0; i < n_names && i < ATTACK_RECORD_VECTORS; i++)
		if (record->vectors[i] && packets > 0)
			json_array_append_new(vectors, write_vector(record, i, names[i], packets));
	json_object_set_new(root, "attack_vectors", vectors);
	write_totals(record, root, packets, bytes);
	add_key(root);
	return root;
}

char *attack_record_fingerprint(const struct attack_record *record, const char *const *names,
				size_t n_names)
{
	json_t *root = write_root(record, names, n_names);
	char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(6));

	json_decref(root);
	return text;
}

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0640);
	size_t size = strlen(text);
	ssize_t n;
	int code = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, text, size);
	if (n != (ssize_t)size)
		code = n < 0 ? -errno : -ENOSPC;
	if (close(fd) && !code)
		code = -errno;
	return code;
}

int attack_record_write(const struct attack_record *record, const char *const *names,
			size_t n_names, const char *folder, char *path, struct sluice_err *err)
{
	json_t *root = write_root(record, names, n_names);
	const char *key = json_string_value(json_object_get(root, "key"));
	char *text = json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(6));
	char half[PATH_MAX + 8];
	int code = key && text ? 0 : -ENOMEM;

	if (!code && snprintf(path, PATH_MAX, "%s/%s.json", folder, key) >= PATH_MAX)
		code = -ENAMETOOLONG;
	if (!code) {
		snprintf(half, sizeof(half), "%s.part", path);
		code = write_file(half, text);
		if (!code && rename(half, path))
			code = -errno;
		if (code)
			(void)!unlink(half);
	}
	if (code)
		snprintf(err->text, sizeof(err->text), "cannot write a fingerprint to '%.120s': %s",
			 folder, strerror(-code));
	free(text);
	json_decref(root);
	return code;
}
