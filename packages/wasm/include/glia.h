/* The host calls of Glia guests in C (docs/spec/host-abi.md). Header only; needs no library.
 *
 * A guest is a WASI command (`int main(void)`), or a module without WASI that exports `int glia_main(void)`:
 *
 *   clang --target=wasm32-wasi -O2 -I node_modules/@glia-os/wasm/include -o agent.wasm agent.c
 *
 * Negative results are errors. Blocking calls are the places where a guest of the profile `cooperative` can be moved. */
#ifndef GLIA_H
#define GLIA_H

#include <stddef.h>
#include <stdint.h>

#define GLIA_IMPORT(name) __attribute__((import_module("glia.v1"), import_name(name)))

enum glia_error {
  GLIA_E_FAULT = -1,   /* a pointer or length lies outside memory */
  GLIA_E_TOO_BIG = -2, /* the destination is too small; nothing was consumed */
  GLIA_E_STATE = -3,   /* not allowed now */
  GLIA_E_RANGE = -4,   /* an argument is out of range */
  GLIA_E_LIMIT = -5,   /* a limit of the guest is used up */
  GLIA_E_GONE = -6,    /* the peer or resource is gone */
  GLIA_E_TIMEOUT = -7, /* the time given is over; nothing was consumed */
};

enum glia_level { GLIA_TRACE, GLIA_DEBUG, GLIA_INFO, GLIA_WARN, GLIA_ERROR };

/* Blocking: wait for the next message; its length, or GLIA_E_TOO_BIG when it does not fit (it stays first in line). */
GLIA_IMPORT("receive") int32_t glia_receive(void *buffer, size_t capacity);
/* Blocking: as glia_receive, for at most so many milliseconds. */
GLIA_IMPORT("receive_within") int32_t glia_receive_within(void *buffer, size_t capacity, int64_t milliseconds);
/* Blocking: wait for some milliseconds. */
GLIA_IMPORT("sleep") int32_t glia_sleep(int64_t milliseconds);
/* Blocking: let other guests run. */
GLIA_IMPORT("yield") int32_t glia_yield(void);
/* Blocking: end with a status; never returns. */
GLIA_IMPORT("exit") void glia_exit(int32_t status);
/* Answer the message received last; once per message. */
GLIA_IMPORT("reply") int32_t glia_reply(const void *payload, size_t length);
/* Write a log line. */
GLIA_IMPORT("log") int32_t glia_log(int32_t level, const char *text, size_t length);
/* Milliseconds since the Unix epoch. */
GLIA_IMPORT("now") int64_t glia_now(void);
/* Fill a buffer with random bytes. */
GLIA_IMPORT("random") int32_t glia_random(void *buffer, size_t length);

#endif
