internal import CoAPMessages
internal import Primitives

extension BalancerEngine {
    // MARK: Who is served

    mutating func add(_ device: BalancerDevice) {
        guard (1...255).contains(device.endpoint.bytes.count) else { return }
        let group = self.sharing.group(region: device.region, deviceClass: device.deviceClass)
        guard let number = self.devices[device.endpoint] else {
            guard self.devices.count < self.configuration.maximumDevices else {
                self.refuse(.devices)
                return
            }
            var entry = DeviceEntry()
            entry.group = group
            self.phaseCounts[Int(entry.phase.rawValue)] += 1
            self.touch(self.devices.add(device.endpoint, secret: device.secret, entry))
            return
        }
        let before = self.devices.entries[number]
        self.devices.entries[number].group = group
        if before.pin >= 0 { self.regroup(before.pin, to: group) }
        if self.devices.secrets[number] != device.secret {
            self.devices.secrets[number] = device.secret
            self.devices.entries[number].set(DeviceEntry.isUnderivable, false)
            self.releaseNames(of: number)
        }
        self.touch(number)
    }

    mutating func removeDevice(_ endpoint: UTF8Text) {
        guard let number = self.devices[endpoint] else { return }
        let before = self.devices.entries[number]
        let hasRow = before.procedure != 0 || before.phase != .waiting
        self.leaveProgress(number)
        self.releaseNames(of: number)
        self.phaseCounts[Int(self.devices.entries[number].phase.rawValue)] -= 1
        self.devices.remove(number)
        if hasRow { self.store.append(.deviceForgotten(endpoint)) }
    }

    mutating func finishLoading() {
        // Rows of devices that nobody serves any more.
        for number in self.devices.entries.indices
        where self.devices.isUsed(number) && self.devices.secrets[number] == nil {
            self.removeDevice(self.devices.endpoints[number])
        }
        self.isLoaded = true
    }

    mutating func requireBootstrap(of endpoints: [UTF8Text]?) {
        guard let endpoints else {
            self.requestPass(sweeps: false, resets: true)
            return
        }
        for endpoint in endpoints {
            guard let number = self.devices[endpoint] else {
                self.counters.unknownDevices += 1
                continue
            }
            guard self.devices.entries[number].phase == .completed else { continue }
            self.setPhase(.waiting, of: number)
            self.storeProgress(of: number)
            self.touch(number)
        }
    }

    /// Lets a device's names be brought up to date with the next slice.
    mutating func touch(_ device: Int) {
        guard !self.devices.entries[device].has(DeviceEntry.isTouched) else { return }
        self.devices.entries[device].set(DeviceEntry.isTouched, true)
        self.touched.append(Int32(device))
    }

    private mutating func releaseNames(of device: Int) {
        let due = self.now.advanced(by: self.removalDelay)
        for slot in self.windows.indices {
            let name = self.devices.entries[device].names[slot]
            guard name >= 0 else { continue }
            self.devices.entries[device].names[slot] = DeviceEntry.noName
            self.release(name, due: due)
        }
    }

    mutating func refuse(_ bound: BalancerBound) {
        self.counters.refusedByBounds += 1
        self.emit(.report(.refusedByBounds(bound)))
    }

    // MARK: What instances tell

    mutating func take(_ notifications: [BootstrapNotification], _ exchange: ExchangeID) {
        guard self.store.exchangeCount < self.configuration.maximumWaiting else {
            // Without an answer the instance tells it again.
            self.refuse(.waiting)
            return
        }
        for notification in notifications { self.take(notification) }
        if !self.store.wait(exchange) { self.emit(.acknowledge(exchange)) }
    }

    private mutating func take(_ notification: BootstrapNotification) {
        guard let device = self.devices[notification.endpoint] else {
            self.counters.unknownDevices += 1
            self.emit(.report(.unknownDevice(endpoint: notification.endpoint)))
            return
        }
        if let number = self.instances[notification.instance] { self.instances.entries[number].lastBusy = self.now }
        let reporter = self.reporters.intern(notification.instance)
        let entry = self.devices.entries[device]
        let isSameReporter = reporter == entry.reporter && reporter != ReporterTable.none
        let procedure = notification.fingerprint
        let isCurrent = procedure == entry.procedure
        // What was given up may complete all the same; the sequence tells it from what was counted before.
        let completesLate = isSameReporter && entry.phase == .waiting && notification.event == .completed
        let isOld =
            isSameReporter && notification.sequence <= entry.sequence || procedure == entry.procedureBefore
            || isCurrent && !completesLate && (entry.phase != .started || notification.event == .started)
        guard !isOld else {
            self.counters.repeatedNotifications += 1
            return
        }
        if notification.event == .failed, !isCurrent, entry.phase == .started {
            // Another procedure ended, and its device is being served in this one: worth remembering, no more.
            self.devices.entries[device].procedureBefore = procedure
            self.counters.failed += 1
            self.storeProgress(of: device)
            return
        }
        self.leaveProgress(device)
        if !isCurrent {
            self.devices.entries[device].procedureBefore = entry.procedure
            self.devices.entries[device].procedure = procedure
        }
        self.devices.entries[device].reporter = reporter
        self.devices.entries[device].sequence = notification.sequence
        switch notification.event {
        case .started:
            self.counters.started += 1
            self.devices.entries[device].since = self.time?.secondsSinceEpoch ?? .min
            self.enterProgress(
                device,
                host: notification.host,
                instance: self.instances[notification.instance],
                limit: self.configuration.progressLimit
            )
        case .completed:
            self.counters.completed += 1
            self.setPhase(.completed, of: device)
        case .failed:
            self.counters.failed += 1
            self.setPhase(.waiting, of: device)
            self.touch(device)
        }
        self.storeProgress(of: device)
    }

    mutating func enterProgress(_ device: Int, host: UTF8Text?, instance: Int?, limit: Duration) {
        self.setPhase(.started, of: device)
        self.progressTimers.set(self.now.advanced(by: limit), for: Int32(device))
        let reporter = self.devices.entries[device].reporter
        if self.devices.entries[device].has(DeviceEntry.isRestarted) {
            self.restartedCount += 1
        } else if reporter >= 0 {
            self.reporters.started[Int(reporter)] += 1
        }
        guard let host, let name = self.names[host] else { return }
        self.devices.entries[device].pin = name
        let isServing = instance.map { self.instances.entries[$0].state == .up } ?? false
        self.pin(name, at: isServing ? instance : nil)
    }

    /// Takes a device that is in progress out of everything that says so, but its phase.
    mutating func leaveProgress(_ device: Int) {
        let entry = self.devices.entries[device]
        guard entry.phase == .started else { return }
        self.progressTimers.set(nil, for: Int32(device))
        if entry.has(DeviceEntry.isRestarted) {
            self.restartedCount -= 1
        } else if entry.reporter >= 0 {
            self.reporters.started[Int(entry.reporter)] -= 1
        }
        self.devices.entries[device].set(DeviceEntry.isRestarted, false)
        self.devices.entries[device].since = .min
        guard entry.pin >= 0 else { return }
        self.devices.entries[device].pin = DeviceEntry.noName
        self.unpin(entry.pin)
    }

    mutating func giveUp(_ device: Int) {
        guard self.devices.isUsed(device), self.devices.entries[device].phase == .started else { return }
        self.leaveProgress(device)
        self.setPhase(.waiting, of: device)
        self.touch(device)
        self.storeProgress(of: device)
        self.counters.givenUp += 1
        self.emit(.report(.givenUp(endpoint: self.devices.endpoints[device])))
    }

    mutating func setPhase(_ phase: DeviceProgress.Phase, of device: Int) {
        self.phaseCounts[Int(self.devices.entries[device].phase.rawValue)] -= 1
        self.phaseCounts[Int(phase.rawValue)] += 1
        self.devices.entries[device].phase = phase
    }

    mutating func storeProgress(of device: Int) {
        self.store.append(.deviceChanged(self.progress(at: device)))
    }

    func progress(at device: Int) -> DeviceProgress {
        let entry = self.devices.entries[device]
        return DeviceProgress(
            endpoint: self.devices.endpoints[device],
            phase: entry.phase,
            host: entry.pin >= 0 ? self.names.texts[Int(entry.pin)] : nil,
            instance: self.reporters.name(entry.reporter),
            isRestarted: entry.has(DeviceEntry.isRestarted),
            since: entry.since == .min ? nil : WallTime(secondsSinceEpoch: entry.since),
            sequence: entry.sequence,
            procedures: [entry.procedure, entry.procedureBefore].filter { $0 != 0 }
        )
    }

    // MARK: What is asked

    mutating func answerPin(_ exchange: ExchangeID, _ endpoint: UTF8Text, _ host: UTF8Text) {
        let pin = self.devices[endpoint].map { self.devices.entries[$0].pin } ?? DeviceEntry.noName
        let isPinned = pin >= 0 && self.names.texts[Int(pin)] == host
        self.emit(.answerPin(exchange, isPinned: isPinned))
    }

    /// Whether a host is one of a device's names.
    func isName(_ host: UTF8Text, of device: Int) -> Bool {
        guard let name = self.names[host] else { return false }
        let entry = self.devices.entries[device]
        return entry.pin == name || self.windows.indices.contains { entry.names[$0] == name }
    }
}

extension BootstrapNotification {
    /// Tells procedures of all instances apart; never 0.
    ///
    /// - Source: FNV-1a, 64 bits.
    var fingerprint: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in self.instance.bytes + [0] + self.procedure.bytes {
            hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
        }
        return max(hash, 1)
    }
}
