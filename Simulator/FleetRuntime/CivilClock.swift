import Glibc
import Primitives

/// The civil time of this machine.
enum CivilClock {
    static var now: WallTime {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return WallTime(secondsSinceEpoch: Int64(time.tv_sec))
    }
}
