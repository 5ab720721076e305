/*
 * What the parts of the addon share: the endpoint, its connections and their streams.
 *
 * Q1. One thread: everything here runs on the thread of the event loop that made the endpoint. There are no locks.
 * Q2. Nothing blocks: the socket is non-blocking, every OpenSSL object is in explicit event mode, and only the tick reads or writes packets.
 * Q3. JavaScript never holds a pointer: connections and streams are named by handles that carry a generation (slots.c), so a handle
 *     of something that is gone names nothing.
 * Q4. While a tick runs, JavaScript can end anything. What it ends is only marked; memory goes at the end of the round.
 * Q5. OpenSSL's error queue belongs to the thread and is shared with node:tls: whoever calls OpenSSL empties it before and after.
 */
#ifndef GLIA_QUIC_H
#define GLIA_QUIC_H

#include <netinet/in.h>
#include <node_api.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

/* Bytes read from one stream in one round; also the size of the buffer that reading goes through. */
#define READ_BUDGET ((size_t)256 * 1024)
/* Rounds of one tick: after that the event loop gets its turn. */
#define ROUNDS_MAX 4
/* A handshake, with the approval of the peer, takes no longer. */
#define HANDSHAKE_LIMIT_MS 10000
/* How long a close waits for finished streams to be acknowledged. */
#define FLUSH_LIMIT_MS 2000
/* Bytes of the certificates a peer may present. */
#define CERTIFICATES_MAX ((long)16 * 1024)
/* Bytes of the text a connection is closed with. */
#define REASON_MAX 256
/* 255 times the hash of the smallest suite: what TLS 1.3 can give (RFC 8446 section 7.5, RFC 5869). */
#define EXPORT_MAX 8160
/* Slots of a table: handles keep 20 bits for the slot. */
#define SLOTS_MAX ((uint32_t)1 << 20)
/* Packets that wait to be sent together, and the bytes of one; OpenSSL 3.5 sends 1200. */
#define OUTBOX_MAX 64
#define PACKET_MAX 1500
/* What the socket asks the kernel to buffer; the kernel may give less. Small buffers drop packets. */
#define SOCKET_BUFFER (4 * 1024 * 1024)

/* What the callback is told; src/native.ts names the same numbers. */
enum event {
  EVENT_HANDSHAKE = 1,
  EVENT_CLOSED = 2,
  EVENT_STREAM = 3,
  EVENT_DATA = 4,
  EVENT_END = 5,
  EVENT_RESET = 6,
  EVENT_STOPPED = 7,
  EVENT_WRITABLE = 8,
  EVENT_OPENABLE = 9,
  EVENT_ENDPOINT_CLOSED = 10,
};

/* How a connection ended, in EVENT_CLOSED. */
enum close_flag { CLOSE_LOCAL = 1, CLOSE_TRANSPORT = 2 };

union any_address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

struct packet {
  union any_address to;
  socklen_t to_length;
  uint16_t length;
  uint8_t bytes[PACKET_MAX];
};

/* Packets first to end wait. */
struct outbox {
  struct packet *packets;
  uint32_t first, end;
};

struct slot {
  void *item;
  uint64_t generation;
  uint32_t next_free;
};

struct table {
  struct slot *slots;
  uint32_t length;
  uint32_t capacity;
  uint32_t free_head;
  uint32_t used;
};

struct stream {
  struct connection *connection;
  struct stream *next;
  SSL *ssl;
  double handle;
  bool can_read, can_write;
  bool paused;
  bool read_done;
  bool write_done;
  bool wants_write;
  bool released;
};

enum connection_state { STATE_HANDSHAKE, STATE_APPROVAL, STATE_OPEN, STATE_LINGERING, STATE_ENDING, STATE_DEAD };

struct connection {
  struct endpoint *endpoint;
  struct connection *next;
  struct stream *streams;
  SSL *ssl;
  double handle;
  enum connection_state state;
  bool is_server;
  bool counts_as_pending;
  bool wants_open;
  bool told_closed;
  bool said_goodbye;
  bool failed_handshake;
  uint64_t deadline;
  uint64_t close_code;
  char close_reason[REASON_MAX + 1];
  uint64_t bytes_in, bytes_out;
};

struct endpoint {
  napi_env env;
  napi_ref callback;
  napi_async_context async;
  napi_handle_scope handles;
  napi_callback_scope callbacks;
  napi_async_cleanup_hook_handle cleanup;
  uv_loop_t *loop;
  uv_poll_t *poll;
  uv_timer_t *timer;
  uv_prepare_t *prepare;
  int handles_open;
  int fd;
  int poll_events;
  SSL_CTX *context;
  SSL *listener;
  BIO_METHOD *method;
  struct outbox outbox;
  struct connection *connections;
  struct table connection_table;
  struct table stream_table;
  uint8_t *scratch;
  uint8_t *alpn;
  size_t alpn_length;
  uint32_t pending, pending_max;
  uint32_t connections_open, connections_max;
  uint64_t idle_ms;
  uint64_t refused, ticks, unsent;
  uint64_t read_at;
  bool may_read;
  bool sends_singly;
  bool dirty;
  bool ticking;
  bool closing;
  bool closed;
  bool tearing_down;
  bool is_gone;
  bool is_forgotten;
};

/* A span of bytes that JavaScript owns. */
struct bytes {
  const uint8_t *data;
  size_t length;
};

/* Empties the error queue (Q5). It is nearly always empty, and looking is cheaper than clearing. */
static inline void forget_errors(void) {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

/* slots.c */
double table_add(struct table *table, void *item);
void *table_get(const struct table *table, double handle);
void table_remove(struct table *table, double handle);
void table_free(struct table *table);

/* identity.c */
const char *identity_use(SSL_CTX *context, struct bytes certificate, struct bytes key);
SSL_CTX *identity_context(struct endpoint *endpoint, const char *groups);

/* socket.c */
struct address {
  char text[INET6_ADDRSTRLEN];
  uint16_t port;
};
int socket_open(const char *address, uint16_t port, int *error);
bool socket_name(int fd, struct address *name);
BIO_ADDR *socket_address(const char *address, uint16_t port);

/* packets.c */
BIO *packets_open(struct endpoint *endpoint);
void packets_flush(struct endpoint *endpoint);
bool packets_wait(const struct endpoint *endpoint);
void packets_close(struct endpoint *endpoint);

/* connection.c */
struct connection *connection_dial(struct endpoint *endpoint, const char *address, uint16_t port);
void connection_accept_all(struct endpoint *endpoint);
void connection_advance(struct connection *connection);
void connection_approve(struct connection *connection);
void connection_close(struct connection *connection, uint64_t code, struct bytes reason);
void connection_abandon(struct connection *connection);
void connection_free(struct connection *connection);

/* stream.c */
struct stream *stream_open(struct connection *connection, bool unidirectional);
void stream_accept_all(struct connection *connection);
void stream_advance(struct stream *stream);
size_t stream_write(struct stream *stream, struct bytes bytes);
bool stream_finish(struct stream *stream);
void stream_reset(struct stream *stream, uint64_t code);
void stream_free(struct stream *stream);

/* tick.c */
void tick_run(struct endpoint *endpoint);
void tick_mark(struct endpoint *endpoint);
void tick_reap(struct endpoint *endpoint);
bool tick_start(struct endpoint *endpoint);
void tick_stop(struct endpoint *endpoint);

/* endpoint.c */
struct options {
  char address[INET6_ADDRSTRLEN];
  char groups[256];
  uint16_t port;
  struct bytes certificate, key, alpn;
  bool validates_addresses;
  uint64_t idle_ms;
  uint32_t pending_max, connections_max;
};
struct failure {
  const char *code;
  char text[160];
};
struct endpoint *endpoint_open(napi_env env, const struct options *options, struct failure *failure);
bool endpoint_listen_to(struct endpoint *endpoint, napi_value callback);
void endpoint_close(struct endpoint *endpoint);
void endpoint_free(struct endpoint *endpoint);
void endpoint_forget(struct endpoint *endpoint);

/* dispatch.c */
void dispatch(struct endpoint *endpoint, enum event event, double connection, double stream, napi_value detail);
void dispatch_settle(struct endpoint *endpoint);
napi_value dispatch_bytes(struct endpoint *endpoint, const uint8_t *data, size_t length);
napi_value dispatch_number(struct endpoint *endpoint, double value);
napi_value dispatch_close(struct endpoint *endpoint, double code, const char *reason, size_t length, uint32_t flags);

#endif
