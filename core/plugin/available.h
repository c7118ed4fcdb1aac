/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which plugins a folder offers, for the message that one is missing.
 */
#ifndef SLUICE_PLUGIN_AVAILABLE_H
#define SLUICE_PLUGIN_AVAILABLE_H

#include <stddef.h>

/*
 * Writes a clause for people into `text`: "did you mean 'entropy'?", or what is there, or that
 * nothing is.  Reads names only; looks into no file.
 */
void available_describe(int folder_fd, const char *name, char *text, size_t size);

/* The names themselves, sorted; returns how many. */
size_t available_names(int folder_fd, char names[64][32]);

#endif /* SLUICE_PLUGIN_AVAILABLE_H */
