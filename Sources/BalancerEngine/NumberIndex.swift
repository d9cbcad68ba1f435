internal import Primitives

/// Finds numbers by text: open addressing, eight bytes a place, at most two thirds of them taken.
///
/// It keeps hashes and numbers, and asks its owner whether a number has the text. The hash is quick and not seeded:
/// what is put in comes from the network's own credentials and from derivations, never from a peer.
struct NumberIndex: Sendable {
    /// The hash in the upper half, the number and one in the lower; 0 is an empty place.
    private var places: [UInt64] = Array(repeating: 0, count: 16)
    private(set) var count = 0

    static func hash(_ text: UTF8Text) -> UInt32 {
        text.bytes.withUnsafeBytes { bytes in
            var hash = UInt64(bytes.count) &* 0x9E37_79B9_7F4A_7C15
            var offset = 0
            while offset + 8 <= bytes.count {
                hash = Self.mix(hash ^ bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
                offset += 8
            }
            var rest: UInt64 = 0
            while offset < bytes.count {
                rest = rest << 8 | UInt64(bytes[offset])
                offset += 1
            }
            return UInt32(truncatingIfNeeded: Self.mix(hash ^ rest) >> 32)
        }
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        let product = value.multipliedFullWidth(by: 0x9E37_79B9_7F4A_7C15)
        return product.high ^ product.low
    }

    /// The number with a hash that the owner says is meant; nil when there is none.
    func find(_ hash: UInt32, where isMeant: (Int) -> Bool) -> Int? {
        let mask = self.places.count - 1
        var place = Int(hash) & mask
        while self.places[place] != 0 {
            let entry = self.places[place]
            if UInt32(entry >> 32) == hash, isMeant(Self.number(entry)) { return Self.number(entry) }
            place = (place + 1) & mask
        }
        return nil
    }

    /// Adds a number whose text is not there yet.
    ///
    /// - Complexity: O(1) amortised.
    mutating func insert(_ number: Int, hash: UInt32) {
        if (self.count + 1) * 3 > self.places.count * 2 { self.resize(self.places.count * 2) }
        self.count += 1
        self.put(UInt64(hash) << 32 | UInt64(number + 1))
    }

    /// Removes a number that is there.
    mutating func remove(_ number: Int, hash: UInt32) {
        let mask = self.places.count - 1
        var hole = Int(hash) & mask
        let entry = UInt64(hash) << 32 | UInt64(number + 1)
        while self.places[hole] != entry {
            guard self.places[hole] != 0 else { return }
            hole = (hole + 1) & mask
        }
        self.count -= 1
        // What stands behind moves up unless it stands where it belongs.
        var next = (hole + 1) & mask
        while self.places[next] != 0 {
            let home = Int(self.places[next] >> 32) & mask
            if (next - home) & mask >= (next - hole) & mask {
                self.places[hole] = self.places[next]
                hole = next
            }
            next = (next + 1) & mask
        }
        self.places[hole] = 0
    }

    /// Makes room for so many numbers at once.
    mutating func reserve(_ count: Int) {
        var size = self.places.count
        while count * 3 > size * 2 { size *= 2 }
        if size > self.places.count { self.resize(size) }
    }

    private mutating func resize(_ size: Int) {
        let before = self.places
        self.places = Array(repeating: 0, count: size)
        for entry in before where entry != 0 { self.put(entry) }
    }

    private mutating func put(_ entry: UInt64) {
        let mask = self.places.count - 1
        var place = Int(entry >> 32) & mask
        while self.places[place] != 0 { place = (place + 1) & mask }
        self.places[place] = entry
    }

    private static func number(_ entry: UInt64) -> Int { Int(entry & 0xFFFF_FFFF) - 1 }
}
