quick_unit_tests += \
	tests/check_adopt \
	tests/check_batch \
	tests/check_conn \
	tests/check_go_calls \
	tests/check_go_rules \
	tests/check_gram \
	tests/check_handshake \
	tests/check_hangup \
	tests/check_lane_calls \
	tests/check_lane_faults \
	tests/check_lane_offer \
	tests/check_lane_proof \
	tests/check_lane_steps \
	tests/check_listener \
	tests/check_low_fds \
	tests/check_packet \
	tests/check_policy \
	tests/check_proof \
	tests/check_proof_kernel \
	tests/check_reconnect \
	tests/check_retire \
	tests/check_shared \
	tests/check_stream \
	tests/check_stream_direct
tests_check_adopt_SOURCES = %D%/check_adopt.c
tests_check_adopt_LDFLAGS = $(lanes_ldflags)
tests_check_batch_SOURCES = %D%/check_batch.c
tests_check_batch_LDFLAGS = $(lanes_ldflags)
tests_check_conn_SOURCES = %D%/check_conn.c
tests_check_conn_LDFLAGS = $(lanes_ldflags)
tests_check_go_calls_SOURCES = %D%/check_go_calls.c
tests_check_go_calls_LDFLAGS = $(lanes_ldflags)
tests_check_go_rules_SOURCES = %D%/check_go_rules.c
tests_check_gram_SOURCES = %D%/check_gram.c
tests_check_handshake_SOURCES = %D%/check_handshake.c
tests_check_handshake_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=recvmsg
tests_check_hangup_SOURCES = %D%/check_hangup.c
tests_check_lane_calls_SOURCES = %D%/check_lane_calls.c
tests_check_lane_faults_SOURCES = $(fault_sources) %D%/check_lane_faults.c
tests_check_lane_faults_LDFLAGS = $(fault_ldflags)
EXTRA_tests_check_lane_faults_DEPENDENCIES = tests/proof/fault.wrap
tests_check_lane_offer_SOURCES = %D%/check_lane_offer.c
tests_check_lane_proof_SOURCES = %D%/check_lane_proof.c
tests_check_lane_steps_SOURCES = %D%/check_lane_steps.c
tests_check_listener_SOURCES = %D%/check_listener.c
tests_check_listener_LDFLAGS = $(lanes_ldflags)
tests_check_low_fds_SOURCES = %D%/check_low_fds.c
tests_check_low_fds_LDFLAGS = $(lanes_ldflags)
tests_check_packet_SOURCES = %D%/check_packet.c
tests_check_packet_LDFLAGS = $(lanes_ldflags)
tests_check_policy_SOURCES = %D%/check_policy.c
tests_check_policy_LDFLAGS = $(lanes_ldflags)
tests_check_proof_SOURCES = %D%/check_proof.c
tests_check_proof_kernel_SOURCES = %D%/check_proof_kernel.c $(diag_play)
tests_check_reconnect_SOURCES = %D%/check_reconnect.c
tests_check_retire_SOURCES = %D%/check_retire.c
tests_check_retire_LDFLAGS = $(lanes_ldflags)
tests_check_shared_SOURCES = %D%/check_shared.c
tests_check_shared_LDFLAGS = $(lanes_ldflags)
tests_check_stream_SOURCES = %D%/check_stream.c
tests_check_stream_direct_SOURCES = %D%/check_stream_direct.c
