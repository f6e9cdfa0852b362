quick_unit_tests += \
	tests/check_lane \
	tests/check_lane_model \
	tests/check_ring \
	tests/check_segment
tests_check_lane_SOURCES = %D%/check_lane.c
tests_check_lane_model_SOURCES = \
	%D%/check_lane_model.c \
	%D%/weak.c \
	%D%/weak.h \
	%D%/weak_calls.h \
	%D%/weak_lane.c \
	%D%/weak_lane_recv.c \
	%D%/weak_ring.c
tests_check_ring_SOURCES = %D%/check_ring.c
tests_check_segment_SOURCES = %D%/check_segment.c
