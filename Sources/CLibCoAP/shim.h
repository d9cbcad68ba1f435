#pragma once
// libcoap's headers use struct epoll_event when it was built with epoll, without including it.
// The event loop uses epoll and an eventfd as well, and Swift's Glibc module has neither.
#include <sys/epoll.h>
#include <sys/eventfd.h>
// malloc_usable_size: how far a session of libcoap reaches, whose type is opaque.
#include <malloc.h>
// Embedded Swift has no Glibc module: what the transport calls of the system must be here too.
#include <errno.h>
#include <linux/filter.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <coap3/coap.h>

// errno is a macro.
static inline int starling_socket_error(void) {
    return errno;
}

// The kind of a mutex is an enumeration in one C dialect and a number in another.
static inline void starling_make_recursive_mutex(pthread_mutex_t *mutex) {
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_settype(&kind, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(mutex, &kind);
    pthread_mutexattr_destroy(&kind);
}

// The kind of limit is an enumeration in one C dialect and a number in another.
static inline int starling_descriptor_limit(uint64_t *soft, uint64_t *hard) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return -1;
    *soft = limit.rlim_cur;
    *hard = limit.rlim_max;
    return 0;
}

static inline int starling_raise_descriptor_limit(uint64_t soft, uint64_t hard) {
    struct rlimit limit = { soft, hard };
    return setrlimit(RLIMIT_NOFILE, &limit);
}

// A socket filter that drops a datagram when a random number of 32 bits is below the share; its parts are macros.
static inline int starling_lose_received(int descriptor, uint32_t share) {
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(SKF_AD_OFF + SKF_AD_RANDOM)),
        BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, share, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
        BPF_STMT(BPF_RET | BPF_K, 0),
    };
    struct sock_fprog program = { sizeof filter / sizeof filter[0], filter };
    return setsockopt(descriptor, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program);
}
