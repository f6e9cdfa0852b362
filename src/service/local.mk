src_libunixmsg_all_la_SOURCES += \
	%D%/access.c \
	%D%/access.h \
	%D%/budget.c \
	%D%/budget.h \
	%D%/outbox.c \
	%D%/outbox.h \
	%D%/service.c \
	%D%/service_batch.c \
	%D%/service_debt.c \
	%D%/service_gram.c \
	%D%/service_link.c \
	%D%/service_listener.c \
	%D%/service_loop.c \
	%D%/service_open.c \
	%D%/service_peer.c \
	%D%/service_private.h \
	%D%/service_proof.c \
	%D%/service_send.c \
	%D%/service_sender.c \
	%D%/service_sender.h \
	%D%/service_share.c \
	%D%/service_take.c \
	%D%/service_text.c \
	%D%/users.c \
	%D%/users.h
