import CommandSessions
import LwM2MModel
import TestSupport
import Testing

@Suite struct CommandBytesTests {
    @Test func aCommandComesBackFromItsBytes() throws {
        let commands = [
            SessionCommand(.write, ObjectPath(3303, 0, 5601), contentFormat: .text, payload: [49]),
            SessionCommand(.execute, ObjectPath(3, 0, 4)), SessionCommand(.delete, ObjectPath(3303, 7)),
            SessionCommand(.create, ObjectPath(3303), payload: Array(repeating: 7, count: 300)),
        ]
        for command in commands {
            let command = try #require(command)
            #expect(try SessionCommand(decoding: command.encoded) == command)
            #expect(throws: SessionMessageError.malformed) { try SessionCommand(decoding: command.encoded + [0]) }
            for bytes in Damage.truncations(command.encoded) {
                #expect(throws: SessionMessageError.malformed) { try SessionCommand(decoding: bytes) }
            }
        }
    }
}
