/// First in, first out.
struct WorkQueue<Element: Sendable>: Sendable {
    private var elements: [Element] = []
    private var head = 0

    var isEmpty: Bool { self.head == self.elements.count }
    var count: Int { self.elements.count - self.head }
    var first: Element? { self.isEmpty ? nil : self.elements[self.head] }

    mutating func append(_ element: Element) { self.elements.append(element) }

    /// - Complexity: O(1) amortised.
    mutating func popFirst() -> Element? {
        guard !self.isEmpty else { return nil }
        defer {
            self.head += 1
            if self.head == self.elements.count {
                self.elements.removeAll(keepingCapacity: self.head <= 4096)
                self.head = 0
            } else if self.head >= 4096, self.head * 2 >= self.elements.count {
                self.elements.removeFirst(self.head)
                self.head = 0
            }
        }
        return self.elements[self.head]
    }
}
