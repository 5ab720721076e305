/*
 * An endpoint: one UDP socket that listens and dials, from its making to the last byte of its memory.
 *
 * E1. Making one fails as a whole: nothing stays behind.
 * E2. Closing frees streams before their connections, connections before the listener, and stops the loop's handles before the socket goes.
 * E3. The structure goes when both the loop and JavaScript have let go of it.
 * E4. When the environment ends first (a worker thread is terminated), the cleanup hook closes the endpoint without calling JavaScript.
 */
#include "quic.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool fail(struct failure *failure, const char *code, const char *text) {
  failure->code = code;
  snprintf(failure->text, sizeof failure->text, "%s", text);
  return false;
}

static bool open_tls(struct endpoint *endpoint, const struct options *options, struct failure *failure) {
  endpoint->alpn = malloc(options->alpn.length);
  endpoint->scratch = malloc(READ_BUDGET);
  if (endpoint->alpn == NULL || endpoint->scratch == NULL) return fail(failure, "memory", "there is no memory");
  memcpy(endpoint->alpn, options->alpn.data, options->alpn.length);
  endpoint->alpn_length = options->alpn.length;
  endpoint->context = identity_context(endpoint, options->groups);
  if (endpoint->context == NULL) return fail(failure, "groups", "OpenSSL does not know these groups");
  const char *wrong = identity_use(endpoint->context, options->certificate, options->key);
  return wrong == NULL || fail(failure, "identity", wrong);
}

static bool open_socket(struct endpoint *endpoint, const struct options *options, struct failure *failure) {
  int error = 0;
  endpoint->fd = socket_open(options->address, options->port, &error);
  if (endpoint->fd >= 0) return true;
  const char *name = uv_err_name(-error);
  return fail(failure, "socket", name);
}

static bool open_listener(struct endpoint *endpoint, const struct options *options, struct failure *failure) {
  uint64_t flags = options->validates_addresses ? 0 : SSL_LISTENER_FLAG_NO_VALIDATE;
  forget_errors();
  endpoint->listener = SSL_new_listener(endpoint->context, flags);
  BIO *bio = packets_open(endpoint);
  if (endpoint->listener == NULL || bio == NULL) {
    BIO_free(bio);
    forget_errors();
    return fail(failure, "memory", "OpenSSL made no listener");
  }
  SSL_set_bio(endpoint->listener, bio, bio);
  (void)SSL_set_generic_value_uint(endpoint->listener, SSL_VALUE_QUIC_MAX_PENDING_CONNS, options->pending_max);
  bool listens = SSL_set_blocking_mode(endpoint->listener, 0) == 1 && SSL_listen(endpoint->listener) == 1;
  forget_errors();
  return listens || fail(failure, "memory", "OpenSSL refused to listen");
}

static void release_tls(struct endpoint *endpoint) {
  forget_errors();
  SSL_free(endpoint->listener);
  SSL_CTX_free(endpoint->context);
  packets_close(endpoint);
  forget_errors();
  endpoint->listener = NULL;
  endpoint->context = NULL;
  free(endpoint->scratch);
  free(endpoint->alpn);
  endpoint->scratch = NULL;
  endpoint->alpn = NULL;
}

/* An endpoint whose socket is bound, or NULL and why. */
struct endpoint *endpoint_open(napi_env env, const struct options *options, struct failure *failure) {
  struct endpoint *endpoint = calloc(1, sizeof *endpoint);
  if (endpoint == NULL) {
    fail(failure, "memory", "there is no memory");
    return NULL;
  }
  endpoint->env = env;
  endpoint->fd = -1;
  endpoint->idle_ms = options->idle_ms;
  endpoint->pending_max = options->pending_max;
  endpoint->connections_max = options->connections_max;
  napi_get_uv_event_loop(env, &endpoint->loop);
  if (open_tls(endpoint, options, failure) && open_socket(endpoint, options, failure) &&
      open_listener(endpoint, options, failure)) {
    if (tick_start(endpoint)) return endpoint;
    fail(failure, "socket", "the event loop does not take the socket");
  }
  release_tls(endpoint);
  if (endpoint->fd >= 0) close(endpoint->fd);
  free(endpoint);
  return NULL;
}

static void on_environment_end(napi_async_cleanup_hook_handle handle, void *data) {
  (void)handle;
  struct endpoint *endpoint = data;
  endpoint->tearing_down = true;
  endpoint_close(endpoint);
}

/* From now on events go to this function. */
bool endpoint_listen_to(struct endpoint *endpoint, napi_value callback) {
  napi_env env = endpoint->env;
  napi_value name = NULL;
  return napi_create_reference(env, callback, 1, &endpoint->callback) == napi_ok &&
         napi_create_string_utf8(env, "glia.quic", NAPI_AUTO_LENGTH, &name) == napi_ok &&
         napi_async_init(env, NULL, name, &endpoint->async) == napi_ok &&
         napi_add_async_cleanup_hook(env, on_environment_end, endpoint, &endpoint->cleanup) == napi_ok;
}

/* Says goodbye on every connection and lets go of everything; EVENT_ENDPOINT_CLOSED follows. */
void endpoint_close(struct endpoint *endpoint) {
  endpoint->closing = true;
  if (endpoint->ticking || endpoint->closed) return;
  endpoint->closed = true;
  for (struct connection *at = endpoint->connections; at != NULL; at = at->next) connection_abandon(at);
  forget_errors();
  (void)SSL_handle_events(endpoint->listener);
  packets_flush(endpoint);
  tick_reap(endpoint);
  release_tls(endpoint);
  table_free(&endpoint->connection_table);
  table_free(&endpoint->stream_table);
  tick_stop(endpoint);
}

static void tell_gone(struct endpoint *endpoint) {
  napi_env env = endpoint->env;
  dispatch(endpoint, EVENT_ENDPOINT_CLOSED, 0, 0, NULL);
  dispatch_settle(endpoint);
  napi_delete_reference(env, endpoint->callback);
  napi_async_destroy(env, endpoint->async);
}

/* The loop has let go: the socket closes, and the environment may end. */
void endpoint_free(struct endpoint *endpoint) {
  close(endpoint->fd);
  if (!endpoint->tearing_down) tell_gone(endpoint);
  if (endpoint->cleanup != NULL) napi_remove_async_cleanup_hook(endpoint->cleanup);
  endpoint->is_gone = true;
  if (endpoint->is_forgotten) free(endpoint);
}

/* JavaScript has let go. */
void endpoint_forget(struct endpoint *endpoint) {
  endpoint->is_forgotten = true;
  if (endpoint->is_gone) free(endpoint);
}
