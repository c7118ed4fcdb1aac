/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The filter on one interface: a bpf_link pinned under the data plane's folder, which outlives the
 * daemon.  A new daemon replaces the program behind the link, so there is no moment without one.
 */
#ifndef SLUICE_DATAPLANE_ATTACHMENT_H
#define SLUICE_DATAPLANE_ATTACHMENT_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "dataplane.h"

/* What a pinned link is called: this, and the interface. */
#define ATTACHMENT_LINK_PREFIX "link_"

struct attachment {
	char name[IFNAMSIZ];
	unsigned int ifindex;
	int link_fd; /* -1 if not open. */
	enum dataplane_mode mode;
	bool lost;   /* Reported already: gone or detached. */
	bool gone;   /* The interface was deleted. */
	bool fresh;  /* Made by this call, not adopted. */
	bool shared; /* Through libxdp's dispatcher: no link of ours, but this component. */
	uint32_t component;
	char pin[256];
	/* Of a deleted interface that is back and does not take the filter: */
	uint64_t retry_ns; /* When it is tried again, monotonic; 0: at once. */
	uint64_t delay_ns; /* How long that was put off. */
	unsigned int n_failed;
};

struct attachment_options {
	const char *folder;
	int prog_fd;
	int old_prog_fd; /* The program that the last daemon pinned, or -1. */
	bool shared;
	uint32_t priority;
};

/* Attaches the program, or puts it behind the link that is pinned already. */
int attachment_open(struct attachment *attachment, const struct dataplane_interface *interface,
		    const struct attachment_options *options, struct sluice_err *err)
	__attribute__((warn_unused_result));
/* Leaves the link pinned. */
void attachment_close(struct attachment *attachment);
/* Takes a fresh attachment back; leaves an adopted one. */
void attachment_undo(struct attachment *attachment);

/* Whether a name in the data plane's folder is an attachment's pin; and taking that one off. */
bool attachment_is(const char *name);
int attachment_remove(const char *folder, const char *name, struct sluice_err *err);

/*
 * Detaches the filter from interfaces that an earlier daemon had and `kept` does not list: their
 * pinned links would drop by a blocklist that nobody tells them of.
 */
void attachment_prune(const char *folder, const struct attachment *kept, size_t n);

/* True once, when the link has lost its interface. */
bool attachment_check(struct attachment *attachment, enum dataplane_event_kind *kind);

/* True if attachments of one sort, alone or shared, are pinned in the folder. */
bool attachment_any(const char *folder, bool shared);

/*
 * Attaches again to a deleted interface when one by its name is there.  True when there is something
 * to tell: it has the filter again, or, once, it cannot have it, with the reason in `err`.  Then it is
 * tried again after times that double from a second to a minute.
 */
bool attachment_return(struct attachment *attachment, const struct attachment_options *options,
		       enum dataplane_event_kind *kind, struct sluice_err *err);

#endif /* SLUICE_DATAPLANE_ATTACHMENT_H */
