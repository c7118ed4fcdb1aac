/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the formats of strings allow, and numbers as YAML writes them.
 */
#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#include "schema_tree.h"

static const char *const format_names[] = {
	[SCHEMA_FORMAT_COUNT] = "count",       [SCHEMA_FORMAT_DURATION] = "duration",
	[SCHEMA_FORMAT_RATE] = "rate",	       [SCHEMA_FORMAT_BITS] = "bits",
	[SCHEMA_FORMAT_BYTES] = "bytes",       [SCHEMA_FORMAT_ADDRESS] = "address",
	[SCHEMA_FORMAT_PREFIX] = "prefix",     [SCHEMA_FORMAT_INTERFACE] = "interface",
	[SCHEMA_FORMAT_PATH] = "path",	       [SCHEMA_FORMAT_NAME] = "name",
	[SCHEMA_FORMAT_ENDPOINT] = "endpoint", [SCHEMA_FORMAT_VERSION] = "version",
	[SCHEMA_FORMAT_ABI] = "abi",
};

int schema_format_parse(const char *name, enum schema_format *format)
{
	for (size_t i = 0; i < sizeof(format_names) / sizeof(format_names[0]); i++) {
		if (!strcmp(format_names[i], name)) {
			*format = (enum schema_format)i;
			return 0;
		}
	}
	return -EINVAL;
}

/* As the kernel's dev_valid_name(). */
static int interface_check(const char *text, struct sluice_err *err)
{
	if (strlen(text) >= IFNAMSIZ) {
		err_set(err, NULL, "'%.64s' is longer than the %d characters of an interface name",
			text, IFNAMSIZ - 1);
		return -EINVAL;
	}
	if (!*text || !strcmp(text, ".") || !strcmp(text, "..") || strpbrk(text, "/: \t\n\v\f\r")) {
		err_set(err, NULL, "'%s' is not the name of a network interface", text);
		return -EINVAL;
	}
	return 0;
}

static int path_check(const char *text, struct sluice_err *err)
{
	if (text[0] != '/') {
		err_set(err, NULL, "'%.64s' is not an absolute path; begin with '/'", text);
		return -EINVAL;
	}
	return 0;
}

/* Names become parts of paths, so nothing in them may lead anywhere else. */
static int name_check(const char *text, struct sluice_err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz";

	if (!*text || !strchr(letters, text[0]) ||
	    text[strspn(text, "abcdefghijklmnopqrstuvwxyz0123456789_-")]) {
		err_set(err, NULL,
			"'%.64s' is not a name of a-z, 0-9, _ and -, with a letter first", text);
		return -EINVAL;
	}
	return 0;
}

static int endpoint_check(const char *text, struct sluice_err *err)
{
	char host[INET6_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;
	bool bracketed = len >= 2 && text[0] == '[' && text[len - 1] == ']';
	unsigned char addr[16];
	uint64_t port;

	if (!colon || colon[1 + strspn(colon + 1, "0123456789")] ||
	    schema_integer_parse(colon + 1, &port) || !port || port > 65535)
		goto refuse;
	if (bracketed)
		len -= 2;
	if (len >= sizeof(host))
		goto refuse;
	memcpy(host, text + bracketed, len);
	host[len] = '\0';
	if (inet_pton(bracketed ? AF_INET6 : AF_INET, host, addr) != 1)
		goto refuse;
	return 0;
refuse:
	err_set(err, NULL,
		"'%.64s' is not an address and port such as 127.0.0.1:9815 or [::1]:9815", text);
	return -EINVAL;
}

/* Numbers with dots between them: `least` to `most` of them. */
static int dotted_check(const char *text, unsigned int least, unsigned int most, const char *sample,
			struct sluice_err *err)
{
	const char *c = text;
	unsigned int parts = 0;

	while (isdigit((unsigned char)*c)) {
		size_t len = strspn(c, "0123456789");

		parts++;
		if (len > 5)
			break;
		c += len;
		if (*c != '.')
			break;
		c++;
	}
	if (!*c && c > text && c[-1] != '.' && parts >= least && parts <= most)
		return 0;
	err_set(err, NULL, "'%.64s' is not a version such as %s", text, sample);
	return -EINVAL;
}

int schema_format_check(enum schema_format format, const char *text, struct sluice_err *err)
{
	switch (format) {
	case SCHEMA_FORMAT_INTERFACE:
		return interface_check(text, err);
	case SCHEMA_FORMAT_PATH:
		return path_check(text, err);
	case SCHEMA_FORMAT_NAME:
		return name_check(text, err);
	case SCHEMA_FORMAT_ENDPOINT:
		return endpoint_check(text, err);
	case SCHEMA_FORMAT_VERSION:
		return dotted_check(text, 2, 3, "1.4 or 1.4.2", err);
	case SCHEMA_FORMAT_ABI:
		return dotted_check(text, 2, 2, "1.0", err);
	default:
		return 0;
	}
}

int schema_integer_parse(const char *text, uint64_t *value)
{
	bool negative = *text == '-';
	int base = 10;
	char *end;

	if (*text == '-' || *text == '+') {
		text++;
	} else if (!strncmp(text, "0x", 2) || !strncmp(text, "0o", 2)) {
		base = text[1] == 'x' ? 16 : 8;
		text += 2;
	}
	/* strtoull() itself would take a sign, white space and "0x" once more. */
	if (!isxdigit((unsigned char)*text) || (base == 16 && text[1] == 'x'))
		return -EINVAL;
	errno = 0;
	*value = strtoull(text, &end, base);
	if (*end)
		return -EINVAL;
	return errno == ERANGE || (negative && *value) ? -ERANGE : 0;
}

int schema_real_parse(const char *text, double *value)
{
	char *end;

	*value = strtod(text, &end);
	return end == text || *end || !isfinite(*value) ? -EINVAL : 0;
}

static int bound_refuse(const struct config_node *node, const char *key,
			struct config_errors *errors, const char *reason)
{
	config_errors_add_at(errors, node, key, "%s", reason);
	return -EINVAL;
}

int schema_bound_parse(const struct schema_node *schema, const struct config_node *node,
		       const char *key, struct schema_bound *bound, struct config_errors *errors)
{
	const char *text = config_node_text(node);
	struct sluice_err err = { 0 };

	if (!text)
		return bound_refuse(node, key, errors, "a bound is one number");
	if (schema->types & (SCHEMA_TYPE_OBJECT | SCHEMA_TYPE_ARRAY | SCHEMA_TYPE_BOOLEAN))
		return bound_refuse(node, key, errors, "only numbers have bounds");
	if (schema_format_is_quantity(schema->format)) {
		if (quantity_parse((enum quantity_kind)schema->format, text, &bound->number, &err))
			return bound_refuse(node, key, errors, err.text);
	} else if (schema->types & SCHEMA_TYPE_NUMBER) {
		if (schema_real_parse(text, &bound->real))
			return bound_refuse(node, key, errors, "is not a number");
	} else if (schema->types & SCHEMA_TYPE_INTEGER) {
		if (schema_integer_parse(text, &bound->number))
			return bound_refuse(node, key, errors, "is not an integer of at least 0");
	} else {
		return bound_refuse(node, key, errors, "only numbers have bounds");
	}
	bound->set = true;
	return 0;
}
