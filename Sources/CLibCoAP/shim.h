#pragma once
// libcoap's headers use struct epoll_event when it was built with epoll, without including it.
// The event loop uses epoll and an eventfd as well, and Swift's Glibc module has neither.
#include <sys/epoll.h>
#include <sys/eventfd.h>
// malloc_usable_size: how far a session of libcoap reaches, whose type is opaque.
#include <malloc.h>
#include <coap3/coap.h>
