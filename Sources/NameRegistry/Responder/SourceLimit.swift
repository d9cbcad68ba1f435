internal import Primitives

/// How often each source may ask within a second, in memory that does not grow.
///
/// Sources that fall into one place push each other out, so a crowd is limited less, never more.
struct SourceLimit {
    private struct Place {
        var source: UInt64 = 0
        var second: Int64 = -1
        var count = 0
    }

    private let perSecond: Int
    private var places = [Place](repeating: Place(), count: 1024)

    init(perSecond: Int) {
        self.perSecond = perSecond
    }

    /// Whether one more question of the source is answered.
    ///
    /// - Parameter source: an IPv4 address, or the first eight bytes of an IPv6 one.
    mutating func admit(_ source: UInt64, now: MonotonicTime) -> Bool {
        let second = now.nanoseconds / 1_000_000_000
        let index = Int((source &* 0x9E37_79B9_7F4A_7C15) >> 54)
        if self.places[index].source != source || self.places[index].second != second {
            self.places[index] = Place(source: source, second: second, count: 0)
        }
        self.places[index].count += 1
        return self.places[index].count <= self.perSecond
    }
}
