/* SPDX-License-Identifier: BSD-2-Clause */
/* How a host waits, on a socket that stands for the card's. */
#include <criterion/criterion.h>

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <linux/if_xdp.h>

#include "xsk/port.h"
#include "xsk/socket.h"
#include "xsk/wait.h"

#define N_FRAMES 256u

struct fixture {
	uint32_t index[4][3]; /* Producer, consumer and flags of each ring. */
	struct xdp_desc entries[4][N_FRAMES];
	struct port_rings rings;
	struct sluice_io *io;
	struct port_waiter waiter;
	int card;    /* The other end of the waiter's socket. */
	int wake[2]; /* A pipe. */
};

static struct port_ring make_ring(struct fixture *fixture, int i)
{
	return (struct port_ring){ &fixture->index[i][0], &fixture->index[i][1],
				   &fixture->index[i][2], fixture->entries[i], N_FRAMES };
}

static struct fixture *open_fixture(enum handover_poll poll)
{
	const struct handover_reply link = { .n_frames = N_FRAMES, .ifname = "test0" };
	struct fixture *fixture = calloc(1, sizeof(*fixture));
	struct port_options options = { .link = &link, .socket = -1 };
	int ends[2];

	cr_assert(fixture && socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0);
	cr_assert(pipe(fixture->wake) == 0);
	fixture->card = ends[1];
	fixture->rings = (struct port_rings){
		make_ring(fixture, 0),
		make_ring(fixture, 1),
		make_ring(fixture, 2),
		make_ring(fixture, 3),
	};
	options.rings = &fixture->rings;
	cr_assert_eq(port_new(&options, &fixture->io), 0);
	fixture->waiter = (struct port_waiter){
		.io = fixture->io,
		.socket = ends[0],
		.poll = poll,
	};
	return fixture;
}

static void close_fixture(struct fixture *fixture)
{
	port_free(fixture->io);
	close(fixture->waiter.socket);
	close(fixture->card);
	close(fixture->wake[0]);
	close(fixture->wake[1]);
	free(fixture);
}

/* A packet lies in the ring of receive. */
static void receive_one(struct fixture *fixture)
{
	fixture->rings.receive.producer[0]++;
}

static struct pollfd wake_of(const struct fixture *fixture)
{
	return (struct pollfd){ .fd = fixture->wake[0], .events = POLLIN };
}

Test(wait, sleeps_until_another_is_ready)
{
	struct fixture *fixture = open_fixture(HANDOVER_POLL_WAIT);
	struct pollfd wake = wake_of(fixture);

	cr_assert_eq(port_wait(&fixture->waiter, &wake, 1, 1), 0);
	cr_expect_eq(wake.revents, 0);
	cr_assert_eq(write(fixture->wake[1], "x", 1), 1);
	cr_assert_eq(port_wait(&fixture->waiter, &wake, 1, -1), 0);
	cr_expect_eq(wake.revents, POLLIN);
	close_fixture(fixture);
}

Test(wait, a_packet_in_the_ring_ends_it)
{
	struct fixture *fixture = open_fixture(HANDOVER_POLL_WAIT);
	struct pollfd wake = wake_of(fixture);

	receive_one(fixture);
	cr_assert_eq(port_wait(&fixture->waiter, &wake, 1, -1), 0);
	cr_expect_eq(wake.revents, 0);
	close_fixture(fixture);
}

static void ignore(int signal)
{
	(void)signal;
}

Test(wait, a_signal_ends_it)
{
	struct fixture *fixture = open_fixture(HANDOVER_POLL_WAIT);
	struct pollfd wake = wake_of(fixture);
	const struct sigaction action = { .sa_handler = ignore };
	const struct itimerval every_ms = { { 0, 1000 }, { 0, 1000 } }, never = { 0 };

	cr_assert_eq(sigaction(SIGALRM, &action, NULL), 0);
	cr_assert_eq(setitimer(ITIMER_REAL, &every_ms, NULL), 0);
	cr_expect_eq(port_wait(&fixture->waiter, &wake, 1, -1), 0);
	cr_expect_eq(wake.revents, 0);
	setitimer(ITIMER_REAL, &never, NULL);
	close_fixture(fixture);
}

Test(wait, ends_when_the_card_is_gone)
{
	struct fixture *fixture = open_fixture(HANDOVER_POLL_WAIT);
	struct pollfd wake = wake_of(fixture);

	shutdown(fixture->card, SHUT_RDWR);
	cr_expect_eq(port_wait(&fixture->waiter, &wake, 1, -1), -ENODEV);
	close_fixture(fixture);
}

/* Each of them returns at once, and sees the other within a time that does not depend on packets. */
Test(wait, who_spins_never_sleeps)
{
	static const enum handover_poll kinds[] = { HANDOVER_POLL_SPIN, HANDOVER_POLL_BUSY };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct fixture *fixture = open_fixture(kinds[i]);
		struct pollfd wake = wake_of(fixture);

		for (int turn = 0; turn < 1000; turn++) {
			cr_assert_eq(port_wait(&fixture->waiter, &wake, 1, -1), 0);
			cr_assert_eq(wake.revents, 0);
		}
		cr_assert_eq(write(fixture->wake[1], "x", 1), 1);
		while (!wake.revents)
			cr_assert_eq(port_wait(&fixture->waiter, &wake, 1, -1), 0);
		cr_expect_eq(wake.revents, POLLIN);
		close_fixture(fixture);
	}
}

Test(wait, three_others_at_most)
{
	struct fixture *fixture = open_fixture(HANDOVER_POLL_SPIN);
	struct pollfd others[4] = { { .fd = -1 }, { .fd = -1 }, { .fd = -1 }, { .fd = -1 } };

	cr_expect_eq(port_wait(&fixture->waiter, others, 4, 0), -EINVAL);
	close_fixture(fixture);
}
