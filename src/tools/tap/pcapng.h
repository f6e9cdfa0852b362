/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PCAPNG_H
#define UNIXMSG_TOOLS_PCAPNG_H

/*
 * Recordings in the format pcapng, which Wireshark and tshark open without a
 * plug-in: each event is a packet of the link type 252 (Wireshark upper PDU),
 * with a comment that names its connection and direction. All numbers of the
 * blocks are little-endian, times have nanoseconds.
 */

#include <stdint.h>
#include <stdio.h>

#include "tools/tap/event.h"

/* Room for a network's name and a NUL. */
enum { PCAPNG_NETWORK_SIZE = 16 };

struct pcapng_writer {
	FILE *file;
	const char *network;
	const char *address;
	const char *dissector; /* of the payloads, or NULL */
	uint64_t packets;
	uint64_t left_out;     /* since the last packet */
	uint64_t left_out_all; /* since the beginning */
};

/*
 * Return 0, or -1 with the errno of the file. _begin writes the head of the
 * file, _end the number of packets that were left out. Neither closes the file.
 */
int pcapng_write_begin(struct pcapng_writer *writer);
int pcapng_write(struct pcapng_writer *writer, const struct event *event,
	const void *data);
int pcapng_write_end(struct pcapng_writer *writer);

/* Reads only files that pcapng_write has written. */
struct pcapng_reader {
	FILE *file;
	char network[PCAPNG_NETWORK_SIZE];
	/* The mistake in the file, after EBADMSG. */
	const char *why;
	uint64_t packets;
	unsigned char *block; /* the last one; room is its size */
	size_t room;
};

/* Begins to read file, which stays the caller's. Returns 0, or -1 with EBADMSG
 * or an errno of the file. */
int pcapng_read_begin(struct pcapng_reader *reader, FILE *file);

/*
 * Reads the next event. *data is valid until the next call. Returns 1; 0 at the
 * end of the file; or -1 with EBADMSG, ENOMEM or an errno of the file.
 */
int pcapng_read(struct pcapng_reader *reader, struct event *event,
	const void **data);

/* Frees the memory of reader. */
void pcapng_read_end(struct pcapng_reader *reader);

#endif
