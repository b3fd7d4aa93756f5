// A Node addon that loads TensorFlow's library, with settings that the library can see and with standard error closed.
//
// TensorFlow reads the process's environment, which process.env is in the main thread alone: in a worker thread it is a
// copy. While the library loads, and before it reads TF_CPP_MIN_LOG_LEVEL, TensorFlow announces that oneDNN is on: two
// lines at every start, which no setting silences but oneDNN off. Where the library does not load, the binding beside
// this says why.
#include <dlfcn.h>
#include <fcntl.h>
#include <node_api.h>
#include <stdlib.h>
#include <unistd.h>

#include <string>

namespace {

#ifdef __APPLE__
constexpr const char* kLibraries[] = {"libtensorflow_framework.2.dylib", "libtensorflow_cc.2.dylib"};
#else
constexpr const char* kLibraries[] = {"libtensorflow_framework.so.2", "libtensorflow_cc.so.2"};
#endif

void LoadQuietly() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&LoadQuietly), &self) == 0) return;
  const std::string addon = self.dli_fname;
  const std::string libraries = addon.substr(0, addon.rfind('/')) + "/tensorflow/";

  const int standard_error = dup(STDERR_FILENO);
  const int nowhere = open("/dev/null", O_WRONLY);
  if (standard_error >= 0 && nowhere >= 0) {
    dup2(nowhere, STDERR_FILENO);
    // Node.js unloads the addons of a worker thread as it ends, and TensorFlow would go with its binding; what it has
    // left to be done as the process ends would be there no more.
    for (const char* library : kLibraries) {
      dlopen((libraries + library).c_str(), RTLD_NOW | RTLD_NODELETE);
    }
    dup2(standard_error, STDERR_FILENO);
  }
  if (nowhere >= 0) close(nowhere);
  if (standard_error >= 0) close(standard_error);
}

// load(settings): settings are strings NAME=VALUE.
napi_value Load(napi_env env, napi_callback_info info) {
  napi_value settings;
  size_t arguments = 1;
  uint32_t count = 0;
  napi_get_cb_info(env, info, &arguments, &settings, nullptr, nullptr);
  if (napi_get_array_length(env, settings, &count) != napi_ok) {
    napi_throw_type_error(env, nullptr, "load: settings must be an array of strings NAME=VALUE.");
    return nullptr;
  }
  for (uint32_t k = 0; k < count; k++) {
    napi_value element;
    size_t length = 0;
    napi_get_element(env, settings, k, &element);
    napi_get_value_string_utf8(env, element, nullptr, 0, &length);
    std::string setting(length, '\0');
    napi_get_value_string_utf8(env, element, setting.data(), length + 1, &length);
    const size_t equals = setting.find('=');
    if (equals == std::string::npos) continue;
    setenv(setting.substr(0, equals).c_str(), setting.substr(equals + 1).c_str(), 1);
  }
  LoadQuietly();
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_value load;
  napi_create_function(env, "load", NAPI_AUTO_LENGTH, Load, nullptr, &load);
  napi_set_named_property(env, exports, "load", load);
  return exports;
}
