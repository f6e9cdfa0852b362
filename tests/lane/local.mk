quick_unit_tests += \
	tests/check_ring \
	tests/check_segment
tests_check_ring_SOURCES = %D%/check_ring.c
tests_check_segment_SOURCES = %D%/check_segment.c
