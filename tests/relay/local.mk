quick_unit_tests += \
	tests/check_credentials \
	tests/check_datagrams \
	tests/check_engine \
	tests/check_engine_nats \
	tests/check_frame \
	tests/check_nats_reader \
	tests/check_nats_writer \
	tests/check_servers \
	tests/check_session \
	tests/check_subject \
	tests/check_tcp_owner \
	tests/check_window
tests_check_credentials_SOURCES = %D%/check_credentials.c
tests_check_datagrams_SOURCES = %D%/check_datagrams.c
tests_check_engine_SOURCES = %D%/check_engine.c
tests_check_engine_nats_SOURCES = %D%/check_engine_nats.c
tests_check_frame_SOURCES = %D%/check_frame.c
tests_check_nats_reader_SOURCES = %D%/check_nats_reader.c
tests_check_nats_writer_SOURCES = %D%/check_nats_writer.c
tests_check_servers_SOURCES = %D%/check_servers.c
tests_check_session_SOURCES = %D%/check_session.c
tests_check_subject_SOURCES = %D%/check_subject.c
tests_check_tcp_owner_SOURCES = %D%/check_tcp_owner.c
tests_check_window_SOURCES = %D%/check_window.c

relay_libs = tests/.libs/libsupport.a src/relay/.libs/librelay.a \
	src/tools/.libs/libtools.a src/.libs/libunixmsg_all.a $(CHECK_LIBS)
tests_check_credentials_LDADD = $(relay_libs)
tests_check_datagrams_LDADD = $(relay_libs)
tests_check_engine_LDADD = $(relay_libs)
tests_check_engine_nats_LDADD = $(relay_libs)
tests_check_frame_LDADD = $(relay_libs)
tests_check_nats_reader_LDADD = $(relay_libs)
tests_check_nats_writer_LDADD = $(relay_libs)
tests_check_servers_LDADD = $(relay_libs)
tests_check_session_LDADD = $(relay_libs)
tests_check_subject_LDADD = $(relay_libs)
tests_check_tcp_owner_LDADD = $(relay_libs)
tests_check_window_LDADD = $(relay_libs)

# How fast the engine is: growth.sh runs it, and make bench.
check_PROGRAMS += tests/engine_speed
bench_programs = tests/engine_speed
tests_engine_speed_SOURCES = %D%/engine_speed.c
tests_engine_speed_LDADD = $(relay_libs)
