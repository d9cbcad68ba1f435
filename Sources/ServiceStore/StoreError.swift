internal import GRDB

/// Why the state of a service cannot be read or written.
public enum StoreError: Error, Hashable, Sendable {
    /// The file cannot be opened: its folder is missing, or permissions.
    case cannotOpen
    /// Another process uses the file.
    case inUse
    /// The file is no database of this service, or is damaged.
    case damaged
    /// A newer version of this service wrote the file.
    case tooNew
    /// The disk is full.
    case diskFull
    /// SQLite failed otherwise; its result code.
    case failed(code: Int32)

    init(_ error: any Error) {
        guard let error = error as? DatabaseError else {
            self = .failed(code: -1)
            return
        }
        switch error.resultCode.primaryResultCode {
        case .SQLITE_CANTOPEN, .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH: self = .cannotOpen
        case .SQLITE_BUSY, .SQLITE_LOCKED: self = .inUse
        case .SQLITE_CORRUPT, .SQLITE_NOTADB: self = .damaged
        case .SQLITE_FULL: self = .diskFull
        default: self = .failed(code: error.resultCode.rawValue)
        }
    }

    /// What to check next, for people.
    public var hint: String {
        switch self {
        case .cannotOpen: "the folder of the state file must exist and be writable"
        case .inUse: "another server uses this state file; give each its own"
        case .damaged: "this is no state file of Starling, or it is damaged; move it away to begin anew"
        case .tooNew: "a newer version of Starling wrote this file; use that version, or another file"
        case .diskFull: "make room on the disk; nothing that was acknowledged is lost"
        case .failed(let code): "SQLite says \(code)"
        }
    }
}
