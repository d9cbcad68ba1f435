import Testing

/// Everything that opens sockets, one test after another: a transport and what it keeps for its process belong to one
/// thread.
@Suite(.serialized) struct TransportTests {}
