internal import Primitives

/// The spelling under which a name is asked for and kept.
enum HostName {
    /// Lower case, without a final dot.
    ///
    /// - Returns: nil when the text cannot be a host name; underscores are let through because local networks use them.
    static func canonical(_ host: UTF8Text) -> UTF8Text? {
        var bytes = host.bytes
        if bytes.last == UInt8(ascii: ".") { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.count <= 253 else { return nil }
        var labelLength = 0
        for index in bytes.indices {
            switch bytes[index] {
            case UInt8(ascii: "."):
                guard labelLength > 0 else { return nil }
                labelLength = 0
                continue
            case UInt8(ascii: "A")...UInt8(ascii: "Z"):
                bytes[index] += 0x20
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
                UInt8(ascii: "_"):
                break
            default:
                return nil
            }
            labelLength += 1
            guard labelLength <= 63 else { return nil }
        }
        return labelLength > 0 ? UTF8Text(validating: bytes) : nil
    }
}
