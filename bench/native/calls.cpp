// The floor of a call: a client and a server in C++ that do what bench/programs/calls.py does, both ends in one process.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include <Ice/Ice.h>

namespace {

using Bytes = std::vector<Ice::Byte>;
constexpr int batch = 1000;

/// Answers each request with its own arguments.
class Echo : public Ice::Blobject {
public:
    bool ice_invoke(Bytes in, Bytes& out, const Ice::Current&) override {
        out = std::move(in);
        return true;
    }
};

void asynchronous(const std::shared_ptr<Ice::ObjectPrx>& proxy, int calls) {
    for (int begun = 0; begun < calls; begun += batch) {
        std::vector<std::future<Ice::Object::Ice_invokeResult>> futures;
        for (int i = begun; i < calls && i < begun + batch; ++i) {
            futures.push_back(proxy->ice_invokeAsync("echo", Ice::OperationMode::Normal, Bytes{}));
        }
        for (auto& future : futures) {
            future.get();
        }
    }
}

void synchronous(const std::shared_ptr<Ice::ObjectPrx>& proxy, int calls) {
    for (int i = 0; i < calls; ++i) {
        proxy->ice_ping();
    }
}

double processor_seconds() {
    std::timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) / 1e9;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: calls asynchronous|synchronous CALLS\n");
        return 2;
    }
    const auto call = std::string(argv[1]) == "asynchronous" ? asynchronous : synchronous;
    const int calls = std::atoi(argv[2]);
    Ice::CommunicatorHolder ice{Ice::initialize()};
    const auto adapter = ice->createObjectAdapterWithEndpoints("", "tcp -h 127.0.0.1");
    const auto proxy =
        adapter->add(std::make_shared<Echo>(), Ice::stringToIdentity("echo"))->ice_collocationOptimized(false);
    adapter->activate();
    call(proxy, calls / 10 + 1);  // connected, and warm
    const double cpu = processor_seconds();
    const auto begun = std::chrono::steady_clock::now();
    call(proxy, calls);
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begun;
    std::printf("{\"calls_per_second\": %f, \"cpu_us_per_call\": %f}\n", calls / elapsed.count(),
                1e6 * (processor_seconds() - cpu) / calls);
    return 0;
}
