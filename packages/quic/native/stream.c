/*
 * One stream: reading up to a budget, writing what fits, ending each half.
 *
 * S1. A round reads at most READ_BUDGET bytes of a stream, and none while the program paused it: what is unread fills OpenSSL's window and
 *     stops the peer.
 * S2. A write takes what OpenSSL's buffer has room for and says how much that was. If it was not everything, EVENT_WRITABLE follows when
 *     there is room again.
 * S3. Each half ends with one event: EVENT_END or EVENT_RESET for reading, EVENT_STOPPED when the peer wants no more. The end of the
 *     connection ends both without an event per stream.
 * S4. After stream_free was asked for, no event names the stream.
 */
#include "quic.h"

#include <stdlib.h>

static struct stream *stream_new(struct connection *connection, SSL *ssl) {
  struct stream *stream = calloc(1, sizeof *stream);
  if (stream == NULL) return NULL;
  int type = SSL_get_stream_type(ssl);
  stream->connection = connection;
  stream->ssl = ssl;
  stream->can_read = (type & SSL_STREAM_TYPE_READ) != 0;
  stream->can_write = (type & SSL_STREAM_TYPE_WRITE) != 0;
  stream->paused = true;
  stream->handle = table_add(&connection->endpoint->stream_table, stream);
  if (stream->handle == 0) {
    free(stream);
    return NULL;
  }
  stream->next = connection->streams;
  connection->streams = stream;
  return stream;
}

/* A stream of ours, or NULL when the peer allows no more at the moment: EVENT_OPENABLE follows when it does. */
struct stream *stream_open(struct connection *connection, bool unidirectional) {
  uint64_t flags = SSL_STREAM_FLAG_NO_BLOCK | (unidirectional ? SSL_STREAM_FLAG_UNI : 0);
  forget_errors();
  SSL *ssl = SSL_new_stream(connection->ssl, flags);
  forget_errors();
  if (ssl == NULL) {
    connection->wants_open = true;
    return NULL;
  }
  struct stream *stream = stream_new(connection, ssl);
  if (stream == NULL) SSL_free(ssl);
  tick_mark(connection->endpoint);
  return stream;
}

/* Takes every stream that the peer opened; the peer may have at most as many as OpenSSL allows it (100 of each kind). */
void stream_accept_all(struct connection *connection) {
  struct endpoint *endpoint = connection->endpoint;
  while (connection->state == STATE_OPEN) {
    forget_errors();
    SSL *ssl = SSL_accept_stream(connection->ssl, SSL_ACCEPT_STREAM_NO_BLOCK);
    if (ssl == NULL) break;
    struct stream *stream = stream_new(connection, ssl);
    if (stream == NULL) {
      SSL_free(ssl);
      continue;
    }
    double id = (double)SSL_get_stream_id(ssl);
    dispatch(endpoint, EVENT_STREAM, connection->handle, stream->handle, dispatch_number(endpoint, id));
  }
  forget_errors();
}

/* Fills the endpoint's buffer from the stream; gives the bytes and whether the reading half is over. */
static size_t fill(struct stream *stream, bool *is_over) {
  uint8_t *into = stream->connection->endpoint->scratch;
  size_t total = 0;
  *is_over = false;
  forget_errors();
  while (total < READ_BUDGET) {
    size_t taken = 0;
    if (SSL_read_ex(stream->ssl, into + total, READ_BUDGET - total, &taken) != 1) {
      *is_over = SSL_get_error(stream->ssl, 0) != SSL_ERROR_WANT_READ;
      break;
    }
    total += taken;
  }
  forget_errors();
  return total;
}

static void tell_read_over(struct stream *stream) {
  struct connection *connection = stream->connection;
  struct endpoint *endpoint = connection->endpoint;
  int state = SSL_get_stream_read_state(stream->ssl);
  uint64_t code = 0;
  if (state == SSL_STREAM_STATE_CONN_CLOSED) return;
  stream->read_done = true;
  if (state == SSL_STREAM_STATE_FINISHED) {
    dispatch(endpoint, EVENT_END, connection->handle, stream->handle, NULL);
    return;
  }
  (void)SSL_get_stream_read_error_code(stream->ssl, &code);
  dispatch(endpoint, EVENT_RESET, connection->handle, stream->handle, dispatch_number(endpoint, (double)code));
}

static void advance_read(struct stream *stream) {
  struct connection *connection = stream->connection;
  struct endpoint *endpoint = connection->endpoint;
  bool is_over = false;
  size_t length = fill(stream, &is_over);
  if (length > 0) {
    connection->bytes_in += length;
    tick_mark(endpoint);
    dispatch(endpoint, EVENT_DATA, connection->handle, stream->handle, dispatch_bytes(endpoint, endpoint->scratch, length));
  }
  if (is_over && !stream->released) tell_read_over(stream);
}

/* Half of OpenSSL's buffer at least: a word to JavaScript for every few bytes would cost more than it moves. */
static bool has_room(SSL *ssl) {
  uint64_t room = 0, size = 0;
  if (SSL_get_stream_write_buf_avail(ssl, &room) != 1 || SSL_get_stream_write_buf_size(ssl, &size) != 1) return false;
  return room > 0 && room >= size / 2;
}

static void advance_write(struct stream *stream) {
  struct connection *connection = stream->connection;
  struct endpoint *endpoint = connection->endpoint;
  int state = SSL_get_stream_write_state(stream->ssl);
  /* OpenSSL answers the peer's STOP_SENDING with a reset of its own (RFC 9000 section 3.5), which then counts as local. */
  if (state == SSL_STREAM_STATE_RESET_REMOTE || state == SSL_STREAM_STATE_RESET_LOCAL) {
    uint64_t code = 0;
    stream->write_done = true;
    (void)SSL_get_stream_write_error_code(stream->ssl, &code);
    dispatch(endpoint, EVENT_STOPPED, connection->handle, stream->handle, dispatch_number(endpoint, (double)code));
    return;
  }
  if (!stream->wants_write || state != SSL_STREAM_STATE_OK) return;
  if (!has_room(stream->ssl)) return;
  stream->wants_write = false;
  dispatch(endpoint, EVENT_WRITABLE, connection->handle, stream->handle, NULL);
}

/* A reset is told at once, also while the program reads nothing. */
static bool is_reset(const struct stream *stream) {
  return SSL_get_stream_read_state(stream->ssl) == SSL_STREAM_STATE_RESET_REMOTE;
}

/* One round of one stream. */
void stream_advance(struct stream *stream) {
  if (stream->released) return;
  if (stream->can_read && !stream->read_done) {
    if (!stream->paused)
      advance_read(stream);
    else if (is_reset(stream))
      tell_read_over(stream);
  }
  if (stream->released || stream->connection->state != STATE_OPEN) return;
  if (stream->can_write && !stream->write_done) advance_write(stream);
}

/* The number of bytes that were taken. */
size_t stream_write(struct stream *stream, struct bytes bytes) {
  size_t taken = 0;
  if (!stream->can_write || stream->write_done || bytes.length == 0) return 0;
  forget_errors();
  if (SSL_write_ex(stream->ssl, bytes.data, bytes.length, &taken) != 1) taken = 0;
  forget_errors();
  stream->connection->bytes_out += taken;
  stream->wants_write = taken < bytes.length;
  tick_mark(stream->connection->endpoint);
  return taken;
}

bool stream_finish(struct stream *stream) {
  if (!stream->can_write || stream->write_done) return false;
  forget_errors();
  bool done = SSL_stream_conclude(stream->ssl, 0) == 1;
  forget_errors();
  stream->write_done = true;
  tick_mark(stream->connection->endpoint);
  return done;
}

/* Ends the sending half at once: what the peer has not read yet may be lost. */
void stream_reset(struct stream *stream, uint64_t code) {
  const SSL_STREAM_RESET_ARGS args = {.quic_error_code = code};
  if (!stream->can_write) return;
  forget_errors();
  (void)SSL_stream_reset(stream->ssl, &args, sizeof args);
  forget_errors();
  stream->write_done = true;
  tick_mark(stream->connection->endpoint);
}

/* OpenSSL tells the peer to stop sending when the reading half is not over. The caller has unlinked the stream. */
void stream_free(struct stream *stream) {
  struct endpoint *endpoint = stream->connection->endpoint;
  table_remove(&endpoint->stream_table, stream->handle);
  forget_errors();
  SSL_free(stream->ssl);
  forget_errors();
  free(stream);
}
