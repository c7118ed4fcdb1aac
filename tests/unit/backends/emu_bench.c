/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Namespaces, processes, the plugin and frames for the tests of the emulated NIC.
 */
#include "emu_bench.h"

#include <arpa/inet.h>
#include <dlfcn.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/udp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

enum { PAYLOAD = 18 };

const char *bench_enter(void)
{
	if (geteuid() != 0)
		return "needs root, to load BPF programs";
	if (unshare(CLONE_NEWNS | CLONE_NEWNET))
		return "needs CAP_SYS_ADMIN, for namespaces of its own";
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("bpf", "/sys/fs/bpf", "bpf", 0, NULL))
		return "cannot mount a BPF file system";
	return NULL;
}

static int wait_for(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int bench_tool(char *output, size_t size, const char *const *argv)
{
	int ends[2];
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	if (pipe(ends))
		return -errno;
	pid = fork();
	if (pid == 0) {
		dup2(ends[1], STDOUT_FILENO);
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		execv(argv[0], (char *const *)argv);
		_exit(127);
	}
	close(ends[1]);
	for (;;) {
		char dummy[256];
		bool keep = output && n + 1 < size;

		got = read(ends[0], keep ? output + n : dummy, keep ? size - 1 - n : sizeof(dummy));
		if (got <= 0)
			break;
		n += keep ? (size_t)got : 0;
	}
	if (output && size > 0)
		output[n] = '\0';
	close(ends[0]);
	return wait_for(pid);
}

int bench_run(const char *const *argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], (char *const *)argv);
		_exit(127);
	}
	return wait_for(pid);
}

static void host_log(struct sluice_instance *instance, enum sluice_log_level level, const char *fmt,
		     ...)
{
	(void)instance;
	(void)level;
	(void)fmt;
}

static int host_u64(const struct sluice_config *config, const char *name, uint64_t *value)
{
	if (strcmp(name, "update_cost") != 0)
		return -ENOENT;
	*value = config->update_cost_ns;
	return 0;
}

static int host_bool(const struct sluice_config *config, const char *name, bool *value)
{
	if (strcmp(name, "counters") != 0)
		return -ENOENT;
	*value = config->counters;
	return 0;
}

static int host_string(const struct sluice_config *config, const char *name, const char **value)
{
	if (strcmp(name, "fault_file") == 0)
		return -ENODATA;
	if (strcmp(name, "card") != 0)
		return -ENOENT;
	*value = config->card;
	return 0;
}

static const struct sluice_host host = {
	.size = sizeof(host),
	.log = host_log,
	.option_u64 = host_u64,
	.option_bool = host_bool,
	.option_string = host_string,
};

int bench_open(struct bench_backend *backend, const struct sluice_config *config)
{
	void *object = dlopen(EMU_PLUGIN, RTLD_NOW | RTLD_LOCAL);
	const struct sluice_plugin *plugin = object ? dlsym(object, "sluice_plugin") : NULL;

	if (!plugin) {
		fprintf(stderr, "%s\n", dlerror());
		return -ELIBACC;
	}
	if (plugin->magic != SLUICE_PLUGIN_MAGIC || plugin->kind != SLUICE_PLUGIN_BACKEND ||
	    strcmp(plugin->name, "emu") != 0)
		return -ELIBBAD;
	*backend = (struct bench_backend){ .ops = plugin->ops };
	backend->caps.size = sizeof(backend->caps);
	return backend->ops->open(NULL, &host, config, "lo", &backend->caps, &backend->self,
				  &backend->err);
}

void bench_close(struct bench_backend *backend)
{
	backend->ops->close(backend->self);
}

struct sluice_key bench_key(const char *text, uint8_t prefix_len)
{
	struct sluice_key key = { .prefix_len = prefix_len };

	key.family = strchr(text, ':') ? SLUICE_FAMILY_IPV6 : SLUICE_FAMILY_IPV4;
	if (inet_pton(key.family == SLUICE_FAMILY_IPV6 ? AF_INET6 : AF_INET, text, key.addr) != 1)
		abort();
	return key;
}

int bench_add(struct bench_backend *backend, const char *text, uint8_t prefix_len)
{
	struct sluice_backend_rule rule = { bench_key(text, prefix_len) };
	int result = 1;
	int rc = backend->ops->add(backend->self, &rule, 1, &result, &backend->err);

	return rc ? rc : result;
}

int bench_del(struct bench_backend *backend, const char *text, uint8_t prefix_len)
{
	struct sluice_backend_rule rule = { bench_key(text, prefix_len) };
	int result = 1;
	int rc = backend->ops->del(backend->self, &rule, 1, &result, &backend->err);

	return rc ? rc : result;
}

bool bench_hits(struct bench_backend *backend, const char *text, uint8_t prefix_len,
		uint64_t *packets, uint64_t *bytes)
{
	struct sluice_key key = bench_key(text, prefix_len);
	struct sluice_backend_counter counters[64];
	size_t n = 0;

	if (backend->ops->read(backend->self, counters, 64, &n, &backend->err))
		return false;
	for (size_t i = 0; i < n; i++) {
		if (memcmp(&counters[i].key, &key, sizeof(key)) != 0)
			continue;
		*packets = counters[i].packets;
		*bytes = counters[i].bytes;
		return counters[i].age_ns == 0;
	}
	return false;
}

static void put(struct bench_frame *frame, const void *bytes, size_t size)
{
	memcpy(frame->bytes + frame->size, bytes, size);
	frame->size += (uint32_t)size;
}

static void put_be16(struct bench_frame *frame, uint16_t value)
{
	uint16_t value_be = htons(value);

	put(frame, &value_be, sizeof(value_be));
}

struct bench_frame bench_frame(const char *source, unsigned int tags)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	struct udphdr udp = { .source = htons(9), .dest = htons(9) };
	struct bench_frame frame = { .size = 0 };
	struct sluice_key key = bench_key(source, 0);
	bool v6 = key.family == SLUICE_FAMILY_IPV6;
	uint8_t payload[PAYLOAD] = { 0 };

	put(&frame, macs, sizeof(macs));
	for (unsigned int i = tags; i > 0; i--) {
		put_be16(&frame, i > 1 ? ETH_P_8021AD : ETH_P_8021Q);
		put_be16(&frame, (uint16_t)(100 + i));
	}
	put_be16(&frame, v6 ? ETH_P_IPV6 : ETH_P_IP);
	if (v6) {
		struct ipv6hdr ip = {
			.version = 6,
			.payload_len = htons(sizeof(udp) + PAYLOAD),
			.nexthdr = IPPROTO_UDP,
			.hop_limit = 64,
		};

		memcpy(&ip.saddr, key.addr, 16);
		put(&frame, &ip, sizeof(ip));
	} else {
		struct iphdr ip = {
			.version = 4,
			.ihl = 5,
			.tot_len = htons(sizeof(ip) + sizeof(udp) + PAYLOAD),
			.ttl = 64,
			.protocol = IPPROTO_UDP,
		};

		memcpy(&ip.saddr, key.addr, 4);
		put(&frame, &ip, sizeof(ip));
	}
	udp.len = htons(sizeof(udp) + PAYLOAD);
	put(&frame, &udp, sizeof(udp));
	put(&frame, payload, sizeof(payload));
	return frame;
}

int bench_send(const char *program, const struct bench_frame *frame, int repeat)
{
	uint8_t out[sizeof(frame->bytes)];
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = frame->bytes,
		    .data_size_in = frame->size, .data_out = out, .data_size_out = sizeof(out),
		    .repeat = repeat);
	int fd = bpf_obj_get(program);
	int rc;

	if (fd < 0)
		return fd;
	rc = bpf_prog_test_run_opts(fd, &options);
	close(fd);
	return rc ? rc : (int)options.retval;
}
