import CoAPMessages

/// What the blocks of one transfer have in common: the request without what differs from block to block.
///
/// The body of a FETCH is not part of it, because later requests for blocks need not repeat it.
///
/// - Source: RFC 7959, sections 2.4 and 2.5.
struct RequestKey: Hashable {
    let method: CoAPCode
    let options: CoAPOptions

    init(method: CoAPCode, options: CoAPOptions) {
        self.method = method
        var options = options.withoutBlocks
        if options.observe != nil { options.remove(.observe) }
        self.options = options
    }
}
