examplesdir = $(docdir)/examples
dist_examples_DATA = \
	%D%/01-gram-server.c \
	%D%/02-gram-client.c \
	%D%/03-packet-server.c \
	%D%/04-packet-client.c \
	%D%/05-abstract.c \
	%D%/06-deadlines.c \
	%D%/COPYING \
	%D%/Makefile \
	%D%/README

# 'make check' compiles them, so that they cannot rot.
check_PROGRAMS += \
	%D%/01-gram-server \
	%D%/02-gram-client \
	%D%/03-packet-server \
	%D%/04-packet-client \
	%D%/05-abstract \
	%D%/06-deadlines
