#pragma once
// Without it ldns defines a bool of its own, which arrives in Swift as Int8.
#include <stdbool.h>
#include <ldns/ldns.h>
