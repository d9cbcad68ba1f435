import CoAPMessages
import ManagementEngine
import Primitives
import Testing

/// Registrations whose driver could not make them durable.
@Suite struct NotStoredTests {
    @Test func aRegistrationThatWasNotStoredIsNone() {
        let bench = Bench()
        bench.open()
        let outputs = bench.ask(Bench.register())
        // The driver learns of it between storing and answering: nothing but the report stands between the two.
        guard outputs.count == 3, case .store(.saved) = outputs[0], case .report(.registered) = outputs[1],
            case .sendResponse(_, let response) = outputs[2]
        else {
            Issue.record("\(outputs)")
            return
        }
        #expect(bench.tell(.registrationNotStored(endpoint: Bench.device)).isEmpty)
        #expect(bench.engine.registrationCount == 0)
        #expect(bench.engine.status(of: Bench.device) == nil)
        // Its location means nothing, and its lifetime ends nothing.
        let path = response.options.texts(.locationPath) ?? []
        #expect(bench.answer(CoAPRequest(.post, path: path))?.code == .notFound)
        #expect(bench.wait(.seconds(10_000)).isEmpty)
        #expect(bench.engine.nextDeadline == nil)
        // The device may try again.
        #expect(bench.answer(Bench.register())?.code == .created)
    }

    @Test func whatIsNotRegisteredCannotBeTakenBack() {
        let bench = Bench()
        #expect(bench.tell(.registrationNotStored(endpoint: "unknown")).isEmpty)
    }
}
