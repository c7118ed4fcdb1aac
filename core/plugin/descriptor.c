/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptor checks, from what never moves (magic, ABI, size) to what a wrong ABI would garble.
 * Strings of a descriptor are printed only after its ABI proved right.
 */
#include "descriptor.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "config/manifest.h"
#include "plugin.h"

#define STRING_MAX 64 /* Longest name, version or license that is looked at. */

/* Frozen: should one of these fire, a member was put elsewhere than at the tail. */
#if UINTPTR_MAX == UINT64_MAX
_Static_assert(DESCRIPTOR_SIZE_1_0 == 56, "ABI 1.0");
_Static_assert(DESCRIPTOR_DETECTOR_OPS_SIZE_1_0 == 40, "ABI 1.0");
_Static_assert(DESCRIPTOR_BACKEND_OPS_SIZE_1_0 == 64, "ABI 1.0");
_Static_assert(offsetof(struct sluice_host, propose) == 56, "ABI 1.0");
_Static_assert(offsetof(struct sluice_host, propose_rule) == 64, "ABI 1.2");
_Static_assert(offsetof(struct sluice_host, list_key) == 112, "ABI 1.3");
_Static_assert(offsetof(struct sluice_window, blocked_size) == 136, "ABI 1.0");
_Static_assert(offsetof(struct sluice_window, port_bins) == 280, "ABI 1.1");
_Static_assert(offsetof(struct sluice_window, rule_size) == 320, "ABI 1.2");
_Static_assert(offsetof(struct sluice_proposal, evidence) == 48, "ABI 1.0");
_Static_assert(offsetof(struct sluice_verdict, evidence) == 24, "ABI 1.0");
_Static_assert(offsetof(struct sluice_backend_caps, update_p99_ns) == 32, "ABI 1.0");
_Static_assert(offsetof(struct sluice_rule_proposal, ttl_ns) == 64, "ABI 1.2");
_Static_assert(DESCRIPTOR_STACK_OPS_SIZE_1_4 == 40, "ABI 1.4");
_Static_assert(offsetof(struct sluice_stack_ops, wake_fd) == 40, "ABI 1.5");
_Static_assert(offsetof(struct sluice_io_ops, send) == 48, "ABI 1.4");
_Static_assert(offsetof(struct sluice_io_ops, met) == 56, "ABI 1.6");
_Static_assert(offsetof(struct sluice_io_link, fills_sums) == 57, "ABI 1.4");
/* And these do not grow at all. */
_Static_assert(sizeof(struct sluice_key) == 24, "embedded");
_Static_assert(sizeof(struct sluice_err) == 352, "filled by the plugin");
_Static_assert(sizeof(struct sluice_rule_match) == 120, "embedded");
_Static_assert(sizeof(struct sluice_backend_rule) == 24, "an array without a stride");
_Static_assert(sizeof(struct sluice_backend_counter) == 48, "an array without a stride");
_Static_assert(sizeof(struct sluice_io_frame) == 24, "filled by the host");
_Static_assert(sizeof(struct sluice_stack_figure) == 48, "an array without a stride");
#endif

int descriptor_check_abi(const char *what, unsigned int major, unsigned int minor,
			 struct sluice_err *err)
{
	if (major == SLUICE_ABI_MAJOR && minor <= SLUICE_ABI_MINOR)
		return 0;
	err_set(err, NULL, "%s is made for plugin ABI %u.%u, this sluiced has %d.%d (-EPROTO); %s",
		what, major, minor, SLUICE_ABI_MAJOR, SLUICE_ABI_MINOR,
		major > SLUICE_ABI_MAJOR || (major == SLUICE_ABI_MAJOR)
			? "update Sluice or use an older build of the plugin"
			: "rebuild the plugin against this version's headers");
	return -EPROTO;
}

static int check_frame(const struct sluice_plugin *descriptor, size_t symbol_size, const char *file,
		       struct sluice_err *err)
{
	int rc;

	if (symbol_size < offsetof(struct sluice_plugin, size) + sizeof(descriptor->size)) {
		err_set(err, NULL,
			"%s: its symbol sluice_plugin is no descriptor: %zu bytes "
			"(-EPROTO); export a const struct sluice_plugin",
			file, symbol_size);
		return -EPROTO;
	}
	if (descriptor->magic != SLUICE_PLUGIN_MAGIC) {
		err_set(err, NULL,
			"%s: its descriptor has magic 0x%08x, not 0x%08x (-EPROTO); "
			"use SLUICE_PLUGIN_MAGIC",
			file, descriptor->magic, SLUICE_PLUGIN_MAGIC);
		return -EPROTO;
	}
	rc = descriptor_check_abi(file, descriptor->abi_major, descriptor->abi_minor, err);
	if (rc != 0)
		return rc;
	if (descriptor->size < DESCRIPTOR_SIZE_1_0 || descriptor->size > symbol_size) {
		err_set(err, NULL,
			"%s: its descriptor claims %zu bytes; ABI 1.0 has %zu and the "
			"symbol %zu (-EPROTO); set size to sizeof(struct sluice_plugin)",
			file, descriptor->size, (size_t)DESCRIPTOR_SIZE_1_0, symbol_size);
		return -EPROTO;
	}
	return 0;
}

static int check_string(const char *field, const char *said, const char *expected, const char *file,
			struct sluice_err *err)
{
	if (said && strncmp(said, expected, STRING_MAX) == 0)
		return 0;
	err_set(err, NULL,
		"%s: its %s is '%.*s', its manifest says '%s' (-EINVAL); install the "
		"object and the manifest of the same build",
		file, field, STRING_MAX, said ? said : "", expected);
	return -EINVAL;
}

static int check_manifest(const struct sluice_plugin *descriptor, const struct manifest *manifest,
			  const char *file, struct sluice_err *err)
{
	int rc;

	if (descriptor->abi_major != manifest_abi_major(manifest) ||
	    descriptor->abi_minor != manifest_abi_minor(manifest)) {
		err_set(err, NULL,
			"%s: its ABI is %u.%u, its manifest says %u.%u (-EINVAL); install "
			"the object and the manifest of the same build",
			file, descriptor->abi_major, descriptor->abi_minor,
			manifest_abi_major(manifest), manifest_abi_minor(manifest));
		return -EINVAL;
	}
	if (descriptor->kind != manifest_kind(manifest)) {
		err_set(err, NULL,
			"%s is a %s (kind %d), its manifest says %s (-EINVAL); install the "
			"object and the manifest of the same build",
			file, plugin_kind_name(descriptor->kind), (int)descriptor->kind,
			plugin_kind_name(manifest_kind(manifest)));
		return -EINVAL;
	}
	rc = check_string("name", descriptor->name, manifest_name(manifest), file, err);
	if (rc == 0)
		rc = check_string("version", descriptor->version, manifest_version(manifest), file,
				  err);
	return rc;
}

static bool detector_is_complete(const struct sluice_detector_ops *ops)
{
	return ops->create && ops->destroy && ops->observe;
}

static bool backend_is_complete(const struct sluice_backend_ops *ops)
{
	return ops->open && ops->close && ops->add && ops->del && ops->list && ops->flush;
}

static bool stack_is_complete(const struct sluice_stack_ops *ops)
{
	return ops->open && ops->close && ops->turn;
}

static bool is_complete(enum sluice_plugin_kind kind, const union descriptor_ops *ops)
{
	switch (kind) {
	case SLUICE_PLUGIN_DETECTOR:
		return detector_is_complete(&ops->detector);
	case SLUICE_PLUGIN_BACKEND:
		return backend_is_complete(&ops->backend);
	case SLUICE_PLUGIN_STACK:
		return stack_is_complete(&ops->stack);
	case SLUICE_PLUGIN_FEATURES:
		break;
	}
	return false;
}

/* By kind: the operations' size here, and the least that a plugin may bring. */
static const struct {
	size_t full, least;
	const char *header;
} kinds[] = {
	[SLUICE_PLUGIN_DETECTOR] = { sizeof(struct sluice_detector_ops),
				     DESCRIPTOR_DETECTOR_OPS_SIZE_1_0, "<sluice/detector.h>" },
	[SLUICE_PLUGIN_BACKEND] = { sizeof(struct sluice_backend_ops),
				    DESCRIPTOR_BACKEND_OPS_SIZE_1_0, "<sluice/backend.h>" },
	[SLUICE_PLUGIN_STACK] = { sizeof(struct sluice_stack_ops), DESCRIPTOR_STACK_OPS_SIZE_1_4,
				  "<sluice/stack.h>" },
};

/* The kind is the manifest's, so it is one that this host loads. */
static int copy_ops(const struct sluice_plugin *descriptor, const char *file,
		    union descriptor_ops *ops, struct sluice_err *err)
{
	size_t full = kinds[descriptor->kind].full, least = kinds[descriptor->kind].least;
	size_t size = 0;

	if (descriptor->ops)
		memcpy(&size, descriptor->ops, sizeof(size)); /* First member of all. */
	if (size < least) {
		err_set(err, NULL,
			"%s: its operations have %zu bytes, the first ABI with a %s has %zu "
			"(-EPROTO); set size to sizeof their structure",
			file, size, plugin_kind_name(descriptor->kind), least);
		return -EPROTO;
	}
	memset(ops, 0, sizeof(*ops));
	memcpy(ops, descriptor->ops, size < full ? size : full);
	if (!is_complete(descriptor->kind, ops)) {
		err_set(err, NULL, "%s lacks an operation that every %s has (-EINVAL); see %s",
			file, plugin_kind_name(descriptor->kind), kinds[descriptor->kind].header);
		return -EINVAL;
	}
	return 0;
}

int descriptor_check(const struct sluice_plugin *descriptor, size_t symbol_size,
		     const struct manifest *manifest, const char *file, union descriptor_ops *ops,
		     struct sluice_err *err)
{
	int rc = check_frame(descriptor, symbol_size, file, err);

	if (rc == 0)
		rc = check_manifest(descriptor, manifest, file, err);
	if (rc == 0)
		rc = copy_ops(descriptor, file, ops, err);
	return rc;
}
