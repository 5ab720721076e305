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
  GLIA_E_HANDLE = -8,  /* the number is no handle of this guest */
  GLIA_E_DENIED = -9,  /* the capability lacks the right, or names something else */
  GLIA_E_FAILED = -10, /* the call was made and failed; the result says how */
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

/* Capabilities and services: the module glia.sys.v1, which is granted by its name. */
#define GLIA_SYS_IMPORT(name) __attribute__((import_module("glia.sys.v1"), import_name(name)))

/* A capability, and the rights of it that go with a message. */
struct glia_grant {
  int32_t handle;
  uint32_t rights;
};

/* The handle this guest was given under a name. */
GLIA_SYS_IMPORT("capability") int32_t glia_capability(const char *name, size_t length);
/* The rights of a handle, as bits. */
GLIA_SYS_IMPORT("rights") int32_t glia_rights(int32_t handle);
/* A new handle with at most these rights. */
GLIA_SYS_IMPORT("attenuate") int32_t glia_attenuate(int32_t handle, uint32_t rights);
/* Give a handle up. */
GLIA_SYS_IMPORT("drop") int32_t glia_drop(int32_t handle);
/* End everything derived from a handle; how many handles of this guest it were. */
GLIA_SYS_IMPORT("revoke") int32_t glia_revoke(int32_t handle);
/* A handle for the capability of this number that came with the message received last. */
GLIA_SYS_IMPORT("accept") int32_t glia_accept(uint32_t index);
/* Copy the result of the last call; its length, or GLIA_E_TOO_BIG and it stays. */
GLIA_SYS_IMPORT("result") int32_t glia_result(void *buffer, size_t capacity);
/* Blocking, all below: those with a result answer its length. A handle for what is registered under a name. */
GLIA_SYS_IMPORT("lookup") int32_t glia_lookup(const char *name, size_t length);
/* Send a message, with up to 16 capabilities. */
GLIA_SYS_IMPORT("send")
int32_t glia_send(int32_t handle, const void *message, size_t length, const struct glia_grant *grants, size_t count);
/* Send a message and wait for its reply. */
GLIA_SYS_IMPORT("call") int32_t glia_call(int32_t handle, const void *message, size_t length, int64_t milliseconds);
/* Have a tool run: JSON to JSON. */
GLIA_SYS_IMPORT("exec") int32_t glia_exec(int32_t handle, const char *input, size_t length);
/* One HTTP exchange: JSON {"url", "method"?, "headers"?}, and a body. */
GLIA_SYS_IMPORT("fetch")
int32_t glia_fetch(int32_t handle, const char *head, size_t head_length, const void *body, size_t body_length);
/* At most limit bytes of a file. */
GLIA_SYS_IMPORT("file_read") int32_t glia_file_read(int32_t handle, const char *path, size_t length, size_t limit);
/* Replace the content of a file. */
GLIA_SYS_IMPORT("file_write")
int32_t glia_file_write(int32_t handle, const char *path, size_t length, const void *content, size_t content_length);
/* The names in a folder as a JSON list. */
GLIA_SYS_IMPORT("file_list") int32_t glia_file_list(int32_t handle, const char *path, size_t length);
/* Ask a model: JSON to JSON. */
GLIA_SYS_IMPORT("model") int32_t glia_model(int32_t handle, const char *request, size_t length);
/* Ask somebody to approve: text to JSON. */
GLIA_SYS_IMPORT("approve") int32_t glia_approve(int32_t handle, const char *question, size_t length);

#endif
