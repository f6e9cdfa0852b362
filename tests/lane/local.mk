quick_unit_tests += \
	tests/check_segment
tests_check_segment_SOURCES = %D%/check_segment.c
