import Foundation
import TestSupport
import Testing

extension Interop {
    /// `starling uri` beside the vectors that another implementation computed.
    @Suite(
        "starling uri",
        .enabled(if: Program.starling != nil, "starling is not built; swift build builds it")
    )
    struct URICommand {
        private struct Vector: Decodable {
            let title: String
            let profile: String
            let `static`: String
            let secret: String
            let endpoint: String
            let time: Int
            let derivative: String
            let ni: String?
            let uri: String
        }

        private static func vectors() throws -> [Vector] {
            let bytes = try Fixtures.vector("BootstrapURIs/derivations.json")
            return try JSONDecoder().decode([Vector].self, from: Data(bytes))
        }

        private static func arguments(_ vector: Vector) -> [String] {
            var arguments = ["uri", "--static-uri", vector.static, "--time=\(vector.time)", "--secret", vector.secret]
            arguments.append("--endpoint=\(vector.endpoint)")
            if !vector.profile.isEmpty { arguments += ["--profile", vector.profile] }
            return arguments
        }

        @Test("Each form prints what the vector has, and never the secret")
        func printsTheVectors() throws {
            let starling = try #require(Program.starling)
            for (index, vector) in try Self.vectors().enumerated() where index % 9 == 0 {
                let arguments = Self.arguments(vector)
                let short = try starling.run(arguments + ["--short"], limit: 20)
                #expect(short.output == vector.uri + "\n", "\(vector.title): \(short.errors)")
                let steps = try starling.run(arguments, limit: 20)
                #expect(steps.output.contains("derivative  \(vector.derivative)\n"), "\(vector.title)")
                let json = try starling.run(arguments + ["--json"], limit: 20)
                let object = try JSONSerialization.jsonObject(with: Data(json.output.utf8)) as? [String: Any]
                #expect(object?["uri"] as? String == vector.uri, "\(vector.title)")
                #expect(object?["ni"] as? String == vector.ni, "\(vector.title)")
                for result in [short, steps, json] {
                    #expect(result.status == 0)
                    #expect(!(result.output + result.errors).contains(vector.secret), "\(vector.title)")
                }
            }
        }

        @Test func aRangeOfWindowsIsALineEach() throws {
            let vector = try #require(try Self.vectors().first)
            let arguments = Self.arguments(vector) + ["--short"]
            let starling = try #require(Program.starling)
            let day = try starling.run(arguments + ["--until=\(vector.time + 86_399)"], limit: 20)
            let lines = day.output.split(separator: "\n")
            #expect(lines.count == 25)
            #expect(Set(lines).count == lines.count)
            let counted = try starling.run(arguments + ["--windows", "25"], limit: 20)
            #expect(counted.output == day.output)
        }

        @Test func theSecretMayComeFromAVariable() throws {
            let vector = try #require(try Self.vectors().first)
            var arguments = Self.arguments(vector) + ["--short"]
            let place = try #require(arguments.firstIndex(of: "--secret"))
            arguments.replaceSubrange(place...(place + 1), with: ["--secret-env", "DEVICE_SECRET"])
            let result = try #require(Program.starling).run(
                arguments,
                environment: ["DEVICE_SECRET": vector.secret],
                limit: 20
            )
            #expect(result.output == vector.uri + "\n", "\(result.errors)")
        }

        private static let mistakes: [[String]] = [
            [], ["--static-uri", "nonsense"], ["--static-uri", "coap://127.0.0.1"],
            ["--static-uri", "coap://bs.test", "--profile", "hour=1"],
            ["--static-uri", "coap://bs.test", "--profile", "@/nonexistent/profile"],
            ["--static-uri", "coap://bs.test", "--time", "noon"],
            ["--static-uri", "coap://bs.test", "--windows", "0"],
            ["--static-uri", "coap://bs.test", "--windows", "1", "--neighbours"],
            ["--static-uri", "coap://bs.test", "--ni"], ["--static-uri", "coap://bs.test", "--json", "--short"],
            ["--static-uri", "coap://bs.test", "--psk-secret", "00112233445566778899aabbccddeeff"],
        ]

        @Test("Each mistake ends with status 2, a message and a hint", arguments: mistakes)
        func refuses(_ arguments: [String]) throws {
            let secret = "000102030405060708090a0b0c0d0eff"
            let result = try #require(Program.starling).run(
                ["uri", "--endpoint", "a", "--secret", secret] + arguments,
                limit: 20
            )
            #expect(result.status == 2, "\(result.errors)")
            #expect(result.output.isEmpty)
            #expect(result.errors.contains("Error: ") && result.errors.contains("Hint: "), "\(result.errors)")
            #expect(!result.errors.contains(secret))
        }

        @Test(arguments: ["", "0", "xyz", "00", "000102030405060708090a0b0c0d0e", "@/nonexistent/secret"])
        func refusesASecretThatIsNoneOrWeak(_ secret: String) throws {
            let result = try #require(Program.starling).run(
                ["uri", "--endpoint", "a", "--static-uri", "coap://bs.test", "--secret", secret],
                limit: 20
            )
            #expect(result.status == 2)
            #expect(result.output.isEmpty)
            #expect(result.errors.contains("Hint: "))
        }
    }
}
