/* SPDX-License-Identifier: BSD-2-Clause */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "content.h"

static void write_file(const char *folder, const char *name, size_t size)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	cr_assert_not_null(file);
	for (size_t i = 0; i < size; i++)
		fputc('a' + (int)(i % 26), file);
	cr_assert_eq(fclose(file), 0);
}

static void clear(const char *folder, const char *const *names, size_t n)
{
	char path[512];

	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		cr_assert_eq(remove(path), 0, "%s", path);
	}
	cr_assert_eq(rmdir(folder), 0);
}

Test(content, serves_the_plain_files_of_a_folder)
{
	static const char *const names[] = { "64.txt", "index.html", "empty", "link", "sub" };
	char folder[] = "/tmp/sluice-content-XXXXXX", path[512];
	struct sluice_err err = { .text = "" };
	struct content_file file;
	struct content content;

	cr_assert_not_null(mkdtemp(folder));
	write_file(folder, "64.txt", 64);
	write_file(folder, "index.html", 10);
	write_file(folder, "empty", 0);
	snprintf(path, sizeof(path), "%s/link", folder);
	cr_assert_eq(symlink("/etc/passwd", path), 0);
	snprintf(path, sizeof(path), "%s/sub", folder);
	cr_assert_eq(mkdir(path, 0755), 0);

	cr_assert_eq(content_init(&content, folder, 100, &err), 0, "%s", err.text);
	cr_assert_eq(content.n_files, 3);
	cr_assert(content_find(&content, "/64.txt", &file));
	cr_assert_eq(file.size, 64);
	cr_assert_str_eq(file.type, "text/plain");
	cr_assert_arr_eq(file.bytes, "abcdefghijklmnopqrstuvwxyzab", 28);
	cr_assert_gt(file.modified, 0);
	snprintf(path, sizeof(path), "\"%llx-40\"", (unsigned long long)file.modified);
	cr_assert_str_eq(file.tag, path);
	cr_assert(content_find(&content, "/", &file));
	cr_assert_str_eq(file.type, "text/html");
	cr_assert(content_find(&content, "/empty", &file));
	cr_assert_eq(file.size, 0);
	cr_assert_not(content_find(&content, "/link", &file));
	cr_assert_not(content_find(&content, "/sub", &file));
	cr_assert_not(content_find(&content, "/../etc/passwd", &file));
	cr_assert_not(content_find(&content, "64.txt", &file));
	content_fini(&content);
	clear(folder, names, 5);
}

Test(content, says_why_a_folder_cannot_be_served)
{
	static const char *const names[] = { "large" };
	char folder[] = "/tmp/sluice-content-XXXXXX";
	struct sluice_err err = { .text = "" };
	struct content content;

	cr_assert_eq(content_init(&content, "/nowhere", 0, &err), -ENOENT);
	cr_assert_str_eq(err.text,
			 "'/nowhere': cannot open the folder of files: No such file or directory");
	cr_assert_not_null(mkdtemp(folder));
	write_file(folder, "large", CONTENT_FILE_MAX + 1);
	cr_assert_eq(content_init(&content, folder, 0, &err), -EFBIG);
	cr_assert_not_null(strstr(err.text, "'large': longer than 1 MiB"));
	clear(folder, names, 1);
}

Test(content, numbers_are_bounded)
{
	struct content_file file;
	struct content content;
	struct sluice_err err;

	cr_assert_eq(content_init(&content, NULL, 800, &err), 0);
	cr_assert(content_find(&content, "/bytes/64", &file));
	cr_assert_eq(file.size, 64);
	cr_assert_eq(file.modified, 0);
	cr_assert_str_eq(file.tag, "");
	cr_assert(content_find(&content, "/bytes/1048576", &file));
	cr_assert_not(content_find(&content, "/bytes/1048577", &file));
	cr_assert_not(content_find(&content, "/bytes/0", &file));
	cr_assert_not(content_find(&content, "/bytes/", &file));
	cr_assert_not(content_find(&content, "/bytes/64x", &file));
	cr_assert_not(content_find(&content, "/bytes/-1", &file));
	cr_assert_not(content_find(&content, "/bytes/99999999999999999999", &file));
	cr_assert_eq(content_prime_of(&content, "/prime/800"), 800);
	cr_assert_eq(content_prime_of(&content, "/prime/801"), 0);
	cr_assert_eq(content_prime_of(&content, "/prime/x"), 0);
	content_fini(&content);
}

Test(content, primes_are_all_there)
{
	char text[CONTENT_PRIME_SIZE];
	size_t size, lines = 0;

	cr_assert_eq(content_primes(2, text), 0);
	size = content_primes(12, text);
	cr_assert_eq(size, strlen("2\n3\n5\n7\n11\n"));
	cr_assert_arr_eq(text, "2\n3\n5\n7\n11\n", size);
	/* There are 1229 primes below 10000. */
	size = content_primes(CONTENT_PRIME_LIMIT, text);
	for (size_t i = 0; i < size; i++)
		lines += text[i] == '\n';
	cr_assert_eq(lines, 1229);
	cr_assert_arr_eq(text + size - 5, "9973\n", 5);
}
