#pragma once
// ares.h needs the socket types; epoll flags are used beside its socket-state callback.
#include <sys/epoll.h>
#include <sys/socket.h>
#include <netdb.h>
#include <ares.h>
