// A Node addon that loads TensorFlow's library with standard error closed. While it loads, and before it reads
// TF_CPP_MIN_LOG_LEVEL, TensorFlow announces that oneDNN is on: two lines at every start, which no setting silences but
// oneDNN off. Where the library does not load, the binding beside this says why.
#include <dlfcn.h>
#include <fcntl.h>
#include <node_api.h>
#include <unistd.h>

#include <string>

NAPI_MODULE_INIT() {
  Dl_info self;
  if (dladdr(reinterpret_cast<void*>(&napi_register_module_v1), &self) == 0) return exports;
  const std::string addon = self.dli_fname;
  const std::string library = addon.substr(0, addon.rfind('/')) + "/tensorflow/libtensorflow_framework.so.2";

  const int standard_error = dup(STDERR_FILENO);
  const int nowhere = open("/dev/null", O_WRONLY);
  if (standard_error >= 0 && nowhere >= 0) {
    dup2(nowhere, STDERR_FILENO);
    dlopen(library.c_str(), RTLD_NOW);
    dup2(standard_error, STDERR_FILENO);
  }
  if (nowhere >= 0) close(nowhere);
  if (standard_error >= 0) close(standard_error);
  return exports;
}
