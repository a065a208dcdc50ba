#include <math.h>
#include <node_api.h>

/* The relative luminance of a colour, as WCAG defines it. */
static double channel(uint32_t value) {
  double part = value / 255.0;
  return part <= 0.03928 ? part / 12.92 : pow((part + 0.055) / 1.055, 2.4);
}

static napi_value luminance(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, result;
  uint32_t rgb = 0;
  napi_get_cb_info(env, info, &count, &argument, NULL, NULL);
  if (count != 1 || napi_get_value_uint32(env, argument, &rgb) != napi_ok) {
    napi_throw_type_error(env, NULL, "a number is needed");
    return NULL;
  }
  double value = 0.2126 * channel(rgb >> 16 & 255) + 0.7152 * channel(rgb >> 8 & 255) + 0.0722 * channel(rgb & 255);
  napi_create_double(env, value, &result);
  return result;
}

static napi_value init(napi_env env, napi_value exports) {
  napi_value function;
  napi_create_function(env, "luminance", NAPI_AUTO_LENGTH, luminance, NULL, &function);
  napi_set_named_property(env, exports, "luminance", function);
  return exports;
}

NAPI_MODULE(NODE_GYP_MODULE_NAME, init)
