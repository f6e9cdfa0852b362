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
%C%_01_gram_server_LDADD = src/libunixmsg.la
%C%_02_gram_client_LDADD = src/libunixmsg.la
%C%_03_packet_server_LDADD = src/libunixmsg.la
%C%_04_packet_client_LDADD = src/libunixmsg.la
%C%_05_abstract_LDADD = src/libunixmsg.la
%C%_06_deadlines_LDADD = src/libunixmsg.la
