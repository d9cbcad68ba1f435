import FleetReports
import Glibc
import Primitives

/// Reads what this process uses.
enum ProcessUsage {
    /// CPU time and resident memory by now.
    static func read(now: MonotonicTime) -> ResourceUsage {
        ResourceUsage(time: now, processorTime: self.processorTime, residentBytes: self.residentBytes)
    }

    private static var processorTime: Duration {
        var usage = rusage()
        guard getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 else { return .zero }
        let seconds = usage.ru_utime.tv_sec + usage.ru_stime.tv_sec
        return .seconds(seconds) + .microseconds(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec)
    }

    /// The second number of statm, in pages; 0 where there is no such file.
    private static var residentBytes: Int {
        guard let text = self.contents("/proc/self/statm") else { return 0 }
        let fields = text.split(separator: " ")
        guard fields.count > 1, let pages = Int(fields[1]) else { return 0 }
        return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    }

    /// How many ports the system hands out for one local address.
    static var portsPerAddress: Int {
        let limits =
            self.contents("/proc/sys/net/ipv4/ip_local_port_range")?
            .split { $0 == "\t" || $0 == " " || $0 == "\n" }.compactMap { Int($0) } ?? []
        guard limits.count == 2, limits[0] <= limits[1] else { return 28_232 }
        return limits[1] - limits[0] + 1
    }

    private static func contents(_ path: String) -> String? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
    }
}
