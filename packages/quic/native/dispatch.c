/*
 * Telling JavaScript: one callback (event, connection, stream, detail).
 *
 * D1. The callback runs inside a callback scope that the first event of a round opens and the end of the round closes: promises settle between
 *     rounds, and a round without events costs none of this.
 * D2. An exception that leaves the callback becomes an uncaught exception of the process, as one from any event listener; the tick goes on.
 * D3. While the environment is torn down nothing is told.
 */
#include "quic.h"

#include <string.h>

static void begin(struct endpoint *endpoint) {
  napi_value resource = NULL;
  if (endpoint->handles != NULL) return;
  napi_open_handle_scope(endpoint->env, &endpoint->handles);
  napi_create_object(endpoint->env, &resource);
  napi_open_callback_scope(endpoint->env, resource, endpoint->async, &endpoint->callbacks);
}

/* Ends what the first event of the round began. */
void dispatch_settle(struct endpoint *endpoint) {
  if (endpoint->handles == NULL) return;
  if (endpoint->callbacks != NULL) napi_close_callback_scope(endpoint->env, endpoint->callbacks);
  napi_close_handle_scope(endpoint->env, endpoint->handles);
  endpoint->callbacks = NULL;
  endpoint->handles = NULL;
}

/* Tells one thing; `stream` is the role in EVENT_HANDSHAKE. */
void dispatch(struct endpoint *endpoint, enum event event, double connection, double stream, napi_value detail) {
  napi_env env = endpoint->env;
  napi_value callback = NULL, receiver = NULL, error = NULL;
  napi_value arguments[4] = {NULL, NULL, NULL, detail};
  if (endpoint->tearing_down) return;
  begin(endpoint);
  napi_get_reference_value(env, endpoint->callback, &callback);
  napi_get_undefined(env, &receiver);
  if (detail == NULL) arguments[3] = receiver;
  napi_create_uint32(env, event, &arguments[0]);
  napi_create_double(env, connection, &arguments[1]);
  napi_create_double(env, stream, &arguments[2]);
  napi_status status = napi_call_function(env, receiver, callback, 4, arguments, NULL);
  if (status == napi_pending_exception && napi_get_and_clear_last_exception(env, &error) == napi_ok)
    napi_fatal_exception(env, error);
}

/* A Buffer with these bytes; undefined when there is no memory for it. For what is told, not for what a call returns: it may open the scope of
 * the round. */
napi_value dispatch_bytes(struct endpoint *endpoint, const uint8_t *data, size_t length) {
  napi_value bytes = NULL;
  if (endpoint->tearing_down) return NULL;
  begin(endpoint);
  if (napi_create_buffer_copy(endpoint->env, length, data, NULL, &bytes) == napi_ok) return bytes;
  return NULL;
}

napi_value dispatch_number(struct endpoint *endpoint, double value) {
  napi_value number = NULL;
  if (endpoint->tearing_down) return NULL;
  begin(endpoint);
  napi_create_double(endpoint->env, value, &number);
  return number;
}

/* [code, reason, flags]; the reason came from the peer and may be no UTF-8, so it goes as bytes. */
napi_value dispatch_close(struct endpoint *endpoint, double code, const char *reason, size_t length, uint32_t flags) {
  napi_value list = NULL, element = NULL;
  if (endpoint->tearing_down) return NULL;
  begin(endpoint);
  napi_create_array_with_length(endpoint->env, 3, &list);
  napi_create_double(endpoint->env, code, &element);
  napi_set_element(endpoint->env, list, 0, element);
  napi_set_element(endpoint->env, list, 1, dispatch_bytes(endpoint, (const uint8_t *)reason, length));
  napi_create_uint32(endpoint->env, flags, &element);
  napi_set_element(endpoint->env, list, 2, element);
  return list;
}
