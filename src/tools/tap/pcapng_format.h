/* SPDX-License-Identifier: MIT */
#ifndef UNIXMSG_TOOLS_PCAPNG_FORMAT_H
#define UNIXMSG_TOOLS_PCAPNG_FORMAT_H

/* The numbers of pcapng, and of Wireshark's exported PDUs. */

enum pcapng_block {
	PCAPNG_INTERFACE = 1,
	PCAPNG_STATISTICS = 5,
	PCAPNG_PACKET = 6,
	PCAPNG_SECTION = 0x0a0d0d0a,
};

enum {
	PCAPNG_ORDER = 0x1a2b3c4d,
	PCAPNG_UPPER_PDU = 252,
	PCAPNG_NANOSECONDS = 9,
	/* The bytes of type and size before a block, and of the size behind
	 * it. */
	PCAPNG_FRAME_SIZE = 12,
	/* Before the bytes of a packet: interface, time, two sizes. */
	PCAPNG_PACKET_SIZE = 20,
	/* A limit above our largest packet, and small enough for memory. */
	PCAPNG_BLOCK_MOST = 64 << 20,
};

enum pcapng_option {
	PCAPNG_END = 0,
	PCAPNG_COMMENT = 1,
	PCAPNG_APPLICATION = 4, /* of a section */
	PCAPNG_NAME = 2,        /* of an interface */
	PCAPNG_DESCRIPTION = 3,
	PCAPNG_RESOLUTION = 9,
	PCAPNG_RECEIVED = 4, /* of statistics */
	PCAPNG_DROPPED = 5,
	PCAPNG_FLAGS = 2, /* of a packet */
	PCAPNG_DROP_COUNT = 4,
};

enum {
	PCAPNG_INBOUND = 1,
	PCAPNG_OUTBOUND = 2,
};

/* Tags before a payload; they are big-endian. */
enum pcapng_tag {
	PCAPNG_TAG_END = 0,
	PCAPNG_TAG_DISSECTOR = 12,
	PCAPNG_TAG_PROTOCOL = 33,
	PCAPNG_TAG_DIRECTION = 35,
	PCAPNG_TAG_INFO = 36,
};

#define PCAPNG_PROGRAM "unixmsg-tap"

#endif
