/* SPDX-License-Identifier: BSD-2-Clause */
/* See words.h. */
#include "words.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char *const steps[] = {
	[WORDS_STEP_FIND] = "find it",
	[WORDS_STEP_QUERY] = "see what the card runs",
	[WORDS_STEP_MAP] = "make a table on the card",
	[WORDS_STEP_PROGRAM] = "load a program for the card",
	[WORDS_STEP_ATTACH] = "start the program on the card",
	[WORDS_STEP_DETACH] = "stop the program on the card",
	[WORDS_STEP_CHANGE] = "change the card's table",
	[WORDS_STEP_READ] = "read the card's table",
};

#define NO_MEMORY                                                                     \
	"the card has no memory for a single rule, or holds as many maps as it can; " \
	"`bpftool map` lists them"
#define NOT_TAKEN "its driver does not take this program; a newer firmware or driver may"

static const struct {
	enum words_step step;
	int rc;
	const char *text;
} refusals[] = {
	{ WORDS_STEP_FIND, -ENODEV, "there is none of that name; `ip link` lists them" },
	{ WORDS_STEP_MAP, -EOPNOTSUPP,
	  "its driver holds no BPF maps; the card needs a firmware that runs BPF, see `ethtool -i`" },
	{ WORDS_STEP_MAP, -EINVAL,
	  "its driver has no BPF offload, or not for hash maps; is the BPF firmware loaded? see "
	  "`ethtool -i`" },
	{ WORDS_STEP_MAP, -ENOMEM, NO_MEMORY },
	{ WORDS_STEP_MAP, -E2BIG, NO_MEMORY },
	{ WORDS_STEP_PROGRAM, -EOPNOTSUPP, NOT_TAKEN },
	{ WORDS_STEP_PROGRAM, -EINVAL, NOT_TAKEN },
	{ WORDS_STEP_PROGRAM, -ENOMEM,
	  "no memory for it; `bpftool prog` lists what the card holds" },
	{ WORDS_STEP_ATTACH, -EOPNOTSUPP,
	  "the card cannot run it: too long for its firmware, or the MTU is too large; "
	  "the kernel's log may say more" },
	{ WORDS_STEP_ATTACH, -EINVAL,
	  "the driver does not take it for this interface; the kernel's log may say more" },
	{ WORDS_STEP_ATTACH, -ENOMEM, "the card has no memory for it" },
	{ WORDS_STEP_ATTACH, -EPERM, "it takes CAP_NET_ADMIN" },
	{ WORDS_STEP_DETACH, -EPERM, "it takes CAP_NET_ADMIN" },
	{ WORDS_STEP_READ, -ESTALE,
	  "somebody took our program off; it goes back there, see `bpftool net`" },
	{ WORDS_STEP_CHANGE, -EINVAL,
	  "the card refuses the entry; its sources stay blocked in software" },
};

static const char *reason_of(enum words_step step, int rc)
{
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].step == step && refusals[i].rc == rc)
			return refusals[i].text;
	/* The same at every step. */
	switch (rc) {
	case -ENODEV:
		return "the interface or its card is gone; its rules go on in software, and back to "
		       "the card once it has returned";
	case -EPERM:
		return "it takes CAP_SYS_ADMIN, which sluiced has only while it starts: restart it, "
		       "see sluiced(8)";
	case -EBUSY:
	case -EEXIST:
		return "the card runs a program that is not ours; `bpftool net` shows it, `ip link "
		       "set dev IF xdpoffload off` removes it";
	case -EPROTO:
		return "the card's answer makes no sense; reset the card or reload its driver";
	default:
		return NULL;
	}
}

void words_explain(enum words_step step, int rc, const char *ifname, const char *why,
		   struct sluice_err *err)
{
	const char *reason = reason_of(step, rc);

	if (!err)
		return;
	err->path[0] = '\0';
	snprintf(err->text, sizeof(err->text), "interface '%.15s': cannot %s: %s%s%s%s", ifname,
		 steps[step], why, why[0] ? ": " : "", reason ? "" : strerror(-rc),
		 reason ? reason : "");
}

static bool is_statistics(const char *line)
{
	return line[0] == '\0' || strncmp(line, "processed ", 10) == 0 ||
	       strncmp(line, "verification time ", 18) == 0 ||
	       strncmp(line, "stack depth ", 12) == 0;
}

void words_last(const char *log, char *why, size_t size)
{
	why[0] = '\0';
	while (*log) {
		size_t length = strcspn(log, "\n");
		char line[96];

		snprintf(line, sizeof(line), "%.*s", (int)(length < 95 ? length : 95), log);
		if (!is_statistics(line))
			snprintf(why, size, "%s", line);
		log += length + (log[length] == '\n');
	}
}
