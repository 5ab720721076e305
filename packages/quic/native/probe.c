/*
 * Says which of the symbols that the addon needs this process lacks, before the addon is loaded.
 *
 * P1. It refers to no symbol of OpenSSL or libuv itself, so it loads in every Node.
 */
#include <dlfcn.h>
#include <node_api.h>
#include <stddef.h>

static napi_value js_has(napi_env env, napi_callback_info info) {
  char name[128];
  size_t count = 1, length = 0;
  napi_value argument = NULL, result = NULL;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  bool is_text = napi_get_value_string_utf8(env, argument, name, sizeof name, &length) == napi_ok;
  napi_get_boolean(env, is_text && dlsym(RTLD_DEFAULT, name) != NULL, &result);
  return result;
}

static napi_value on_load(napi_env env, napi_value exports) {
  napi_value function = NULL;
  napi_create_function(env, "has", NAPI_AUTO_LENGTH, js_has, NULL, &function);
  napi_set_named_property(env, exports, "has", function);
  return exports;
}

NAPI_MODULE(glia_quic_probe, on_load)
