import CoAPMessages
import LwM2MModel

/// A request that is answered when the embedder or the store has spoken.
struct PendingExchange: Sendable {
    enum Wait: Sendable {
        /// For the embedder to execute a resource.
        case execution
        /// For the embedder to decide a write.
        case decision(records: [ResourceRecord], mode: WriteMode)
        /// For a changed Server object to be durable.
        case storage(StorageID, records: [ResourceRecord], mode: WriteMode)
    }

    let exchange: ExchangeID
    let operation: ManagementOperation
    let path: ObjectPath
    let wait: Wait
}
