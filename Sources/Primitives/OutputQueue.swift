/// What an engine wants done, in order, until its driver takes it.
public struct OutputQueue<Output: Sendable>: Sendable {
    @usableFromInline var outputs: [Output] = []
    @usableFromInline var head = 0

    /// Creates an empty queue.
    public init() {}

    /// Adds an output behind the others.
    @inlinable
    public mutating func append(_ output: Output) { self.outputs.append(output) }

    /// Removes and returns the oldest output; nil when there is none.
    ///
    /// An emptied queue keeps the memory of a few outputs, not that of a burst.
    @inlinable
    public mutating func next() -> Output? {
        guard self.head < self.outputs.count else {
            if self.head > 0 {
                self.outputs.removeAll(keepingCapacity: self.outputs.count <= 1024)
                self.head = 0
            }
            return nil
        }
        self.head += 1
        return self.outputs[self.head - 1]
    }
}
