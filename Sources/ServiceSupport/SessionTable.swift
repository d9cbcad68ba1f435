import CoAPMessages
import CoAPTransport

/// Names the transport's sessions for an engine, and finds them again.
struct SessionTable {
    private var numbers: [TransportSession: SessionID] = [:]
    private var sessions: [SessionID: TransportSession] = [:]
    private var last: UInt32 = 0

    /// How many sessions are named.
    var count: Int { self.sessions.count }

    /// Names a session.
    mutating func add(_ session: TransportSession) -> SessionID {
        if let known = self.numbers[session] { return known }
        repeat { self.last &+= 1 } while self.sessions[SessionID(rawValue: self.last)] != nil
        let number = SessionID(rawValue: self.last)
        self.numbers[session] = number
        self.sessions[number] = session
        return number
    }

    /// Forgets a session and returns the name it had.
    mutating func remove(_ session: TransportSession) -> SessionID? {
        guard let number = self.numbers.removeValue(forKey: session) else { return nil }
        self.sessions[number] = nil
        return number
    }

    /// The name of a session.
    subscript(session: TransportSession) -> SessionID? { self.numbers[session] }

    /// The session of a name.
    subscript(number: SessionID) -> TransportSession? { self.sessions[number] }
}
