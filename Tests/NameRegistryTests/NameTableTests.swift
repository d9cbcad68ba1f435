import Primitives
import TestSupport
import Testing

@testable import NameRegistry

@Suite("Name table")
struct NameTableTests {
    private func assignment(_ number: UInt32, isIPv6: Bool = false) throws -> NameTable.Assignment {
        let bytes = (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * UInt32($0))) }
        let address = try #require(IPAddress(isIPv6 ? bytes + bytes.reversed() + bytes + [1, 2, 3, 4] : bytes))
        return NameTable.Assignment(address: address, timeToLive: number &* 3)
    }

    @Test("it holds what a dictionary holds, whatever is assigned and removed")
    func likeADictionary() throws {
        try SeededRuns.each(6) { generator in
            var table = NameTable()
            var expected: [[UInt8]: NameTable.Assignment] = [:]
            for step in 0..<UInt32(3000) {
                let number = Int.random(in: 0..<700, using: &generator)
                let name = Array("\(number)".utf8) + [UInt8](repeating: 7, count: number % 230)
                if Int.random(in: 0..<5, using: &generator) < (step % 1000 < 500 ? 4 : 1) {
                    let assignment = try self.assignment(step, isIPv6: step % 3 == 0)
                    try #require(table.assign(name[...], assignment) == (expected[name] == nil))
                    expected[name] = assignment
                } else {
                    try #require(table.remove(name[...]) == (expected.removeValue(forKey: name) != nil))
                }
                try #require(table[name[...]] == expected[name])
            }
            try #require(table.count == expected.count)
            for (name, assignment) in expected { try #require(table[name[...]] == assignment) }
            try #require(
                Dictionary(uniqueKeysWithValues: table.all.map { (Array($0.name), $0.assignment) }) == expected
            )
        }
    }

    @Test("a rotation leaves nothing behind: names that are gone make room")
    func rotation() throws {
        var table = NameTable()
        var largest = 0
        for window in 0..<5 {
            for number in 0..<8000 {
                _ = table.assign(Array("w\(window)-\(number)".utf8)[...], try self.assignment(UInt32(number)))
                if window > 0 { _ = table.remove(Array("w\(window - 1)-\(number)".utf8)[...]) }
            }
            if window == 1 { largest = table.memory }
            if window > 1 { #expect(table.memory <= largest) }
        }
        #expect(table.count == 8000)
    }
}
