/// CRC-32 as in Ethernet and zip: finds every torn or flipped file of this size, protects against nobody.
///
/// - Source: ISO/IEC 8802-3, section 3.2.9; check value of "123456789" is 0xCBF43926.
enum Checksum {
    static func crc32(_ bytes: ArraySlice<UInt8>) -> UInt32 {
        var remainder: UInt32 = 0xFFFF_FFFF
        for byte in bytes {
            remainder ^= UInt32(byte)
            for _ in 0..<8 {
                remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0xEDB8_8320 : remainder >> 1
            }
        }
        return ~remainder
    }
}
