internal import BootstrapURIs
internal import Primitives

/// A walk over all devices, which gives names to those that wait and takes them from those that completed.
struct DevicePass: Sendable {
    var cursor = 0
    /// Slots of windows that are over.
    var ending: UInt8 = 0
    /// Devices that completed drop out.
    var sweeps = false
    /// Devices that completed need bootstrap again.
    var resets = false
}

extension BalancerEngine {
    var hasWork: Bool {
        self.mustShareOut || !self.touched.isEmpty || self.pass != nil || self.nextPass != nil || self.canFindOrphans
    }

    /// Windows after now that begin or end; nil: none ever.
    var nextWindowChange: MonotonicTime? {
        guard let clock = self.clock, let period = self.derivation.period else { return nil }
        let served = self.servedWindows(at: self.time ?? clock.time)
        guard let first = served.first, let last = served.last else { return nil }
        // The boundary that was passed last may still await its pass.
        let known = self.windows.compactMap { $0 }
        if served.contains(where: { !known.contains($0) }) || known.contains(where: { !served.contains($0) }) {
            return self.now
        }
        let begins = self.derivation.start(last).secondsSinceEpoch + period - self.lead
        let ends = self.derivation.start(first).secondsSinceEpoch + period + self.tail
        let seconds = min(begins, ends) - clock.time.secondsSinceEpoch
        return clock.known.advanced(by: .seconds(seconds))
    }

    /// How long before its start a window is published, in seconds.
    private var lead: Int64 { self.tail + self.configuration.registryTime.wholeSeconds }

    /// How long after its end a window is served, in seconds.
    private var tail: Int64 { self.derivation.clockSkew + Int64(self.configuration.timeToLive) }

    /// How long a name that nobody wants any more is kept, for those that resolved it.
    var removalDelay: Duration { .seconds(self.tail) }

    var sweepTime: MonotonicTime {
        self.now.advanced(by: .seconds(max(Int64(self.configuration.timeToLive), 3600)))
    }

    private func servedWindows(at time: WallTime) -> [TimeWindow] {
        guard let period = self.derivation.period else { return [self.derivation.window(time)] }
        let seconds = time.secondsSinceEpoch
        var window = self.derivation.window(WallTime(secondsSinceEpoch: seconds - self.tail))
        var served: [TimeWindow] = []
        while served.count < NameSharing.pinSlot,
            self.derivation.start(window).secondsSinceEpoch - self.lead <= seconds
        {
            served.append(window)
            let next = self.derivation.start(window).secondsSinceEpoch + period
            window = self.derivation.window(WallTime(secondsSinceEpoch: next))
        }
        return served
    }

    /// The civil time now; nil when it is not known.
    var time: WallTime? {
        self.clock.map { $0.time.advanced(by: $0.known.duration(to: self.now)) }
    }

    mutating func setClock(_ time: WallTime) {
        let isFirst = self.clock == nil
        self.clock = (self.now, time)
        if isFirst { self.resumeProgressTimers(at: time) }
        if self.derivation.period == nil, self.nextSweep == nil { self.nextSweep = self.sweepTime }
        let known = self.windows.compactMap { $0 }
        if self.servedWindows(at: time) != known.sorted() { self.requestPass(sweeps: false) }
    }

    /// Devices that started before a restart have only what is left of their time.
    private mutating func resumeProgressTimers(at time: WallTime) {
        for device in self.devices.entries.indices where self.devices.entries[device].phase == .started {
            let since = self.devices.entries[device].since
            guard since != .min else { continue }
            let limit = self.configuration.progressLimit
            let elapsed = Duration.seconds(max(0, time.secondsSinceEpoch - since))
            let deadline = self.now.advanced(by: max(.zero, limit - elapsed))
            self.progressTimers.set(deadline, for: Int32(device))
        }
    }

    mutating func requestPass(sweeps: Bool, resets: Bool = false) {
        var pass = self.nextPass ?? DevicePass()
        pass.sweeps = pass.sweeps || sweeps
        pass.resets = pass.resets || resets
        self.nextPass = pass
    }

    // MARK: Slices

    mutating func workOneSlice() {
        if self.mustShareOut {
            self.shareOut()
        } else {
            self.workOnDevices()
        }
        guard !self.hasWork, self.derivedCount > 0 else { return }
        self.emit(.report(.namesDerived(count: self.derivedCount)))
        self.derivedCount = 0
    }

    private mutating func workOnDevices() {
        var budget = self.configuration.sliceSize
        while budget > 0, let device = self.touched.popFirst() {
            self.devices.entries[Int(device)].set(DeviceEntry.isTouched, false)
            self.work(on: Int(device), DevicePass(ending: self.pass?.ending ?? 0))
            budget -= 1
        }
        guard budget > 0 else { return }
        if self.pass == nil, let next = self.nextPass { self.begin(next) }
        if var pass = self.pass {
            // Events between slices never change the pass itself.
            let end = min(pass.cursor + budget, self.devices.entries.count)
            for device in pass.cursor..<end { self.work(on: device, pass) }
            pass.cursor = end
            self.pass = pass
            if end == self.devices.entries.count { self.finishPass(pass) }
        } else if self.canFindOrphans {
            self.findOrphans()
        }
    }

    private mutating func begin(_ next: DevicePass) {
        self.nextPass = nil
        var pass = next
        let known = self.windows.compactMap { $0 }
        let served = self.time.map { self.servedWindows(at: $0) } ?? known
        for (slot, window) in self.windows.enumerated() {
            if let window, !served.contains(window) { pass.ending |= 1 << slot }
        }
        for window in served where !self.windows.contains(window) {
            // Without a free slot the window waits for the pass after this one, which ends another.
            guard let slot = self.windows.firstIndex(of: nil) else { continue }
            self.windows[slot] = window
            // A new window is a trigger: those that completed drop out.
            pass.sweeps = true
            self.emit(.report(.windowBegun(window)))
        }
        self.pass = pass
    }

    private mutating func finishPass(_ pass: DevicePass) {
        self.pass = nil
        guard pass.ending != 0 else { return }
        // A name that another window has too stays, and counts there only.
        for number in self.names.entries.indices where self.names.entries[number].slots & pass.ending != 0 {
            let entry = self.names.entries[number]
            self.sharing.count(-1, at: entry.instance, group: entry.group, slots: entry.slots & pass.ending)
            self.names.entries[number].slots &= ~pass.ending
        }
        for slot in self.windows.indices where pass.ending & (1 << slot) != 0 {
            if let window = self.windows[slot] { self.emit(.report(.windowEnded(window))) }
            self.windows[slot] = nil
        }
    }

    /// Brings the names of a device up to date.
    private mutating func work(on device: Int, _ pass: DevicePass) {
        guard self.devices.isUsed(device) else { return }
        if pass.resets, self.devices.entries[device].phase == .completed {
            self.setPhase(.waiting, of: device)
            self.storeProgress(of: device)
        }
        let phase = self.devices.entries[device].phase
        // One whose instance was lost keeps the name it uses, and may come back by that of any window.
        let needsNames = phase == .waiting || self.devices.entries[device].has(DeviceEntry.isRestarted)
        for slot in self.windows.indices {
            guard let window = self.windows[slot] else { continue }
            let name = self.devices.entries[device].names[slot]
            if pass.ending & (1 << slot) != 0 {
                guard name >= 0 else { continue }
                self.devices.entries[device].names[slot] = DeviceEntry.noName
                self.release(name, due: self.now)
            } else if needsNames, name < 0 {
                self.deriveName(of: device, window, slot)
            } else if phase == .completed, pass.sweeps, name >= 0 {
                self.devices.entries[device].names[slot] = DeviceEntry.noName
                self.release(name, due: self.now.advanced(by: self.removalDelay))
            }
        }
    }

    private mutating func deriveName(of device: Int, _ window: TimeWindow, _ slot: Int) {
        let entry = self.devices.entries[device]
        let endpoint = self.devices.endpoints[device]
        guard let secret = self.devices.secrets[device], !entry.has(DeviceEntry.isUnderivable) else { return }
        // The static host is not the balancer's to move.
        guard let host = self.derivation.host(secret, endpoint, window), host != self.derivation.staticHost else {
            self.devices.entries[device].set(DeviceEntry.isUnderivable, true)
            self.emit(.report(.underivable(endpoint: endpoint)))
            return
        }
        let name = self.names.intern(host, group: entry.group)
        // A name that the zone has from before is this device's kind of name from now on.
        if !self.names.entries[Int(name)].isWanted { self.names.entries[Int(name)].group = entry.group }
        self.devices.entries[device].names[slot] = name
        self.retain(name, slot: slot)
        self.counters.derived += 1
        self.derivedCount += 1
    }

    // MARK: Names that nobody wants

    var canFindOrphans: Bool {
        self.mustFindOrphans && self.isLoaded && self.clock != nil && self.pass == nil && self.nextPass == nil
            && self.touched.isEmpty
    }

    /// After a start or a take-over the zone has names that nobody wants; now that everybody has theirs, they go.
    private mutating func findOrphans() {
        self.mustFindOrphans = false
        let due = self.now.advanced(by: self.removalDelay)
        for number in self.names.entries.indices where !self.names.entries[number].isWanted {
            self.letGo(Int32(number), due: due)
        }
    }
}

extension Duration {
    /// Whole seconds, rounded up.
    var wholeSeconds: Int64 {
        let (seconds, attoseconds) = self.components
        return attoseconds > 0 ? seconds + 1 : seconds
    }
}

extension WallTime {
    func advanced(by duration: Duration) -> WallTime {
        WallTime(secondsSinceEpoch: self.secondsSinceEpoch + duration.components.seconds)
    }
}
