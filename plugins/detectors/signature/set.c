/* SPDX-License-Identifier: BSD-2-Clause */
/* See set.h. */
#include "set.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int signature_set_init(struct signature_set *set)
{
	set->n = 0;
	set->list = calloc(SIGNATURE_MAX, sizeof(*set->list));
	return set->list ? 0 : -ENOMEM;
}

void signature_set_fini(struct signature_set *set)
{
	free(set->list);
	set->list = NULL;
	set->n = 0;
}

int signature_set_find(const struct signature_set *set, const char *name, size_t size)
{
	for (size_t i = 0; i < set->n; i++)
		if (strncmp(set->list[i].name, name, size) == 0)
			return (int)i;
	return -1;
}

int signature_set_add(struct signature_set *set, const struct signature *signature,
		      const char *where, struct sluice_err *err)
{
	if (signature_set_find(set, signature->name, sizeof(signature->name)) >= 0) {
		snprintf(err->text, sizeof(err->text),
			 "%s: there is a signature '%s' already; give this one another name", where,
			 signature->name);
		return -EEXIST;
	}
	if (set->n == SIGNATURE_MAX) {
		snprintf(err->text, sizeof(err->text),
			 "%s: more than %d signatures; leave some out", where, SIGNATURE_MAX);
		return -ENOSPC;
	}
	set->list[set->n++] = *signature;
	return 0;
}

bool signature_set_drop(struct signature_set *set, const char *name)
{
	int at = signature_set_find(set, name, SIGNATURE_NAME_SIZE);

	if (at < 0)
		return false;
	set->n--;
	memmove(&set->list[at], &set->list[at + 1], (set->n - (size_t)at) * sizeof(set->list[at]));
	return true;
}

/* The whole of a regular file of bounded size; NUL-terminated. */
static int slurp(const char *path, char **out, size_t *size, struct sluice_err *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), code = 0;
	struct stat stat;
	char *text = NULL;
	ssize_t n = 0;

	if (fd < 0 || fstat(fd, &stat)) {
		code = -errno;
	} else if (!S_ISREG(stat.st_mode) || stat.st_size > (off_t)SIGNATURE_FILE_MAX) {
		code = -EFBIG;
	} else {
		text = malloc((size_t)stat.st_size + 1);
		n = text ? read(fd, text, (size_t)stat.st_size) : -1;
		code = n < 0 ? (text ? -errno : -ENOMEM) : 0;
	}
	if (fd >= 0)
		close(fd);
	if (code) {
		snprintf(err->text, sizeof(err->text), "cannot read '%.160s': %s", path,
			 code == -EFBIG ? "not a regular file of at most 1 MiB" : strerror(-code));
		free(text);
		return code;
	}
	text[n] = '\0';
	*out = text;
	*size = (size_t)n;
	return 0;
}

int signature_set_read(struct signature_set *set, const char *path, size_t *left_out,
		       struct sluice_err *err)
{
	const char *base = strrchr(path, '/'), *suffix = strrchr(path, '.');
	size_t n_before = set->n, size;
	char *text;
	int code = slurp(path, &text, &size, err);

	*left_out = 0;
	if (code)
		return code;
	base = base ? base + 1 : path;
	if (suffix && strcmp(suffix, ".json") == 0)
		code = signature_set_import(set, text, size, base, left_out, err);
	else
		code = signature_set_parse(set, text, size, base, err);
	if (code)
		set->n = n_before;
	free(text);
	return code;
}
