#pragma once
// Without it ldns defines a bool of its own, which arrives in Swift as Int8.
#include <stdbool.h>
#include <ldns/ldns.h>
// What a thread is woken by, and what the responder's time-outs come from; the C library's own module has neither.
#include <sys/eventfd.h>
#include <sys/timerfd.h>
