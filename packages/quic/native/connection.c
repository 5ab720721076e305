/*
 * One connection: dialled or accepted, through its handshake and its approval, to its end.
 *
 * C1. HANDSHAKE -> APPROVAL -> OPEN -> LINGERING -> ENDING -> DEAD; only forward, and states may be left out.
 * C2. No stream of the peer is taken before the program approved the peer: until then OpenSSL holds what came.
 * C3. Connections of others that are in HANDSHAKE or APPROVAL are counted; one more than pending_max is closed at once.
 * C4. HANDSHAKE and APPROVAL together end after HANDSHAKE_LIMIT_MS.
 * C5. A handshake that failed on the accepting side keeps its place until HANDSHAKE_LIMIT_MS: OpenSSL 3.5 does not send the alert, and would take
 *     the dialler's next packet for a new connection that can never finish.
 * C6. A dialler that refuses the peer lingers until the peer confirmed the handshake: before that OpenSSL 3.5 says goodbye only under
 *     handshake keys, which the peer has thrown away.
 * C7. Each connection that was announced is told closed exactly once; its streams go with it.
 */
#include "quic.h"

#include <stdlib.h>
#include <string.h>

/* Codes that the package itself closes with; src/close.ts names the same numbers. */
#define CLOSE_BUSY 0x474c4901
#define CLOSE_TOO_SLOW 0x474c4902
#define CLOSE_NO_PROTOCOL 0x474c4904

/* How long a refusing dialler waits for the server's confirmation. */
#define LINGER_MS 1000

static struct connection *connection_new(struct endpoint *endpoint, SSL *ssl, bool is_server) {
  struct connection *connection = calloc(1, sizeof *connection);
  if (connection == NULL) return NULL;
  connection->endpoint = endpoint;
  connection->ssl = ssl;
  connection->is_server = is_server;
  connection->state = STATE_HANDSHAKE;
  connection->deadline = uv_now(endpoint->loop) + HANDSHAKE_LIMIT_MS;
  connection->handle = table_add(&endpoint->connection_table, connection);
  if (connection->handle == 0) {
    free(connection);
    return NULL;
  }
  connection->counts_as_pending = true;
  endpoint->pending += is_server ? 1 : 0;
  endpoint->connections_open += 1;
  connection->next = endpoint->connections;
  endpoint->connections = connection;
  return connection;
}

/* Streams only when asked for, the peer's streams only through us, and no work outside the tick. */
static bool configure(SSL *ssl, uint64_t idle_ms) {
  bool is_fine = SSL_set_event_handling_mode(ssl, SSL_VALUE_EVENT_HANDLING_MODE_EXPLICIT) == 1 &&
                 SSL_set_blocking_mode(ssl, 0) == 1 &&
                 SSL_set_default_stream_mode(ssl, SSL_DEFAULT_STREAM_MODE_NONE) == 1 &&
                 SSL_set_incoming_stream_policy(ssl, SSL_INCOMING_STREAM_POLICY_ACCEPT, 0) == 1;
  /* On an accepted connection the transport parameters may have gone out already; the dialler's request then decides. */
  (void)SSL_set_feature_request_uint(ssl, SSL_VALUE_QUIC_IDLE_TIMEOUT, idle_ms);
  SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return is_fine;
}

static bool aim(struct endpoint *endpoint, SSL *ssl, const BIO_ADDR *peer) {
  return configure(ssl, endpoint->idle_ms) && SSL_set1_initial_peer_addr(ssl, peer) == 1 &&
         SSL_set_alpn_protos(ssl, endpoint->alpn, (unsigned int)endpoint->alpn_length) == 0;
}

/* A connection that begins its handshake with the next tick, or NULL. */
struct connection *connection_dial(struct endpoint *endpoint, const char *address, uint16_t port) {
  BIO_ADDR *peer = socket_address(address, port);
  if (peer == NULL) return NULL;
  forget_errors();
  SSL *ssl = SSL_new_from_listener(endpoint->listener, 0);
  struct connection *connection =
      ssl != NULL && aim(endpoint, ssl, peer) ? connection_new(endpoint, ssl, false) : NULL;
  BIO_ADDR_free(peer);
  if (connection == NULL) SSL_free(ssl);
  forget_errors();
  tick_mark(endpoint);
  return connection;
}

static void refuse(struct endpoint *endpoint, SSL *ssl) {
  const SSL_SHUTDOWN_EX_ARGS args = {.quic_error_code = CLOSE_BUSY, .quic_reason = "too many connections"};
  endpoint->refused += 1;
  (void)SSL_shutdown_ex(
      ssl, SSL_SHUTDOWN_FLAG_RAPID | SSL_SHUTDOWN_FLAG_NO_STREAM_FLUSH | SSL_SHUTDOWN_FLAG_NO_BLOCK, &args, sizeof args);
  /* Sends the goodbye: with the object goes what it has not sent. */
  (void)SSL_handle_events(endpoint->listener);
  SSL_free(ssl);
}

/* Takes every connection that began to arrive. */
void connection_accept_all(struct endpoint *endpoint) {
  /* Asking for the queue first: SSL_accept_connection makes a whole tick of its own before it says that there is none. */
  while (!endpoint->closing && SSL_get_accept_connection_queue_len(endpoint->listener) > 0) {
    forget_errors();
    SSL *ssl = SSL_accept_connection(endpoint->listener, SSL_ACCEPT_CONNECTION_NO_BLOCK);
    if (ssl == NULL) break;
    bool has_room = endpoint->pending < endpoint->pending_max && endpoint->connections_open < endpoint->connections_max;
    if (!has_room || !configure(ssl, endpoint->idle_ms) || connection_new(endpoint, ssl, true) == NULL)
      refuse(endpoint, ssl);
    tick_mark(endpoint);
  }
  forget_errors();
}

static void settle_pending(struct connection *connection) {
  if (!connection->counts_as_pending) return;
  connection->counts_as_pending = false;
  connection->endpoint->pending -= connection->is_server ? 1 : 0;
}

static void die(struct connection *connection) {
  settle_pending(connection);
  connection->state = STATE_DEAD;
  tick_mark(connection->endpoint);
}

static void tell_closed(struct connection *connection, const SSL_CONN_CLOSE_INFO *info) {
  struct endpoint *endpoint = connection->endpoint;
  if (connection->told_closed) return;
  connection->told_closed = true;
  uint32_t flags = (info->flags & SSL_CONN_CLOSE_FLAG_LOCAL ? CLOSE_LOCAL : 0) |
                   (info->flags & SSL_CONN_CLOSE_FLAG_TRANSPORT ? CLOSE_TRANSPORT : 0);
  size_t length = info->reason == NULL ? 0 : info->reason_len;
  if (length > REASON_MAX) length = REASON_MAX;
  napi_value detail = dispatch_close(endpoint, (double)info->error_code, info->reason, length, flags);
  dispatch(endpoint, EVENT_CLOSED, connection->handle, 0, detail);
}

static napi_value peer_certificate(struct connection *connection) {
  unsigned char *der = NULL;
  X509 *certificate = SSL_get0_peer_certificate(connection->ssl);
  int length = certificate == NULL ? -1 : i2d_X509(certificate, &der);
  napi_value bytes = dispatch_bytes(connection->endpoint, der, length < 0 ? 0 : (size_t)length);
  OPENSSL_free(der);
  return bytes;
}

static bool is_ours(const struct endpoint *endpoint, const unsigned char *name, unsigned int length) {
  for (size_t at = 0; at < endpoint->alpn_length; at += 1u + endpoint->alpn[at])
    if (endpoint->alpn[at] == length && memcmp(endpoint->alpn + at + 1, name, length) == 0) return true;
  return false;
}

static bool shares_protocol(const struct connection *connection) {
  const unsigned char *name = NULL;
  unsigned int length = 0;
  SSL_get0_alpn_selected(connection->ssl, &name, &length);
  return length > 0 && is_ours(connection->endpoint, name, length);
}

static struct bytes text(const char *of) {
  return (struct bytes){(const uint8_t *)of, strlen(of)};
}

static void advance_handshake(struct connection *connection) {
  forget_errors();
  int done = SSL_do_handshake(connection->ssl);
  forget_errors();
  if (done != 1) return;
  if (!shares_protocol(connection)) {
    connection_close(connection, CLOSE_NO_PROTOCOL, text("no protocol in common"));
    return;
  }
  connection->state = STATE_APPROVAL;
  double role = connection->is_server ? 1 : 0;
  dispatch(connection->endpoint, EVENT_HANDSHAKE, connection->handle, role, peer_certificate(connection));
}

/* Whether the connection is over for any reason; says so to the program. */
static bool has_ended(struct connection *connection) {
  SSL_CONN_CLOSE_INFO info = {0};
  forget_errors();
  bool ended = SSL_get_conn_close_info(connection->ssl, &info, sizeof info) == 1;
  forget_errors();
  if (ended) tell_closed(connection, &info);
  return ended;
}

/* Goes on until OpenSSL has said goodbye and kept the connection for its closing period, so that a lost goodbye is said again. */
static void advance_ending(struct connection *connection) {
  bool is_late = uv_now(connection->endpoint->loop) >= connection->deadline;
  uint64_t flags = SSL_SHUTDOWN_FLAG_NO_BLOCK;
  if (is_late) flags |= SSL_SHUTDOWN_FLAG_NO_STREAM_FLUSH | SSL_SHUTDOWN_FLAG_RAPID;
  const SSL_SHUTDOWN_EX_ARGS args = {.quic_error_code = connection->close_code, .quic_reason = connection->close_reason};
  if (connection->said_goodbye) {
    die(connection);
    return;
  }
  forget_errors();
  int done = SSL_shutdown_ex(connection->ssl, flags, &args, sizeof args);
  forget_errors();
  connection->said_goodbye = is_late || (done == 1 && !connection->failed_handshake);
  bool was_told = connection->told_closed;
  bool has_closed = has_ended(connection);
  /* The packet that says goodbye leaves with the next round; later it would be too late, the closing period is short. */
  if ((has_closed && !was_told) || connection->said_goodbye) tick_mark(connection->endpoint);
  if (has_closed || done != 1) return;
  const SSL_CONN_CLOSE_INFO info = {.error_code = connection->close_code, .flags = SSL_CONN_CLOSE_FLAG_LOCAL};
  tell_closed(connection, &info);
}

static void begin_ending(struct connection *connection) {
  bool was_dialling = connection->state == STATE_HANDSHAKE && !connection->is_server;
  connection->failed_handshake = connection->state == STATE_HANDSHAKE && connection->is_server;
  if (!connection->failed_handshake) settle_pending(connection);
  connection->state = STATE_ENDING;
  if (was_dialling)
    connection->deadline = 0;
  else if (!connection->failed_handshake)
    connection->deadline = uv_now(connection->endpoint->loop) + FLUSH_LIMIT_MS;
  tick_mark(connection->endpoint);
}

/* Until the server has shown, by any stream, that it confirmed the handshake, or could have (C6). */
static void advance_lingering(struct connection *connection) {
  bool is_confirmed = SSL_get_accept_stream_queue_len(connection->ssl) > 0;
  bool is_late = uv_now(connection->endpoint->loop) >= connection->deadline;
  if (is_confirmed || is_late || has_ended(connection)) begin_ending(connection);
}

static void advance_streams(struct connection *connection) {
  struct endpoint *endpoint = connection->endpoint;
  uint64_t bidirectional = 0, unidirectional = 0;
  stream_accept_all(connection);
  for (struct stream *stream = connection->streams; stream != NULL && connection->state == STATE_OPEN; stream = stream->next)
    stream_advance(stream);
  if (!connection->wants_open || connection->state != STATE_OPEN) return;
  if (SSL_get_quic_stream_bidi_local_avail(connection->ssl, &bidirectional) != 1) return;
  if (SSL_get_quic_stream_uni_local_avail(connection->ssl, &unidirectional) != 1) return;
  if (bidirectional == 0 && unidirectional == 0) return;
  connection->wants_open = false;
  dispatch(endpoint, EVENT_OPENABLE, connection->handle, 0, NULL);
}

static bool is_too_slow(const struct connection *connection) {
  bool is_young = connection->state == STATE_HANDSHAKE || connection->state == STATE_APPROVAL;
  return is_young && uv_now(connection->endpoint->loop) >= connection->deadline;
}

/* One round of one connection. */
void connection_advance(struct connection *connection) {
  if (connection->state == STATE_DEAD) return;
  if (connection->state == STATE_ENDING) {
    advance_ending(connection);
    return;
  }
  if (connection->state == STATE_LINGERING) {
    advance_lingering(connection);
    return;
  }
  if (connection->state == STATE_HANDSHAKE) advance_handshake(connection);
  if (connection->state == STATE_OPEN) advance_streams(connection);
  if (connection->state >= STATE_LINGERING) return;
  if (has_ended(connection)) {
    begin_ending(connection);
  } else if (is_too_slow(connection)) {
    connection_close(connection, CLOSE_TOO_SLOW, text("the handshake took too long"));
  }
}

/* Streams flow from now on. */
void connection_approve(struct connection *connection) {
  if (connection->state != STATE_APPROVAL) return;
  settle_pending(connection);
  connection->state = STATE_OPEN;
  tick_mark(connection->endpoint);
}

/* Begins to end: finished streams are sent out first, for FLUSH_LIMIT_MS at most. */
void connection_close(struct connection *connection, uint64_t code, struct bytes reason) {
  if (connection->state >= STATE_LINGERING) return;
  size_t length = reason.length > REASON_MAX ? REASON_MAX : reason.length;
  connection->close_code = code;
  memcpy(connection->close_reason, reason.data, length);
  if (connection->is_server || connection->state != STATE_APPROVAL) {
    begin_ending(connection);
    return;
  }
  connection->state = STATE_LINGERING;
  connection->deadline = uv_now(connection->endpoint->loop) + LINGER_MS;
}

/* Says goodbye in one packet without waiting for anything; for when the endpoint goes. */
void connection_abandon(struct connection *connection) {
  const SSL_SHUTDOWN_EX_ARGS args = {.quic_error_code = connection->close_code, .quic_reason = connection->close_reason};
  forget_errors();
  (void)SSL_shutdown_ex(
      connection->ssl,
      SSL_SHUTDOWN_FLAG_RAPID | SSL_SHUTDOWN_FLAG_NO_STREAM_FLUSH | SSL_SHUTDOWN_FLAG_NO_BLOCK,
      &args,
      sizeof args);
  forget_errors();
  settle_pending(connection);
  connection->state = STATE_DEAD;
}

/* The caller has unlinked the connection. */
void connection_free(struct connection *connection) {
  struct endpoint *endpoint = connection->endpoint;
  while (connection->streams != NULL) {
    struct stream *stream = connection->streams;
    connection->streams = stream->next;
    stream_free(stream);
  }
  settle_pending(connection);
  table_remove(&endpoint->connection_table, connection->handle);
  endpoint->connections_open -= 1;
  forget_errors();
  SSL_free(connection->ssl);
  forget_errors();
  free(connection);
}
