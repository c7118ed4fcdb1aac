/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A window with its arrays in memory of its own.  Detectors on threads of their own look at such a
 * copy, for one that does not come back goes on reading while the engine has moved on.
 */
#ifndef SLUICE_ENGINE_WINDOW_COPY_H
#define SLUICE_ENGINE_WINDOW_COPY_H

struct sluice_window;
struct window_copy;

/*
 * Copies `window` into `*copy`, whose memory is used again if nobody else holds it; else, or if it
 * is NULL, a new one takes its place.  -ENOMEM: `*copy` is NULL.
 */
int window_copy_make(struct window_copy **copy, const struct sluice_window *window)
	__attribute__((warn_unused_result));
/* Any thread.  The copy is freed when the last holder drops it; its maker is one of them. */
struct window_copy *window_copy_hold(struct window_copy *copy);
/* NULL is a no-op. */
void window_copy_drop(struct window_copy *copy);

/* Valid, and unchanged, for as long as the copy is held. */
const struct sluice_window *window_copy_view(const struct window_copy *copy);

#endif /* SLUICE_ENGINE_WINDOW_COPY_H */
