import CoAPMessages
import CommandSessions
import Primitives

/// What the gateway asks of the device's object.
enum LinkRequest: Equatable {
    case writeMessage1(SessionMessage)
    case readMessage2
    case writeMessage3(SessionMessage)
    case writeOutcomeQuery(SessionPair)
    case readOutcome

    var isWrite: Bool { self != .readMessage2 && self != .readOutcome }

    /// The message that is written; nil for a read or a question.
    var message: SessionMessage? {
        switch self {
        case .writeMessage1(let message), .writeMessage3(let message): message
        case .readMessage2, .writeOutcomeQuery, .readOutcome: nil
        }
    }
}

struct LinkResponse: Equatable {
    var code: CoAPCode
    var payload: [UInt8] = []
}

/// Something that will happen.
enum LinkEvent {
    /// A copy of a request gets to the device; what it was sent in tells older ones from those of this session.
    case requestArrives(LinkRequest, exchange: Int, session: Int)
    case responseArrives(LinkResponse, exchange: Int)
    case gatewayResumes(life: Int)
    case gatewayStores(life: Int)
    case deviceStores(life: Int)
    case deviceExecutes(SessionOutcome, life: Int)
}

/// What will happen, in the order of time.
struct LinkSchedule {
    /// The latest first, so that the next is taken from the end.
    private var events: [(time: MonotonicTime, event: LinkEvent)] = []

    /// When the next event is due.
    var nextTime: MonotonicTime? { self.events.last?.time }

    mutating func add(_ event: LinkEvent, at time: MonotonicTime) {
        var index = self.events.count
        while index > 0, self.events[index - 1].time <= time { index -= 1 }
        self.events.insert((time, event), at: index)
    }

    mutating func next() -> LinkEvent? { self.events.popLast()?.event }
}
