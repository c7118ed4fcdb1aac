/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a loaded object says about itself, against what its manifest said before it was loaded.
 * Pure: sees only memory, so that it can be tested without shared objects.
 */
#ifndef SLUICE_PLUGIN_DESCRIPTOR_H
#define SLUICE_PLUGIN_DESCRIPTOR_H

#include <stddef.h>

#include <sluice/backend.h>
#include <sluice/detector.h>
#include <sluice/plugin.h>
#include <sluice/stack.h>

struct manifest;

/* Sizes as of the ABI in the name: the least that a plugin may bring.  They never change. */
#define DESCRIPTOR_SIZE_1_0 (offsetof(struct sluice_plugin, ops) + sizeof(void *))
#define DESCRIPTOR_DETECTOR_OPS_SIZE_1_0 \
	(offsetof(struct sluice_detector_ops, reconfigure) + sizeof(void (*)(void)))
#define DESCRIPTOR_BACKEND_OPS_SIZE_1_0 \
	(offsetof(struct sluice_backend_ops, flush) + sizeof(void (*)(void)))

#define DESCRIPTOR_STACK_OPS_SIZE_1_4 \
	(offsetof(struct sluice_stack_ops, figures) + sizeof(void (*)(void)))

union descriptor_ops {
	struct sluice_detector_ops detector;
	struct sluice_backend_ops backend;
	struct sluice_stack_ops stack;
};

/* 0, or -EPROTO if a plugin of this ABI cannot run here; `what` is the manifest or the object. */
int descriptor_check_abi(const char *what, unsigned int major, unsigned int minor,
			 struct sluice_err *err) __attribute__((warn_unused_result));

/*
 * Checks `descriptor`, of which `symbol_size` bytes may be read, and copies its operations to
 * `ops`, with NULL for members that it is too short to have.  -EPROTO: no descriptor, or one of
 * another ABI; -EINVAL: it contradicts itself or the manifest.  `file` names it in messages.
 */
int descriptor_check(const struct sluice_plugin *descriptor, size_t symbol_size,
		     const struct manifest *manifest, const char *file, union descriptor_ops *ops,
		     struct sluice_err *err) __attribute__((warn_unused_result));

#endif /* SLUICE_PLUGIN_DESCRIPTOR_H */
