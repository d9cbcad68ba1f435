internal import BootstrapURIs
public import Primitives

extension BalancerEngine {
    /// What the balancer does at the moment.
    ///
    /// - Complexity: O(1) in the number of devices and names.
    public var status: BalancerStatus {
        var status = BalancerStatus()
        status.waiting = self.phaseCounts[Int(DeviceProgress.Phase.waiting.rawValue)]
        status.started = self.phaseCounts[Int(DeviceProgress.Phase.started.rawValue)]
        status.completed = self.phaseCounts[Int(DeviceProgress.Phase.completed.rawValue)]
        status.restarted = self.restartedCount
        for (number, entry) in self.instances.entries.enumerated() where entry.state != .free && entry.state != .lost {
            let reporter = self.reporters.number(of: entry.instance.name)
            status.instances.append(
                BalancerStatus.Instance(
                    name: entry.instance.name,
                    names: self.sharing.names(at: number),
                    started: reporter.map { Int(self.reporters.started[Int($0)]) } ?? 0,
                    inProgress: entry.inProgress
                )
            )
        }
        status.windows = self.windows.compactMap { $0 }.sorted()
        status.published = self.publishedCount
        status.pending = self.newNames.count + self.changedNames.count
        status.isDeriving = self.hasWork
        status.epoch = self.writer.epoch
        status.writing = self.writing
        return status
    }

    private var writing: BalancerStatus.Writing {
        switch self.writer.trouble {
        case .unreachable: return .unreachable
        case .refused(let code): return .refused(code)
        case nil: break
        }
        switch self.writer.state {
        case .ready: return .idle
        case .stopped, .storing, .sending, .checking, .pausing: return .busy
        case .reading: return .reading
        case .superseded: return .superseded
        }
    }

    /// Lists the names that the zone has, page by page, in no special order.
    ///
    /// - Parameters:
    ///   - cursor: 0 at first, then what the last page returned.
    ///   - limit: the most names of a page; at least 1.
    /// - Returns: the page, and the cursor of the next one; nil behind the last.
    public func names(from cursor: Int, limit: Int) -> (page: [NameRecord], next: Int?) {
        var page: [NameRecord] = []
        var number = max(cursor, 0)
        while number < self.names.entries.count, page.count < limit {
            let entry = self.names.entries[number]
            if entry.published != AddressTable.none {
                page.append(NameRecord(name: self.names.texts[number], address: self.addresses[entry.published]))
            }
            number += 1
        }
        return (page, number < self.names.entries.count ? number : nil)
    }

    /// How far a device's bootstrap has come; nil when it is not known.
    public func progress(of endpoint: UTF8Text) -> DeviceProgress? {
        self.devices[endpoint].map { self.progress(at: $0) }
    }
}
