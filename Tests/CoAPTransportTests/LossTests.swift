import Glibc
import Primitives
import Testing

@testable import CoAPTransport

extension TransportTests {
    /// Datagrams lost on purpose.
    ///
    /// Those sent are lost for a whole process: a fleet in a process of its own tries that.
    @Suite struct LossTests {
        @Test("About the share of what arrives is lost; all of another socket's and other peers' stays")
        func received() throws {
            let sender = try RawPeer()
            for (percent, expected) in [(0, 1_000...1_000), (30, 500...900), (99, 0...200)] {
                let receiver = try RawPeer()
                try receiver.connect(to: sender.address)
                if percent > 0 {
                    let isIt = DatagramLoss.loseReceived(
                        percent: percent,
                        at: receiver.descriptor,
                        connectedTo: sender.address
                    )
                    #expect(isIt)
                }
                var arrived = 0
                for _ in 0..<1_000 {
                    sender.send([1], to: receiver.address)
                    while receiver.receiveBytes() != nil { arrived += 1 }
                }
                #expect(expected.contains(arrived), "\(arrived) of 1,000 at \(percent)%")
            }
        }

        @Test("A socket of another peer, an unconnected one and none are left alone")
        func others() throws {
            let sender = try RawPeer()
            let other = try RawPeer()
            let receiver = try RawPeer()
            try receiver.connect(to: other.address)
            for descriptor in [receiver.descriptor, sender.descriptor, -1] {
                #expect(!DatagramLoss.loseReceived(percent: 99, at: descriptor, connectedTo: sender.address))
            }
            for _ in 0..<100 { other.send([1], to: receiver.address) }
            var arrived = 0
            while receiver.receiveBytes() != nil { arrived += 1 }
            #expect(arrived == 100)
        }
    }
}
