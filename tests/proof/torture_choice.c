/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "proof/torture_choice.h"

bool torture_is_all_wanted(void)
{
	const char *extent = getenv("TORTURE");

	return extent != NULL && strcmp(extent, "all") == 0;
}

bool torture_is_scene_wanted(const char *name)
{
	const char *part = getenv("TORTURE_SCENE");

	return part == NULL || strstr(name, part) != NULL;
}

static unsigned int get_seed(void)
{
	const char *seed = getenv("TORTURE_SEED");

	if (seed != NULL)
		return (unsigned int)strtoul(seed, NULL, 10);
	return 1;
}

static void swap(char *one, char *other, size_t size)
{
	char byte;

	for (; size > 0; size--) {
		byte = *one;
		*one++ = *other;
		*other++ = byte;
	}
}

size_t torture_choose(void *rounds, size_t count, size_t size, size_t some,
	unsigned int salt)
{
	unsigned int seed = get_seed() * 1000 + salt;
	char *round = rounds;
	size_t i;

	if (torture_is_all_wanted() || count <= some)
		return count;
	for (i = 0; i < some; i++) {
		swap(round, round + (size_t)rand_r(&seed) % (count - i) * size,
			size);
		round += size;
	}
	return some;
}

void torture_tell_totals(const char *line)
{
	const char *path = getenv("TORTURE_RESULT");
	FILE *file;

	puts(line);
	if (!torture_is_all_wanted())
		printf("TORTURE_SEED=%u makes the same choice\n", get_seed());
	if (path == NULL || (file = fopen(path, "ae")) == NULL)
		return;
	fprintf(file, "%s\n", line);
	fclose(file);
}
