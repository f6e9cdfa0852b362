quick_unit_tests += \
	tests/check_histogram \
	tests/check_jobs \
	tests/check_pcapng \
	tests/check_perf \
	tests/check_record \
	tests/check_record_line \
	tests/check_record_writer \
	tests/check_recorder \
	tests/check_replay \
	tests/check_show \
	tests/check_tap \
	tests/check_tap_kill
tests_check_histogram_SOURCES = %D%/check_histogram.c
tests_check_jobs_SOURCES = %D%/check_jobs.c
tests_check_pcapng_SOURCES = %D%/tap/check_pcapng.c
tests_check_perf_SOURCES = %D%/check_perf.c
tests_check_record_SOURCES = %D%/check_record.c
tests_check_record_line_SOURCES = %D%/check_record_line.c
tests_check_record_writer_SOURCES = %D%/check_record_writer.c
tests_check_recorder_SOURCES = %D%/tap/check_recorder.c
tests_check_replay_SOURCES = %D%/tap/check_replay.c
tests_check_show_SOURCES = %D%/tap/check_show.c
tests_check_tap_SOURCES = %D%/tap/check_tap.c
tests_check_tap_kill_SOURCES = %D%/tap/check_tap_kill.c
