#pragma once
// SHA256_Init and its companions hash a short text in a tenth of the time of EVP, which OpenSSL 3 asks for instead.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/ssl.h>
