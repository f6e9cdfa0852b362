# Servers and clients that come and go, for as long as one likes.
check_PROGRAMS += tests/soak
tests_soak_SOURCES = \
	%D%/soak.c \
	%D%/soak.h \
	%D%/soak_book.c \
	%D%/soak_client.c \
	%D%/soak_conduct.c \
	%D%/soak_plan.c \
	%D%/soak_server.c
tests_soak_LDADD = tests/.libs/libsupport.a $(built_library)

# Calls that fail on demand: the linker sends them to ours.
fault_sources = \
	%D%/fault.c \
	%D%/fault.h \
	%D%/fault_calls.c \
	%D%/fault_table.c
fault_ldflags = $(AM_LDFLAGS) -Wl,@$(srcdir)/%D%/fault.wrap
EXTRA_DIST += %D%/fault.wrap

tests_check_torture_SOURCES = $(fault_sources) \
	%D%/check_torture.c \
	%D%/torture.h \
	%D%/torture_activation.c \
	%D%/torture_choice.c \
	%D%/torture_choice.h \
	%D%/torture_gram.c \
	%D%/torture_lane.c \
	%D%/torture_link.c \
	%D%/torture_message.c \
	%D%/torture_name.c \
	%D%/torture_notify.c \
	%D%/torture_outcome.c \
	%D%/torture_outcome.h \
	%D%/torture_rest.c \
	%D%/torture_served.c \
	%D%/torture_service.c
tests_check_torture_LDFLAGS = $(fault_ldflags)
EXTRA_tests_check_torture_DEPENDENCIES = %D%/fault.wrap

# The tools with calls that fail, as the environment says.
faulty_tools = \
	tests/faulty-seqpacket-echo \
	tests/faulty-unixgram-echo \
	tests/faulty-unixmsg-cat \
	tests/faulty-unixmsg-inspect \
	tests/faulty-unixmsg-perf \
	tests/faulty-unixmsg-relay \
	tests/faulty-unixmsg-tap \
	tests/faulty-unixstream-echo
check_PROGRAMS += $(faulty_tools)
faulty_libs = src/tools/libtools.la src/libunixmsg_all.la
tests_faulty_seqpacket_echo_SOURCES = $(fault_sources) \
	src/tools/echo/seqpacket-echo.c
tests_faulty_seqpacket_echo_LDFLAGS = $(fault_ldflags)
tests_faulty_seqpacket_echo_LDADD = $(faulty_libs)
tests_faulty_unixgram_echo_SOURCES = $(fault_sources) \
	src/tools/echo/unixgram-echo.c
tests_faulty_unixgram_echo_LDFLAGS = $(fault_ldflags)
tests_faulty_unixgram_echo_LDADD = $(faulty_libs)
tests_faulty_unixmsg_cat_SOURCES = $(fault_sources) \
	src/tools/cat/unixmsg-cat.c
tests_faulty_unixmsg_cat_LDFLAGS = $(fault_ldflags)
tests_faulty_unixmsg_cat_LDADD = $(faulty_libs)
tests_faulty_unixmsg_inspect_SOURCES = $(fault_sources) \
	$(src_tools_unixmsg_inspect_SOURCES)
tests_faulty_unixmsg_inspect_LDFLAGS = $(fault_ldflags)
tests_faulty_unixmsg_inspect_LDADD = src/relay/librelay.la $(faulty_libs)
tests_faulty_unixmsg_perf_SOURCES = $(fault_sources) \
	src/tools/perf/unixmsg-perf.c
tests_faulty_unixmsg_perf_LDFLAGS = $(fault_ldflags)
tests_faulty_unixmsg_perf_LDADD = src/tools/libperf.la $(faulty_libs)
tests_faulty_unixmsg_relay_SOURCES = $(fault_sources) \
	$(src_tools_unixmsg_relay_SOURCES)
tests_faulty_unixmsg_relay_LDFLAGS = $(fault_ldflags)
tests_faulty_unixmsg_relay_LDADD = src/relay/librelay.la $(faulty_libs)
tests_faulty_unixmsg_tap_SOURCES = $(fault_sources) \
	src/tools/tap/unixmsg-tap.c
tests_faulty_unixmsg_tap_LDFLAGS = $(fault_ldflags)
tests_faulty_unixmsg_tap_LDADD = $(faulty_libs)
tests_faulty_unixstream_echo_SOURCES = $(fault_sources) \
	src/tools/echo/unixstream-echo.c
tests_faulty_unixstream_echo_LDFLAGS = $(fault_ldflags)
tests_faulty_unixstream_echo_LDADD = $(faulty_libs)

tests_check_torture_tools_SOURCES = \
	%D%/check_torture_tools.c \
	%D%/fault.h \
	%D%/fault_table.c \
	%D%/torture.h \
	%D%/torture_choice.c \
	%D%/torture_choice.h
