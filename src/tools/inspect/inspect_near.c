/* SPDX-License-Identifier: MIT */
#include <config.h>

#include <stdio.h>
#include <string.h>

#include "tools/inspect/inspect_near.h"

/* The name to which a socket is bound. */
static struct inspect_name get_bound_name(const struct inspect_socket *it)
{
	struct inspect_name name = {
		.is_abstract =
			unixaddr_get_kind(&it->told.addr) == UNIXADDR_ABSTRACT,
		.file = (it->told.has & UNIXDIAG_HAS_FILE) ? &it->told.file
							   : NULL,
	};

	name.bytes = unixaddr_get_name(&it->told.addr, &name.size);
	return name;
}

static bool is_same_file(const struct unixdiag_file *a,
	const struct unixdiag_file *b)
{
	return a != NULL && b != NULL && a->dev == b->dev && a->ino == b->ino;
}

static bool has_same_bytes(const struct inspect_name *a,
	const struct inspect_name *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* True for the name of the request itself. */
static bool is_match(const struct inspect_name *asked,
	const struct inspect_name *bound)
{
	if (asked->is_abstract != bound->is_abstract)
		return false;
	if (asked->is_abstract)
		return has_same_bytes(asked, bound);
	return is_same_file(asked->file, bound->file);
}

static size_t measure_unpadded(const struct inspect_name *name)
{
	size_t size = name->size;

	while (size > 0 && name->bytes[size - 1] == '\0')
		size--;
	return size;
}

static bool is_padded(const struct inspect_name *asked,
	const struct inspect_name *bound, struct inspect_near *near)
{
	size_t size = measure_unpadded(bound);
	bool is_longer = bound->size > asked->size;
	size_t nuls = is_longer ? bound->size - asked->size
				: asked->size - bound->size;

	if (!asked->is_abstract || !bound->is_abstract || size == 0)
		return false;
	if (size != measure_unpadded(asked) ||
		memcmp(asked->bytes, bound->bytes, size) != 0)
		return false;
	snprintf(near->why, sizeof(near->why),
		"the same name %s %zu NUL byte%s%s",
		is_longer ? "with" : "without", nuls, nuls == 1 ? "" : "s",
		bound->size == UNIXMSG_NAME_SIZE_MAX - 1
			? " behind it: its owner pads names to the full size"
			: " behind it");
	return true;
}

static bool is_other_kind(const struct inspect_name *asked,
	const struct inspect_name *bound, struct inspect_near *near)
{
	if (asked->is_abstract == bound->is_abstract ||
		!has_same_bytes(asked, bound))
		return false;
	snprintf(near->why, sizeof(near->why), "%s",
		bound->is_abstract ? "an abstract name, not a path"
				   : "a path, not an abstract name");
	return true;
}

/* Libraries cut at 108, at 107 for a NUL, or at 103 for macOS. */
static bool is_cut_size(size_t size)
{
	return size == 103 || size == 107 || size == 108;
}

static bool is_cut(const struct inspect_name *asked,
	const struct inspect_name *bound, struct inspect_near *near)
{
	if (asked->is_abstract != bound->is_abstract ||
		!is_cut_size(bound->size) || asked->size <= bound->size ||
		memcmp(asked->bytes, bound->bytes, bound->size) != 0)
		return false;
	snprintf(near->why, sizeof(near->why),
		"the same name cut to %zu bytes: its owner has silently "
		"shortened it",
		bound->size);
	return true;
}

static bool is_replaced(const struct inspect_name *asked,
	const struct inspect_name *bound, struct inspect_near *near)
{
	if (asked->is_abstract || bound->is_abstract ||
		!has_same_bytes(asked, bound))
		return false;
	snprintf(near->why, sizeof(near->why),
		"bound to this path, but to another file: removed or replaced "
		"since, or another mount namespace's");
	return true;
}

static bool is_relative(const struct inspect_name *asked,
	const struct inspect_name *bound, struct inspect_near *near)
{
	const char *tail = bound->bytes;
	size_t size = bound->size;

	if (asked->is_abstract || bound->is_abstract || tail[0] == '/')
		return false;
	while (size > 2 && memcmp(tail, "./", 2) == 0) {
		tail += 2;
		size -= 2;
	}
	if (asked->size <= size ||
		asked->bytes[asked->size - size - 1] != '/' ||
		memcmp(asked->bytes + asked->size - size, tail, size) != 0)
		return false;
	snprintf(near->why, sizeof(near->why),
		"bound by a relative path, in some other directory");
	return true;
}

static bool is_near(const struct inspect_name *asked,
	const struct inspect_name *bound, struct inspect_near *near)
{
	if (is_match(asked, bound))
		return false;
	return is_padded(asked, bound, near) ||
		is_other_kind(asked, bound, near) ||
		is_cut(asked, bound, near) || is_replaced(asked, bound, near) ||
		is_relative(asked, bound, near);
}

void inspect_nears_find(struct inspect_nears *nears,
	const struct inspect_snapshot *snapshot,
	const struct inspect_name *asked)
{
	struct inspect_name bound;
	size_t i;

	nears->count = 0;
	for (i = 0; i < snapshot->names_count; i++) {
		const struct inspect_socket *it = snapshot->names[i];

		if (inspect_socket_is_accepted(it))
			continue;
		bound = get_bound_name(it);
		if (!is_near(asked, &bound, &nears->near[nears->count]))
			continue;
		nears->near[nears->count++].socket = it;
		if (nears->count == INSPECT_NEARS_MOST)
			return;
	}
}
