/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A stack that conforms, and siblings that each break the contract in one way.  It answers ARP and
 * echo requests over IPv4 for the address in its options, and serves nothing.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <sluice/stack.h>

enum { ETHERNET = 14, IPV4 = 20, ARP_SIZE = 42, KEEP_MAX = 4096 };

struct stack {
	const struct sluice_io_ops *ops;
	struct sluice_io *io;
	uint8_t mac[6], address[4];
	bool fills_sums;
	uint64_t n_in;
	uint64_t kept[KEEP_MAX];
	size_t n_kept;
	int wake;
};

static int open_stack(struct sluice_instance *instance, const struct sluice_host *host,
		      const struct sluice_config *config, const struct sluice_io_ops *ops,
		      struct sluice_io *io, void **self, struct sluice_err *err)
{
	struct sluice_io_link link = { .size = sizeof(link) };
	struct stack *stack = calloc(1, sizeof(*stack));
	struct sluice_key key;

	(void)instance, (void)err;
	if (!stack)
		return -ENOMEM;
	stack->ops = ops;
	stack->io = io;
#ifdef BAD_SIZE
	link.size = 0;
#endif
	if (host->option_key(config, "address", &key) == 0)
		memcpy(stack->address, key.addr, 4);
	if (ops->link(io, &link) != 0) {
		free(stack);
		return -ENODEV;
	}
	memcpy(stack->mac, link.mac, 6);
	stack->fills_sums = link.fills_sums;
#ifdef BAD_NO_SELF
	free(stack);
	return 0;
#endif
#ifdef BAD_REASON
	free(stack);
	return -EINVAL;
#endif
	stack->wake = eventfd(1, EFD_NONBLOCK | EFD_CLOEXEC);
	*self = stack;
	return 0;
}

static void close_stack(void *self)
{
	struct stack *stack = self;

#ifndef BAD_CLOSE_NULL
	if (!stack)
		return;
#endif
	for (size_t i = 0; i < stack->n_kept; i++)
		stack->ops->release(stack->io, stack->kept[i]);
	if (stack)
		close(stack->wake);
#ifndef BAD_MEMORY
	free(stack);
#endif
}

static void swap(uint8_t *a, uint8_t *b, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		uint8_t byte = a[i];

		a[i] = b[i];
		b[i] = byte;
	}
}

static void answer(struct stack *stack, const uint8_t *frame, uint32_t size)
{
	uint8_t *room = stack->ops->write_buffer(stack->io, size);

#ifdef BAD_WAIT
	while (!room)
		room = stack->ops->write_buffer(stack->io, size);
#endif
	if (!room)
		return;
	memcpy(room, frame, size);
	memcpy(room, frame + 6, 6);
	memcpy(room + 6, stack->mac, 6);
#ifdef BAD_BEHIND
	room[size] = 0;
#endif
#ifndef BAD_UNSENT
	(void)stack->ops->send(stack->io);
#endif
#ifdef BAD_AFTER
	room[0] = 0;
#endif
}

static void take_arp(struct stack *stack, uint8_t *frame)
{
	uint8_t *arp = frame + ETHERNET;

	if (arp[7] != 1)
		return;
#ifndef BAD_PROXY
	if (memcmp(arp + 24, stack->address, 4) != 0)
		return;
#endif
	arp[7] = 2;
	swap(arp + 8, arp + 18, 10);
	memcpy(arp + 8, stack->mac, 6);
	answer(stack, frame, ARP_SIZE);
}

static bool sums_up(const uint8_t *bytes, size_t size)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < size; i++)
		sum += i % 2 ? bytes[i] : (uint32_t)bytes[i] << 8;
	return (sum & 0xffff) + (sum >> 16) == 0xffff;
}

static void take_ipv4(struct stack *stack, uint8_t *frame, uint32_t size)
{
	uint8_t *ip = frame + ETHERNET, *icmp = ip + IPV4;
	uint32_t total = (uint32_t)(ip[2] << 8 | ip[3]);
	unsigned int sum;
	bool whole = ip[0] == 0x45 && total >= IPV4 + 8 && total <= size - ETHERNET &&
		     sums_up(ip, IPV4) && sums_up(icmp, total - IPV4);

#ifdef BAD_LENGTH
	whole = true;
#endif
	if (!whole || ip[9] != 1 || icmp[0] != 8 || memcmp(ip + 16, stack->address, 4) != 0)
		return;
	swap(ip + 12, ip + 16, 4);
#ifdef BAD_MET
	{
		struct sluice_key host = { .family = SLUICE_FAMILY_IPV4, .prefix_len = 32 };

		memcpy(host.addr, ip + 16, 4);
		(void)stack->ops->met(stack->io, &host, SLUICE_IO_MET_CONNECTED);
	}
#endif
#ifdef BAD_MET_NOBODY
	{
		const struct sluice_key nobody = { .family = 0 };

		(void)stack->ops->met(stack->io, &nobody, SLUICE_IO_MET_CONNECTED);
	}
#endif
	icmp[0] = 0;
	sum = (unsigned int)(icmp[2] << 8 | icmp[3]) + 0x800;
	sum = (sum & 0xffff) + (sum >> 16);
#ifdef BAD_SUM
	sum++;
#endif
#ifdef BAD_OFFLOAD
	/* Nobody fills in ICMP's. */
	sum = stack->fills_sums ? 0 : sum;
#endif
	icmp[2] = (uint8_t)(sum >> 8);
	icmp[3] = (uint8_t)sum;
	answer(stack, frame, ETHERNET + total);
}

static void let_go(struct stack *stack, uint64_t handle)
{
#ifdef BAD_LEAK
	if (stack->n_in % 4 == 0)
		return;
#endif
#ifdef BAD_KEEP
	if (stack->n_kept < KEEP_MAX) {
		stack->kept[stack->n_kept++] = handle;
		return;
	}
#endif
#ifdef BAD_FORGED
	handle++;
#endif
	stack->ops->release(stack->io, handle);
#ifdef BAD_TWICE
	stack->ops->release(stack->io, handle);
#endif
}

static void take(struct stack *stack, uint8_t *frame, uint32_t size)
{
	unsigned int type = (unsigned int)(frame[12] << 8 | frame[13]);

	stack->n_in++;
	if (type == 0x806 && size >= ARP_SIZE)
		take_arp(stack, frame);
#ifdef BAD_CUT
	else if (type == 0x800)
#else
	else if (type == 0x800 && size >= ETHERNET + IPV4 + 8)
#endif
		take_ipv4(stack, frame, size);
#ifdef BAD_CRASH
	else if (type != 0x800 && type != 0x86dd)
		abort();
#endif
}

static int turn(void *self)
{
	struct stack *stack = self;
	int n = stack->ops->receive(stack->io, 32);
	eventfd_t value;

#ifndef BAD_WAKE
	(void)!eventfd_read(stack->wake, &value);
#else
	(void)value;
#endif

#ifdef BAD_GONE
	if (n < 0)
		return 1000;
#endif
	for (int i = 0; i < n; i++) {
		struct sluice_io_frame frame;

		if (stack->ops->packet(stack->io, (unsigned int)i, &frame) != 0)
			continue;
#ifdef BAD_GIVES_UP
		if (frame.length < 20)
			return -EPROTO;
#endif
		take(stack, frame.data, frame.length);
		let_go(stack, frame.handle);
#ifdef BAD_LATE
		((uint8_t *)frame.data)[0] = 0;
#endif
	}
	return n < 0 ? n : n > 0 ? 0 : 1000;
}

static size_t figures(void *self, struct sluice_stack_figure *list, size_t n)
{
	const struct stack *stack = self;

	if (n < 1)
		return 0;
	list[0] = (struct sluice_stack_figure){ "frames_in", stack->n_in, false };
#ifdef BAD_FIGURE
	list[0].value = UINT64_MAX - stack->n_in;
#endif
#ifdef BAD_NAME
	list[0].name[0] = 'F';
#endif
	return 1;
}

static int wake_fd(void *self)
{
	const struct stack *stack = self;

#ifdef BAD_WAKE_CLOSED
	return 1000000;
#endif
	return stack->wake;
}

static const struct sluice_stack_ops ops = { sizeof(ops), open_stack, close_stack,
					     turn,	  figures,    wake_fd };

SLUICE_EXPORT extern const struct sluice_plugin sluice_plugin;
const struct sluice_plugin sluice_plugin = { SLUICE_PLUGIN_MAGIC,
					     SLUICE_ABI_MAJOR,
					     6,
					     sizeof(sluice_plugin),
					     SLUICE_PLUGIN_STACK,
					     CONFORM_NAME,
					     "1.2.3",
					     "BSD-2-Clause",
					     &ops };
