/* SPDX-License-Identifier: BSD-2-Clause */
#include "content.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail(struct sluice_err *err, const char *name, const char *what, int rc)
{
	if (err)
		snprintf(err->text, sizeof(err->text), "'%s': %s: %s", name, what, strerror(-rc));
	return rc;
}

/* As in the mime.types that comes with nginx, of which these are the usual ones. */
static const char *type_of(const char *name)
{
	static const struct {
		const char *suffix, *type;
	} types[] = {
		{ "html", "text/html" },
		{ "htm", "text/html" },
		{ "shtml", "text/html" },
		{ "css", "text/css" },
		{ "xml", "text/xml" },
		{ "gif", "image/gif" },
		{ "jpeg", "image/jpeg" },
		{ "jpg", "image/jpeg" },
		{ "js", "application/javascript" },
		{ "txt", "text/plain" },
		{ "png", "image/png" },
		{ "svg", "image/svg+xml" },
		{ "svgz", "image/svg+xml" },
		{ "tif", "image/tiff" },
		{ "tiff", "image/tiff" },
		{ "webp", "image/webp" },
		{ "avif", "image/avif" },
		{ "ico", "image/x-icon" },
		{ "woff", "font/woff" },
		{ "woff2", "font/woff2" },
		{ "json", "application/json" },
		{ "pdf", "application/pdf" },
		{ "wasm", "application/wasm" },
		{ "zip", "application/zip" },
		{ "mp3", "audio/mpeg" },
		{ "mp4", "video/mp4" },
		{ "webm", "video/webm" },
	};
	const char *suffix = strrchr(name, '.');

	for (size_t i = 0; suffix && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcasecmp(suffix + 1, types[i].suffix) == 0)
			return types[i].type;
	return "application/octet-stream";
}

/* The same tag as nginx's, so that both can serve one site. */
static void set_validators(struct content_file *file, time_t modified)
{
	file->modified = modified;
	snprintf(file->tag, sizeof(file->tag), "\"%llx-%zx\"", (unsigned long long)modified,
		 file->size);
	http_date_format(modified, file->modified_text);
}

static int read_all(int fd, uint8_t *bytes, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t n = read(fd, bytes + done, size - done);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -EIO; /* It became shorter meanwhile. */
		if (n > 0)
			done += (size_t)n;
	}
	return 0;
}

/* 1: taken, 0: no plain file. */
static int load(struct content_file *file, int folder, const char *name, struct sluice_err *err)
{
	uint8_t *bytes = NULL;
	struct stat st;
	int fd, rc = 0;

	fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return errno == ELOOP ? 0 : fail(err, name, "cannot open it", -errno);
	if (fstat(fd, &st) != 0)
		rc = fail(err, name, "cannot read it", -errno);
	else if (!S_ISREG(st.st_mode))
		goto out;
	else if (st.st_size > CONTENT_FILE_MAX || strlen(name) >= CONTENT_NAME_MAX)
		rc = fail(err, name, "longer than 1 MiB, or its name than 126 bytes", -EFBIG);
	if (rc)
		goto out;
	bytes = malloc(st.st_size ? (size_t)st.st_size : 1);
	rc = bytes ? read_all(fd, bytes, (size_t)st.st_size) : -ENOMEM;
	if (rc) {
		free(bytes);
		rc = fail(err, name, "cannot read it", rc);
		goto out;
	}
	snprintf(file->name, sizeof(file->name), "/%s", name);
	file->type = type_of(name);
	file->bytes = bytes;
	file->size = (size_t)st.st_size;
	set_validators(file, st.st_mtime);
	rc = 1;
out:
	close(fd);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct content_file *)a)->name,
		      ((const struct content_file *)b)->name);
}

static int load_folder(struct content *content, const char *root, struct sluice_err *err)
{
	DIR *folder = opendir(root);
	struct dirent *entry;
	int rc = 0;

	if (!folder)
		return fail(err, root, "cannot open the folder of files", -errno);
	while (rc >= 0 && (entry = readdir(folder))) {
		if (entry->d_name[0] == '.')
			continue;
		if (content->n_files == CONTENT_FILES_MAX) {
			rc = fail(err, root, "it has more than 256 files", -E2BIG);
			break;
		}
		rc = load(&content->files[content->n_files], dirfd(folder), entry->d_name, err);
		content->n_files += rc > 0;
	}
	closedir(folder);
	qsort(content->files, content->n_files, sizeof(*content->files), by_name);
	return rc < 0 ? rc : 0;
}

int content_init(struct content *content, const char *root, unsigned int prime_limit,
		 struct sluice_err *err)
{
	int rc = 0;

	memset(content, 0, sizeof(*content));
	content->prime_limit = prime_limit < CONTENT_PRIME_LIMIT ? prime_limit
								 : CONTENT_PRIME_LIMIT;
	content->files = calloc(CONTENT_FILES_MAX, sizeof(*content->files));
	content->filler = malloc(CONTENT_FILE_MAX);
	if (!content->files || !content->filler) {
		content_fini(content);
		return -ENOMEM;
	}
	for (size_t i = 0; i < CONTENT_FILE_MAX; i++)
		content->filler[i] = i % 64 == 63 ? '\n' : (uint8_t)('0' + i % 64);
	if (root)
		rc = load_folder(content, root, err);
	if (rc)
		content_fini(content);
	return rc;
}

void content_fini(struct content *content)
{
	for (size_t i = 0; content->files && i < content->n_files; i++)
		free((void *)(uintptr_t)content->files[i].bytes);
	free(content->files);
	free(content->filler);
	memset(content, 0, sizeof(*content));
}

/* The number behind `prefix`; -1: another path, or no number from 1 to `limit`. */
static long number_behind(const char *path, const char *prefix, long limit)
{
	size_t len = strlen(prefix);
	char *end;
	long value;

	if (strncmp(path, prefix, len) != 0 || path[len] < '1' || path[len] > '9' ||
	    strlen(path + len) > 8)
		return -1;
	value = strtol(path + len, &end, 10);
	return *end || value > limit ? -1 : value;
}

bool content_find(const struct content *content, const char *path, struct content_file *file)
{
	struct content_file wanted;
	const struct content_file *found;
	long size = number_behind(path, "/bytes/", CONTENT_FILE_MAX);

	if (size > 0) {
		*file = (struct content_file){ .type = "text/plain",
					       .bytes = content->filler,
					       .size = (size_t)size };
		return true;
	}
	if (strlen(path) > CONTENT_NAME_MAX)
		return false;
	strcpy(wanted.name, strcmp(path, "/") == 0 ? "/index.html" : path);
	found = bsearch(&wanted, content->files, content->n_files, sizeof(*found), by_name);
	if (found)
		*file = *found;
	return found != NULL;
}

unsigned int content_prime_of(const struct content *content, const char *path)
{
	long limit = number_behind(path, "/prime/", content->prime_limit);

	return limit > 0 ? (unsigned int)limit : 0;
}

static bool is_prime(unsigned int number)
{
	/* The long way on purpose: this stands for an application that computes. */
	for (unsigned int divisor = 2; divisor < number; divisor++)
		if (number % divisor == 0)
			return false;
	return number > 1;
}

size_t content_primes(unsigned int limit, char *text)
{
	size_t size = 0;

	for (unsigned int number = 2; number < limit; number++) {
		char digits[8];
		unsigned int rest = number;
		size_t n = 0;

		if (!is_prime(number))
			continue;
		for (; rest; rest /= 10)
			digits[n++] = (char)('0' + rest % 10);
		if (size + n + 1 > CONTENT_PRIME_SIZE)
			break;
		while (n)
			text[size++] = digits[--n];
		text[size++] = '\n';
	}
	return size;
}
