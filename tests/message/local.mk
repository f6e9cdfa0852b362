quick_unit_tests += \
	tests/check_blob \
	tests/check_buffer \
	tests/check_control \
	tests/check_control_sizes \
	tests/check_cred \
	tests/check_fds \
	tests/check_msg \
	tests/check_peer
tests_check_blob_SOURCES = %D%/check_blob.c
tests_check_buffer_SOURCES = %D%/check_buffer.c
tests_check_buffer_LDFLAGS = $(lanes_ldflags)
tests_check_control_SOURCES = %D%/check_control.c
tests_check_control_sizes_SOURCES = %D%/check_control_sizes.c
tests_check_cred_SOURCES = %D%/check_cred.c
tests_check_fds_SOURCES = %D%/check_fds.c
tests_check_fds_LDFLAGS = $(lanes_ldflags)
tests_check_msg_SOURCES = %D%/check_msg.c
tests_check_msg_LDFLAGS = $(lanes_ldflags)
tests_check_peer_SOURCES = %D%/check_peer.c
