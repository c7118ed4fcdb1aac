/* SPDX-License-Identifier: BSD-2-Clause */
/* A pinned BPF link, which holds its program on an interface for as long as the pin is there. */
#ifndef SLUICE_DATAPLANE_PINNED_LINK_H
#define SLUICE_DATAPLANE_PINNED_LINK_H

/* The program is off its interface when this returns, and the pin is gone. */
int pinned_link_remove(const char *pin);

/*
 * An interface that was renamed while no daemon ran keeps its links, and its pins get its new name:
 * PREFIX_NAME, as pin_name.h spells it.  What is no link on an interface is left alone.
 */
void pinned_link_follow(const char *folder);

#endif /* SLUICE_DATAPLANE_PINNED_LINK_H */
