internal import LwM2MModel
internal import Primitives

extension DecimalNumber {
    /// Appends a path; `/3/0/1`, `/` for the root.
    static func write(_ path: ObjectPath, into bytes: inout [UInt8]) {
        guard path.depth > 0 else {
            bytes.append(Ascii.slash)
            return
        }
        for number in path.numbers {
            bytes.append(Ascii.slash)
            self.write(unsigned: UInt64(number), into: &bytes)
        }
    }
}
