import CLibCoAP
public import Primitives

#if canImport(Glibc)
    import Glibc
#endif

/// The clock of the system.
public enum SystemClock {
    /// The civil time; nil while the clock shows a year before 2024, as one does that was never set.
    public static var time: WallTime? {
        var time = timespec()
        guard clock_gettime(CLOCK_REALTIME, &time) == 0, Int64(time.tv_sec) >= self.earliest else { return nil }
        return WallTime(secondsSinceEpoch: Int64(time.tv_sec))
    }

    /// 2024-01-01T00:00:00Z.
    private static let earliest: Int64 = 1_704_067_200
}
