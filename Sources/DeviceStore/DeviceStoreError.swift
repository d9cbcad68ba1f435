/// Why a device's configuration could not be stored or loaded.
public enum DeviceStoreError: Error, Hashable, Sendable {
    /// The folder cannot be made or opened; the system's error number.
    case folderUnusable(Int32)
    /// The disk, the quota or the allowed file size is used up; what was stored before is untouched.
    case storageFull
    /// A system call failed while writing; its error number. What was stored before is untouched.
    case writeFailed(Int32)
    /// A system call failed while reading; its error number.
    case readFailed(Int32)
    /// The file is torn or changed: its length or checksum is wrong, or its content does not decode.
    case corrupt
    /// The file was written by a newer version of this format; which.
    case unsupportedVersion(UInt16)
    /// The configuration does not fit the format: over 1 MiB, or a field over 65,535 bytes.
    case tooLarge
}
