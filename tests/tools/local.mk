quick_unit_tests += \
	tests/check_histogram \
	tests/check_jobs \
	tests/check_perf \
	tests/check_record \
	tests/check_record_line \
	tests/check_record_writer
tests_check_histogram_SOURCES = %D%/check_histogram.c
tests_check_jobs_SOURCES = %D%/check_jobs.c
tests_check_perf_SOURCES = %D%/check_perf.c
tests_check_record_SOURCES = %D%/check_record.c
tests_check_record_line_SOURCES = %D%/check_record_line.c
tests_check_record_writer_SOURCES = %D%/check_record_writer.c
