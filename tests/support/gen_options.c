// SPDX-License-Identifier: BSD-2-Clause
/*
 * The command line of sluice-gen: units, ranges and help.
 */
#include "gen_options.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
	"Usage: sluice-gen --dev IF --to ADDRESS --to-mac MAC [OPTION]...\n"
	"\n"
	"Sends packets with forged sources out of IF, millions a second from one core, and prints\n"
	"as JSON exactly how many.  Run it inside the sender's network namespace.  Meant for a veth\n"
	"pair between two namespaces of your own; IF's peer must have an XDP program attached or\n"
	"GRO switched on, or the frames vanish.\n"
	"\n"
	"What is sent:\n"
	"  --to ADDRESS          destination, IPv4 or IPv6; decides the family\n"
	"  --to-mac MAC          destination's Ethernet address\n"
	"  --from-mac MAC        source Ethernet address (default: IF's own)\n"
	"  --protocol NAME       udp (default), tcp-syn, or icmp (echo requests; ICMPv6 for IPv6)\n"
	"  --to-port N           destination port (default 80)\n"
	"  --from-port N         source port (default: random for each packet)\n"
	"  --length BYTES        of the frame without its check sequence (default: 60, or as many\n"
	"                        as the headers take)\n"
	"  --vlan ID             adds an 802.1Q tag\n"
	"\n"
	"By whom:\n"
	"  --sources N           how many sources (default 1)\n"
	"  --source-base ADDRESS the first; the others follow it: one address each in IPv4, one\n"
	"                        /64 each in IPv6 (default 198.18.0.0 or 2001:db8::1)\n"
	"  --distribution NAME   of the rates over the sources: uniform (default); gaussian, or\n"
	"                        gaussian:SIGMA with SIGMA a share of N (default 0.1667); cycle:\n"
	"                        in turn, so that each sends the same number to one packet\n"
	"  --seed N              of the random numbers (default 1): same seed, same packets\n"
	"\n"
	"How many, how fast:\n"
	"  --count N             packets in all\n"
	"  --duration SECONDS    (default 10, if no --count)\n"
	"  --rate PPS            cap on packets per second (default: none)\n"
	"  --slice SECONDS       a capped rate is sent in bursts of this length (default 0.1).  Each\n"
	"                        costs some 0.1 ms of set-up\n"
	"  --cpu N               runs on this CPU\n"
	"  --fifo                runs with real-time priority, as a network card's interrupt would\n"
	"  --card DIR            frames pass the emulated NIC pinned under DIR, as made by\n"
	"                        `sluice-emu-card create --pin DIR`\n"
	"\n"
	"Numbers take k, M and G.  SIGINT and SIGTERM stop it; it still prints what was sent:\n"
	"  requested    packets that --rate and --count asked for in the time that it ran\n"
	"  sent         packets that left the generator\n"
	"  xmit_errors  of these, refused by the link because the receiver's ring was full\n"
	"  accepted     sent - xmit_errors\n"
	"  card_dropped accepted, but dropped by the emulated NIC\n"
	"  seconds, pps (sent per second), offered_pps (--rate, else pps)\n"
	"\n"
	"Example: 10,000 sources, 2 million UDP packets a second for five seconds:\n"
	"  sluice-gen --dev a0 --to 10.0.0.1 --to-mac 02:00:00:00:00:02 --sources 10k --rate 2M \\\n"
	"             --duration 5\n";

enum {
	OPT_DEV = 256,
	OPT_TO,
	OPT_TO_MAC,
	OPT_FROM_MAC,
	OPT_PROTOCOL,
	OPT_TO_PORT,
	OPT_FROM_PORT,
	OPT_LENGTH,
	OPT_VLAN,
	OPT_SOURCES,
	OPT_SOURCE_BASE,
	OPT_DISTRIBUTION,
	OPT_SEED,
	OPT_COUNT,
	OPT_DURATION,
	OPT_RATE,
	OPT_SLICE,
	OPT_CPU,
	OPT_FIFO,
	OPT_CARD,
	OPT_HELP = 'h',
};

static const struct option long_options[] = {
	{ "dev", required_argument, NULL, OPT_DEV },
	{ "to", required_argument, NULL, OPT_TO },
	{ "to-mac", required_argument, NULL, OPT_TO_MAC },
	{ "from-mac", required_argument, NULL, OPT_FROM_MAC },
	{ "protocol", required_argument, NULL, OPT_PROTOCOL },
	{ "to-port", required_argument, NULL, OPT_TO_PORT },
	{ "from-port", required_argument, NULL, OPT_FROM_PORT },
	{ "length", required_argument, NULL, OPT_LENGTH },
	{ "vlan", required_argument, NULL, OPT_VLAN },
	{ "sources", required_argument, NULL, OPT_SOURCES },
	{ "source-base", required_argument, NULL, OPT_SOURCE_BASE },
	{ "distribution", required_argument, NULL, OPT_DISTRIBUTION },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "count", required_argument, NULL, OPT_COUNT },
	{ "duration", required_argument, NULL, OPT_DURATION },
	{ "rate", required_argument, NULL, OPT_RATE },
	{ "slice", required_argument, NULL, OPT_SLICE },
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "fifo", no_argument, NULL, OPT_FIFO },
	{ "card", required_argument, NULL, OPT_CARD },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static int parse_number(const char *text, double min, double max, double *number)
{
	static const char units[] = "kMG";
	char *end;
	double value = strtod(text, &end);

	if (end != text && *end && !end[1] && strchr(units, *end))
		value *= pow(1000, strchr(units, *end) - units + 1);
	else if (end == text || *end)
		return -EINVAL;
	if (!(value >= min && value <= max))
		return -ERANGE;
	*number = value;
	return 0;
}

static int parse_integer(const char *text, uint64_t min, uint64_t max, uint64_t *integer)
{
	double number;
	int err = parse_number(text, min, max, &number);

	if (!err && number != floor(number))
		err = -EINVAL;
	if (!err)
		*integer = number;
	return err;
}

static int parse_address(const char *text, struct gen_address *address)
{
	address->family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(address->family, text, &address->v6) == 1 ? 0 : -EINVAL;
}

static int parse_mac(const char *text, uint8_t *mac)
{
	int used = 0;
	int n = sscanf(text, "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx%n", &mac[0], &mac[1], &mac[2], &mac[3],
		       &mac[4], &mac[5], &used);

	return n == 6 && !text[used] ? 0 : -EINVAL;
}

static int parse_protocol(const char *text, enum gen_protocol *protocol)
{
	if (!strcmp(text, "udp"))
		*protocol = GEN_PROTOCOL_UDP;
	else if (!strcmp(text, "tcp-syn"))
		*protocol = GEN_PROTOCOL_TCP_SYN;
	else if (!strcmp(text, "icmp"))
		*protocol = GEN_PROTOCOL_ICMP;
	else
		return -EINVAL;
	return 0;
}

static int parse_distribution(const char *text, struct gen_options *options)
{
	static const char gaussian[] = "gaussian:";

	if (!strcmp(text, "uniform"))
		options->order = GEN_ORDER_UNIFORM;
	else if (!strcmp(text, "cycle"))
		options->order = GEN_ORDER_CYCLE;
	else if (!strcmp(text, "gaussian"))
		options->order = GEN_ORDER_WEIGHTED;
	else if (!strncmp(text, gaussian, strlen(gaussian))) {
		options->order = GEN_ORDER_WEIGHTED;
		return parse_number(text + strlen(gaussian), 0.001, 100, &options->sigma);
	} else
		return -EINVAL;
	return 0;
}

static int apply_packet_option(int opt, const char *arg, struct gen_options *options)
{
	struct gen_packet *packet = &options->packet;
	uint64_t n = 0;
	int err;

	switch (opt) {
	case OPT_TO:
		return parse_address(arg, &packet->to);
	case OPT_TO_MAC:
		return parse_mac(arg, packet->to_mac);
	case OPT_FROM_MAC:
		options->from_mac_given = true;
		return parse_mac(arg, packet->from_mac);
	case OPT_PROTOCOL:
		return parse_protocol(arg, &packet->protocol);
	case OPT_TO_PORT:
		err = parse_integer(arg, 1, UINT16_MAX, &n);
		packet->to_port = n;
		return err;
	case OPT_FROM_PORT:
		err = parse_integer(arg, 1, UINT16_MAX, &n);
		packet->from_port = n;
		return err;
	case OPT_LENGTH:
		err = parse_integer(arg, GEN_FRAME_MIN, GEN_FRAME_MAX, &n);
		packet->length = n;
		return err;
	case OPT_VLAN:
		err = parse_integer(arg, 1, 4094, &n);
		packet->vlan = n;
		return err;
	case OPT_SOURCES:
		err = parse_integer(arg, 1, 1 << 24, &n);
		packet->n_sources = n;
		return err;
	case OPT_SOURCE_BASE:
		return parse_address(arg, &packet->source);
	default:
		return -EINVAL;
	}
}

static int apply_option(int opt, const char *arg, struct gen_options *options)
{
	uint64_t n = 0;
	int err;

	switch (opt) {
	case OPT_DEV:
		options->dev = arg;
		return 0;
	case OPT_CARD:
		options->card = arg;
		return 0;
	case OPT_FIFO:
		options->fifo = true;
		return 0;
	case OPT_DISTRIBUTION:
		return parse_distribution(arg, options);
	case OPT_SEED:
		return parse_integer(arg, 0, 1ull << 52, &options->seed);
	case OPT_COUNT:
		return parse_integer(arg, 1, 1ull << 52, &options->count);
	case OPT_RATE:
		return parse_integer(arg, 1, 1000000000, &options->rate);
	case OPT_DURATION:
		return parse_number(arg, 0.001, 86400, &options->duration);
	case OPT_SLICE:
		return parse_number(arg, 0.001, 10, &options->slice);
	case OPT_CPU:
		err = parse_integer(arg, 0, 4095, &n);
		options->cpu = n;
		return err;
	default:
		return apply_packet_option(opt, arg, options);
	}
}

/* What is missing, and the defaults that depend on other options. */
static int finish(struct gen_options *options)
{
	struct gen_packet *packet = &options->packet;
	static const uint8_t no_mac[6];

	if (!options->dev || !packet->to.family ||
	    !memcmp(packet->to_mac, no_mac, sizeof(no_mac))) {
		fprintf(stderr, "sluice-gen: --dev, --to and --to-mac are needed; see --help\n");
		return -EINVAL;
	}
	if (!packet->source.family) {
		bool ipv6 = packet->to.family == AF_INET6;

		if (parse_address(ipv6 ? "2001:db8::1" : "198.18.0.0", &packet->source))
			return -EINVAL;
	}
	if (!options->count && !options->duration)
		options->duration = 10;
	return 0;
}

int gen_options_parse(int argc, char **argv, struct gen_options *options)
{
	int opt, index = 0;

	*options = (struct gen_options){
		.packet = { .n_sources = 1, .to_port = 80 },
		.sigma = 1 / 6.0,
		.slice = 0.1,
		.seed = 1,
		.cpu = -1,
	};
	while ((opt = getopt_long(argc, argv, "h", long_options, &index)) != -1) {
		if (opt == OPT_HELP) {
			fputs(help, stdout);
			return 1;
		}
		if (opt == '?') {
			fprintf(stderr, "sluice-gen: see --help for the options\n");
			return -EINVAL;
		}
		int err = apply_option(opt, optarg, options);

		if (err) {
			fprintf(stderr, "sluice-gen: --%s '%s': %s; see --help\n",
				long_options[index].name, optarg,
				err == -ERANGE ? "out of range" : "not understood");
			return -EINVAL;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "sluice-gen: '%s': not an option; see --help\n", argv[optind]);
		return -EINVAL;
	}
	return finish(options);
}
