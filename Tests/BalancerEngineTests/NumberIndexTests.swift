import Primitives
import TestSupport
import Testing

@testable import BalancerEngine

@Suite("Numbers by text")
struct NumberIndexTests {
    @Test("Finds what a dictionary finds, over any order of additions and removals, also when all hashes collide")
    func findsLikeADictionary() throws {
        try SeededRuns.each(10) { generator in
            let collides = generator.next() % 2 == 0
            var index = NumberIndex()
            var known: [Int: UInt32] = [:]
            for _ in 0..<3000 {
                let number = Int(generator.next() % 200)
                // A few hashes only, at the end of the table too, so that runs of taken places wrap around.
                let hash = collides ? UInt32.max - UInt32(number % 3) : NumberIndex.hash(UTF8Text("name-\(number)"))
                if known[number] == nil {
                    index.insert(number, hash: hash)
                    known[number] = hash
                } else {
                    index.remove(number, hash: hash)
                    known[number] = nil
                }
                let probe = Int(generator.next() % 200)
                let probeHash = collides ? UInt32.max - UInt32(probe % 3) : NumberIndex.hash(UTF8Text("name-\(probe)"))
                try #require(index.find(probeHash) { $0 == probe } == (known[probe] == nil ? nil : probe))
                try #require(index.count == known.count)
            }
            for (number, hash) in known { try #require(index.find(hash) { $0 == number } == number) }
        }
    }
}
