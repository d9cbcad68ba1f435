import Primitives

/// How often something goes wrong, each from 0, never, to 1, always.
struct LinkWeather: Sendable {
    /// A copy of a message does not arrive.
    var loss = 0.0
    /// A message arrives once more, and perhaps again.
    var duplication = 0.0
    /// A copy takes longer than the device waits for message 3; a command takes longer than the gateway waits.
    var lateness = 0.0
    /// A record cannot be stored.
    var storageFailure = 0.0
    /// A command cannot begin, as when the device has too much to do: 5.03.
    var unreadiness = 0.0
    /// Either side goes down at a step and comes back with the record that it had stored.
    var crash = 0.0

    static let calm = LinkWeather()

    /// A quarter of all sessions has a calm link; the others have troubles of one kind or of several.
    static func any(_ random: inout SeededGenerator) -> LinkWeather {
        var weather = LinkWeather()
        guard random.chance(0.75) else { return weather }
        let worst = random.chance(0.3) ? 0.5 : 0.15
        if random.chance(0.5) { weather.loss = worst * random.nextUnitInterval() }
        if random.chance(0.5) { weather.duplication = worst * 2 * random.nextUnitInterval() }
        if random.chance(0.5) { weather.lateness = worst * random.nextUnitInterval() }
        if random.chance(0.3) { weather.storageFailure = worst * random.nextUnitInterval() }
        if random.chance(0.3) { weather.unreadiness = worst * 2 * random.nextUnitInterval() }
        if random.chance(0.3) { weather.crash = worst / 2 * random.nextUnitInterval() }
        return weather
    }
}

extension SeededGenerator {
    /// Whether something comes true that does so this often, from 0 to 1.
    mutating func chance(_ probability: Double) -> Bool {
        probability > 0 && self.nextUnitInterval() < probability
    }

    /// A number from 0 up to, not including, the bound.
    mutating func below(_ bound: Int) -> Int { Int(self.next() % UInt64(bound)) }

    mutating func pick<Item>(_ items: [Item]) -> Item { items[self.below(items.count)] }

    /// A span between two numbers of milliseconds.
    mutating func milliseconds(_ shortest: Int, _ longest: Int) -> Span {
        Span(milliseconds: Int64(shortest + self.below(longest - shortest)))
    }
}

/// Nanoseconds as a plain number: a million sessions add many.
struct Span: Hashable, Sendable {
    let nanoseconds: Int64

    init(milliseconds: Int64) { self.nanoseconds = milliseconds * 1_000_000 }

    static func seconds(_ seconds: Int64) -> Span { Span(milliseconds: seconds * 1000) }
}

extension MonotonicTime {
    static func + (time: MonotonicTime, span: Span) -> MonotonicTime {
        MonotonicTime(nanoseconds: time.nanoseconds + span.nanoseconds)
    }
}
