import CLibCoAP

#if canImport(Glibc)
    import Glibc
#endif

/// Datagrams that are lost on purpose, so that a fleet on a perfect network behaves as one on a bad one.
enum DatagramLoss {
    /// Loses so many percent of the datagrams that the process sends from now on.
    ///
    /// The library does it, DTLS records and retransmissions included, and knows one share for all its sessions.
    static func loseSent(percent: Int) {
        let percent = CChar(truncatingIfNeeded: min(max(percent, 0), 99))
        let zero: CChar = 0x30
        // Two digits, a percent sign and the end, without a String: a device without a runtime library has none.
        let text: [CChar] = [zero + percent / 10, zero + percent % 10, 0x25, 0]
        coap_debug_set_packet_loss(text)
    }

    /// Loses so many percent of the datagrams that arrive at a socket, if it is the one connected to the peer.
    ///
    /// The system drops them, before anything of the process could know of them.
    ///
    /// - Returns: whether it was the socket.
    static func loseReceived(percent: Int, at descriptor: Int32, connectedTo peer: SocketAddress) -> Bool {
        guard DescriptorProbe.peerAddress(of: descriptor) == peer else { return false }
        let share = UInt64(clamping: percent) * UInt64(UInt32.max) / 100
        return starling_lose_received(descriptor, UInt32(truncatingIfNeeded: share)) == 0
    }
}
