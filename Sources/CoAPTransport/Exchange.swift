import CoAPMessages

/// A request of a peer that waits for our answer.
struct Exchange {
    let session: TransportSession
    let token: CoAPToken
    let messageID: UInt16
    let isConfirmable: Bool
    /// What later blocks of the answer have in common with this request.
    let key: RequestKey
    /// The block that made the request's body whole; it is confirmed in the answer.
    var lastBlock: BlockOption?
    /// Which block of the answer is wanted.
    var wanted: BlockOption?
}
