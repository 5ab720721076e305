/*
 * What JavaScript sees: functions that take an endpoint, handles and plain values.
 *
 * A1. Every argument is checked before it is used. A wrong one throws; an endpoint that is closed and a handle of something that is gone do
 *     nothing and give a value that says so (0, false, undefined).
 * A2. Bytes are read during the call only; nothing keeps a pointer into JavaScript's memory.
 */
#include "quic.h"

#include <string.h>

#define ARGUMENTS_MAX 12

struct call {
  napi_env env;
  napi_value values[ARGUMENTS_MAX];
  struct endpoint *endpoint;
  bool is_bad;
};

static const napi_type_tag endpoint_tag = {0x9d1f6c1e5b0a4c27, 0xa7e2c4d84f3b6e51};

static napi_value undefined(napi_env env) {
  napi_value value = NULL;
  napi_get_undefined(env, &value);
  return value;
}

static napi_value number(napi_env env, double of) {
  napi_value value = NULL;
  napi_create_double(env, of, &value);
  return value;
}

static void bad(struct call *call, const char *text) {
  if (!call->is_bad) napi_throw_type_error(call->env, "argument", text);
  call->is_bad = true;
}

static struct call begin(napi_env env, napi_callback_info info) {
  struct call call = {.env = env};
  size_t count = ARGUMENTS_MAX;
  if (napi_get_cb_info(env, info, &count, call.values, NULL, NULL) != napi_ok) bad(&call, "arguments");
  return call;
}

static struct call begin_with_endpoint(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  bool is_ours = false;
  void *data = NULL;
  napi_valuetype type = napi_undefined;
  napi_typeof(env, call.values[0], &type);
  if (type == napi_external) napi_check_object_type_tag(env, call.values[0], &endpoint_tag, &is_ours);
  if (!is_ours || napi_get_value_external(env, call.values[0], &data) != napi_ok) {
    bad(&call, "no endpoint");
    return call;
  }
  struct endpoint *endpoint = data;
  call.endpoint = endpoint->closing ? NULL : endpoint;
  return call;
}

static double take_number(struct call *call, int at, double max) {
  double value = 0;
  if (napi_get_value_double(call->env, call->values[at], &value) != napi_ok || !(value >= 0 && value <= max)) {
    bad(call, "a number is missing or out of range");
    return 0;
  }
  return value;
}

static bool take_flag(struct call *call, int at) {
  bool value = false;
  if (napi_get_value_bool(call->env, call->values[at], &value) != napi_ok) bad(call, "a flag is missing");
  return value;
}

static struct bytes take_bytes(struct call *call, int at) {
  static const uint8_t nothing[1];
  bool is_array = false;
  napi_typedarray_type type = napi_int8_array;
  size_t length = 0;
  void *data = NULL;
  napi_is_typedarray(call->env, call->values[at], &is_array);
  if (is_array) napi_get_typedarray_info(call->env, call->values[at], &type, &length, &data, NULL, NULL);
  if (type != napi_uint8_array) {
    bad(call, "bytes are missing");
    length = 0;
  }
  return (struct bytes){length == 0 || data == NULL ? nothing : data, data == NULL ? 0 : length};
}

static void take_text(struct call *call, int at, char *into, size_t size) {
  size_t length = 0;
  into[0] = 0;
  bool is_text = napi_get_value_string_utf8(call->env, call->values[at], NULL, 0, &length) == napi_ok;
  if (!is_text || length >= size)
    bad(call, "a text is missing or too long");
  else
    napi_get_value_string_utf8(call->env, call->values[at], into, size, &length);
}

static const double handle_max = 9007199254740991.0;

static struct connection *take_connection(struct call *call) {
  double handle = take_number(call, 1, handle_max);
  if (call->is_bad || call->endpoint == NULL) return NULL;
  struct connection *connection = table_get(&call->endpoint->connection_table, handle);
  return connection == NULL || connection->state == STATE_DEAD ? NULL : connection;
}

static struct stream *take_stream(struct call *call) {
  double handle = take_number(call, 1, handle_max);
  if (call->is_bad || call->endpoint == NULL) return NULL;
  struct stream *stream = table_get(&call->endpoint->stream_table, handle);
  return stream == NULL || stream->released || stream->connection->state == STATE_DEAD ? NULL : stream;
}

static void on_endpoint_collected(napi_env env, void *data, void *hint) {
  (void)env;
  (void)hint;
  endpoint_forget(data);
}

/* create(address, port, certificate, key, alpn, groups, validates, idleMs, pendingMax, connectionsMax, callback) */
static napi_value js_create(napi_env env, napi_callback_info info) {
  struct call call = begin(env, info);
  struct options options = {0};
  struct failure failure = {0};
  take_text(&call, 0, options.address, sizeof options.address);
  options.port = (uint16_t)take_number(&call, 1, 65535);
  options.certificate = take_bytes(&call, 2);
  options.key = take_bytes(&call, 3);
  options.alpn = take_bytes(&call, 4);
  take_text(&call, 5, options.groups, sizeof options.groups);
  options.validates_addresses = take_flag(&call, 6);
  options.idle_ms = (uint64_t)take_number(&call, 7, handle_max);
  options.pending_max = (uint32_t)take_number(&call, 8, SLOTS_MAX);
  options.connections_max = (uint32_t)take_number(&call, 9, SLOTS_MAX);
  napi_valuetype callback_type = napi_undefined;
  napi_typeof(env, call.values[10], &callback_type);
  if (callback_type != napi_function) bad(&call, "no callback");
  if (call.is_bad) return NULL;
  struct endpoint *endpoint = endpoint_open(env, &options, &failure);
  if (endpoint == NULL) {
    napi_throw_error(env, failure.code, failure.text);
    return NULL;
  }
  napi_value external = NULL;
  bool is_fine = napi_create_external(env, endpoint, on_endpoint_collected, NULL, &external) == napi_ok;
  if (!is_fine) endpoint->is_forgotten = true;
  is_fine = is_fine && napi_type_tag_object(env, external, &endpoint_tag) == napi_ok;
  if (is_fine && endpoint_listen_to(endpoint, call.values[10])) return external;
  endpoint->tearing_down = true;
  endpoint_close(endpoint);
  return NULL;
}

static napi_value js_address(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  struct address name = {0};
  napi_value result = NULL, text = NULL;
  if (call.is_bad || call.endpoint == NULL || !socket_name(call.endpoint->fd, &name)) return undefined(env);
  napi_create_string_utf8(env, name.text, NAPI_AUTO_LENGTH, &text);
  napi_create_object(env, &result);
  napi_set_named_property(env, result, "host", text);
  napi_set_named_property(env, result, "port", number(env, name.port));
  return result;
}

static napi_value js_set_identity(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  struct bytes certificate = take_bytes(&call, 1);
  struct bytes key = take_bytes(&call, 2);
  if (call.is_bad || call.endpoint == NULL) return undefined(env);
  const char *wrong = identity_use(call.endpoint->context, certificate, key);
  if (wrong != NULL) napi_throw_error(env, "identity", wrong);
  return undefined(env);
}

static napi_value js_connect(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  char address[INET6_ADDRSTRLEN];
  take_text(&call, 1, address, sizeof address);
  uint16_t port = (uint16_t)take_number(&call, 2, 65535);
  if (call.is_bad || call.endpoint == NULL) return number(env, 0);
  bool has_room = call.endpoint->connections_open < call.endpoint->connections_max;
  struct connection *connection = has_room ? connection_dial(call.endpoint, address, port) : NULL;
  return number(env, connection == NULL ? 0 : connection->handle);
}

static napi_value js_approve(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  struct connection *connection = take_connection(&call);
  if (connection != NULL) connection_approve(connection);
  return undefined(env);
}

static napi_value js_close_connection(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  struct connection *connection = take_connection(&call);
  uint64_t code = (uint64_t)take_number(&call, 2, handle_max);
  struct bytes reason = take_bytes(&call, 3);
  if (!call.is_bad && connection != NULL) connection_close(connection, code, reason);
  return undefined(env);
}

static napi_value js_export(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  struct connection *connection = take_connection(&call);
  struct bytes label = take_bytes(&call, 2);
  struct bytes context = take_bytes(&call, 3);
  size_t length = (size_t)take_number(&call, 4, EXPORT_MAX);
  uint8_t secret[EXPORT_MAX];
  if (call.is_bad || connection == NULL || connection->state == STATE_HANDSHAKE || connection->state >= STATE_LINGERING)
    return undefined(env);
  forget_errors();
  int done = SSL_export_keying_material(
      connection->ssl, secret, length, (const char *)label.data, label.length, context.data, context.length, 1);
  forget_errors();
  napi_value bytes = NULL;
  if (done == 1) napi_create_buffer_copy(env, length, secret, NULL, &bytes);
  OPENSSL_cleanse(secret, sizeof secret);
  return bytes == NULL ? undefined(env) : bytes;
}

static napi_value js_open(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  struct connection *connection = take_connection(&call);
  bool unidirectional = take_flag(&call, 2);
  if (call.is_bad || connection == NULL || connection->state != STATE_OPEN) return number(env, 0);
  struct stream *stream = stream_open(connection, unidirectional);
  return number(env, stream == NULL ? 0 : stream->handle);
}

static napi_value js_stream_id(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  const struct stream *stream = take_stream(&call);
  return stream == NULL ? undefined(env) : number(env, (double)SSL_get_stream_id(stream->ssl));
}

static napi_value js_write(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  struct stream *stream = take_stream(&call);
  struct bytes bytes = take_bytes(&call, 2);
  size_t from = (size_t)take_number(&call, 3, handle_max);
  if (call.is_bad || stream == NULL || from > bytes.length) return number(env, 0);
  return number(env, (double)stream_write(stream, (struct bytes){bytes.data + from, bytes.length - from}));
}

static napi_value js_finish(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  struct stream *stream = take_stream(&call);
  if (stream != NULL) stream_finish(stream);
  return undefined(env);
}

static napi_value js_reset(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  struct stream *stream = take_stream(&call);
  uint64_t code = (uint64_t)take_number(&call, 2, handle_max);
  if (!call.is_bad && stream != NULL) stream_reset(stream, code);
  return undefined(env);
}

static napi_value js_pause(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  struct stream *stream = take_stream(&call);
  bool is_paused = take_flag(&call, 2);
  if (call.is_bad || stream == NULL) return undefined(env);
  stream->paused = is_paused;
  if (!is_paused) tick_mark(call.endpoint);
  return undefined(env);
}

static napi_value js_release(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  struct stream *stream = take_stream(&call);
  if (stream == NULL) return undefined(env);
  stream->released = true;
  tick_mark(call.endpoint);
  return undefined(env);
}

static void put(napi_env env, napi_value object, const char *name, double value) {
  napi_set_named_property(env, object, name, number(env, value));
}

static napi_value js_stats(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  napi_value object = NULL;
  if (call.is_bad || call.endpoint == NULL) return undefined(env);
  napi_create_object(env, &object);
  put(env, object, "connections", call.endpoint->connections_open);
  put(env, object, "pending", call.endpoint->pending);
  put(env, object, "streams", call.endpoint->stream_table.used);
  put(env, object, "refused", (double)call.endpoint->refused);
  put(env, object, "ticks", (double)call.endpoint->ticks);
  put(env, object, "unsent", (double)call.endpoint->unsent);
  return object;
}

static napi_value js_connection_stats(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  const struct connection *connection = take_connection(&call);
  napi_value object = NULL;
  if (call.is_bad || connection == NULL) return undefined(env);
  napi_create_object(env, &object);
  put(env, object, "bytesReceived", (double)connection->bytes_in);
  put(env, object, "bytesSent", (double)connection->bytes_out);
  return object;
}

static napi_value js_keep_alive(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  bool keeps = take_flag(&call, 1);
  if (call.is_bad || call.endpoint == NULL) return undefined(env);
  if (keeps)
    uv_ref((uv_handle_t *)call.endpoint->poll);
  else
    uv_unref((uv_handle_t *)call.endpoint->poll);
  return undefined(env);
}

static napi_value js_close(napi_env env, napi_callback_info info) {
  struct call call = begin_with_endpoint(env, info);
  if (!call.is_bad && call.endpoint != NULL) endpoint_close(call.endpoint);
  return undefined(env);
}

#define FUNCTION(name, function) {name, NULL, function, NULL, NULL, NULL, napi_enumerable, NULL}

static napi_value on_load(napi_env env, napi_value exports) {
  const napi_property_descriptor functions[] = {
      FUNCTION("create", js_create),
      FUNCTION("address", js_address),
      FUNCTION("setIdentity", js_set_identity),
      FUNCTION("connect", js_connect),
      FUNCTION("approve", js_approve),
      FUNCTION("closeConnection", js_close_connection),
      FUNCTION("exportKeyingMaterial", js_export),
      FUNCTION("open", js_open),
      FUNCTION("streamId", js_stream_id),
      FUNCTION("write", js_write),
      FUNCTION("finish", js_finish),
      FUNCTION("reset", js_reset),
      FUNCTION("pause", js_pause),
      FUNCTION("release", js_release),
      FUNCTION("stats", js_stats),
      FUNCTION("connectionStats", js_connection_stats),
      FUNCTION("keepAlive", js_keep_alive),
      FUNCTION("close", js_close),
  };
  napi_define_properties(env, exports, sizeof functions / sizeof functions[0], functions);
  return exports;
}

NAPI_MODULE(glia_quic, on_load)
