/// Types of records.
///
/// - Source: RFC 1035, section 3.2.2; RFC 3596, section 2.1; RFC 6891, section 6.1.1.
enum RecordType {
    static let a: UInt16 = 1
    static let ns: UInt16 = 2
    static let soa: UInt16 = 6
    static let txt: UInt16 = 16
    static let aaaa: UInt16 = 28
    static let opt: UInt16 = 41
    /// From here on types are questions only: IXFR, AXFR, ANY and their like, and signatures.
    static let questions: ClosedRange<UInt16> = 128...255
}

/// Response codes.
///
/// - Source: RFC 1035, section 4.1.1; RFC 6891, section 9.
enum ResponseCode {
    static let noError: UInt8 = 0
    static let formatError: UInt8 = 1
    static let nonexistentName: UInt8 = 3
    static let notImplemented: UInt8 = 4
    static let refused: UInt8 = 5
    /// Needs EDNS: its high bits stand there.
    static let badVersion: UInt8 = 16
}
