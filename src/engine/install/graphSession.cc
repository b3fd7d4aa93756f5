// A Node addon that runs whole graphs by TensorFlow's C library: float32 arrays in, float32 arrays out, with no tensor
// of TensorFlow.js between. What a run gives can also stay with TensorFlow, and be fed to the runs that follow.
#include <node_api.h>
#include <pthread.h>
#include <signal.h>
#include <tensorflow/c/c_api.h>

#include <condition_variable>
#include <cstring>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

// The thread that runs graphs, where no signal arrives: a handler that begins on a thread while oneDNN multiplies small
// matrices there (dnnl_sgemm) writes its frame over memory that is somebody else's. JavaScript waits meanwhile.
class Runner {
 public:
  Runner() {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);  // which the new thread inherits
    thread_ = std::thread([this] { Loop(); });
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
  }
  ~Runner() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      ends_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  void Run(const std::function<void()>& job) {
    std::unique_lock<std::mutex> lock(mutex_);
    job_ = &job;
    changed_.notify_all();
    changed_.wait(lock, [this] { return job_ == nullptr; });
  }

 private:
  void Loop() {
    std::unique_lock<std::mutex> lock(mutex_);
    for (;;) {
      changed_.wait(lock, [this] { return job_ != nullptr || ends_; });
      if (job_ == nullptr) return;
      (*job_)();
      job_ = nullptr;
      changed_.notify_all();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  const std::function<void()>* job_ = nullptr;
  bool ends_ = false;
  std::thread thread_;
};

struct Input {
  TF_Output output;
  std::vector<int64_t> shape;
  size_t count = 1;
};

// A graph that is loaded, with what it takes and gives.
struct Session {
  TF_Graph* graph = nullptr;
  TF_Session* session = nullptr;
  std::vector<Input> inputs;
  std::vector<TF_Output> outputs;

  Session() = default;
  Session(const Session&) = delete;
  void Close() {
    const std::unique_ptr<TF_Status, decltype(&TF_DeleteStatus)> status(TF_NewStatus(), TF_DeleteStatus);
    if (session != nullptr) {
      TF_CloseSession(session, status.get());
      TF_DeleteSession(session, status.get());
    }
    if (graph != nullptr) TF_DeleteGraph(graph);
    session = nullptr;
    graph = nullptr;
  }
  ~Session() { Close(); }
};

// A result that stays with TensorFlow; none once it has been released.
struct Kept {
  TF_Tensor* tensor;

  explicit Kept(TF_Tensor* result) : tensor(result) {}
  Kept(const Kept&) = delete;
  void Release() {
    if (tensor != nullptr) TF_DeleteTensor(tensor);
    tensor = nullptr;
  }
  ~Kept() { Release(); }
};

// What napi_type_tag tells apart: a session is never taken for a tensor.
const napi_type_tag kSession = {0x6272696e6b2d7365, 0x7373696f6e000001};
const napi_type_tag kKept = {0x6272696e6b2d6b65, 0x7074000000000001};

template <typename T>
void Delete(napi_env, void* data, void*) {
  delete static_cast<T*>(data);
}

template <typename T>
napi_value Wrap(napi_env env, std::unique_ptr<T> data, const napi_type_tag& tag) {
  napi_value external;
  if (napi_create_external(env, data.get(), Delete<T>, nullptr, &external) != napi_ok) return nullptr;
  data.release();
  napi_type_tag_object(env, external, &tag);
  return external;
}

template <typename T>
T* Unwrap(napi_env env, napi_value value, const napi_type_tag& tag) {
  napi_valuetype type;
  bool matches = false;
  void* data = nullptr;
  if (napi_typeof(env, value, &type) != napi_ok || type != napi_external) return nullptr;
  if (napi_check_object_type_tag(env, value, &tag, &matches) != napi_ok || !matches) return nullptr;
  napi_get_value_external(env, value, &data);
  return static_cast<T*>(data);
}

napi_value Throw(napi_env env, const std::string& message) {
  napi_throw_error(env, nullptr, message.c_str());
  return nullptr;
}

std::string String(napi_env env, napi_value value) {
  size_t length = 0;
  napi_get_value_string_utf8(env, value, nullptr, 0, &length);
  std::string text(length, '\0');
  napi_get_value_string_utf8(env, value, text.data(), length + 1, &length);
  return text;
}

uint32_t Length(napi_env env, napi_value array) {
  uint32_t length = 0;
  napi_get_array_length(env, array, &length);
  return length;
}

napi_value Element(napi_env env, napi_value array, uint32_t k) {
  napi_value element;
  napi_get_element(env, array, k, &element);
  return element;
}

// The tensor `operation:place` of a graph; its oper is null where there is none.
TF_Output Find(TF_Graph* graph, const std::string& name) {
  const size_t colon = name.rfind(':');
  if (colon == std::string::npos) return {nullptr, 0};
  TF_Operation* operation = TF_GraphOperationByName(graph, name.substr(0, colon).c_str());
  const int place = std::stoi(name.substr(colon + 1));
  return {operation != nullptr && place < TF_OperationNumOutputs(operation) ? operation : nullptr, place};
}

// The bytes of a Uint8Array.
bool Bytes(napi_env env, napi_value value, void** data, size_t* length) {
  napi_typedarray_type type;
  return napi_get_typedarray_info(env, value, &type, length, data, nullptr, nullptr) == napi_ok &&
         type == napi_uint8_array;
}

// load(graph, inputs, outputs, settings): a GraphDef, the names of what it takes and gives, a ConfigProto; a session.
napi_value Load(napi_env env, napi_callback_info info) {
  napi_value arguments[4];
  size_t count = 4;
  void *graph_bytes, *settings_bytes;
  size_t graph_length, settings_length;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  if (count < 4 || !Bytes(env, arguments[0], &graph_bytes, &graph_length) ||
      !Bytes(env, arguments[3], &settings_bytes, &settings_length)) {
    return Throw(env, "load: takes a graph, names of inputs and of outputs, and settings.");
  }
  const std::unique_ptr<TF_Status, decltype(&TF_DeleteStatus)> status(TF_NewStatus(), TF_DeleteStatus);
  auto loaded = std::make_unique<Session>();
  loaded->graph = TF_NewGraph();
  const std::unique_ptr<TF_ImportGraphDefOptions, decltype(&TF_DeleteImportGraphDefOptions)> import_options(
      TF_NewImportGraphDefOptions(), TF_DeleteImportGraphDefOptions);
  TF_Buffer buffer{graph_bytes, graph_length, nullptr};
  TF_GraphImportGraphDef(loaded->graph, &buffer, import_options.get(), status.get());
  if (TF_GetCode(status.get()) != TF_OK) return Throw(env, TF_Message(status.get()));

  for (uint32_t k = 0; k < Length(env, arguments[1]); k++) {
    const std::string name = String(env, Element(env, arguments[1], k));
    Input input;
    input.output = Find(loaded->graph, name);
    if (input.output.oper == nullptr) return Throw(env, "load: the graph has no tensor " + name + ".");
    const int rank = TF_GraphGetTensorNumDims(loaded->graph, input.output, status.get());
    if (rank < 0) return Throw(env, "load: the shape of " + name + " is not known.");
    input.shape.resize(rank);
    TF_GraphGetTensorShape(loaded->graph, input.output, input.shape.data(), rank, status.get());
    for (const int64_t size : input.shape) {
      if (size < 0) return Throw(env, "load: the shape of " + name + " is not known.");
      input.count *= size;
    }
    loaded->inputs.push_back(std::move(input));
  }
  for (uint32_t k = 0; k < Length(env, arguments[2]); k++) {
    const std::string name = String(env, Element(env, arguments[2], k));
    loaded->outputs.push_back(Find(loaded->graph, name));
    if (loaded->outputs.back().oper == nullptr) return Throw(env, "load: the graph has no tensor " + name + ".");
  }

  const std::unique_ptr<TF_SessionOptions, decltype(&TF_DeleteSessionOptions)> options(
      TF_NewSessionOptions(), TF_DeleteSessionOptions);
  TF_SetConfig(options.get(), settings_bytes, settings_length, status.get());
  if (TF_GetCode(status.get()) != TF_OK) return Throw(env, TF_Message(status.get()));
  loaded->session = TF_NewSession(loaded->graph, options.get(), status.get());
  if (TF_GetCode(status.get()) != TF_OK) return Throw(env, TF_Message(status.get()));
  return Wrap(env, std::move(loaded), kSession);
}

// What a run is fed, copied where TensorFlow wants it, and what it gives; what is not handed on is deleted.
struct Tensors {
  std::vector<TF_Tensor*> fed;
  std::vector<TF_Tensor*> own;
  std::vector<TF_Tensor*> given;

  ~Tensors() {
    for (TF_Tensor* tensor : own) TF_DeleteTensor(tensor);
    for (TF_Tensor* tensor : given) {
      if (tensor != nullptr) TF_DeleteTensor(tensor);
    }
  }
};

// run(session, feeds, keeps): feeds are Float32Arrays and what was kept, one an input; gives Float32Arrays, or with
// `keeps` what stays with TensorFlow, one an output.
napi_value Run(napi_env env, napi_callback_info info) {
  napi_value arguments[3];
  size_t count = 3;
  bool keeps = false;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  Session* session = count < 3 ? nullptr : Unwrap<Session>(env, arguments[0], kSession);
  if (session == nullptr || session->session == nullptr) return Throw(env, "run: the session is not open.");
  napi_get_value_bool(env, arguments[2], &keeps);
  const size_t input_count = session->inputs.size();
  if (Length(env, arguments[1]) != input_count) {
    return Throw(env, "run: the graph takes " + std::to_string(input_count) + " inputs.");
  }

  Tensors tensors;
  std::vector<TF_Output> inputs;
  for (size_t k = 0; k < input_count; k++) {
    const Input& input = session->inputs[k];
    const napi_value feed = Element(env, arguments[1], k);
    inputs.push_back(input.output);
    if (Kept* kept = Unwrap<Kept>(env, feed, kKept)) {
      if (kept->tensor == nullptr) return Throw(env, "run: input " + std::to_string(k) + " was released.");
      tensors.fed.push_back(kept->tensor);
      continue;
    }
    napi_typedarray_type type;
    size_t length;
    void* data;
    if (napi_get_typedarray_info(env, feed, &type, &length, &data, nullptr, nullptr) != napi_ok ||
        type != napi_float32_array || length != input.count) {
      return Throw(env, "run: input " + std::to_string(k) + " must be a Float32Array of " +
                            std::to_string(input.count) + " numbers.");
    }
    const size_t bytes = length * sizeof(float);
    TF_Tensor* tensor =
        TF_AllocateTensor(TF_FLOAT, input.shape.data(), static_cast<int>(input.shape.size()), bytes);
    if (bytes > 0) memcpy(TF_TensorData(tensor), data, bytes);
    tensors.own.push_back(tensor);
    tensors.fed.push_back(tensor);
  }

  const std::unique_ptr<TF_Status, decltype(&TF_DeleteStatus)> status(TF_NewStatus(), TF_DeleteStatus);
  const int output_count = static_cast<int>(session->outputs.size());
  tensors.given.resize(output_count, nullptr);
  Runner* runner = nullptr;
  napi_get_instance_data(env, reinterpret_cast<void**>(&runner));
  runner->Run([&] {
    TF_SessionRun(session->session, nullptr, inputs.data(), tensors.fed.data(), static_cast<int>(input_count),
                  session->outputs.data(), tensors.given.data(), output_count, nullptr, 0, nullptr, status.get());
  });
  if (TF_GetCode(status.get()) != TF_OK) return Throw(env, TF_Message(status.get()));

  napi_value results;
  napi_create_array_with_length(env, output_count, &results);
  for (int k = 0; k < output_count; k++) {
    TF_Tensor*& tensor = tensors.given[k];
    napi_value result;
    if (keeps) {
      result = Wrap(env, std::make_unique<Kept>(tensor), kKept);
      tensor = nullptr;
    } else {
      if (TF_TensorType(tensor) != TF_FLOAT) {
        return Throw(env, "run: output " + std::to_string(k) + " does not hold float32 numbers.");
      }
      const size_t bytes = TF_TensorByteSize(tensor);
      napi_value memory;
      void* data;
      if (napi_create_arraybuffer(env, bytes, &data, &memory) != napi_ok) {
        return Throw(env, "run: no memory for output " + std::to_string(k) + ".");
      }
      if (bytes > 0) memcpy(data, TF_TensorData(tensor), bytes);
      napi_create_typedarray(env, napi_float32_array, bytes / sizeof(float), memory, 0, &result);
    }
    napi_set_element(env, results, k, result);
  }
  return results;
}

// release(kept): gives back the memory of what was kept. close(session): ends a session.
napi_value Release(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  Kept* kept = count < 1 ? nullptr : Unwrap<Kept>(env, argument, kKept);
  if (kept == nullptr) return Throw(env, "release: takes what a run has kept.");
  kept->Release();
  return nullptr;
}

napi_value Close(napi_env env, napi_callback_info info) {
  napi_value argument;
  size_t count = 1;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  Session* session = count < 1 ? nullptr : Unwrap<Session>(env, argument, kSession);
  if (session == nullptr) return Throw(env, "close: takes a session.");
  session->Close();
  return nullptr;
}

}  // namespace

NAPI_MODULE_INIT() {
  napi_set_instance_data(env, new Runner(), Delete<Runner>, nullptr);
  const struct {
    const char* name;
    napi_callback call;
  } functions[] = {{"load", Load}, {"run", Run}, {"release", Release}, {"close", Close}};
  for (const auto& [name, call] : functions) {
    napi_value function;
    napi_create_function(env, name, NAPI_AUTO_LENGTH, call, nullptr, &function);
    napi_set_named_property(env, exports, name, function);
  }
  return exports;
}
