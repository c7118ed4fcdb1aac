/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One daemon at a time: locks on the folder of pinned objects and on a file beside the control
 * socket.  The kernel lets go of them when the process ends, however it ends.
 */
#ifndef SLUICE_SLUICED_LOCK_H
#define SLUICE_SLUICED_LOCK_H

#include <stdbool.h>

#include <sluice/plugin.h>

struct lock;

/*
 * Locks both; makes the folders that are missing.  -EBUSY: another process holds one, and `err`
 * names it.  On failure nothing that was made is left.
 */
int lock_take(const char *pin_path, const char *socket, struct lock **out, struct sluice_err *err)
	__attribute__((warn_unused_result));
/*
 * Lets go.  Removes the pin folder if lock_take() made it and it is empty, as after a start that
 * failed.  NULL is a no-op.
 */
void lock_release(struct lock *lock);

/* True if a daemon holds `pin_path` now; `*pid` gets its number, 0 if it cannot be told. */
bool lock_is_held(const char *pin_path, int *pid);

#endif /* SLUICE_SLUICED_LOCK_H */
