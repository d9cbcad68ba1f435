public import CoAPMessages
public import CoAPTransport

/// Names the transport's sessions for an engine, and finds them again.
public struct SessionTable {
    private var numbers: [TransportSession: SessionID] = [:]
    private var sessions: [SessionID: TransportSession] = [:]
    private var last: UInt32 = 0

    /// Creates an empty table.
    public init() {}

    /// How many sessions are named.
    public var count: Int { self.sessions.count }

    /// Names a session.
    public mutating func add(_ session: TransportSession) -> SessionID {
        if let known = self.numbers[session] { return known }
        repeat { self.last &+= 1 } while self.sessions[SessionID(rawValue: self.last)] != nil
        let number = SessionID(rawValue: self.last)
        self.numbers[session] = number
        self.sessions[number] = session
        return number
    }

    /// Forgets a session and returns the name it had.
    public mutating func remove(_ session: TransportSession) -> SessionID? {
        guard let number = self.numbers.removeValue(forKey: session) else { return nil }
        self.sessions[number] = nil
        return number
    }

    /// The name of a session.
    public subscript(session: TransportSession) -> SessionID? { self.numbers[session] }

    /// The session of a name.
    public subscript(number: SessionID) -> TransportSession? { self.sessions[number] }
}
