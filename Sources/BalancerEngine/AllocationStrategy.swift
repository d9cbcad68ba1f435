/// How names are shared among instances: filters choose who may have a name, and a rule spreads names over those.
public struct AllocationStrategy: Hashable, Sendable {
    /// Which instances may have the names of a device.
    public enum Filter: Hashable, Sendable {
        /// Those of the device's region; when there are none, those without a region; then all.
        case region
        /// Those that list the device's class; when there are none, those for every class; then all.
        case deviceClass
    }

    /// How names are spread over the instances that may have them.
    public enum Spreading: Hashable, Sendable {
        /// Equally many names for each.
        case even
        /// More names for those with fewer bootstraps in progress.
        case leastConnections
        /// In proportion to the weights.
        case weighted
        /// In proportion to the weights, bootstraps in progress counted as names.
        case weightedLeastConnections
    }

    /// The filters, the first one first; each sees what the one before left, and one that would leave nobody is skipped.
    public var filters: [Filter]
    /// How names are spread.
    public var spreading: Spreading

    /// Creates a strategy; without filters every instance may have every name.
    public init(filters: [Filter] = [], _ spreading: Spreading = .even) {
        self.filters = filters
        self.spreading = spreading
    }
}
