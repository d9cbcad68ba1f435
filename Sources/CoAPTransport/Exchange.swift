import CoAPMessages

/// A request of a peer that waits for our answer.
struct Exchange {
    let session: TransportSession
    let token: CoAPToken
    let isConfirmable: Bool
    var response: CoAPResponse?
}
