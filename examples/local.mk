examplesdir = $(docdir)/examples
dist_examples_DATA = \
	%D%/01-service.c \
	%D%/02-gram-server.c \
	%D%/03-gram-client.c \
	%D%/04-packet-server.c \
	%D%/05-packet-client.c \
	%D%/06-abstract.c \
	%D%/07-deadlines.c \
	%D%/08-descriptors.c \
	%D%/09-who-speaks.c \
	%D%/10-any-size.c \
	%D%/11-batch.c \
	%D%/12-big-message.c \
	%D%/13-full-service.c \
	%D%/14-publish.c \
	%D%/15-loop-poll.c \
	%D%/16-loop-libuv.c \
	%D%/17-loop-glib.c \
	%D%/18-loop-sd-event.c \
	%D%/19-activated.c \
	%D%/20-logger.c \
	%D%/21-control.c \
	%D%/22-container.c \
	%D%/23-stream.c \
	%D%/24-front.c \
	%D%/25-watch.c \
	%D%/26-forward.c \
	%D%/27-lane.c \
	%D%/28-in-place.c \
	%D%/COPYING \
	%D%/Makefile \
	%D%/README

examplescmakedir = $(examplesdir)/cmake
dist_examplescmake_DATA = \
	%D%/cmake/CMakeLists.txt \
	%D%/cmake/hello.c

exampleslanguagesdir = $(examplesdir)/other-languages
dist_exampleslanguages_DATA = \
	%D%/other-languages/echo-client.go \
	%D%/other-languages/echo-client.py

examplesrelaydir = $(examplesdir)/relay
dist_examplesrelay_DATA = \
	%D%/relay/Containerfile \
	%D%/relay/alpha.conf \
	%D%/relay/beta.conf \
	%D%/relay/hub.conf \
	%D%/relay/relay-export.service \
	%D%/relay/relay-import.service

examplessystemddir = $(examplesdir)/systemd
dist_examplessystemd_DATA = \
	%D%/systemd/activated.service \
	%D%/systemd/activated.socket

# 'make check' compiles and runs all examples.
check_PROGRAMS += \
	%D%/01-service \
	%D%/02-gram-server \
	%D%/03-gram-client \
	%D%/04-packet-server \
	%D%/05-packet-client \
	%D%/06-abstract \
	%D%/07-deadlines \
	%D%/08-descriptors \
	%D%/09-who-speaks \
	%D%/10-any-size \
	%D%/11-batch \
	%D%/12-big-message \
	%D%/13-full-service \
	%D%/14-publish \
	%D%/15-loop-poll \
	%D%/19-activated \
	%D%/20-logger \
	%D%/21-control \
	%D%/22-container \
	%D%/23-stream \
	%D%/24-front \
	%D%/25-watch \
	%D%/26-forward \
	%D%/27-lane \
	%D%/28-in-place
%C%_01_service_LDADD = $(built_library)
%C%_02_gram_server_LDADD = $(built_library)
%C%_03_gram_client_LDADD = $(built_library)
%C%_04_packet_server_LDADD = $(built_library)
%C%_05_packet_client_LDADD = $(built_library)
%C%_06_abstract_LDADD = $(built_library)
%C%_07_deadlines_LDADD = $(built_library)
%C%_08_descriptors_LDADD = $(built_library)
%C%_09_who_speaks_LDADD = $(built_library)
%C%_10_any_size_LDADD = $(built_library)
%C%_11_batch_LDADD = $(built_library)
%C%_12_big_message_LDADD = $(built_library)
%C%_13_full_service_LDADD = $(built_library)
%C%_14_publish_LDADD = $(built_library)
%C%_15_loop_poll_LDADD = $(built_library)
%C%_19_activated_LDADD = $(built_library)
%C%_20_logger_LDADD = $(built_library)
%C%_21_control_LDADD = $(built_library)
%C%_22_container_LDADD = $(built_library)
%C%_23_stream_LDADD = $(built_library)
%C%_24_front_LDADD = $(built_library)
%C%_25_watch_LDADD = $(built_library)
%C%_26_forward_LDADD = $(built_library)
%C%_27_lane_LDADD = $(built_library)
%C%_28_in_place_LDADD = $(built_library)

# The examples for the loops of other libraries. libunixmsg does not need these
# libraries.
if HAVE_LIBUV
check_PROGRAMS += %D%/16-loop-libuv
%C%_16_loop_libuv_CPPFLAGS = $(AM_CPPFLAGS) $(LIBUV_CFLAGS)
%C%_16_loop_libuv_LDADD = $(built_library) $(LIBUV_LIBS)
endif
if HAVE_GLIB
check_PROGRAMS += %D%/17-loop-glib
%C%_17_loop_glib_CPPFLAGS = $(AM_CPPFLAGS) $(GLIB_CFLAGS)
%C%_17_loop_glib_LDADD = $(built_library) $(GLIB_LIBS)
endif
if HAVE_LIBSYSTEMD
check_PROGRAMS += %D%/18-loop-sd-event
%C%_18_loop_sd_event_CPPFLAGS = $(AM_CPPFLAGS) $(LIBSYSTEMD_CFLAGS)
%C%_18_loop_sd_event_LDADD = $(built_library) $(LIBSYSTEMD_LIBS)
endif
