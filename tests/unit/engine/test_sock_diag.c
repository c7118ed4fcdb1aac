/* SPDX-License-Identifier: BSD-2-Clause */
/* The parser of the kernel's list of connections: canned bytes, cut bytes, and garbage. */
#include <arpa/inet.h>
#include <criterion/criterion.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include "base/address.h"
#include "engine/sock_diag.h"
#include "support/random.h"

enum { SEQUENCE = 7, MAX_PEERS = 64 };

struct bytes {
	_Alignas(8) uint8_t data[4096];
	size_t size;
};

struct peers {
	struct sluice_key keys[MAX_PEERS];
	size_t n;
	int code; /* What the callback returns. */
};

static int note(void *ctx, const struct sluice_key *peer)
{
	struct peers *peers = ctx;

	if (peers->n < MAX_PEERS)
		peers->keys[peers->n] = *peer;
	peers->n++;
	cr_assert(address_is_valid(peer) && address_is_single(peer));
	return peers->code;
}

static void put(struct bytes *bytes, uint16_t type, uint32_t sequence, const void *payload,
		size_t size)
{
	const struct nlmsghdr header = {
		.nlmsg_len = (uint32_t)NLMSG_LENGTH(size),
		.nlmsg_type = type,
		.nlmsg_seq = sequence,
	};

	memcpy(bytes->data + bytes->size, &header, sizeof(header));
	memcpy(bytes->data + bytes->size + NLMSG_HDRLEN, payload, size);
	bytes->size += NLMSG_SPACE(size);
}

static void put_peer(struct bytes *bytes, uint32_t sequence, const char *peer, uint8_t state)
{
	struct inet_diag_msg message = { .idiag_state = state };
	struct sluice_key key;

	/* "::ffff:192.0.2.1" is a key of IPv4 for the parser of addresses: built by hand. */
	if (strncmp(peer, "::ffff:", 7) == 0) {
		cr_assert_eq(address_parse(peer + 7, &key, NULL), 0);
		message.idiag_family = AF_INET6;
		message.id.idiag_dst[2] = htonl(0xffff);
		memcpy(&message.id.idiag_dst[3], key.addr, 4);
	} else {
		cr_assert_eq(address_parse(peer, &key, NULL), 0);
		message.idiag_family = key.family == SLUICE_FAMILY_IPV4 ? AF_INET : AF_INET6;
		memcpy(message.id.idiag_dst, key.addr, 16);
	}
	put(bytes, SOCK_DIAG_BY_FAMILY, sequence, &message, sizeof(message));
}

static int parse(const struct bytes *bytes, struct peers *peers)
{
	/* An exact copy on the heap, so that a sanitizer sees a read past the end. */
	void *copy = malloc(bytes->size ? bytes->size : 1);
	int rc;

	cr_assert(copy);
	memcpy(copy, bytes->data, bytes->size);
	rc = sock_diag_parse(copy, bytes->size, SEQUENCE, note, peers);
	free(copy);
	return rc;
}

static void expect_peer(const struct peers *peers, size_t i, const char *text)
{
	char found[ADDRESS_TEXT_SIZE];

	cr_assert_lt(i, peers->n);
	cr_expect_str_eq(address_format(&peers->keys[i], found), text);
}

Test(sock_diag, peers_of_both_families)
{
	struct bytes bytes = { .size = 0 };
	struct peers peers = { .n = 0 };

	put_peer(&bytes, SEQUENCE, "192.0.2.1", TCP_ESTABLISHED);
	put_peer(&bytes, SEQUENCE, "2001:db8::1", TCP_ESTABLISHED);
	put_peer(&bytes, SEQUENCE, "::ffff:192.0.2.2", TCP_ESTABLISHED);
	cr_expect_eq(parse(&bytes, &peers), 0, "more is to come");
	cr_assert_eq(peers.n, 3);
	expect_peer(&peers, 0, "192.0.2.1");
	expect_peer(&peers, 1, "2001:db8::1");
	expect_peer(&peers, 2, "192.0.2.2");
}

Test(sock_diag, only_established_connections_count)
{
	struct bytes bytes = { .size = 0 };
	struct peers peers = { .n = 0 };

	put_peer(&bytes, SEQUENCE, "192.0.2.1", TCP_SYN_RECV);
	put_peer(&bytes, SEQUENCE, "192.0.2.2", TCP_LISTEN);
	put_peer(&bytes, SEQUENCE, "192.0.2.3", TCP_TIME_WAIT);
	cr_expect_eq(parse(&bytes, &peers), 0);
	cr_expect_eq(peers.n, 0);
}

Test(sock_diag, done_ends_the_dump)
{
	struct bytes bytes = { .size = 0 };
	struct peers peers = { .n = 0 };
	const int code = 0;

	put_peer(&bytes, SEQUENCE, "192.0.2.1", TCP_ESTABLISHED);
	put(&bytes, NLMSG_DONE, SEQUENCE, &code, sizeof(code));
	put_peer(&bytes, SEQUENCE, "192.0.2.2", TCP_ESTABLISHED);
	cr_expect_eq(parse(&bytes, &peers), 1);
	cr_expect_eq(peers.n, 1);
}

Test(sock_diag, done_without_a_code_ends_the_dump)
{
	struct bytes bytes = { .size = 0 };
	struct peers peers = { .n = 0 };

	put(&bytes, NLMSG_DONE, SEQUENCE, "", 0);
	cr_expect_eq(parse(&bytes, &peers), 1);
}

/* A kernel without tcp_diag ends the dump like this: an empty list would be a wrong answer. */
Test(sock_diag, done_with_an_error_is_an_error)
{
	static const int codes[][2] = { { -ENOENT, -ENOENT }, { -5000, -EPROTO }, { 1, 1 } };

	for (size_t i = 0; i < 3; i++) {
		struct bytes bytes = { .size = 0 };
		struct peers peers = { .n = 0 };

		put(&bytes, NLMSG_DONE, SEQUENCE, &codes[i][0], sizeof(codes[i][0]));
		cr_expect_eq(parse(&bytes, &peers), codes[i][1], "%d", codes[i][0]);
	}
}

Test(sock_diag, the_kernels_errors_are_passed_on)
{
	static const int codes[][2] = { { -EPERM, -EPERM },
					{ 0, -EPROTO },
					{ 5, -EPROTO },
					{ -4096, -EPROTO },
					{ INT32_MIN, -EPROTO } };

	for (size_t i = 0; i < 5; i++) {
		struct nlmsgerr error = { .error = codes[i][0] };
		struct bytes bytes = { .size = 0 };
		struct peers peers = { .n = 0 };

		put(&bytes, NLMSG_ERROR, SEQUENCE, &error, sizeof(error));
		cr_expect_eq(parse(&bytes, &peers), codes[i][1], "%d", codes[i][0]);
	}
}

Test(sock_diag, other_messages_are_passed_over)
{
	struct bytes bytes = { .size = 0 };
	struct peers peers = { .n = 0 };
	const int code = 0;

	put(&bytes, NLMSG_DONE, SEQUENCE + 1, &code, sizeof(code));
	put_peer(&bytes, SEQUENCE - 1, "192.0.2.9", TCP_ESTABLISHED);
	put(&bytes, NLMSG_NOOP, SEQUENCE, "", 0);
	put_peer(&bytes, SEQUENCE, "192.0.2.1", TCP_ESTABLISHED);
	cr_expect_eq(parse(&bytes, &peers), 0);
	cr_assert_eq(peers.n, 1);
	expect_peer(&peers, 0, "192.0.2.1");
}

Test(sock_diag, the_callback_can_stop_the_walk)
{
	struct bytes bytes = { .size = 0 };
	struct peers peers = { .code = -ENOMEM };

	put_peer(&bytes, SEQUENCE, "192.0.2.1", TCP_ESTABLISHED);
	put_peer(&bytes, SEQUENCE, "192.0.2.2", TCP_ESTABLISHED);
	cr_expect_eq(parse(&bytes, &peers), -ENOMEM);
	cr_expect_eq(peers.n, 1);
}

Test(sock_diag, cut_replies_are_refused_wherever_they_are_cut)
{
	struct bytes whole = { .size = 0 };

	put_peer(&whole, SEQUENCE, "192.0.2.1", TCP_ESTABLISHED);
	put_peer(&whole, SEQUENCE, "192.0.2.2", TCP_ESTABLISHED);
	for (size_t size = 1; size < whole.size; size++) {
		struct bytes cut = whole;
		struct peers peers = { .n = 0 };

		if (size == whole.size / 2)
			continue;
		cut.size = size;
		cr_expect_eq(parse(&cut, &peers), -EPROTO, "cut to %zu bytes", size);
		cr_expect_eq(peers.n, size > whole.size / 2);
	}
}

struct length_row {
	uint32_t length;
	int rc;
};

Test(sock_diag, lengths_that_cannot_be_are_refused)
{
	static const struct length_row rows[] = {
		{ 0, -EPROTO },
		{ 1, -EPROTO },
		{ 15, -EPROTO },
		{ 16, -EPROTO },
		{ 87, -EPROTO },
		{ 89, -EPROTO },
		{ UINT32_MAX, -EPROTO },
		{ UINT32_MAX - 2, -EPROTO },
		{ 88, 0 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes bytes = { .size = 0 };
		struct peers peers = { .n = 0 };

		put_peer(&bytes, SEQUENCE, "192.0.2.1", TCP_ESTABLISHED);
		cr_assert_eq(bytes.size, 88);
		memcpy(bytes.data, &rows[i].length, sizeof(rows[i].length));
		cr_expect_eq(parse(&bytes, &peers), rows[i].rc, "length %u", rows[i].length);
	}
}

Test(sock_diag, a_family_that_was_not_asked_for_is_refused)
{
	struct inet_diag_msg message = { .idiag_family = 99, .idiag_state = TCP_ESTABLISHED };
	struct bytes bytes = { .size = 0 };
	struct peers peers = { .n = 0 };

	put(&bytes, SOCK_DIAG_BY_FAMILY, SEQUENCE, &message, sizeof(message));
	cr_expect_eq(parse(&bytes, &peers), -EPROTO);
	cr_expect_eq(peers.n, 0);
}

Test(sock_diag, garbage_never_crashes)
{
	for (uint64_t seed = 1; seed <= 20000; seed++) {
		struct random random = { seed };
		struct bytes bytes = { .size = random_below(&random, 512) };
		struct peers peers = { .n = 0 };
		int rc;

		for (size_t i = 0; i < bytes.size; i++)
			bytes.data[i] = (uint8_t)random_next(&random);
		rc = parse(&bytes, &peers);
		cr_assert(rc <= 1 && rc > -4096, "seed %llu: %d", (unsigned long long)seed, rc);
	}
}

/* Sane messages with a few bytes changed get further into the parser than pure noise. */
Test(sock_diag, damaged_replies_never_crash)
{
	struct bytes whole = { .size = 0 };

	put_peer(&whole, SEQUENCE, "192.0.2.1", TCP_ESTABLISHED);
	put_peer(&whole, SEQUENCE, "2001:db8::1", TCP_ESTABLISHED);
	put(&whole, NLMSG_DONE, SEQUENCE, "\0\0\0", 4);
	for (uint64_t seed = 1; seed <= 20000; seed++) {
		struct random random = { seed };
		struct bytes bytes = whole;
		struct peers peers = { .n = 0 };
		int rc;

		for (uint64_t n = 1 + random_below(&random, 4); n; n--)
			bytes.data[random_below(&random, bytes.size)] =
				(uint8_t)random_next(&random);
		bytes.size -= random_below(&random, 8);
		rc = parse(&bytes, &peers);
		cr_assert(rc <= 1 && rc > -4096, "seed %llu: %d", (unsigned long long)seed, rc);
		cr_assert_leq(peers.n, 2);
	}
}
