/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main() for a fuzz target without libFuzzer: runs it once on every file of the given folders, and
 * on every shorter beginning of each.
 */
#include <ftw.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_SIZE (64 * 1024)
#define MAX_OPEN_FOLDERS 8
#define MAX_BEGINNINGS 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* nftw() hands no context to its callback. */
static unsigned long inputs;

/* A copy of just the right size, so that a sanitizer notices a read beyond it. */
static int run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		return -1;
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	inputs++;
	return 0;
}

static int replay(const char *path, const struct stat *status, int type, struct FTW *walk)
{
	static uint8_t data[MAX_SIZE];
	size_t size, step;
	FILE *file;

	(void)status;
	(void)walk;
	if (type != FTW_F)
		return 0;
	file = fopen(path, "rb");
	if (!file)
		return -1;
	size = fread(data, 1, sizeof(data), file);
	fclose(file);
	step = size / MAX_BEGINNINGS + 1;
	for (size_t cut = 0; cut < size; cut += step)
		if (run(data, cut))
			return -1;
	return run(data, size);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (nftw(argv[i], replay, MAX_OPEN_FOLDERS, FTW_PHYS)) {
			fprintf(stderr, "%s: cannot be read\n", argv[i]);
			return 1;
		}
	}
	printf("%lu inputs\n", inputs);
	return inputs ? 0 : 1;
}
