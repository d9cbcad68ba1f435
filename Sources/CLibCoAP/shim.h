#pragma once
// libcoap's headers use struct epoll_event when it was built with epoll, without including it.
#include <sys/epoll.h>
#include <coap3/coap.h>
