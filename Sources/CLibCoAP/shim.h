#pragma once
// libcoap's headers use struct epoll_event when it was built with epoll, without including it.
// The event loop uses epoll and an eventfd as well, and Swift's Glibc module has neither.
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <coap3/coap.h>
