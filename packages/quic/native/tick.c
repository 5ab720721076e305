/*
 * The tick: packets in, events out, packets out; and the three handles of the event loop that start it.
 *
 * K1. A tick starts when the socket is readable (or writable, when OpenSSL waits for that), when OpenSSL's timer is due, or before the
 *     loop sleeps if JavaScript changed something.
 * K2. A tick is never entered twice. JavaScript that runs inside it only marks the endpoint dirty, which makes one more round.
 * K3. After ROUNDS_MAX rounds the loop gets its turn; what is left is done in its next turn.
 * K4. The socket is read before deadlines are judged: a loop that stood still must not take unread packets for a silent peer. Only a tick of
 *     JavaScript's making leaves it unread, if the socket was looked at in the last STALE_NS and the loop is about to ask it anyway.
 * K5. Only the handle of the socket keeps the process alive, and only as long as the program wants that.
 */
#include "quic.h"

#include <stdlib.h>

/* How often handshakes and closes are checked against their limits while there are any. */
#define CHECK_MS 250
/* A socket that was read no longer ago has nothing that could move a deadline. */
#define STALE_NS ((uint64_t)5 * 1000 * 1000)

static void on_poll(uv_poll_t *handle, int status, int events) {
  struct endpoint *endpoint = handle->data;
  (void)status;
  (void)events;
  endpoint->may_read = true;
  tick_run(endpoint);
}

static void on_timer(uv_timer_t *handle) {
  struct endpoint *endpoint = handle->data;
  endpoint->may_read = true;
  tick_run(endpoint);
}

static void on_prepare(uv_prepare_t *handle) {
  struct endpoint *endpoint = handle->data;
  if (uv_hrtime() - endpoint->read_at > STALE_NS) endpoint->may_read = true;
  tick_run(endpoint);
}

static bool has_deadlines(const struct endpoint *endpoint) {
  for (const struct connection *at = endpoint->connections; at != NULL; at = at->next)
    if (at->state != STATE_OPEN) return true;
  return false;
}

static void arm_timer(struct endpoint *endpoint) {
  struct timeval due = {0};
  int is_infinite = 1;
  uint64_t wait = UINT64_MAX;
  if (SSL_get_event_timeout(endpoint->listener, &due, &is_infinite) == 1 && !is_infinite)
    wait = (uint64_t)due.tv_sec * 1000 + ((uint64_t)due.tv_usec + 999) / 1000;
  if (has_deadlines(endpoint) && wait > CHECK_MS) wait = CHECK_MS;
  /* What is due now was done in this tick; "now" again would spin. */
  if (wait == 0) wait = 1;
  if (endpoint->dirty) wait = 0;
  if (wait == UINT64_MAX)
    uv_timer_stop(endpoint->timer);
  else
    uv_timer_start(endpoint->timer, on_timer, wait, 0);
}

static void arm_poll(struct endpoint *endpoint) {
  int events = UV_READABLE | (packets_wait(endpoint) || SSL_net_write_desired(endpoint->listener) ? UV_WRITABLE : 0);
  if (events == endpoint->poll_events) return;
  endpoint->poll_events = events;
  uv_poll_start(endpoint->poll, events, on_poll);
}

/* The first round only collects: what it has to say, such as an acknowledgement, leaves with what the program answers in it. */
static void round_of(struct endpoint *endpoint, bool is_first) {
  endpoint->dirty = false;
  forget_errors();
  (void)SSL_handle_events(endpoint->listener);
  forget_errors();
  if (!is_first) packets_flush(endpoint);
  connection_accept_all(endpoint);
  for (struct connection *at = endpoint->connections; at != NULL; at = at->next) connection_advance(at);
  /* Promises that the events settled run here, before the next round sends what they wrote. */
  dispatch_settle(endpoint);
  tick_reap(endpoint);
}

/* Does all there is to do, within ROUNDS_MAX rounds. */
void tick_run(struct endpoint *endpoint) {
  if (endpoint->ticking || endpoint->closing) return;
  endpoint->ticking = true;
  endpoint->ticks += 1;
  uv_prepare_stop(endpoint->prepare);
  if (endpoint->may_read) endpoint->read_at = uv_hrtime();
  for (int round = 0; round < ROUNDS_MAX; round += 1) {
    round_of(endpoint, round == 0);
    if (!endpoint->dirty || endpoint->closing) break;
  }
  packets_flush(endpoint);
  endpoint->ticking = false;
  if (endpoint->closing) {
    endpoint_close(endpoint);
    return;
  }
  arm_timer(endpoint);
  arm_poll(endpoint);
}

/* There is something to send or to tell. */
void tick_mark(struct endpoint *endpoint) {
  if (endpoint->dirty || endpoint->closing) return;
  endpoint->dirty = true;
  if (!endpoint->ticking) uv_prepare_start(endpoint->prepare, on_prepare);
}

static void reap_streams(struct connection *connection) {
  struct stream **at = &connection->streams;
  while (*at != NULL) {
    struct stream *stream = *at;
    if (!stream->released) {
      at = &stream->next;
      continue;
    }
    *at = stream->next;
    stream_free(stream);
    tick_mark(connection->endpoint);
  }
}

/* Frees what ended. */
void tick_reap(struct endpoint *endpoint) {
  struct connection **at = &endpoint->connections;
  while (*at != NULL) {
    struct connection *connection = *at;
    reap_streams(connection);
    if (connection->state != STATE_DEAD) {
      at = &connection->next;
      continue;
    }
    *at = connection->next;
    connection_free(connection);
  }
}

static void *new_handle(uv_handle_type type, struct endpoint *endpoint) {
  uv_handle_t *handle = calloc(1, uv_handle_size(type));
  if (handle != NULL) handle->data = endpoint;
  return handle;
}

/* The three handles; false when there is no memory or the loop refuses the socket. */
bool tick_start(struct endpoint *endpoint) {
  endpoint->poll = new_handle(UV_POLL, endpoint);
  endpoint->timer = new_handle(UV_TIMER, endpoint);
  endpoint->prepare = new_handle(UV_PREPARE, endpoint);
  bool has_memory = endpoint->poll != NULL && endpoint->timer != NULL && endpoint->prepare != NULL;
  if (!has_memory || uv_poll_init(endpoint->loop, endpoint->poll, endpoint->fd) != 0) {
    free(endpoint->poll);
    free(endpoint->timer);
    free(endpoint->prepare);
    return false;
  }
  uv_timer_init(endpoint->loop, endpoint->timer);
  uv_prepare_init(endpoint->loop, endpoint->prepare);
  uv_unref((uv_handle_t *)endpoint->timer);
  uv_unref((uv_handle_t *)endpoint->prepare);
  endpoint->handles_open = 3;
  arm_timer(endpoint);
  arm_poll(endpoint);
  return true;
}

static void on_handle_closed(uv_handle_t *handle) {
  struct endpoint *endpoint = handle->data;
  free(handle);
  endpoint->handles_open -= 1;
  if (endpoint->handles_open == 0) endpoint_free(endpoint);
}

/* Closes the handles; endpoint_free is called when the last one is gone. */
void tick_stop(struct endpoint *endpoint) {
  uv_close((uv_handle_t *)endpoint->poll, on_handle_closed);
  uv_close((uv_handle_t *)endpoint->timer, on_handle_closed);
  uv_close((uv_handle_t *)endpoint->prepare, on_handle_closed);
}
